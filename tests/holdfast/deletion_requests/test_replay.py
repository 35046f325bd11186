"""What a restored backup brought back of erased subjects is found, told, and erased again; nothing else is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as nights_library
from tests.holdfast.deletion_requests.nights import DAY, LONG_AGO, Nights
from typer.testing import CliRunner

from holdfast import settings
from holdfast.cli import app
from holdfast.clock import local_date
from holdfast.deletion_requests import steps
from holdfast.errors import DatabaseRestored, LedgerError, RequestError, RunRefused
from holdfast.evidence import verify
from holdfast.evidence.copies import Copies


@pytest.fixture
def nights(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    nights_library.lay_out(tmp_path / "project", ("accounts", "contacts", "login_events"))
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    return nights_library.build(database)


@pytest.fixture
def since(nights: Nights) -> dt.date:
    return (nights.today - 10 * DAY).date()


def is_ok(nights: Nights) -> bool:
    with nights.engine.connect() as connection:
        return verify.verify(connection, settings.load().seals, Copies(settings.load().checkpoints)).verdict == "ok"


def _day(nights: Nights, before: int) -> dt.date:
    return local_date(nights.today - before * DAY, nights.policy.schedule.time_zone)


def restored(nights: Nights) -> int:
    """Account 1 was erased wholly five days ago, and a backup from before was restored since; the request."""
    for account in (1, 2):
        nights.fill(account)
    request = nights.ask(1, "web-1")
    backup = nights.backup()
    nights.night(4)
    assert nights.state(request) == "completed"
    assert nights.count("login_event") == 3
    nights.long_ago(5)
    nights.restore(backup)
    assert nights.count("login_event") == 6
    return request


def test_what_came_back_is_found_told_and_erased_again(nights: Nights, since: dt.date) -> None:
    request = restored(nights)
    nights.log_in(1, nights.today - DAY)  # a new log-in, which nobody asked to erase
    run = nights.night(3, replay_since=since)
    assert nights.breaks(run, "restored_data") == {"contacts": 1, "login_events": 1}
    assert nights.breaks(run, "completed_but_found") == {}
    assert nights.count("login_event", "account_id = 1") == 1
    assert nights.count("login_event", "account_id = 2") == 3
    assert nights.count("contact", "account_id = 1") == 0
    assert nights.state(request) == "completed"
    facts = dict(nights.desk.entries())["replay_started"]
    assert (facts["since"], facts["by"], facts["reopened"]) == (since.isoformat(), "night", 1)
    assert facts["rows"] == {"contacts": 1, "login_events": 3}
    assert is_ok(nights)


def test_a_second_replay_finds_nothing_and_what_is_new_stays(nights: Nights, since: dt.date) -> None:
    request = restored(nights)
    nights.night(3, replay_since=since)
    nights.log_in(1, nights.today - DAY)
    run = nights.night(2, replay_since=since)
    assert nights.breaks(run, "restored_data") == nights.breaks(run, "completed_but_found") == {}
    assert [facts["rows"] for kind, facts in nights.desk.entries() if kind == "replay_started"][1:] == [{}]
    assert nights.state(request) == "completed"
    assert nights.count("login_event", "account_id = 1") == 1


def test_a_day_that_is_sealed_is_worked_through_again(nights: Nights, since: dt.date) -> None:
    nights.fill(1)
    request = nights.ask(1, "web-1")
    backup = nights.backup()
    first = nights.night(3)
    assert nights.state(request) == "completed"
    nights.restore(backup)
    assert nights.count("login_event", "account_id = 1") == 3
    editions = [first]
    for came_back in ({"contacts": 1, "login_events": 1}, {}):  # and once more, to be sure
        run = nights.night(3, replay_since=since)
        assert nights.breaks(run, "restored_data") == came_back
        assert nights.state(request) == "completed"
        assert nights.count("login_event", "account_id = 1") == 0
        editions.append(run)
    rows = nights.sql("SELECT run_id, edition, state FROM holdfast.run WHERE as_of_date = :day", day=_day(nights, 3))
    assert sorted(map(tuple, rows)) == [(run, edition, "sealed") for edition, run in enumerate(editions, start=1)]
    assert nights.plan(3) == editions[-1], "without a replay, a sealed night stays as it is"
    assert is_ok(nights)


def test_a_replay_does_not_take_an_unfinished_night_for_a_sealed_one(nights: Nights, since: dt.date) -> None:
    run = nights.plan(3)
    again = steps.open_run(
        nights.engine, settings.load(), as_of=nights.today - 3 * DAY, dry_run=False, replay_since=since.isoformat()
    )
    assert (again["run_id"], again["state"]) == (run, "planned")


def test_without_a_replay_it_is_told_and_left_alone(nights: Nights) -> None:
    restored(nights)
    run = nights.night(3)
    assert nights.breaks(run, "completed_but_found") == {"contacts": 1, "login_events": 1}
    assert nights.count("login_event", "account_id = 1") == 3


def test_a_hold_placed_meanwhile_keeps_what_came_back(nights: Nights, since: dt.date) -> None:
    request = restored(nights)
    nights.hold("matter-1", 1, "login_events")
    nights.night(3, replay_since=since)
    assert nights.state(request) == "partly_completed"
    assert nights.count("contact", "account_id = 1") == 0
    assert nights.count("login_event", "account_id = 1") == 3
    marks = nights.sql("SELECT dataset FROM holdfast.restriction WHERE lifted_at IS NULL")
    assert [row.dataset for row in marks] == ["login_events"]
    run = nights.night(2, replay_since=since)
    assert nights.breaks(run, "restored_data") == {}
    nights.release("matter-1")
    nights.night(1)
    assert nights.state(request) == "completed"
    assert nights.count("login_event", "account_id = 1") == 0
    assert nights.sql("SELECT FROM holdfast.restriction WHERE lifted_at IS NULL") == []


def test_a_restriction_that_was_lifted_is_set_again(nights: Nights, since: dt.date) -> None:
    nights.fill(1)
    request = nights.ask(1, "web-1")
    backup = nights.backup()
    nights.hold("matter-1", 1, "login_events")
    nights.night(5)
    nights.release("matter-1")
    nights.night(4)
    assert nights.state(request) == "completed"
    nights.long_ago(5)
    nights.restore(backup)
    nights.hold("matter-2", 1, "login_events")
    run = nights.night(3, replay_since=since)
    assert nights.breaks(run, "held_without_restriction") == {}
    [mark] = nights.sql("SELECT lifted_at FROM holdfast.restriction WHERE dataset = 'login_events'")
    assert mark.lifted_at is None


def test_of_a_request_for_one_record_that_record_is_erased_again(nights: Nights, since: dt.date) -> None:
    nights.fill(1)
    [first, *_] = nights.sql("SELECT login_event_id AS id FROM provider.login_event ORDER BY 1")
    request = nights.ask(1, "web-1", ("login_events", str(first.id)))
    backup = nights.backup()
    nights.night(4)
    assert nights.count("login_event") == 2
    nights.long_ago(5)
    nights.restore(backup)
    run = nights.night(3, replay_since=since)
    assert nights.breaks(run, "restored_data") == {"login_events": 1}
    assert (nights.count("login_event"), nights.count("contact")) == (2, 1)
    assert nights.state(request) == "completed"


def test_of_a_request_for_one_category_it_is_emptied_again(nights: Nights, since: dt.date) -> None:
    nights.fill(1)
    request = nights.ask(1, "web-1", ("contacts", None))
    nights.sql("UPDATE holdfast.request_part SET dataset = NULL, category = 'address'")
    backup = nights.backup()
    nights.night(4)
    emptied = "full_name = 'Zoe Example' AND postcode <> 'ZY1 1AA'"
    assert (nights.count("contact", emptied), nights.state(request)) == (1, "completed")
    nights.long_ago(5)
    nights.sql("DELETE FROM provider.contact")
    nights.restore(backup)
    assert nights.count("contact", emptied) == 0
    run = nights.night(3, replay_since=since)
    assert nights.breaks(run, "restored_data") == {"contacts": 1}
    assert (nights.count("contact", emptied), nights.state(request)) == (1, "completed")
    assert nights.count("login_event") == 3
    assert nights.breaks(nights.night(2, replay_since=since), "restored_data") == {}


def test_of_a_partly_completed_request_what_came_back_is_told_and_what_is_held_is_not(
    nights: Nights, since: dt.date
) -> None:
    nights.fill(1)
    request = nights.ask(1, "web-1")
    backup = nights.backup()
    nights.hold("matter-1", 1, "contacts")
    nights.night(4)
    assert nights.state(request) == "partly_completed"
    assert (nights.count("login_event"), nights.count("contact")) == (0, 1)
    nights.restore(backup)
    run = nights.night(3, replay_since=since)
    assert nights.breaks(run, "restored_data") == {"login_events": 1}
    assert (nights.count("login_event"), nights.count("contact")) == (0, 1)


def test_what_was_erased_before_the_day_is_not_looked_for(nights: Nights) -> None:
    restored(nights)
    run = nights.night(3, replay_since=(nights.today - 2 * DAY).date())
    assert nights.breaks(run, "restored_data") == {}
    assert nights.count("login_event", "account_id = 1") == 3


def test_a_dry_run_counts_and_changes_nothing(nights: Nights, since: dt.date) -> None:
    request = restored(nights)
    given = settings.load()
    run = nights.plan(3, dry_run=True)
    found = steps.replay_erasures(nights.engine, given, run_id=run, replay_since=since.isoformat())
    assert (found["rows"], found["reopened"]) == (4, 1)
    assert nights.state(request) == "completed"
    assert nights.sql("SELECT FROM holdfast.came_back") == []


def test_a_run_that_has_begun_says_how_to_replay(nights: Nights, since: dt.date) -> None:
    run = nights.night(3)
    given = {"run_id": run, "replay_since": since.isoformat()}
    with pytest.raises(RunRefused, match="holdfast request replay"):
        steps.replay_erasures(nights.engine, settings.load(), **given)


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "9999-01-01"])
def test_a_day_that_is_none_is_refused(nights: Nights, day: str) -> None:
    run = nights.plan(3)
    with pytest.raises(RequestError, match="day"):
        steps.replay_erasures(nights.engine, settings.load(), run_id=run, replay_since=day)


def test_the_step_done_twice_is_done_once(nights: Nights, since: dt.date) -> None:
    restored(nights)
    run = nights.plan(3, replay_since=since)
    nights.log_in(2, LONG_AGO)
    steps.replay_erasures(nights.engine, settings.load(), run_id=run, replay_since=since.isoformat())
    assert len([kind for kind, _ in nights.desk.entries() if kind == "replay_started"]) == 1


def test_a_person_replays_and_the_next_night_erases_and_tells(
    nights: Nights, since: dt.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = restored(nights)
    monkeypatch.setenv(settings.DATABASE_URL, nights.engine.url.render_as_string(hide_password=False))
    command = ["request", "replay", "--since", since.isoformat(), "--by", "anna"]
    looked = CliRunner().invoke(app, [*command, "--dry-run"])
    assert looked.exit_code == 0, looked.output
    assert "4 rows came back" in looked.output
    assert "Nothing was changed" in looked.output
    assert nights.state(request) == "completed"
    for _ in range(2):  # the second time, nothing is added
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    assert nights.state(request) == "partly_completed"
    assert nights.count("login_event", "account_id = 1") == 3
    run = nights.night(3)
    assert nights.breaks(run, "restored_data") == {"contacts": 1, "login_events": 1}
    assert nights.state(request) == "completed"
    assert nights.count("login_event", "account_id = 1") == 0


def test_neither_output_nor_ledger_nor_file_names_an_account(nights: Nights, since: dt.date) -> None:
    nights.sql("UPDATE provider.account SET account_id = 778899 WHERE account_id = 9")
    nights.fill(778899)
    nights.ask(778899, "web-9")
    backup = nights.backup()
    nights.night(4)
    nights.restore(backup)
    nights.night(3, replay_since=since)
    kept = [row.entry for row in nights.sql("SELECT entry FROM holdfast.ledger_entry")]
    kept += [path.read_text() for path in settings.load().erasures.iterdir()]
    assert [text for text in kept if "778899" in text or "Zoe" in text] == []


# --- the whole database was restored ------------------------------------------------------------------------------


@pytest.fixture
def lost(
    nights: Nights, fresh_database: Callable[..., AbstractContextManager[sa.Engine]]
) -> Callable[[], AbstractContextManager[sa.Engine]]:
    """A copy of the database as it is now, to be gone back to later."""
    return lambda: fresh_database(source=nights.engine)


def test_a_database_from_before_its_evidence_deletes_nothing_until_somebody_says_so(
    nights: Nights,
    since: dt.date,
    lost: Callable[[], AbstractContextManager[sa.Engine]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nights.fill(1)
    nights.fill(2)
    known = nights.ask(2, "web-2", state="received")
    with lost() as engine:
        backup = nights.at(engine)
        for state in ("verified", "assessed", "approved"):
            nights.sql("UPDATE holdfast.deletion_request SET state = :state", state=state)
        unknown = nights.ask(1, "web-1")
        single = nights.sql("SELECT min(login_event_id) AS id FROM provider.login_event WHERE account_id = 2")[0].id
        nights.ask(2, "web-3", ("login_events", str(single)))
        nights.night(4)
        assert (nights.state(unknown), nights.state(known)) == ("completed", "completed")
        assert nights.count("login_event") == 0

        with pytest.raises(DatabaseRestored, match="lacks 1 sealed runs"):
            backup.plan(3)
        monkeypatch.setenv(settings.DATABASE_URL, engine.url.render_as_string(hide_password=False))
        said = CliRunner().invoke(app, ["ledger", "restored", "--by", "anna"])
        assert said.exit_code == 0, said.output
        assert "holdfast request replay --since" in said.output
        assert is_ok(backup)

        run = backup.night(3, replay_since=since)
        [again] = backup.sql(
            "SELECT request_id, state, subject_key FROM holdfast.deletion_request WHERE reference = 'web-1'"
        )
        assert (again.state, again.subject_key) == ("completed", "1")
        assert backup.breaks(run, "restored_data") == {"accounts": 2, "contacts": 2, "login_events": 3}
        assert backup.count("login_event", "account_id = 1") == 0
        # The other request is there, from before its approval: people bring it on again.
        assert backup.state(known) == "received"
        # One that asked for a single record has that record erased again, and no other.
        assert backup.count("login_event", "account_id = 2") == 2
        assert backup.count("login_event", f"login_event_id = {single}") == 0
        [again] = backup.sql("SELECT request_id, state FROM holdfast.deletion_request WHERE reference = 'web-3'")
        assert again.state == "completed"
        parts = backup.sql(
            "SELECT dataset, record_key FROM holdfast.request_part WHERE request_id = :r", r=again.request_id
        )
        assert list(map(tuple, parts)) == [("login_events", str(single))]
        facts = dict(backup.desk.entries())["replay_started"]
        assert (facts["entered_again"], facts["unplaced"]) == (2, 0)
        second = backup.night(2, replay_since=since)
        assert dict(backup.desk.entries())["replay_started"]["entered_again"] == 0
        assert backup.breaks(second, "restored_data") == {}
        assert backup.count("login_event", "account_id = 2") == 2
        assert backup.breaks(second, "completed_but_found") == {}
        assert is_ok(backup)


def test_a_file_of_erasures_that_somebody_altered_is_not_read(nights: Nights, since: dt.date) -> None:
    restored(nights)
    [path] = settings.load().erasures.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    assert {json.loads(one)["dataset"] for one in lines} >= {"contacts", "login_events"}
    path.write_text(path.read_text().replace("login_events", "messages"))
    with pytest.raises(LedgerError, match="as it was written"):
        nights.plan(3, replay_since=since)
