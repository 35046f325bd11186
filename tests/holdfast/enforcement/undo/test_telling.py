"""What is told of an undo window: in the plan's figures, the report, the certificate, `explain`, and on the way."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from tests.holdfast.enforcement.undo.window import LAST, LATE, NOT_YET, TAKEN, night
from tests.holdfast.retention.shop import TODAY, Shop
from typer.testing import CliRunner

from holdfast import database, settings
from holdfast.cli import app
from holdfast.evidence import certificate
from holdfast.policy import wording
from holdfast.retention import explain, steps


def report(shop: Shop, run_id: int) -> tuple[str, dict[str, Any]]:
    """The report's page and its data."""
    folder = shop.settings.project / str(steps.write_report(shop.engine, shop.settings, run_id=run_id)["report"])
    folder = folder if folder.is_dir() else folder.parent
    return (folder / "index.html").read_text(), json.loads((folder / "report.json").read_text())


def certified(shop: Shop, run_id: int) -> str:
    with shop.engine.connect() as connection:
        return certificate.page_of(certificate.compose(connection, run_id), "Europe/London")


def test_the_report_says_what_is_kept_until_when(kept_shop: Shop) -> None:
    page, facts = report(kept_shop, 1)
    assert "Kept now, of all nights" in page
    assert [(one["rule_id"], one["kept_rows"], one["last_end"], one["why"]) for one in facts["undo"]["kept"]] == [
        ("items-2y", 4, "2024-03-09", "window"),
        ("purchases-2y", 6, "2024-03-09", "window"),
    ]
    assert facts["verdict"]["standing"] == "kept"


def test_the_report_says_which_keys_were_destroyed_and_what_a_hold_kept(kept_shop: Shop) -> None:
    kept_shop.hold("matter-2", subject_key="2")
    page, facts = report(kept_shop, kept_shop.night(night(LAST)))
    (ended,) = facts["undo"]["destroyed"]
    assert (ended["of_run"], ended["gone_rows"], ended["kept_on_rows"]) == (1, 5, 5)
    assert {(one["why"], one["first_gone_by"]) for one in facts["undo"]["kept"]} == {("held", "2024-03-09")}
    assert "5 rows with it; 5 rows stayed, encrypted anew" in page
    assert "under a hold; to be gone since" in page
    assert facts["verdict"]["standing"] == "kept"


def test_rows_past_their_day_that_nobody_can_judge_break_the_promise(kept_shop: Shop) -> None:
    kept_shop.execute("ALTER TABLE shop.purchase DROP COLUMN note")
    kept_shop.execute("ALTER TABLE shop.purchase ADD COLUMN note bytea")
    page, facts = report(kept_shop, kept_shop.night(night(LAST)))
    assert facts["verdict"]["standing"] == "partly"
    assert "6 rows whose undo window is over are still kept encrypted" in page


def test_a_certificate_tells_what_is_destroyed_from_what_is_kept(kept_shop: Shop) -> None:
    text = certified(kept_shop, 1)
    assert "rows deleted (SQL DELETE), kept encrypted until 2024-03-09" in text
    assert "the key is there, and the rows can be brought back: they are not destroyed yet" in text
    kept_shop.night(night(LAST))
    assert "key destroyed on" in certified(kept_shop, 1)


def test_of_rows_that_were_late_a_certificate_says_that_they_are_gone(shop: Shop) -> None:
    shop.purchases([1], bought_on=LATE)
    text = certified(shop, shop.night())
    assert "rows deleted (SQL DELETE)" in text
    assert "kept encrypted" not in text


def test_a_record_is_explained_with_the_day_on_which_it_leaves_its_table(shop: Shop) -> None:
    shop.purchases([1], bought_on=NOT_YET)
    with shop.engine.connect() as connection:
        found = explain.explain(connection, shop.policy, "purchases", "1", as_of=TODAY, untrusted=frozenset())
    assert found is not None
    (rule,) = found.rules
    assert rule.last_day == dt.date(2024, 3, 9)
    assert found.next_look == dt.date(2024, 3, 3)


def test_the_words_of_a_rule_tell_of_its_window(shop: Shop) -> None:
    words = wording.describe(shop.policy, "purchases-2y")
    assert words is not None
    assert words.action == "Deleted 7 days earlier and kept encrypted for that time"


def test_the_forecast_counts_what_leaves_its_table(shop: Shop) -> None:
    shop.purchases([1], bought_on=TAKEN)
    shop.purchases([2], bought_on=NOT_YET)
    run_id = shop.plan()
    found = "SELECT rows_due FROM holdfast.plan_forecast WHERE run_id = :run AND rule_id = :rule AND within_days = 30"
    assert shop.one(found, run=run_id, rule="purchases-2y") == 1


def test_from_the_command_line_it_takes_three_people(kept_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, kept_shop.engine.url.render_as_string(hide_password=False))

    def say(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["retention", *words])
        return done.exit_code, done.output + str(done.exception or "")

    asked = say("restore", "--run", "1", "--by", "carla")
    assert asked[0] == 1
    assert "can be had until 2024-03-09" in asked[1]
    assert "6 of purchases" in asked[1]
    assert "no approver" in say("approve-restore", "--run", "1", "--by", "carla")[1]
    assert say("approve-restore", "--run", "1", "--by", "anna") == (0, "Run 1: approved by 1 of 2.\n")
    assert say("restore", "--run", "1", "--by", "carla")[0] == 1
    assert say("approve-restore", "--run", "1", "--by", "7") == (0, "Run 1: approved by 2 of 2.\n")
    assert "No hold reaches 10 of the rows" in say("restore", "--run", "1", "--by", "carla")[1]
    code, told = say("restore", "--run", "1", "--by", "carla", "--even-unheld")
    assert code == 0
    assert "6 rows of purchases are back, as they were." in told
    assert "10 of them are under no hold: the next night takes them again." in told
    with database.transaction(kept_shop.engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM shop.purchase").scalar_one() == 6
