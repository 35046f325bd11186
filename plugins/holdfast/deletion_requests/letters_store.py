"""The register of letters: which are owed, what they are made from, and that one was written. SQL only.

Of the matrix nothing is read but holdfast.request_told and holdfast.request_told_gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests.deadlines import Moments
from holdfast.deletion_requests.letters_facts import Kind, Request, Told
from holdfast.deletion_requests.scope import Part


@dataclass(frozen=True)
class Owed:
    """A letter that is to be written."""

    request_id: int
    kind: Kind


def owed(connection: sa.Connection, run_id: int) -> list[Owed]:
    """The letters that requests call for on the night of the run, in the order of the requests."""
    rows = queries.run(connection, "deletion_requests/letter_owed", {"run_id": run_id})
    return [Owed(row.request_id, Kind(row.kind)) for row in rows]


def give_up(connection: sa.Connection) -> tuple[int, ...]:
    """Settle the requests that ended and whose subject has no address; once each. Ask for addresses first."""
    return tuple(sorted(queries.run(connection, "deletion_requests/letters_end").scalars()))


def lock(connection: sa.Connection, one: Owed) -> bool:
    """Let nobody else write a letter of this request until the transaction ends. False: this one is written already."""
    queries.run(connection, "deletion_requests/letter_lock", {"request_id": one.request_id})
    values = {"request_id": one.request_id, "kind": one.kind.value}
    return bool(queries.run(connection, "deletion_requests/letter_is_owed", values).scalar_one())


def request_of(connection: sa.Connection, request_id: int) -> Request:
    """The request as its letters need it."""
    row = queries.run(connection, "deletion_requests/letter_request", {"request_id": request_id}).one()
    return Request(
        request_id=row.request_id,
        reference=row.reference,
        channel=row.channel,
        moments=Moments(
            row.received_at,
            row.identity_requested_at,
            row.identity_received_at,
            row.fee_requested_at,
            row.fee_paid_at,
            row.extension_notified_at,
        ),
        withdraw_until=row.withdraw_until,
        extension_reason=row.extension_reason,
        refusal_reason=row.refusal_reason,
        scope=tuple(Part(*part) for part in row.parts or ()),
        rest=tuple(row.rest or ()),
        outcome_at=row.outcome_at,
    )


def told_of(connection: sa.Connection, request_id: int) -> list[Told]:
    """What may be told of the night that decided the request, and of those before it that erased something."""
    rows = queries.run(connection, "deletion_requests/letter_told", {"request_id": request_id})
    return [Told(row.dataset, row.action, tuple(row.reasons), row.until, row.review_on) for row in rows]


def record(
    connection: sa.Connection, one: Owed, *, sha256: str, file_name: str, rest: Iterable[str], written_at: dt.datetime
) -> None:
    """Note that the letter was written; `rest` are the datasets that it named as staying."""
    values = {
        "request_id": one.request_id,
        "kind": one.kind.value,
        "sha256": sha256,
        "file_name": file_name,
        "rest": list(rest),
        "written_at": written_at,
    }
    queries.run(connection, "deletion_requests/letter_record", values)
