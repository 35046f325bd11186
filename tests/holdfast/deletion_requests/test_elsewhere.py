"""A request is complete once every database has done its part, and what one did not say keeps it open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as shipped
from tests.holdfast.deletion_requests.nights import LONG_AGO, Nights
from tests.holdfast.retention.chain import away, url_of

from holdfast import database as hf_database
from holdfast import embedded, queries, settings
from holdfast.deletion_requests import steps
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify
from holdfast.holds import everywhere, register

ARCHIVE = "archive"
TABLES = """
CREATE SCHEMA old;
CREATE TABLE old.login (login_id bigint PRIMARY KEY, account_id bigint, occurred_at timestamptz);
"""


@dataclass(frozen=True)
class Both:
    """The provider and an archive of log-ins, each with its own nights."""

    main: Nights
    archive: sa.Engine

    def ids(self) -> set[int]:
        with self.archive.connect() as connection:
            return set(connection.execute(sa.text("SELECT login_id FROM old.login")).scalars())

    def log_in(self, account: int, *ids: int) -> None:
        with self.archive.begin() as connection:
            for one in ids:
                values = {"id": one, "account": account, "at": LONG_AGO}
                connection.execute(sa.text("INSERT INTO old.login VALUES (:id, :account, :at)"), values)

    def begin(self, before: int) -> int:
        """The main night up to its plan."""
        return self.main.plan(before)

    def share(self, before: int) -> int:
        """The archive's whole share of the night."""
        engine, given = self.archive, settings.load().at(ARCHIVE)
        as_of = self.main.today - before * shipped.DAY
        run_id = int(str(steps.open_run(engine, given, as_of=as_of, dry_run=False)["run_id"]))
        for step in (steps.refresh_holds, steps.check_policy, steps.take_over_requests, steps.assess, steps.make_plan):
            step(engine, given, run_id=run_id)
        shipped.work_through(engine, given, run_id)
        for step in (steps.verify_run, steps.settle_requests, steps.seal_run, steps.conclude):
            step(engine, given, run_id=run_id)
        return run_id

    def end(self, run_id: int) -> None:
        """The rest of the main night."""
        engine, given = self.main.engine, settings.load()
        shipped.work_through(engine, given, run_id)
        for step in (
            *(steps.verify_run, steps.settle_requests, steps.write_outcomes, steps.notify_recipients),
            *(steps.find_breaks, steps.seal_run, steps.write_report, steps.conclude),
        ):
            step(engine, given, run_id=run_id)

    def night(self, before: int) -> int:
        run_id = self.begin(before)
        self.share(before)
        self.end(run_id)
        return run_id

    def decision(self, run_id: int, request: int) -> sa.Row[Any]:
        [row] = self.main.sql(
            "SELECT decision, reason, rows_acted, rows_held FROM holdfast.request_decision"
            " WHERE run_id = :run AND request_id = :request AND dataset = 'old_logins'",
            run=run_id,
            request=request,
        )
        return row

    def breaks(self) -> list[str]:
        rows = self.main.sql("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'break_found'")
        return [json.loads(row.entry)["facts"]["kind"] for row in rows]


@pytest.fixture
def both(
    database: sa.Engine,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Both]:
    project = tmp_path / "project"
    shipped.lay_out(project, ["accounts", "contacts", "login_events"])
    _add_archive(project)
    monkeypatch.setenv(settings.PROJECT, str(project))
    queries.query.cache_clear()
    with fresh_database() as archive:
        monkeypatch.setenv(settings.DATABASE_URL, url_of(database))
        monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", url_of(archive))
        with archive.begin() as connection:
            hf_database.run_script(connection, TABLES)
        yield Both(shipped.build(database), archive)
    queries.query.cache_clear()


def _add_archive(project: Path) -> None:
    files = {name: project / "policy" / f"{name}.yaml" for name in ("data_map", "retention_schedule")}
    data_map, schedule = (json.loads(file.read_text()) for file in files.values())
    data_map["connections"] = {ARCHIVE: {"description": "Log-ins of earlier years.", "schemas": ["old"]}}
    logins = data_map["datasets"]["login_events"]
    data_map["datasets"]["old_logins"] = {
        **{name: logins[name] for name in ("subject", "event", "owner", "description")},
        "connection": ARCHIVE,
        "table": "old.login",
        "key": ["login_id"],
        "columns": {name: logins["columns"][name] for name in ("account_id", "occurred_at")},
        "not_personal": ["login_id"],
    }
    schedule["rules"]["old-logins-12m"] = {**schedule["rules"]["login-events-12m"], "dataset": "old_logins"}
    letters = project / "policy" / "letters"
    theirs = letters.resolve()
    letters.unlink()
    shutil.copytree(theirs, letters)
    words = (letters / "words.j2").read_text()
    one = next(line for line in words.splitlines() if line.strip().startswith('"login_events"'))
    (letters / "words.j2").write_text(words.replace(one, one + "\n" + one.replace("login_events", "old_logins")))
    for file, document in zip(files.values(), (data_map, schedule), strict=True):
        file.write_text(json.dumps(document, indent=1))


@pytest.fixture
def admin_url(postgres_url_for: Callable[[str], str]) -> str:
    return postgres_url_for(embedded.ADMIN_DATABASE)


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
