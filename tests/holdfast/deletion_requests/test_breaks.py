"""What does not agree is found, is not found where all is well, and is written down without being repaired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import desk as desks
from tests.holdfast.deletion_requests.desk import NOW, Desk
from tests.holdfast.retention.report import cinema

from holdfast import database as hf_database
from holdfast import settings
from holdfast.deletion_requests import breaks, steps
from holdfast.deletion_requests.break_kinds import INCIDENTS, MEANINGS, Kind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.report import registers
from holdfast.errors import HeldRowsChanged

DAY = dt.timedelta(days=1)
BATCH_AT = NOW + dt.timedelta(minutes=9)
SECRET = "LE_PRESERVATION"  # its authority is told as one
DATASET = "login_events"


@pytest.fixture
def desk(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv(settings.HOME, str(tmp_path))
    with fresh_database() as engine:
        yield desks.make(engine)


def find(desk: Desk, run_id: int | None = None) -> dict[tuple[Kind, str], Break]:
    """Every break by kind and what it is about."""
    with hf_database.transaction(desk.engine) as connection:
        found = breaks.find(connection, desks.policy(), desks.terms(), run_id, now=NOW)
    return {(one.kind, one.about): one for one in found}


def put(desk: Desk, table: str, **values: object) -> None:
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    desk.sql(f"INSERT INTO holdfast.{table} ({names}) VALUES ({places})", **values)


def request(desk: Desk, number: int, state: str = "executing", **columns: object) -> None:
    """A request of that number for the whole of the account with the same number, received today."""
    given = {
        "reference": f"r-{number}",
        "channel": "form",
        "subject_key": str(number),
        "state": state,
        "received_at": NOW,
        "closed_at": NOW - DAY if state == "completed" else None,
        **columns,
    }
    put(desk, "deletion_request", **given)


def run(desk: Desk) -> int:
    """A night that has been planned: later changes of holds are not in its snapshot."""
    [row] = desk.sql(
        "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state, opened_at, holds_as_of,"
        " plan_snapshot) VALUES ('deletion_requests_reconcile', :now, :day, 'enforce', 'x', 'verified',"
        " clock_timestamp(), clock_timestamp(), cast(pg_current_snapshot() AS text)) RETURNING run_id",
        now=NOW,
        day=NOW.date(),
    )
    return int(row.run_id)


def cell(desk: Desk, table: str, run_id: int, number: int, decision: str, **columns: object) -> None:
    given = {"dataset": DATASET, "reason": "none", "rows_found": 0, "rows_acted": 0, "rows_held": 0, "rows_exempt": 0}
    put(desk, table, run_id=run_id, request_id=number, decision=decision, **{**given, **columns})


def hold(desk: Desk, reference: str = "H-1", **columns: object) -> None:
    """A sound hold placed by hand on everything about account 1."""
    given = {
        "source_id": "manual",
        "reference": reference,
        "hold_type": "AUDIT",
        "authority": "audit",
        "ground": "as-in-policy",
        "disclosable": True,
        "subject_key": "1",
        "review_on": NOW.date() + 30 * DAY,
        "placed_at": NOW - DAY,
        "placed_by": "clerk",
        **columns,
    }
    put(desk, "hold", **given)


def erased(desk: Desk, run_id: int, number: int = 1, dataset: str = DATASET, rows: int = 3) -> None:
    """The run erased rows of a request, in one batch of the dataset."""
    put(
        desk,
        "erasure",
        request_id=number,
        run_id=run_id,
        dataset=dataset,
        subject_pseudonym="p1:0",
        erased_rows=rows,
        erased_at=BATCH_AT,
    )
    [last] = desk.sql("SELECT coalesce(max(seq), 0) AS seq FROM holdfast.ledger_entry")
    put(
        desk,
        "ledger_entry",
        seq=last.seq + 1,
        at=BATCH_AT,
        run_id=run_id,
        kind="batch_deleted",
        entry=f'{{"facts":{{"dataset":"{dataset}","rows":{rows}}}}}',
        prev_hash=bytes(32),
        hash=bytes(32),
    )


def test_where_all_is_well_nothing_is_found(desk: Desk) -> None:
    request(desk, 1, "partly_completed")
    request(desk, 2, "approved")
    hold(desk)
    night = run(desk)
    cell(desk, "request_decision", night, 1, "held", rows_held=2)
    cell(desk, "request_after", night, 1, "held", rows_held=2)
    put(desk, "restriction", request_id=1, dataset=DATASET, subject_key="1", since=NOW)
    erased(desk, night, 2)
    assert find(desk, night) == {}


def test_every_kind_has_its_words() -> None:
    assert set(MEANINGS) == set(Kind)
    assert set(Kind) >= INCIDENTS


# --- data ---------------------------------------------------------------------------------------------------------


def login(desk: Desk, account: int, at: dt.datetime | None) -> int:
    [row] = desk.sql(
        "INSERT INTO provider.login_event (account_id, occurred_at, ip, user_agent, succeeded)"
        " VALUES (:account, :at, '192.0.2.1', 'x', true) RETURNING login_event_id",
        account=account,
        at=at,
    )
    return int(row.login_event_id)


def asks_for(desk: Desk, number: int, **part: object) -> None:
    put(desk, "request_part", request_id=number, part_no=1, **part)


def test_rows_of_a_completed_request_are_found(desk: Desk) -> None:
    for number in (1, 2, 3):
        request(desk, number, "completed")
        asks_for(desk, number, dataset=DATASET)
    request(desk, 4, "partly_completed")
    for account in (1, 1, 2, 4, 5):
        login(desk, account, NOW - 9 * DAY)
    found = find(desk)
    assert found == {
        (Kind.COMPLETED_BUT_FOUND, DATASET): Break(Kind.COMPLETED_BUT_FOUND, 2, DATASET, (1, 2)),
    }, "two requests; 3 has no rows, 4 is not completed, 5 has no request"


def test_a_completed_request_for_the_whole_account_is_looked_for_everywhere(desk: Desk) -> None:
    request(desk, 1, "completed")
    login(desk, 1, NOW - 9 * DAY)
    assert list(find(desk)) == [(Kind.COMPLETED_BUT_FOUND, DATASET)], "the account's own row is anonymous"
    desk.sql("UPDATE provider.account SET opened_at = '2024-05-17' WHERE account_id = 1")
    assert [about for _, about in find(desk)] == ["accounts", DATASET]


@pytest.mark.parametrize(
    ("at", "is_found"),
    [(NOW - 2 * DAY, True), (NOW, False), (None, True)],
    ids=["before it was completed", "after it was completed", "at a time that is not known"],
)
def test_new_data_is_not_what_the_request_was_about(desk: Desk, at: dt.datetime | None, is_found: bool) -> None:
    request(desk, 1, "completed")
    asks_for(desk, 1, dataset=DATASET)
    login(desk, 1, at)
    assert bool(find(desk)) is is_found


def test_a_request_for_one_record_or_a_category_is_looked_for_there_alone(desk: Desk) -> None:
    request(desk, 1, "completed")
    asked, other = login(desk, 1, NOW - 9 * DAY), login(desk, 1, NOW - 9 * DAY)
    asks_for(desk, 1, dataset=DATASET, record_key=str(asked))
    assert list(find(desk)) == [(Kind.COMPLETED_BUT_FOUND, DATASET)]
    desk.sql("DELETE FROM provider.login_event WHERE login_event_id = :asked", asked=asked)
    assert find(desk) == {}
    request(desk, 2, "completed")
    asks_for(desk, 2, category="contact")
    login(desk, 2, NOW - 9 * DAY)
    assert find(desk) == {}, "a login is no contact"
    assert other


def test_a_category_that_was_emptied_is_looked_for_in_the_records_that_stay(desk: Desk) -> None:
    contact = (
        "INSERT INTO provider.contact"
        " (account_id, role, full_name, email, address_line, post_town, postcode, created_at)"
        " VALUES (:account, 'owner', 'Zoe Example', 'zoe@example.com', '1 Any Street', 'Anytown', 'ZY1 1AA', :at)"
    )
    for account in (1, 2, 3):
        desk.sql(contact, account=account, at=NOW - 9 * DAY)
    for number, category in ((1, "address"), (2, "contact"), (3, "address")):
        request(desk, number, "completed")
        asks_for(desk, number, category=category)
    put(desk, "request_part", request_id=3, part_no=2, dataset="contacts")
    found = {one.requests for (kind, about), one in find(desk).items() if about == "contacts"}
    assert found == {(1, 2, 3)}
    desk.sql("UPDATE provider.contact SET address_line = 'erased', post_town = 'erased', postcode = 'erased'")
    found = {one.requests for (kind, about), one in find(desk).items() if about == "contacts"}
    assert found == {(2, 3)}, "2 asked for another category, 3 for whole records too"
    desk.sql("UPDATE provider.contact SET email = 'erased', phone = NULL")
    desk.sql("DELETE FROM provider.contact WHERE account_id = 3")
    assert find(desk) == {}


def test_what_came_after_a_category_was_emptied_is_new(desk: Desk) -> None:
    request(desk, 1, "completed")
    asks_for(desk, 1, category="ip-address")
    login(desk, 1, NOW)
    assert find(desk) == {}
    login(desk, 1, NOW - 9 * DAY)
    assert list(find(desk)) == [(Kind.COMPLETED_BUT_FOUND, DATASET)]


def test_a_request_about_nobody_is_found_until_it_is_carried_out(desk: Desk) -> None:
    request(desk, 1, "received", subject_key="4711")
    request(desk, 2, "assessed", subject_key="not-a-number")
    request(desk, 3, "partly_completed", subject_key="4712")
    request(desk, 4, "received")
    assert find(desk) == {(Kind.UNKNOWN_SUBJECT, ""): Break(Kind.UNKNOWN_SUBJECT, 2, requests=(1, 2))}


# --- requests and restrictions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["request_after", "request_decision"])
def test_an_open_request_of_which_nothing_is_left(desk: Desk, table: str) -> None:
    night = run(desk)
    for number, state in ((1, "executing"), (2, "approved"), (3, "assessed"), (4, "executing")):
        request(desk, number, state)
        cell(desk, table, night, number, "not_held")
    cell(desk, table, night, 4, "erase", dataset="messages", rows_acted=1)
    assert find(desk, night) == {(Kind.OPEN_BUT_GONE, ""): Break(Kind.OPEN_BUT_GONE, 2, requests=(1, 2))}


def test_the_count_after_the_work_counts_and_not_the_plan(desk: Desk) -> None:
    night = run(desk)
    request(desk, 1)
    cell(desk, "request_decision", night, 1, "not_held")
    cell(desk, "request_after", night, 1, "waiting", reason="dataset")
    put(desk, "restriction", request_id=1, dataset=DATASET, subject_key="1", since=NOW)
    assert find(desk, night) == {}


@pytest.mark.parametrize(
    "rest", [{"decision": "held", "rows_held": 1}, {"decision": "exempt", "rows_exempt": 1}, {"decision": "unknown"}]
)
def test_what_stays_must_be_restricted(desk: Desk, rest: dict[str, Any]) -> None:
    night = run(desk)
    request(desk, 1, "partly_completed")
    request(desk, 2, "assessed")
    for number in (1, 2):
        cell(desk, "request_after", night, number, **rest)
    expected = {(Kind.HELD_WITHOUT_RESTRICTION, DATASET): Break(Kind.HELD_WITHOUT_RESTRICTION, 1, DATASET, (1,))}
    assert find(desk, night) == expected, "of a request that is not carried out nothing is restricted"
    put(desk, "restriction", request_id=1, dataset=DATASET, subject_key="1", since=NOW, lifted_at=NOW)
    assert find(desk, night) == expected, "the restriction is lifted"


def test_a_restriction_of_nothing(desk: Desk) -> None:
    night = run(desk)
    request(desk, 1, "partly_completed")
    cell(desk, "request_after", night, 1, "not_held")
    cell(desk, "request_after", night, 1, "held", dataset="messages", rows_held=1)
    request(desk, 2, "completed")
    for number, dataset in ((1, DATASET), (1, "messages"), (2, "contacts")):
        put(desk, "restriction", request_id=number, dataset=dataset, subject_key="1", since=NOW)
    assert {key: one.requests for key, one in find(desk, night).items()} == {
        (Kind.RESTRICTION_WITHOUT_HELD, DATASET): (1,),
        (Kind.RESTRICTION_WITHOUT_HELD, "contacts"): (2,),
    }


def test_a_missed_deadline(desk: Desk) -> None:
    request(desk, 1, "received", received_at=NOW - 40 * DAY)
    request(desk, 2, "received", received_at=NOW - 10 * DAY)
    request(desk, 3, "partly_completed", received_at=NOW - 40 * DAY)
    assert find(desk) == {(Kind.PAST_DEADLINE, ""): Break(Kind.PAST_DEADLINE, 1, requests=(1,))}


def test_a_recipient_that_does_not_confirm(desk: Desk) -> None:
    night = run(desk)
    request(desk, 1)
    for recipient, days, outcome in (("courier", 31, None), ("bank", 29, None), ("broker", 31, "impossible")):
        put(
            desk,
            "recipient_notice",
            request_id=1,
            run_id=night,
            recipient=recipient,
            kind="erased",
            datasets=[DATASET],
            in_part=[],
            categories=["account"],
            queued_at=NOW - days * DAY,
            outcome=outcome,
            outcome_at=None if outcome is None else NOW,
        )
    assert find(desk) == {
        (Kind.RECIPIENT_UNCONFIRMED, "courier"): Break(Kind.RECIPIENT_UNCONFIRMED, 1, "courier", (1,)),
    }


def test_an_account_past_its_period_that_nobody_asked_for(desk: Desk) -> None:
    desk.sql(
        "UPDATE provider.account SET status = 'closed', closed_at = '2019-03-05', contract_ended_on = '2019-03-05'"
    )
    request(desk, 1, "executing")
    request(desk, 2, "withdrawn")
    hold(desk, subject_key="3")
    found = find(desk)
    accounts = len(desk.sql("SELECT FROM provider.account"))
    assert found[Kind.CLOSED_UNASKED, "accounts"] == Break(Kind.CLOSED_UNASKED, accounts - 2, "accounts")
    desk.sql("UPDATE provider.account SET contract_ended_on = '2025-01-01'")
    assert (Kind.CLOSED_UNASKED, "accounts") not in find(desk), "their period runs"


def test_two_systems_that_disagree_on_a_balance(desk: Desk) -> None:
    """Billing has what is owed; whoever takes the payments knows what came in."""
    for table in ("refund", "payment", "dispute", "invoice"):
        desk.sql(f"DELETE FROM provider.{table}")
    for account in (1, 2, 3, 4, 5):
        request(desk, account, "received" if account == 1 else "partly_completed")
    request(desk, 6, "completed")
    # account, status, paid of 120 pence, given back
    for account, status, paid, back in (
        (1, "unpaid", 120, 0),
        (2, "paid", 100, 0),
        (3, "paid", 120, 60),
        (4, "unpaid", 120, 120),
        (5, "unpaid", 20, 0),
        (6, "unpaid", 120, 0),
    ):
        desk.sql(
            "INSERT INTO provider.invoice (invoice_id, account_id, invoice_number, usage_from, usage_to, status,"
            " net_pence, vat_pence, total_pence, billing_name, billing_address)"
            " VALUES (:n, :n, :text, '2026-01-01', '2026-02-01', :status, 100, 20, 120, 'Zoe', '1 Any Street')",
            n=account,
            text=f"INV-{account}",
            status=status,
        )
        desk.sql(
            "INSERT INTO provider.payment (payment_id, invoice_id, method_kind, paid_at, amount_pence, payer_name,"
            " processor_reference) VALUES (:n, :n, 'card', '2026-02-09', :paid, 'Zoe', 'p')",
            n=account,
            paid=paid,
        )
        desk.sql(
            "INSERT INTO provider.refund (refund_id, payment_id, status, requested_at, completed_at, amount_pence,"
            " reason) VALUES (:n, :n, 'completed', '2026-02-10', '2026-02-11', :back, 'Any')",
            n=account,
            back=back,
        )
    assert find(desk)[Kind.BALANCE_DISAGREES, ""] == Break(Kind.BALANCE_DISAGREES, 2, requests=(1, 2))
    desk.sql("UPDATE provider.invoice SET status = 'disputed'")
    assert (Kind.BALANCE_DISAGREES, "") not in find(desk)


# --- holds --------------------------------------------------------------------------------------------------------

FAULTS: dict[Kind, dict[str, object]] = {
    Kind.HOLD_WITHOUT_SOURCE: {"source_id": "retired"},
    Kind.HOLD_SOURCE_UNTRUSTED: {"source_id": "audit"},
    Kind.HOLD_WITHOUT_GROUND: {"ground": ""},
    Kind.HOLD_WITHOUT_REVIEW: {"review_on": None},
    Kind.HOLD_REVIEW_OVERDUE: {"review_on": NOW.date() - DAY},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_hold_that_is_not_sound(desk: Desk, kind: Kind) -> None:
    request(desk, 1, "verified")
    request(desk, 2, "verified")
    hold(desk, **FAULTS[kind])
    assert find(desk) == {(kind, "AUDIT"): Break(kind, 1, "AUDIT", (1,), (1,))}


def faulty(desk: Desk, **changed: object) -> None:
    """One hold with each fault."""
    for number, fault in enumerate(FAULTS.values()):
        hold(desk, f"H-{number}", **{**fault, **changed})


@pytest.mark.parametrize("over", [{"released_at": NOW}, {"ends_on": NOW.date() - DAY}], ids=["released", "ended"])
def test_a_hold_that_is_over_is_none_any_more(desk: Desk, over: dict[str, object]) -> None:
    faulty(desk, **over)
    assert find(desk) == {}


@pytest.mark.parametrize("hold_type", [SECRET, "LITIGATION", "COMPLAINT_ADR"])
def test_types_that_may_not_be_named_are_one_and_not_counted(desk: Desk, hold_type: str) -> None:
    faulty(desk, hold_type=hold_type, authority="legal", disclosable=hold_type != SECRET)
    found = find(desk)
    assert set(found) == {(kind, breaks.OTHERS) for kind in FAULTS}
    assert not any(one.may_be_counted for one in found.values())


def test_a_hold_of_a_type_that_may_be_named_can_be_kept_to_itself(desk: Desk) -> None:
    faulty(desk, disclosable=False)
    assert set(find(desk)) == {(kind, breaks.OTHERS) for kind in FAULTS}


def test_a_source_is_believed_by_its_last_state(desk: Desk) -> None:
    hold(desk, source_id="audit")
    put(desk, "hold_source", source_id="audit", status="trusted", checked_at=NOW)
    assert find(desk) == {}
    desk.sql("UPDATE holdfast.hold_source SET status = 'stale'")
    assert list(find(desk)) == [(Kind.HOLD_SOURCE_UNTRUSTED, "AUDIT")]


def test_a_hold_of_a_type_that_the_policy_lost_has_no_ground(desk: Desk) -> None:
    hold(desk, hold_type="ABOLISHED")
    assert list(find(desk)) == [(Kind.HOLD_WITHOUT_GROUND, breaks.OTHERS)]


# --- incidents ----------------------------------------------------------------------------------------------------


def test_rows_erased_under_a_hold_on_all_of_them_are_an_incident(desk: Desk) -> None:
    request(desk, 1)
    hold(desk)
    night = run(desk)
    erased(desk, night)
    [one] = find(desk, night).values()
    assert one == Break(Kind.ERASED_WHILE_HELD, 1, "AUDIT", (1,), (1,))
    assert one.is_incident


def test_so_are_those_under_a_hold_on_everybody(desk: Desk) -> None:
    request(desk, 1)
    asks_for(desk, 1, dataset=DATASET, record_key="7")
    hold(desk, subject_key=None, datasets=[DATASET])
    night = run(desk)
    erased(desk, night)
    assert list(find(desk, night)) == [(Kind.ERASED_WHILE_HELD, "AUDIT")]


def test_a_hold_placed_after_the_plan_and_before_the_first_batch_counts(desk: Desk) -> None:
    request(desk, 1)
    night = run(desk)
    hold(desk, placed_at=BATCH_AT - dt.timedelta(seconds=1))
    erased(desk, night)
    assert list(find(desk, night)) == [(Kind.ERASED_WHILE_HELD, "AUDIT")]


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_key": "2"},
        {"datasets": ["messages"]},
        {"datasets": [DATASET], "record_key": "9"},
        {"period_from": dt.date(2026, 1, 1)},
        {"period_to": dt.date(2026, 1, 1)},
        {"ends_on": NOW.date() - DAY},
        {"released_at": NOW - DAY},
        {"hold_type": "ABOLISHED", "ground": "code"},
    ],
    ids=lambda changed: ", ".join(changed),
)
def test_what_might_have_let_the_rows_go_lawfully_is_no_incident(desk: Desk, changed: dict[str, object]) -> None:
    request(desk, 1)
    hold(desk, **changed)
    night = run(desk)
    erased(desk, night)
    assert not INCIDENTS & {kind for kind, _ in find(desk, night)}


def test_a_hold_that_came_during_the_batches_or_was_widened_since_is_no_incident(desk: Desk) -> None:
    request(desk, 1)
    request(desk, 2)
    hold(desk, "early", datasets=["messages"])
    night = run(desk)
    erased(desk, night)
    erased(desk, night, 2)
    hold(desk, "late", subject_key="2", placed_at=BATCH_AT + dt.timedelta(seconds=1))
    desk.sql("UPDATE holdfast.hold SET datasets = NULL WHERE reference = 'early'")
    assert find(desk, night) == {}


def test_a_request_for_a_record_may_name_that_of_somebody_else(desk: Desk) -> None:
    request(desk, 1)
    asks_for(desk, 1, dataset=DATASET, record_key="7")
    hold(desk)
    night = run(desk)
    erased(desk, night)
    assert find(desk, night) == {}


def test_nothing_erased_is_no_incident(desk: Desk) -> None:
    request(desk, 1)
    hold(desk)
    night = run(desk)
    erased(desk, night, rows=0)
    assert find(desk, night) == {}


def held_rows(desk: Desk, before: int, after: int) -> int:
    request(desk, 1)
    hold(desk, datasets=[DATASET], record_key="9", subject_key=None)
    night = run(desk)
    cell(desk, "request_decision", night, 1, "erase", rows_acted=2, rows_held=before)
    cell(desk, "request_after", night, 1, "held", rows_held=after)
    put(desk, "restriction", request_id=1, dataset=DATASET, subject_key="1", since=NOW)
    return night


def test_held_rows_that_are_not_there_any_more_are_an_incident(desk: Desk) -> None:
    """A hold on one record does not say which row it covered; that there is one row less under it does."""
    night = held_rows(desk, before=2, after=1)
    [one] = find(desk, night).values()
    assert one == Break(Kind.HELD_ROWS_GONE, 1, DATASET, (1,))
    assert one.is_incident


@pytest.mark.parametrize("unchanged", [False, True, None])
def test_held_rows_that_the_verification_found_changed_are_an_incident(desk: Desk, unchanged: bool | None) -> None:
    """The run goes no further than that, so there is no count after the work."""
    request(desk, 1)
    night = run(desk)
    cell(desk, "request_decision", night, 1, "held", rows_held=1)
    with hf_database.transaction(desk.engine) as connection:
        cinema.plan_rule(connection, night, f"erase:{DATASET}", DATASET, held=1, held_unchanged=unchanged)
    expected = {(Kind.HELD_ROWS_CHANGED, DATASET): Break(Kind.HELD_ROWS_CHANGED, 1, DATASET, (1,))}
    assert find(desk, night) == (expected if unchanged is False else {})


@pytest.mark.parametrize(("before", "after"), [(2, 2), (1, 2)])
def test_held_rows_that_are_there_or_more_of_them_are_none(desk: Desk, before: int, after: int) -> None:
    assert find(desk, held_rows(desk, before, after)) == {}


@pytest.mark.parametrize(
    "since",
    ["released_at = clock_timestamp()", "record_key = '10'"],
    ids=["released meanwhile", "moved to another record"],
)
def test_rows_that_a_hold_let_go_are_no_incident(desk: Desk, since: str) -> None:
    night = held_rows(desk, before=2, after=1)
    desk.sql(f"UPDATE holdfast.hold SET {since}")
    assert find(desk, night) == {}


# --- the ledger ---------------------------------------------------------------------------------------------------


def test_breaks_go_into_the_ledger_and_come_back_for_the_report(desk: Desk) -> None:
    night = run(desk)
    found = [
        Break(Kind.ERASED_WHILE_HELD, 1, breaks.OTHERS, (1,), (1,)),
        Break(Kind.RECIPIENT_UNCONFIRMED, 3, "mail-service", (1, 2)),
        Break(Kind.PAST_DEADLINE, 2, requests=(4, 5)),
    ]
    assert read_back(desk, night) is None, "nobody has looked"
    with hf_database.transaction(desk.engine) as connection:
        breaks.record(connection, night, found)
    assert read_back(desk, night) == tuple(found)
    assert desk.entries()[-1] == ("reconciled", {"incidents": 1, "kinds": 3})
    with hf_database.transaction(desk.engine) as connection:
        breaks.record(connection, night, found[:1])
    assert read_back(desk, night) == (found[0],), "what was found last counts"
    with hf_database.transaction(desk.engine) as connection:
        breaks.record(connection, night, [])
    assert read_back(desk, night) == ()


def test_finding_repairs_nothing_and_forgets_nothing(desk: Desk) -> None:
    request(desk, 1)
    hold(desk)
    night = run(desk)
    erased(desk, night)
    tables = ("deletion_request", "hold", "erasure", "restriction", "ledger_entry", "request_after")
    before = {name: desk.sql(f"SELECT to_jsonb(one) FROM holdfast.{name} AS one ORDER BY 1") for name in tables}
    assert find(desk, night)
    assert before == {name: desk.sql(f"SELECT to_jsonb(one) FROM holdfast.{name} AS one ORDER BY 1") for name in tables}


def test_only_the_first_are_named_and_all_are_counted(desk: Desk) -> None:
    for number in range(1, breaks.EXAMPLES + 3):
        request(desk, number, "received", received_at=NOW - 40 * DAY, subject_key="1")
    [one] = find(desk).values()
    assert one.count == breaks.EXAMPLES + 2
    assert len(one.requests) == breaks.EXAMPLES


@pytest.mark.parametrize("kind", sorted(INCIDENTS))
def test_a_night_with_an_incident_ends_red_and_names_it(desk: Desk, kind: Kind) -> None:
    night = run(desk)
    with hf_database.transaction(desk.engine) as connection:
        breaks.record(connection, night, [Break(Kind.HOLD_REVIEW_OVERDUE, 1), Break(kind, 1, DATASET)])
    with pytest.raises(HeldRowsChanged, match=kind.value):
        steps.conclude(desk.engine, settings.load(), run_id=night)


def test_a_night_with_other_breaks_is_not_red_for_them(desk: Desk) -> None:
    night = run(desk)
    with hf_database.transaction(desk.engine) as connection:
        breaks.record(connection, night, [Break(kind, 1, DATASET) for kind in Kind if kind not in INCIDENTS])
    desk.sql("UPDATE holdfast.run SET state = 'sealed'")
    assert steps.conclude(desk.engine, settings.load(), run_id=night)["held"] == 0


def read_back(desk: Desk, run_id: int) -> tuple[Break, ...] | None:
    with hf_database.transaction(desk.engine) as connection:
        return registers.read(connection, run_id, zone="Europe/London", nameable=(), now=NOW).breaks
