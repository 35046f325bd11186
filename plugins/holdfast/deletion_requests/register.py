"""The register of deletion requests, read: one request, those in a state, how many there are.

Subjects appear here by their key. Whatever leaves the register for a report, a log or the ledger uses the request's
number or the subject's pseudonym.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests.deadlines import Moments
from holdfast.deletion_requests.scope import Part, Scope
from holdfast.errors import RequestError

READ_AT_ONCE = 2_000
_LARGEST = 2**63 - 1  # the column is a bigint


class State(enum.StrEnum):
    """Where a request is in its life: holdfast.request_state has the meanings, request_state_change what may follow."""

    RECEIVED = "received"
    IDENTITY_PENDING = "identity_pending"
    VERIFIED = "verified"
    ASSESSED = "assessed"
    APPROVED = "approved"
    EXECUTING = "executing"
    PARTLY_COMPLETED = "partly_completed"
    COMPLETED = "completed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


BEFORE_EXECUTION = (State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED, State.ASSESSED, State.APPROVED)
"""Nothing has been erased yet: it can still be refused or withdrawn."""
UNANSWERED = (*BEFORE_EXECUTION, State.EXECUTING)
"""The person has not been told the outcome: the statutory clock runs."""


class Channel(enum.StrEnum):
    """How a request reached the controller; any will do (it needs no form)."""

    FORM = "form"
    EMAIL = "email"
    POST = "post"
    TELEPHONE = "telephone"
    SUPPORT = "support"
    FILE = "file"


class Refusal(enum.StrEnum):
    """Why a request is refused as a whole. A closed list: text that a person writes may name people."""

    IDENTITY_NOT_CONFIRMED = "identity_not_confirmed"
    MANIFESTLY_UNFOUNDED = "manifestly_unfounded"
    EXCESSIVE = "excessive"
    CONTRACT_LIVE = "contract_live"
    NOT_A_SUBJECT = "not_a_subject"


class Extension(enum.StrEnum):
    """Why two further months are needed (UK GDPR Art 12A(3)); no other reason will do."""

    COMPLEXITY = "complexity"
    NUMBER_OF_REQUESTS = "number_of_requests"


class LettersEnded(enum.StrEnum):
    """Why no letter about a request's end is to come."""

    NO_ADDRESS = "no_address"
    TOLD_BEFORE_RESTORE = "told_before_restore"


@dataclass(frozen=True)
class Request:
    """One request of the register.

    `withdraw_until` is the last day of the cool-off, known once it is verified. `letters_ended` None: its letters are
    written, or still to come.
    """

    request_id: int
    reference: str
    channel: Channel
    subject_key: str
    state: State
    moments: Moments
    scope: Scope
    withdraw_until: dt.date | None
    extension_reason: Extension | None
    refusal_reason: Refusal | None
    first_approved_by: str | None
    second_approved_by: str | None
    duplicate_of: int | None
    closed_at: dt.datetime | None
    letters_ended: LettersEnded | None


@dataclass(frozen=True)
class StateCount:
    """The requests in one state: how many, how many repeat another, and when the oldest was received."""

    state: State
    meaning: str
    requests: int
    duplicates: int
    oldest_received_at: dt.datetime | None


@dataclass(frozen=True)
class Transition:
    """One change of state. `by_whom` is a user code, or what changed it without a person: night, policy."""

    from_state: State
    to_state: State
    at: dt.datetime
    by_whom: str
    run_id: int | None


def get(connection: sa.Connection, request: int | str) -> Request:
    """The request with this number or reference. Raises RequestError if there is none."""
    number, reference = (request, None) if isinstance(request, int) else (None, request)
    values = {"request_id": number, "reference": reference}
    is_known = number is None or number <= _LARGEST
    row = queries.run(connection, "deletion_requests/request_find", values).one_or_none() if is_known else None
    if row is None:
        raise RequestError("There is no such request.", fix="look it up with `holdfast request list`.")
    return _request(row)


def by_reference(connection: sa.Connection, references: Iterable[str]) -> dict[str, Request]:
    """The requests that have one of these references, by it."""
    rows = queries.run(connection, "deletion_requests/request_by_reference", {"names": list(references)})
    return {row.reference: _request(row) for row in rows}


def in_states(connection: sa.Connection, states: Iterable[State]) -> Iterator[Request]:
    """The requests in these states, oldest number first, read as they are asked for."""
    statement = queries.query("deletion_requests/request_in_states").execution_options(yield_per=READ_AT_ONCE)
    with connection.execute(statement, {"states": list(states)}) as rows:
        for row in rows:
            yield _request(row)


def counts(connection: sa.Connection) -> list[StateCount]:
    """How many requests are in each state, in the order of a request's life."""
    rows = queries.run(connection, "deletion_requests/request_counts").mappings()
    found = {State(row["state"]): StateCount(**{**row, "state": State(row["state"])}) for row in rows}
    return [found[state] for state in State]


def transitions(connection: sa.Connection, request_id: int) -> list[Transition]:
    """The states a request has gone through, oldest first."""
    rows = queries.run(connection, "deletion_requests/request_transitions", {"request_id": request_id})
    return [Transition(State(row.from_state), State(row.to_state), row.at, row.by_whom, row.run_id) for row in rows]


def _request(row: sa.Row[Any]) -> Request:
    return Request(
        request_id=row.request_id,
        reference=row.reference,
        channel=Channel(row.channel),
        subject_key=row.subject_key,
        state=State(row.state),
        moments=Moments(
            received_at=row.received_at,
            identity_requested_at=row.identity_requested_at,
            identity_received_at=row.identity_received_at,
            fee_requested_at=row.fee_requested_at,
            fee_paid_at=row.fee_paid_at,
            extension_notified_at=row.extension_notified_at,
        ),
        scope=tuple(Part(*part) for part in row.parts or ()),
        withdraw_until=row.withdraw_until,
        extension_reason=None if row.extension_reason is None else Extension(row.extension_reason),
        refusal_reason=None if row.refusal_reason is None else Refusal(row.refusal_reason),
        first_approved_by=row.first_approved_by,
        second_approved_by=row.second_approved_by,
        duplicate_of=row.duplicate_of,
        closed_at=row.closed_at,
        letters_ended=None if row.letters_ended is None else LettersEnded(row.letters_ended),
    )
