"""The matrix of a past night is forgotten at the end of its period, but for what a letter will still say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as nights_library
from tests.holdfast.deletion_requests.letters_library import NIGHT, NOW, TAX_END, Cell, Office, policy, tellings

from holdfast import database as hf_database
from holdfast import settings
from holdfast.deletion_requests import letters_store, outbox, past_nights, steps
from holdfast.deletion_requests.recipients import to_tell
from holdfast.errors import RunRefused
from holdfast.policy.requests_model import load_requests_policy

TAX = Cell("invoices", "held", "TAX_CT", acted=2, held=3, until=TAX_END)


@pytest.fixture
def office(database: sa.Engine, home: Path) -> Office:
    return Office(database)


def forget(office: Office, tonight: int, nights_kept: int) -> int:
    """As a night does that keeps so many before it."""
    before = (NOW + (office.nights - nights_kept) * NIGHT).date()
    return past_nights.forget(office.engine, tonight, before=before, now=NOW)


def matrix(office: Office) -> list[tuple[int, int, int]]:
    """Each run with its decisions, and its counts after the work."""
    with office.engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT run_id,"
                " (SELECT count(*) FROM holdfast.request_decision AS d WHERE d.run_id = run.run_id) AS decided,"
                " (SELECT count(*) FROM holdfast.request_after AS a WHERE a.run_id = run.run_id) AS counted"
                " FROM holdfast.run ORDER BY run_id"
            )
        ).all()
    return [(row.run_id, row.decided, row.counted) for row in rows]


def entries(office: Office) -> list[dict[str, object]]:
    found = office.scalars("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'matrix_forgotten' ORDER BY seq")
    return [json.loads(str(one))["facts"] for one in found]


def told(office: Office, request: int) -> list[letters_store.Told]:
    with office.engine.connect() as connection:
        return letters_store.told_of(connection, request)


def nights_of(office: Office, request: int, number: int) -> list[int]:
    """So many nights over a request that is followed, and something of which stays."""
    runs = [office.night() for _ in range(number)]
    for run in runs:
        office.decide(run, request, TAX, Cell("contacts", acted=0))
    return runs


def test_a_night_is_forgotten_when_its_period_is_over_and_not_before(office: Office) -> None:
    first, second, tonight = nights_of(office, office.request(1, "DR-1", state="partly_completed"), 3)
    assert forget(office, tonight, 2) == 0
    assert entries(office) == []
    assert forget(office, tonight, 1) == 4
    assert matrix(office) == [(first, 0, 0), (second, 2, 2), (tonight, 2, 2)]
    day = (NOW + NIGHT).date().isoformat()
    assert entries(office) == [{"night": first, "day": day, "decisions": 2, "counted_after": 2, "kept_for_letters": 0}]


def test_to_forget_again_finds_nothing(office: Office) -> None:
    *_, tonight = nights_of(office, office.request(1, "DR-1", state="partly_completed"), 3)
    forget(office, tonight, 0)
    before = entries(office)
    assert forget(office, tonight, 0) == 0
    assert entries(office) == before


def test_the_latest_matrix_is_never_forgotten(office: Office) -> None:
    first, latest = nights_of(office, office.request(1, "DR-1", state="partly_completed"), 2)
    assert forget(office, latest, -100) == 4
    assert forget(office, first, -100) == 0, "nor is a later one by an earlier night"
    assert matrix(office) == [(first, 0, 0), (latest, 2, 2)]


def test_what_a_letter_will_say_is_kept_until_it_is_written(office: Office) -> None:
    office.person(1)
    request, other = office.request(1, "DR-1"), office.request(2, "DR-2", state="partly_completed")
    decided, tonight = office.night(), office.night()
    office.decide(decided, request, TAX)
    office.decide(decided, other, TAX)
    office.write(decided)  # keeps the address
    office.move(request, decided, "executing", "partly_completed")
    before = told(office, request)
    assert [one.reasons for one in before] == [("TAX_CT",)]
    assert forget(office, tonight, 0) == 3
    assert matrix(office)[0] == (decided, 0, 1)
    assert told(office, request) == before
    office.write(tonight)
    assert (request, "outcome") in office.letters()
    assert forget(office, tonight, 0) == 1
    assert matrix(office)[0] == (decided, 0, 0)
    assert [one["kept_for_letters"] for one in entries(office)] == [1, 0]


def test_what_letters_wait_for_keeps_no_newer_night_from_being_forgotten(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long backlog is worked off over some nights, and what cannot be forgotten yet comes last."""
    monkeypatch.setattr(past_nights, "_AT_ONCE", 1)
    request = office.request(1, "DR-1")
    first, second, third, tonight = nights_of(office, request, 4)
    office.move(request, first, "executing", "partly_completed")
    for _ in range(3):
        forget(office, tonight, 0)
    assert matrix(office) == [(first, 0, 2), (second, 0, 0), (third, 0, 0), (tonight, 2, 2)]


def test_what_was_erased_is_told_to_recipients_though_the_night_is_forgotten(office: Office) -> None:
    """A night that failed before its notices: a later one queues them, and knows what stayed."""
    first, tonight = nights_of(office, office.request(1, "DR-1", state="partly_completed"), 2)
    forget(office, tonight, 0)
    with hf_database.transaction(office.engine) as connection:
        outbox.queue(connection, to_tell(policy(), tellings()), tonight, now=NOW)
    found = office.scalars("SELECT in_part FROM holdfast.recipient_notice WHERE run_id = :run", run=first)
    assert found == [["invoices"]]


def test_a_night_keeps_what_the_policy_says_and_a_forgotten_one_gets_no_report(
    database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights_library.lay_out(tmp_path / "project", ("accounts", "contacts"))
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    nights = nights_library.build(database)
    nights.fill(1)
    nights.ask(1, "web-1")
    keep = load_requests_policy(settings.load().policy).rules.matrix.keep_days
    old, dry, kept = nights.night(keep + 1), nights.plan(keep + 1, dry_run=True), nights.plan(keep, dry_run=True)
    nights.sql(
        "INSERT INTO holdfast.request_letter (request_id, kind, sha256, file_name, written_at)"
        " SELECT request_id, 'outcome', 'x', 'x', now() FROM holdfast.deletion_request"
    )
    nights.ask(2, "web-2")
    nights.sql(
        "INSERT INTO holdfast.request_decision SELECT :dry, 2, 'contacts', 'not_held', 'none', 0, 0, 0, 0", dry=dry
    )
    nights.night(0)
    assert [facts["night"] for kind, facts in nights.desk.entries() if kind == "matrix_forgotten"] == [old, dry]
    with nights.engine.connect() as connection:
        for run_id in (old, dry):
            with pytest.raises(RunRefused, match="forgotten"):
                past_nights.refuse_forgotten(connection, run_id)
        past_nights.refuse_forgotten(connection, kept)
    with pytest.raises(RunRefused, match="forgotten"):
        steps.write_report(nights.engine, settings.load(), run_id=old)
