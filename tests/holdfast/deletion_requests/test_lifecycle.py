"""What people may do with a request in each state, what the database refuses, and what each change leaves behind."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.desk import ACCOUNTS, CLERK, MAY_FOLLOW, NOW, OFFICER, Desk, terms

from holdfast import database, settings
from holdfast.deletion_requests import lifecycle, moves, night
from holdfast.deletion_requests.deadlines import clock_of
from holdfast.deletion_requests.register import BEFORE_EXECUTION, Extension, Refusal, Request, State
from holdfast.errors import RequestError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF

LATER = NOW + dt.timedelta(days=1)
DAY = dt.timedelta(days=1)


def act(desk: Desk, change: Callable[..., Request], request: int, *given: object, **named: object) -> Request:
    """Do one thing with a request, in a transaction of its own."""
    arguments = {"by": CLERK, **({} if "notified_at" in named else {"at": LATER}), **named}
    needs_terms = change in (lifecycle.verify, lifecycle.approve, lifecycle.withdraw, lifecycle.extend)
    with database.transaction(desk.engine) as connection:
        return change(connection, *((terms(),) if needs_terms else ()), request, *given, **arguments)


def in_state(desk: Desk, state: State) -> int:
    """The number of a new request in a state, brought there the usual way."""
    count = len(desk.sql("SELECT FROM holdfast.deletion_request"))
    number = desk.received(reference=f"to-{count}", subject_key=str(1 + count % ACCOUNTS))
    if state is State.RECEIVED:
        return number
    if state is State.IDENTITY_PENDING:
        act(desk, lifecycle.request_identity, number)
    elif state is State.REFUSED:
        act(desk, lifecycle.refuse, number, Refusal.EXCESSIVE)
    elif state is State.WITHDRAWN:
        act(desk, lifecycle.withdraw, number)
    else:
        act(desk, lifecycle.verify, number)
        usual = [
            State.ASSESSED,
            State.APPROVED,
            State.EXECUTING,
            State.PARTLY_COMPLETED,
            State.COMPLETED,
        ]
        with database.transaction(desk.engine) as connection:
            for to in usual[: usual.index(state) + 1] if state in usual else ():
                moves.move(connection, [number], to, by=moves.NIGHT, at=LATER)
    return number


def last_entry(desk: Desk) -> tuple[str, dict[str, object]]:
    return desk.entries()[-1]


def test_the_usual_course(desk: Desk) -> None:
    number = desk.received()
    asked_at, answered_at, verified_at = NOW + DAY, NOW + 5 * DAY, NOW + 6 * DAY
    act(desk, lifecycle.request_identity, number, at=asked_at)
    act(desk, lifecycle.identity_received, number, at=answered_at)
    verified = act(desk, lifecycle.verify, number, at=verified_at, by=OFFICER)
    assert verified.state is State.VERIFIED
    assert (verified.moments.identity_requested_at, verified.moments.identity_received_at) == (asked_at, answered_at)
    assert verified.withdraw_until == dt.date(2026, 9, 16)  # verified on the 9th, and seven days
    with database.transaction(desk.engine) as connection:
        assert night.advance(connection, terms(), now=NOW + 13 * DAY, run_id=None) == 0  # the 16th: still possible
        assert night.advance(connection, terms(), now=NOW + 14 * DAY, run_id=7) == 1
    desk.assess({number: 40_000})
    act(desk, lifecycle.approve, number)
    with database.transaction(desk.engine) as connection:
        for to in (State.EXECUTING, State.PARTLY_COMPLETED, State.COMPLETED):
            assert moves.move(connection, [number], to, by=moves.NIGHT, at=NOW + 15 * DAY, run_id=8) == 1
    assert desk.course(number) == [
        ("received", "identity_pending", "clerk"),
        ("identity_pending", "verified", "officer"),
        ("verified", "assessed", "night"),
        ("assessed", "approved", "clerk"),
        ("approved", "executing", "night"),
        ("executing", "partly_completed", "night"),
        ("partly_completed", "completed", "night"),
    ]
    assert desk.request(number).closed_at == NOW + 15 * DAY
    key = settings.load().pseudonym_key()
    changes = [facts for kind, facts in desk.entries() if kind == "request_changed"]
    assert [(facts.get("from"), facts.get("to", facts.get("event"))) for facts in changes] == [
        ("received", "identity_pending"),
        (None, "identity_received"),
        ("identity_pending", "verified"),
        ("verified", "assessed"),
        ("assessed", "approved"),
        ("approved", "executing"),
        ("executing", "partly_completed"),
        ("partly_completed", "completed"),
    ]
    assert all(facts["requests"] == [number] for facts in changes)
    assert changes[1]["at"] == "2026-09-08T09:30:00+01:00"
    assert (changes[2]["by"], changes[3]["by"]) == (pseudonym(key, STAFF, "officer"), "night")
    assert changes[4]["rows"] == 40_000


ALLOWED = {
    lifecycle.request_identity: {State.RECEIVED},
    lifecycle.identity_received: {State.IDENTITY_PENDING},
    lifecycle.request_fee: {State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED},
    lifecycle.verify: {State.RECEIVED},  # and IDENTITY_PENDING, once the answer has come
    lifecycle.withdraw: set(BEFORE_EXECUTION),
    lifecycle.refuse: set(BEFORE_EXECUTION),
    lifecycle.extend: {*BEFORE_EXECUTION, State.EXECUTING} - {State.IDENTITY_PENDING},
}
EXTRA = {
    lifecycle.refuse: ((Refusal.CONTRACT_LIVE,), {}),
    lifecycle.extend: ((Extension.COMPLEXITY,), {"notified_at": LATER}),
}


@pytest.mark.parametrize("state", State)
def test_a_refusal_says_what_can_be_done_instead(busy_desk: Desk, state: State) -> None:
    number = in_state(busy_desk, state)
    wrong: Callable[..., Request] = lifecycle.verify if state is State.ASSESSED else lifecycle.approve
    words = {
        State.RECEIVED: "identity --asked",
        State.IDENTITY_PENDING: "identity --received",
        State.VERIFIED: "cool-off",
        State.ASSESSED: "approve it",
        State.PARTLY_COMPLETED: "say what does",
        State.WITHDRAWN: "a new request",
    }
    with pytest.raises(RequestError) as refused:
        act(busy_desk, wrong, number)
    assert words.get(state, "") in str(refused.value)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("change", ALLOWED, ids=lambda change: change.__name__)
def test_what_may_be_done_in_which_state(busy_desk: Desk, change: Callable[..., Request], state: State) -> None:
    number = in_state(busy_desk, state)
    entries, course = busy_desk.entries(), busy_desk.course(number)
    given, named = EXTRA.get(change, ((), {}))
    if state in ALLOWED[change]:
        act(busy_desk, change, number, *given, **named)
        assert len(busy_desk.entries()) == len(entries) + 1
        assert number in (busy_desk.entries()[-1][1].get("requests") or [busy_desk.entries()[-1][1].get("request")])
    else:
        with pytest.raises(RequestError, match=f"Request {number} ") as refused:
            act(busy_desk, change, number, *given, **named)
        assert refused.value.fix
        assert (busy_desk.entries(), busy_desk.course(number)) == (entries, course)


@pytest.mark.parametrize("state", State)
def test_the_database_allows_exactly_what_may_follow(busy_desk: Desk, state: State) -> None:
    number = in_state(busy_desk, state)
    for to in set(State) - {state}:
        with busy_desk.engine.connect() as connection, connection.begin() as undone:
            reason = "UPDATE holdfast.deletion_request SET refusal_reason = 'excessive' WHERE request_id = :r"
            connection.execute(sa.text(reason), {"r": number})
            if to in MAY_FOLLOW[state]:
                assert moves.move(connection, [number], to, by=moves.NIGHT, at=LATER) == 1
            else:
                with pytest.raises(RequestError, match=f"may not become {to}"):
                    moves.move(connection, [number], to, by=moves.NIGHT, at=LATER)
            undone.rollback()


def test_the_database_refuses_what_the_code_would_never_do(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.VERIFIED)
    for statement in (
        "UPDATE holdfast.deletion_request SET state = 'executing' WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET subject_key = '9' || subject_key WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET received_at = received_at + interval '1 day' WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET reference = 'other' WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET state = 'refused' WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET first_approved_by = 'a', second_approved_by = 'a' WHERE request_id = :r",
        "UPDATE holdfast.deletion_request SET extension_reason = 'complexity' WHERE request_id = :r",
        "DELETE FROM holdfast.deletion_request WHERE request_id = :r",
        "TRUNCATE holdfast.deletion_request CASCADE",
    ):
        with pytest.raises(sa.exc.DBAPIError):
            busy_desk.sql(statement, r=number) if ":r" in statement else busy_desk.sql(statement)
    assert busy_desk.request(number).state is State.VERIFIED


def test_an_identity_that_was_asked_for_must_have_come_before_it_is_verified(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.IDENTITY_PENDING)
    with pytest.raises(RequestError, match="waiting for the identity"):
        act(busy_desk, lifecycle.verify, number)
    with pytest.raises(RequestError, match="waits for the identity"):
        act(busy_desk, lifecycle.extend, number, Extension.COMPLEXITY, notified_at=LATER)
    act(busy_desk, lifecycle.identity_received, number)
    with pytest.raises(RequestError, match="has had its answer"):
        act(busy_desk, lifecycle.identity_received, number)
    assert act(busy_desk, lifecycle.verify, number).state is State.VERIFIED


def test_a_fee_holds_the_request_up_until_it_is_paid(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.VERIFIED)
    with pytest.raises(RequestError, match="not waiting for a fee"):
        act(busy_desk, lifecycle.fee_paid, number)
    act(busy_desk, lifecycle.request_fee, number)
    with pytest.raises(RequestError, match="asked for a fee before"):
        act(busy_desk, lifecycle.request_fee, number)
    with busy_desk.engine.connect() as connection, connection.begin() as transaction:
        night.advance(connection, terms(), now=NOW + 30 * DAY, run_id=None)
        state = "SELECT state FROM holdfast.deletion_request WHERE request_id = :r"
        assert connection.execute(sa.text(state), {"r": number}).scalar_one() == "verified"
        transaction.rollback()
    act(busy_desk, lifecycle.fee_paid, number, at=NOW + 20 * DAY)
    with database.transaction(busy_desk.engine) as connection:
        night.advance(connection, terms(), now=NOW + 30 * DAY, run_id=None)
    paid = busy_desk.request(number)
    assert paid.state is State.ASSESSED
    assert clock_of(paid.moments, terms()).starts_on == dt.date(2026, 9, 23)  # type: ignore[union-attr]


def test_withdrawal_ends_with_the_cool_off(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.VERIFIED)
    until = busy_desk.request(number).withdraw_until
    assert until is not None
    assert until == LATER.date() + 7 * DAY
    last_minute = dt.datetime.combine(until, dt.time(23, 59), tzinfo=NOW.tzinfo)
    with pytest.raises(RequestError, match=f"could be withdrawn until {until}"):
        act(busy_desk, lifecycle.withdraw, number, at=last_minute + dt.timedelta(minutes=1))
    withdrawn = act(busy_desk, lifecycle.withdraw, number, at=last_minute)
    assert (withdrawn.state, withdrawn.closed_at) == (State.WITHDRAWN, last_minute)


def test_an_extension_is_told_within_the_first_month(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.VERIFIED)
    due = dt.datetime(2026, 10, 5, 23, 59, tzinfo=NOW.tzinfo)
    with pytest.raises(RequestError, match="only by a notice until 2026-10-05"):
        act(busy_desk, lifecycle.extend, number, Extension.COMPLEXITY, notified_at=due + dt.timedelta(minutes=1))
    extended = act(busy_desk, lifecycle.extend, number, Extension.NUMBER_OF_REQUESTS, notified_at=due)
    assert (extended.extension_reason, extended.moments.extension_notified_at) == ("number_of_requests", due)
    kind, facts = last_entry(busy_desk)
    assert (kind, facts["reason"], facts["due"]) == ("request_extended", "number_of_requests", "2026-12-03")
    with pytest.raises(RequestError, match="extended before"):
        act(busy_desk, lifecycle.extend, number, Extension.COMPLEXITY, notified_at=due)


@pytest.mark.parametrize("reason", Refusal)
def test_a_refusal_has_its_reason(busy_desk: Desk, reason: Refusal) -> None:
    number = in_state(busy_desk, State.RECEIVED)
    refused = act(busy_desk, lifecycle.refuse, number, reason)
    assert (refused.state, refused.refusal_reason, refused.closed_at) == (State.REFUSED, reason, LATER)
    assert last_entry(busy_desk)[1]["reason"] == reason


def test_one_person_approves_what_is_small_and_two_what_is_not(busy_desk: Desk) -> None:
    limit = terms().rules.approval.second_approver_above_rows
    small, large = in_state(busy_desk, State.ASSESSED), in_state(busy_desk, State.ASSESSED)
    busy_desk.assess({small: limit, large: limit + 1})
    assert act(busy_desk, lifecycle.approve, small).state is State.APPROVED
    first = act(busy_desk, lifecycle.approve, large)
    assert (first.state, first.first_approved_by, first.second_approved_by) == (State.ASSESSED, CLERK, None)
    assert last_entry(busy_desk)[1]["event"] == "first_approval"
    with pytest.raises(RequestError, match="second person's approval"):
        act(busy_desk, lifecycle.approve, large)
    second = act(busy_desk, lifecycle.approve, large, by=OFFICER)
    assert (second.state, second.first_approved_by, second.second_approved_by) == (State.APPROVED, CLERK, OFFICER)


def test_nothing_is_approved_that_the_latest_matrix_does_not_have(busy_desk: Desk) -> None:
    number, other = in_state(busy_desk, State.ASSESSED), in_state(busy_desk, State.ASSESSED)
    busy_desk.assess({number: 1})
    busy_desk.assess({other: 1})
    with pytest.raises(RequestError, match="not in the latest matrix"):
        act(busy_desk, lifecycle.approve, number)


def test_two_who_approve_at_once_are_two(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.ASSESSED)
    busy_desk.assess({number: terms().rules.approval.second_approver_above_rows + 1})
    start = Barrier(2)

    def approve(by: str) -> State:
        start.wait()
        return act(busy_desk, lifecycle.approve, number, by=by).state

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, (CLERK, OFFICER))) == [State.APPROVED, State.ASSESSED]


def test_a_withdrawal_and_the_night_at_once_end_in_one_of_the_two(desk: Desk) -> None:
    numbers = [in_state(desk, State.VERIFIED) for _ in range(ACCOUNTS)]
    start = Barrier(2)

    def withdraw_all() -> None:
        start.wait()
        for number in numbers:
            act(desk, lifecycle.withdraw, number)

    def advance() -> None:
        start.wait()
        for _ in range(5):
            with database.transaction(desk.engine) as connection:
                night.advance(connection, terms(), now=NOW + 30 * DAY, run_id=None)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(withdraw_all), pool.submit(advance)]:
            done.result()
    for number in numbers:
        assert desk.request(number).state is State.WITHDRAWN
        assert [to for _, to, _ in desk.course(number)] in (
            ["verified", "withdrawn"],
            ["verified", "assessed", "withdrawn"],
        )


@pytest.mark.parametrize("by", ["Ann Other", "", "night"])
def test_whoever_does_it_is_a_person_by_a_code(busy_desk: Desk, by: str) -> None:
    number = in_state(busy_desk, State.RECEIVED)
    with pytest.raises(RequestError, match="user code"):
        act(busy_desk, lifecycle.verify, number, by=by)


def test_what_happened_before_the_receipt_did_not(busy_desk: Desk) -> None:
    number = in_state(busy_desk, State.RECEIVED)
    with pytest.raises(RequestError, match="had not been received then"):
        act(busy_desk, lifecycle.verify, number, at=NOW - DAY)


def test_there_is_no_such_request(busy_desk: Desk) -> None:
    for request in (10**12, -1):
        with pytest.raises(RequestError, match="no such request"):
            act(busy_desk, lifecycle.verify, request)
    with pytest.raises(RequestError, match="no such request"):
        busy_desk.request("never-seen")
    with pytest.raises(RequestError, match="no such request"):
        busy_desk.request(10**22)


def test_many_move_at_once_or_none(desk: Desk) -> None:
    """2,500 requests: one statement, three entries, and a forbidden one among them undoes all."""
    desk.sql(
        "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at)"
        " SELECT 'bulk-' || n, 'file', '1', '2026-09-01' FROM generate_series(1, 2500) AS n"
    )
    everyone = list(range(1, 2501))
    with database.transaction(desk.engine) as connection:
        assert moves.move(connection, everyone, State.VERIFIED, by=moves.NIGHT, at=LATER) == 2_500
        assert moves.move(connection, everyone, State.VERIFIED, by=moves.NIGHT, at=LATER) == 0  # done already
        assert moves.move(connection, [], State.ASSESSED, by=moves.NIGHT, at=LATER) == 0
        assert moves.move(connection, everyone[:1], State.WITHDRAWN, by=moves.NIGHT, at=LATER) == 1
    named = [facts["requests"] for _, facts in desk.entries()]
    assert [len(requests) for requests in named] == [1_000, 1_000, 500, 1]
    assert sorted(itertools.chain(*named[:3])) == everyone
    before = desk.entries()
    with pytest.raises(RequestError, match="may not become assessed"), database.transaction(desk.engine) as connection:
        moves.move(connection, everyone, State.ASSESSED, by=moves.NIGHT, at=LATER)
    assert desk.entries() == before
    assert desk.request(2).state is State.VERIFIED
