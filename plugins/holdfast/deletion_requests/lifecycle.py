"""What people do with one request: ask who it is from, verify, approve, refuse, withdraw, extend.

Each is a change of the caller's transaction and ends with its entry in the ledger. `at` is when it happened, which the
clock goes by. Raises RequestError, with the request's number and what to do, for whatever its state does not allow.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Container

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import moves, register
from holdfast.deletion_requests.deadlines import Terms, Waiting, clock_of
from holdfast.deletion_requests.register import BEFORE_EXECUTION, UNANSWERED, Extension, Refusal, Request, State
from holdfast.errors import RequestError
from holdfast.evidence import ledger

_NEXT = {
    State.RECEIVED: "verify it, or ask who they are with `holdfast request identity --asked`.",
    State.IDENTITY_PENDING: "record the answer with `holdfast request identity --received`, then verify or refuse it.",
    State.VERIFIED: "let the night assess it, once the cool-off is over.",
    State.ASSESSED: "approve it, or let the policy do so.",
    State.APPROVED: "let the night carry it out.",
    State.EXECUTING: "let the night go on; what it has begun cannot be taken back.",
    State.PARTLY_COMPLETED: "wait until nothing keeps the rest: `holdfast request show` and the report say what does.",
    State.COMPLETED: "nothing is left to do.",
    State.REFUSED: "nothing is left to do; take a new request in if the person asks again.",
    State.WITHDRAWN: "nothing is left to do; take a new request in if the person asks again.",
}
"""What a person can do about a request in each state."""


def request_identity(connection: sa.Connection, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """The person was asked who they are, because there is reasonable doubt (Art 12(6)). The clock waits for it."""
    request = _open(connection, request_id, by, at, (State.RECEIVED,), "be asked for an identity")
    _record(connection, request, identity_requested_at=at)
    moves.move(connection, [request_id], State.IDENTITY_PENDING, by=by, at=at, facts={"at": at.isoformat()})
    return register.get(connection, request_id)


def identity_received(connection: sa.Connection, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """The information that was asked for has come. The clock starts; whether it is enough is for `verify`."""
    request = _open(connection, request_id, by, at, (State.IDENTITY_PENDING,), "have an answer about who it is from")
    if request.moments.identity_received_at is not None:
        raise _refusal(request, "has had its answer about the identity.", "verify or refuse it.")
    _record(connection, request, identity_received_at=at)
    _note(connection, request, "identity_received", by=by, at=at)
    return register.get(connection, request_id)


def request_fee(connection: sa.Connection, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """A fee was asked for: the request is manifestly unfounded or excessive (Art 12(5)). The clock waits for it."""
    states = (State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED)
    request = _open(connection, request_id, by, at, states, "be asked for a fee")
    if request.moments.fee_requested_at is not None:
        raise _refusal(request, "has been asked for a fee before.", "one fee is all that the law knows.")
    _record(connection, request, fee_requested_at=at)
    _note(connection, request, "fee_requested", by=by, at=at)
    return register.get(connection, request_id)


def fee_paid(connection: sa.Connection, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """The fee has been paid. The clock starts."""
    states = (State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED)
    request = _open(connection, request_id, by, at, states, "be paid for")
    if request.moments.fee_requested_at is None:
        raise _refusal(request, "is not waiting for a fee: none was asked for.", "record that it was, if it was.")
    if request.moments.fee_paid_at is not None:
        raise _refusal(request, "is not waiting for a fee: it is paid.", "nothing is left to do.")
    _record(connection, request, fee_paid_at=at)
    _note(connection, request, "fee_paid", by=by, at=at)
    return register.get(connection, request_id)


def verify(connection: sa.Connection, terms: Terms, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """The person is who they say. The cool-off begins."""
    states = (State.RECEIVED, State.IDENTITY_PENDING)
    request = _open(connection, request_id, by, at, states, "be verified")
    if request.state is State.IDENTITY_PENDING and request.moments.identity_received_at is None:
        raise _refusal(
            request,
            "is waiting for the identity that was asked for, and the clock starts with the answer.",
            "record the answer first, with `holdfast request identity --received`.",
        )
    withdraw_until = terms.day_of(at) + dt.timedelta(days=terms.rules.cool_off_days)
    _record(connection, request, withdraw_until=withdraw_until)
    moves.move(connection, [request_id], State.VERIFIED, by=by, at=at, facts={"until": withdraw_until.isoformat()})
    return register.get(connection, request_id)


def approve(connection: sa.Connection, terms: Terms, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """A person approves what the latest matrix says would be erased.

    Above the policy's threshold the request stays assessed until a second, different person has approved it as well.
    """
    request = _open(connection, request_id, by, at, (State.ASSESSED,), "be approved")
    rows = queries.run(connection, "deletion_requests/request_rows", {"request_id": request_id}).scalar_one()
    if rows is None:
        raise _refusal(
            request,
            "is not in the latest matrix: nobody knows what it would erase.",
            "wait for the next night.",
        )
    facts: dict[str, ledger.JSON] = {"rows": int(rows)}
    if request.first_approved_by is None:
        _record(connection, request, first_approved_by=by)
        if rows > terms.rules.approval.second_approver_above_rows:
            _note(connection, request, "first_approval", by=by, at=at, **facts)
            return register.get(connection, request_id)
    elif request.first_approved_by == by:
        raise _refusal(request, "needs a second person's approval.", "let somebody else approve it.")
    else:
        _record(connection, request, second_approved_by=by)
    moves.move(connection, [request_id], State.APPROVED, by=by, at=at, facts=facts)
    return register.get(connection, request_id)


def refuse(connection: sa.Connection, request_id: int, reason: Refusal, *, by: str, at: dt.datetime) -> Request:
    """The request is refused as a whole. The person must be told why, and where to complain (Art 12(4))."""
    request = _open(connection, request_id, by, at, BEFORE_EXECUTION, "be refused")
    _record(connection, request, refusal_reason=reason.value)
    moves.move(connection, [request_id], State.REFUSED, by=by, at=at, facts={"reason": reason.value})
    return register.get(connection, request_id)


def withdraw(connection: sa.Connection, terms: Terms, request_id: int, *, by: str, at: dt.datetime) -> Request:
    """The account holder takes the request back: until the cool-off is over, and never once anything may be erased."""
    request = _open(connection, request_id, by, at, BEFORE_EXECUTION, "be withdrawn")
    if request.withdraw_until is not None and terms.day_of(at) > request.withdraw_until:
        raise _refusal(
            request,
            f"could be withdrawn until {request.withdraw_until}.",
            "tell the person that it is being carried out.",
        )
    moves.move(connection, [request_id], State.WITHDRAWN, by=by, at=at)
    return register.get(connection, request_id)


def extend(
    connection: sa.Connection,
    terms: Terms,
    request_id: int,
    reason: Extension,
    *,
    notified_at: dt.datetime,
    by: str,
) -> Request:
    """The person has been told, with the reason, that the answer takes up to two months longer (Art 12A(3)).

    They must be told before the first month is over; `notified_at` is when they were, and what is too late is refused.
    """
    request = _open(connection, request_id, by, notified_at, UNANSWERED, "be extended")
    if request.extension_reason is not None:
        raise _refusal(request, "has been extended before.", "the law knows one extension.")
    clock = clock_of(request.moments, terms)
    if isinstance(clock, Waiting):
        raise _refusal(request, f"has no deadline yet: it waits for the {clock.waits_for}.", "wait for the answer.")
    if terms.day_of(notified_at) > clock.first_due_on:
        raise _refusal(
            request,
            f"could be extended only by a notice until {clock.first_due_on}.",
            "answer it now; it is overdue.",
        )
    _record(connection, request, extension_reason=reason.value, extension_notified_at=notified_at)
    extended = register.get(connection, request_id)
    due = clock_of(extended.moments, terms)
    facts: dict[str, ledger.JSON] = {
        "request": request_id,
        "reason": reason.value,
        "notified_at": notified_at.isoformat(),
        "due": None if isinstance(due, Waiting) else due.due_on.isoformat(),
        "by": moves.who(by),
    }
    ledger.append(connection, "request_extended", facts)
    return extended


def _open(
    connection: sa.Connection, request_id: int, by: str, at: dt.datetime, states: Container[State], purpose: str
) -> Request:
    """The request, locked, if it is in one of these states and the moment is possible."""
    moves.require_person(by)
    moves.lock(connection, [request_id])
    request = register.get(connection, request_id)
    if request.state not in states:
        raise _refusal(request, f"is {request.state} and cannot {purpose}.", _NEXT[request.state])
    if at < request.moments.received_at:
        raise _refusal(request, "had not been received then.", "correct the day.")
    return request


def _record(connection: sa.Connection, request: Request, **known: str | dt.date) -> None:
    values = {"request_id": request.request_id, "known": json.dumps(known, default=lambda day: day.isoformat())}
    queries.run(connection, "deletion_requests/request_record", values)


def _note(
    connection: sa.Connection, request: Request, event: str, *, by: str, at: dt.datetime, **facts: ledger.JSON
) -> None:
    """The entry of a change that leaves the state as it is."""
    entry: dict[str, ledger.JSON] = {
        **facts,
        "requests": [request.request_id],
        "event": event,
        "at": at.isoformat(),
        "state": request.state.value,
        "by": moves.who(by),
    }
    ledger.append(connection, "request_changed", entry)


def _refusal(request: Request, what: str, fix: str) -> RequestError:
    return RequestError(f"Request {request.request_id} {what}", fix=fix, request=request.request_id)
