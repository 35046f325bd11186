"""What a restored backup brought back in a further database is found by what the main register says of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.archive_library import ARCHIVE, Both
from tests.holdfast.deletion_requests.nights import DAY
from tests.holdfast.retention.chain import away, url_of
from typer.testing import CliRunner

from holdfast import database as hf_database
from holdfast import roles, settings
from holdfast.cli import app
from holdfast.deletion_requests import steps
from holdfast.errors import DatabaseRestored, DatabaseUnreachable
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify
from holdfast.holds import everywhere, register


@pytest.fixture
def since(both: Both) -> dt.date:
    return (both.main.today - 10 * DAY).date()


def run(*arguments: str) -> str:
    result: Any = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return str(result.output)


def erased(both: Both) -> int:
    """Account 1 was erased in both databases five days ago; the request."""
    for account in (1, 2):
        both.main.fill(account)
        both.log_in(account, 10 * account, 10 * account + 1)
    request = both.main.ask(1, "r-1")
    both.night(4)
    assert both.main.state(request) == "completed"
    assert both.ids() == {20, 21}
    both.main.long_ago(5)
    return request


def came_back(both: Both) -> dict[str, int]:
    rows = both.main.sql("SELECT dataset, found_rows FROM holdfast.came_back ORDER BY dataset")
    return {row.dataset: row.found_rows for row in rows}


def test_what_came_back_in_another_database_is_found_told_and_erased_again(both: Both, since: dt.date) -> None:
    request = erased(both)
    both.log_in(1, 10, 11)
    both.log_in(1, 12, at=both.main.today - DAY)  # a new log-in, which nobody asked to erase
    run_id = both.night(3, replay_since=since)
    assert came_back(both) == {"old_logins": 2}
    assert both.main.breaks(run_id, "restored_data") == {"old_logins": 1}
    assert both.ids() == {12, 20, 21}
    assert tuple(both.decision(run_id, request)) == ("erase", "requested", 2, 0)
    assert both.main.state(request) == "completed"
    facts = [facts for kind, facts in both.main.desk.entries() if kind == "replay_started"]
    assert (facts[0]["rows"], facts[0]["reopened"]) == ({"old_logins": 2}, 1)

    again = both.night(2, replay_since=since)
    assert both.main.breaks(again, "restored_data") == {}
    assert both.ids() == {12, 20, 21}
    assert both.main.state(request) == "completed"


def test_one_replay_searches_every_database(both: Both, since: dt.date) -> None:
    request = erased(both)
    both.main.fill(1)
    both.log_in(1, 10, 11)
    told = run("request", "replay", "--since", since.isoformat(), "--by", "clerk", "--dry-run")
    assert "Nothing was changed." in told
    assert both.main.state(request) == "completed"
    told = run("request", "replay", "--since", since.isoformat(), "--by", "clerk")
    assert "6 rows came back. 1 completed requests are followed again" in told  # a contact, three log-ins, and two old
    assert both.main.state(request) == "partly_completed"
    both.night(3)
    assert both.ids() == {20, 21}
    assert both.main.count("login_event", "account_id = 1") == 0
    assert both.main.state(request) == "completed"


def test_single_records_are_found_as_such(both: Both, since: dt.date) -> None:
    both.log_in(1, 10, 11)
    request = both.main.ask(1, "r-1", ("old_logins", "10"))
    both.night(4)
    assert both.ids() == {11}
    both.log_in(1, 10)
    both.night(3, replay_since=since)
    assert came_back(both) == {"old_logins": 1}
    assert both.ids() == {11}
    assert both.main.state(request) == "completed"


def test_a_hold_that_was_placed_since_keeps_what_came_back(both: Both, since: dt.date) -> None:
    request = erased(both)
    both.log_in(1, 10, 11)
    policy, engines = both.main.policy, {settings.MAIN: both.main.engine, ARCHIVE: both.archive}
    names = {"hold_type": "LITIGATION", "reference": "case-1", "placed_by": "anna", "subject_key": "1"}

    def place_in(connection: sa.Connection, name: str) -> int:
        return register.place(connection, policy, **names, database=name)  # type: ignore[arg-type]

    everywhere.place(engines, place_in)
    run_id = both.night(3, replay_since=since)
    assert both.ids() == {10, 11, 20, 21}
    assert both.decision(run_id, request).decision == "held"
    assert both.main.state(request) == "partly_completed"


def test_a_database_that_does_not_answer_is_not_one_in_which_nothing_came_back(
    both: Both, since: dt.date, admin_url: str
) -> None:
    request = erased(both)
    both.main.fill(1)
    with away(both.archive, admin_url), pytest.raises(DatabaseUnreachable):
        both.begin(3, replay_since=since)
    assert came_back(both) == {}
    assert both.main.state(request) == "completed"


def test_of_a_day_that_is_worked_through_again_no_earlier_share_is_believed(both: Both, since: dt.date) -> None:
    """The archive's first share says that all is erased, which was so then; its second one never comes."""
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None))
    both.night(3)
    both.log_in(1, 10)
    run_id = both.begin(3, replay_since=since)
    both.end(run_id)
    assert tuple(both.decision(run_id, request)) == ("unknown", "source", 0, 0)
    assert both.main.state(request) == "partly_completed"
    both.night(2)
    assert both.ids() == set()
    assert both.main.state(request) == "completed"


def test_a_share_that_another_edition_has_begun_to_replace_is_not_believed(both: Both, since: dt.date) -> None:
    """The main run stopped before its end, and goes on; the archive, whose share was done, begins another and fails."""
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None))
    both.begin(3)
    both.share(3)
    both.log_in(1, 10)  # a table of the archive was restored
    again = both.begin(3, replay_since=since)
    as_of, archive = both.main.today - 3 * DAY, settings.load().at(ARCHIVE)
    steps.open_run(both.archive, archive, as_of=as_of, dry_run=False, replay_since=str(since))
    both.end(again)
    assert both.ids() == {10}
    assert both.decision(again, request).decision == "unknown"
    assert both.main.state(request) != "completed"


def test_a_day_is_worked_through_again_in_every_database(both: Both, since: dt.date) -> None:
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None))
    first = both.night(3)
    both.log_in(1, 10)
    again = both.night(3, replay_since=since)
    assert again != first
    assert both.ids() == set()
    assert both.main.state(request) == "completed"


def test_the_role_that_the_night_works_as_may_search_every_database(both: Both, since: dt.date) -> None:
    erased(both)
    both.log_in(1, 10)
    run_id = both.begin(3)
    for engine, given in ((both.main.engine, settings.load()), (both.archive, settings.load().at(ARCHIVE))):
        roles.renew(engine, given)
    enforcer = hf_database.connect_migrated(settings.load(), "holdfast_enforcer")
    found = steps.replay_erasures(enforcer, settings.load(), run_id=run_id, replay_since=since.isoformat())
    enforcer.dispose()
    assert found["rows"] == 1


# --- the whole of a further database was restored ----------------------------------------------------------------


@pytest.fixture
def restored(
    both: Both,
    since: dt.date,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Both]:
    """The archive is a backup of itself from before it was asked to erase anything; account 1 is in it again."""
    both.log_in(1, 10, 11)
    both.log_in(2, 20)
    both.night(5)
    with fresh_database(source=both.archive) as backup:
        both.main.ask(1, "r-1", ("old_logins", None))
        both.night(4)
        both.main.long_ago(5)
        monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", url_of(backup))
        yield dataclasses.replace(both, archive=backup)


def test_a_database_that_lost_everything_since_its_backup_erases_again_what_the_main_one_remembers(
    restored: Both, since: dt.date
) -> None:
    assert restored.ids() == {10, 11, 20}
    with pytest.raises(DatabaseRestored):
        steps.open_run(restored.archive, settings.load().at(ARCHIVE), as_of=restored.main.today, dry_run=False)
    assert "holdfast request replay --since" in run("ledger", "restored", "--database", ARCHIVE, "--by", "anna")
    run("request", "replay", "--since", since.isoformat(), "--by", "clerk")
    run_id = restored.night(3)
    assert restored.main.breaks(run_id, "restored_data") == {"old_logins": 1}
    assert restored.ids() == {20}
    assert restored.main.state(1) == "completed"
    for engine, given in ((restored.main.engine, settings.load()), (restored.archive, settings.load().at(ARCHIVE))):
        with engine.connect() as connection:
            assert verify(connection, given.seals, Copies(given.checkpoints)).verdict is Verdict.OK


def test_a_request_that_both_lost_is_entered_again_if_only_the_other_has_anything_of_it(
    both: Both,
    since: dt.date,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both.log_in(1, 10, 11)
    both.log_in(2, 20)
    with fresh_database(source=both.main.engine) as main, fresh_database(source=both.archive) as archive:
        both.main.ask(1, "r-1", ("old_logins", None))
        both.night(4)
        assert both.ids() == {20}
        monkeypatch.setenv(settings.DATABASE_URL, url_of(main))
        monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", url_of(archive))
        backup = Both(both.main.at(main), archive)
        for name in (settings.MAIN, ARCHIVE):
            run("ledger", "restored", "--database", name, "--by", "anna")
        backup.night(3, replay_since=since)
        assert backup.ids() == {20}
        [again] = backup.main.sql("SELECT reference, subject_key, state FROM holdfast.deletion_request")
        assert tuple(again) == ("r-1", "1", "completed")
        assert dict(backup.main.desk.entries())["replay_started"]["entered_again"] == 1
