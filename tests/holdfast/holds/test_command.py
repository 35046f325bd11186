"""`holdfast hold`: what a person types and sees."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from tests.holdfast.holds.library import FINE, Library
from typer.testing import CliRunner, Result

from holdfast import cli, settings
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import register


@pytest.fixture
def desk(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library as the settings' database, its sources complete a moment ago."""
    monkeypatch.setenv(settings.DATABASE_URL, library.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COLUMNS", "160")
    for source in library.policy.holds.sources:
        library.loaded(dt.datetime.now(tz=dt.UTC), source)
    library.sql("INSERT INTO library.member VALUES (7), (8)")
    return library


def holdfast(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["hold", *words])


def rows(result: Result) -> list[list[str]]:
    """The table's rows without its heading, cells separated by two spaces or more."""
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    return [re.split(r" {2,}", line) for line in lines[2:]]


def test_sources_before_and_after_a_refresh(desk: Library) -> None:
    assert rows(holdfast("sources")) == [
        ["desk", "never asked", "-", "-", "-", "-"],
        ["court", *["never asked"], *"----"],
    ]
    refreshed = holdfast("refresh")
    assert refreshed.exit_code == 0, refreshed.output
    assert rows(refreshed) == [["desk", "trusted", "1", "1", "0", "0"], ["court", "trusted", *4 * ["not shown"]]]
    desk_row, court_row = rows(holdfast("sources"))
    assert (desk_row[:2], desk_row[4:]) == (["desk", "trusted"], ["1", "1"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", desk_row[3])
    assert court_row[4:] == 2 * ["not shown"], "with the disclosable ones in `list`, the others could be worked out"


def test_a_refresh_that_is_not_believed_says_why_and_fails(desk: Library) -> None:
    desk.loaded(None)
    result = holdfast("refresh")
    assert result.exit_code == 1
    assert rows(result)[0] == ["desk", "missing", "-", "0", "0", "0"]
    assert result.stderr == (
        "Hold source desk says that it was never complete."
        " Fix: load it, or let the load that is under way end, and refresh again.\n"
    )


def test_a_shrunk_source_is_accepted(desk: Library) -> None:
    desk.report(*({**FINE, "reference": f"fine-{i}"} for i in range(10)))
    holdfast("refresh")
    desk.report(FINE)
    assert "`holdfast hold accept desk 1`" in holdfast("refresh").stderr
    assert holdfast("accept", "desk", "2", "--by", "clerk").exit_code == 1
    accepted = holdfast("accept", "desk", "1", "--by", "clerk")
    assert (accepted.exit_code, accepted.stdout) == (0, "1 holds of desk are accepted; refresh to read them.\n")
    assert holdfast("refresh").exit_code == 0


def test_place_count_and_release(desk: Library) -> None:
    holdfast("refresh")
    placed = holdfast(
        "place", "ORDER", "case-1", "--by", "clerk", "--subject", "007", "--dataset", "loans", "--dataset", "letters",
        "--period-from", "2026-01-01", "--period-to", "2026-02-01", "--ends-on", "2999-12-31", "--ground", "writ-9",
    )  # fmt: skip
    assert placed.exit_code == 0, placed.output
    hold = desk.held()["case-1"]
    assert placed.stdout == f"Hold {hold.hold_id} is placed.\n"
    assert (hold.subject_key, hold.datasets, hold.ground, hold.placed_by) == (
        "7",
        ["loans", "letters"],
        "writ-9",
        "clerk",
    )
    assert (hold.period_from, hold.period_to) == (dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    assert (hold.ends_on, hold.review_on) == (dt.date(2999, 12, 31), None)

    ordinary, restricted = holdfast("count"), holdfast("count", "--restricted")
    assert rows(ordinary) == [["billing", "FINE", "1", "1", "0"]]
    assert "ORDER" not in ordinary.output
    assert rows(restricted)[1] == ["legal", "ORDER", "1", "1", "2999-12-31", "0"]

    assert holdfast("release", "case-1", "--reason", "whim").exit_code == 1
    released = holdfast("release", str(hold.hold_id), "--reason", "ended", "--by", "clerk")
    assert (released.exit_code, released.stdout) == (0, f"Hold {hold.hold_id} is released.\n")
    assert rows(holdfast("count", "--restricted")) == [["billing", "FINE", "1", "1", "0"]]


def test_single_holds_are_listed_with_subjects_as_pseudonyms(desk: Library) -> None:
    desk.report({**FINE, "ends_on": dt.date(2999, 12, 31), "period_from": dt.date(2026, 1, 1)})
    holdfast("refresh")
    holdfast("place", "DAMAGE", "case-1", "--record", "8", "--dataset", "members", "--review-on", "2999-01-31")
    holdfast("place", "DAMAGE", "case-2", "--dataset", "loans", "--dataset", "letters")
    holdfast("release", "case-2", "--reason", "mistake")
    seven = pseudonym(settings.load().pseudonym_key(), register.SUBJECT, "7")
    fine = ["FINE", "fine-1", "desk", seven, "all", "from 2026-01-01", "2999-12-31"]
    first = ["DAMAGE", "case-1", "manual", "every", "one of members", "all times", "when released", "2999-01-31"]
    assert [row[1:] for row in rows(holdfast("list"))] == [fine, first]
    assert [row[1:] for row in rows(holdfast("list", "--type", "DAMAGE"))] == [first]
    second = rows(holdfast("list", "--ended"))[2]
    assert second[2:7] == ["case-2", "manual", "every", "loans, letters", "all times"]
    assert re.fullmatch(r"released \d{4}-\d\d-\d\d", second[7])


def test_what_may_not_be_told_is_neither_listed_nor_counted_nor_missed(desk: Library) -> None:
    """With one more hold that nobody may know of, an ordinary reader sees the same characters."""
    desk.report(FINE, {**FINE, "reference": "fine-2", "subject_key": "8", "disclosable": False})
    holdfast("refresh")
    before = [holdfast(command).output for command in ("list", "count")]
    assert holdfast("place", "ORDER", "case-1", "--subject", "7").exit_code == 0
    assert [holdfast(command).output for command in ("list", "count")] == before
    assert all("fine-2" not in output and "ORDER" not in output for output in before)
    assert all("Of the authority legal nothing is shown without --restricted." in output for output in before)
    assert [row[2] for row in rows(holdfast("list", "--restricted"))] == ["fine-1", "fine-2", "case-1"]


def test_a_hold_on_nobody_is_refused_unless_it_is_meant(desk: Library) -> None:
    """A mistyped number would keep nothing; a hold may all the same come before its account."""
    for scope in (("--subject", "77"), ("--dataset", "members", "--record", "77"),
                  ("--subject", "7", "--dataset", "members", "--record", "77")):  # fmt: skip
        refused = holdfast("place", "DAMAGE", "case-1", *scope)
        assert refused.exit_code == 1
        assert "the hold would keep nothing that is there now" in refused.stderr
        assert "add --allow-absent" in refused.stderr
        assert "77" not in refused.stderr
        assert desk.held() == {}
    assert holdfast("place", "DAMAGE", "case-1", "--subject", "77", "--allow-absent").exit_code == 0
    assert desk.held()["case-1"].subject_key == "77"


def test_a_subject_is_known_by_any_row_that_is_about_it(desk: Library) -> None:
    desk.sql("INSERT INTO library.loan (taken_at, copy_id) VALUES (now(), gen_random_uuid())")
    desk.sql("ALTER TABLE library.letter DROP CONSTRAINT letter_member_no_fkey")
    desk.sql("INSERT INTO library.letter VALUES ('a', 9)")
    assert holdfast("place", "DAMAGE", "case-1", "--subject", "09").exit_code == 0
    desk.sql("DROP TABLE library.letter")
    assert holdfast("place", "DAMAGE", "case-2", "--subject", "7").exit_code == 0, "whatever else is amiss"


def test_a_refusal_is_one_sentence_and_a_fix(desk: Library) -> None:
    result = holdfast("place", "FINE", "case-2", "--by", "clerk")
    assert result.exit_code == 1
    assert result.stderr == (
        "HoldError: Holds of the type FINE come from a source and are not placed by hand."
        " Fix: enter it in that system, or use one of DAMAGE, ORDER.\n"
    )


def test_whoever_runs_the_command_is_who_placed_it(desk: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "porter")
    assert holdfast("place", "DAMAGE", "case-3", "--record", "7", "--dataset", "members").exit_code == 0
    assert desk.held()["case-3"].placed_by == "porter"
