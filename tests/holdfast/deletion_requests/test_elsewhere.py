"""A request is complete once every database has done its part, and what one did not say keeps it open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as shipped
from tests.holdfast.deletion_requests.archive_library import ARCHIVE, Both
from tests.holdfast.retention.chain import away, url_of
from typer.testing import CliRunner

from holdfast import settings
from holdfast.cli import app
from holdfast.deletion_requests import steps
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify
from holdfast.holds import everywhere, register


def test_what_a_person_asked_for_goes_in_every_database_and_then_the_request_is_complete(both: Both) -> None:
    both.main.fill(1)
    both.log_in(1, 10, 11)
    both.log_in(2, 20)
    request = both.main.ask(1, "r-1", ("login_events", None), ("old_logins", None))
    run_id = both.night(1)
    assert both.ids() == {20}
    assert both.main.count("login_event", "account_id = 1") == 0
    assert tuple(both.decision(run_id, request)) == ("erase", "requested", 2, 0)
    assert both.main.state(request) == "completed"
    erased = both.main.sql("SELECT dataset, erased_rows FROM holdfast.erasure ORDER BY dataset")
    assert [tuple(row) for row in erased] == [("login_events", 3), ("old_logins", 2)]
    assert set(both.breaks()) <= {"letter_unwritten"}, "nobody kept an address here"
    for engine, given in ((both.main.engine, settings.load()), (both.archive, settings.load().at(ARCHIVE))):
        with engine.connect() as connection:
            assert verify(connection, given.seals, Copies(given.checkpoints)).verdict is Verdict.OK


def test_a_database_that_is_away_keeps_the_request_open_and_does_its_part_the_next_night(
    both: Both, admin_url: str
) -> None:
    both.main.fill(1)
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("login_events", None), ("old_logins", None))
    run_id = both.begin(2)
    with away(both.archive, admin_url):
        both.end(run_id)
    assert tuple(both.decision(run_id, request)) == ("unknown", "source", 0, 0)
    assert both.main.state(request) == "executing"
    assert both.main.count("login_event", "account_id = 1") == 0, "the other database's work was not kept back"
    run_id = both.night(1)
    assert both.ids() == set()
    assert both.main.state(request) == "completed"


def test_a_share_that_failed_half_way_is_unknown_and_not_zero(both: Both) -> None:
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None))
    run_id = both.begin(1)
    given = settings.load().at(ARCHIVE)
    opened = steps.open_run(both.archive, given, as_of=both.main.today - shipped.DAY, dry_run=False)
    steps.refresh_holds(both.archive, given, run_id=int(str(opened["run_id"])))
    both.end(run_id)
    assert tuple(both.decision(run_id, request)) == ("unknown", "source", 0, 0)
    assert both.main.state(request) == "executing"


def test_what_is_held_in_another_database_is_followed_until_the_hold_ends(both: Both) -> None:
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None))
    policy, engines = both.main.policy, {settings.MAIN: both.main.engine, ARCHIVE: both.archive}
    names = {"hold_type": "LITIGATION", "reference": "case-1", "placed_by": "anna", "subject_key": "1"}

    def place_in(connection: sa.Connection, name: str) -> int:
        return register.place(connection, policy, **names, database=name)  # type: ignore[arg-type]

    everywhere.place(engines, place_in)
    run_id = both.night(3)
    assert both.ids() == {10}
    assert both.decision(run_id, request).decision == "held"
    assert both.main.state(request) == "partly_completed"
    assert both.main.sql("SELECT count(*) AS n FROM holdfast.restriction WHERE lifted_at IS NULL")[0].n == 1
    ended = {"released_by": "anna", "reason": register.ReleaseReason.ENDED}
    everywhere.release(engines, policy, "case-1", **ended)  # type: ignore[arg-type]
    both.night(2)
    assert both.ids() == set()
    assert both.main.state(request) == "completed"


def test_a_request_for_other_data_does_not_wait_for_a_database_that_has_none_of_it(both: Both, admin_url: str) -> None:
    both.main.fill(1)
    request = both.main.ask(1, "r-1", ("login_events", None))
    run_id = both.begin(1)
    with away(both.archive, admin_url):
        both.end(run_id)
    assert both.main.state(request) == "completed"


def test_a_whole_account_is_asked_for_in_every_database(both: Both) -> None:
    both.main.fill(1)
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1")
    run_id = both.night(1)
    assert both.ids() == set()
    assert both.decision(run_id, request).decision == "erase"


def test_a_request_that_nobody_approved_erases_nothing_anywhere(both: Both) -> None:
    both.log_in(1, 10)
    request = both.main.ask(1, "r-1", ("old_logins", None), state="verified")
    both.night(1)
    assert both.ids() == {10}
    assert both.main.state(request) == "verified"


def test_numbers_that_a_restored_main_database_gives_again_mean_what_it_says_now(
    both: Both,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The archive was not restored, and knows two requests under numbers that mean others now."""
    for account in (1, 2, 3, 4):
        both.log_in(account, account, 10 * account)
    with fresh_database(source=both.main.engine) as main:
        both.main.ask(1, "r-1", ("old_logins", None))
        both.main.ask(2, "r-2", ("old_logins", "2"))
        both.night(4)
        assert both.ids() == {20, 3, 30, 4, 40}
        monkeypatch.setenv(settings.DATABASE_URL, url_of(main))
        told = CliRunner().invoke(app, ["ledger", "restored", "--by", "anna"])
        assert told.exit_code == 0, told.output
        restored = Both(both.main.at(main), both.archive)
        numbers = [restored.main.ask(account, f"r-{account}", ("old_logins", None)) for account in (2, 3)]
        assert numbers == [1, 2]
        run_id = restored.night(3)
        assert restored.ids() == {4, 40}
        assert [restored.main.state(one) for one in numbers] == ["completed", "completed"]
        assert [restored.decision(run_id, one).rows_acted for one in numbers] == [1, 2]


def test_who_has_a_reference_that_another_had_there_is_not_told_of_that_ones_data(
    both: Both,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for account in (1, 2):
        both.log_in(account, account)
    with fresh_database(source=both.main.engine) as main:
        both.main.ask(1, "r-1", ("old_logins", None))
        both.night(4)
        monkeypatch.setenv(settings.DATABASE_URL, url_of(main))
        told = CliRunner().invoke(app, ["ledger", "restored", "--by", "anna"])
        assert told.exit_code == 0, told.output
        restored = Both(both.main.at(main), both.archive)
        request = restored.main.ask(2, "r-1", ("old_logins", None))
        run_id = restored.night(3)
        assert restored.ids() == {2}
        assert tuple(restored.decision(run_id, request)) == ("unknown", "source", 0, 0)
        assert restored.main.state(request) == "executing"


def test_settling_once_more_changes_nothing(both: Both) -> None:
    both.log_in(1, 10)
    both.main.ask(1, "r-1", ("old_logins", None))
    run_id = both.begin(1)
    both.share(1)
    engine, given = both.main.engine, settings.load()
    shipped.work_through(engine, given, run_id)
    steps.verify_run(engine, given, run_id=run_id)
    steps.settle_requests(engine, given, run_id=run_id)
    tables = ("request_decision", "request_after", "erasure", "restriction", "request_told_gone")
    before = [both.main.sql(f"SELECT cast(t AS text) FROM holdfast.{one} AS t ORDER BY 1") for one in tables]
    steps.settle_requests(engine, given, run_id=run_id)
    assert before == [both.main.sql(f"SELECT cast(t AS text) FROM holdfast.{one} AS t ORDER BY 1") for one in tables]
