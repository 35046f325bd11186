"""Taking requests in: each becomes a row of the register once, is linked to what it repeats, and leaves its entries.

A reference names one request for good. The same request under it again is what was taken in already, and no fault;
another one under it is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries, settings
from holdfast.deletion_requests import moves, ownership, register, scope
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.fields import Check, Fault, NewRequest
from holdfast.deletion_requests.register import Request, State
from holdfast.errors import RequestError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import keys
from holdfast.holds.register import SUBJECT
from holdfast.policy.model import Policy


@dataclass(frozen=True)
class Taken:
    """A request of the register. `is_new` is false for one that was there before; `duplicate_of` is what it repeats."""

    request_id: int
    duplicate_of: int | None
    is_new: bool


@dataclass(frozen=True)
class _Registered:
    """What the register says of a new request."""

    request_id: int
    duplicate_of: int | None
    request: NewRequest


def receive(
    connection: sa.Connection,
    policy: Policy,
    terms: Terms,
    requests: Sequence[NewRequest],
    *,
    by: str,
    now: dt.datetime,
) -> list[Taken | Fault]:
    """Take requests in, in one transaction of the caller's; for each of them what came of it, in the same order.

    One whose identity is confirmed is verified at once, and its cool-off began on the day of that. Nobody else takes
    any in until the transaction ends. Raises RequestError if `by` is not the user code of a person.
    """
    moves.require_person(by)
    queries.run(connection, "deletion_requests/request_lock_receipts")
    written = _as_the_database_writes_them(connection, policy, requests)
    wanted: dict[str, NewRequest] = {}
    for one in written:
        if isinstance(one, NewRequest):
            wanted.setdefault(one.reference, one)
    known = register.by_reference(connection, wanted)
    fresh = [one for reference, one in wanted.items() if reference not in known]
    not_theirs = _not_theirs(connection, policy, fresh)
    fresh = [one for one in fresh if one.reference not in not_theirs]
    registered = _register(connection, policy, terms, fresh)
    _record(connection, registered.values(), by=by, now=now)
    results: list[Taken | Fault] = []
    first = set(registered)
    for one in written:
        if isinstance(one, Fault):
            results.append(one)
        elif one.reference in known:
            results.append(_compared(one, known[one.reference]))
        elif one.reference in not_theirs:
            results.append(not_theirs[one.reference])
        else:
            entry = registered[one.reference]
            same = one == entry.request
            results.append(Taken(entry.request_id, entry.duplicate_of, one.reference in first) if same else _TAKEN)
            first.discard(one.reference)
    return results


_TAKEN = Fault(
    Check.REFERENCE_TAKEN,
    "reference",
    "another request has this reference.",
    "give it a reference of its own, and look the other one up with `holdfast request show`.",
)


def _as_the_database_writes_them(
    connection: sa.Connection, policy: Policy, requests: Sequence[NewRequest]
) -> list[NewRequest | Fault]:
    """The requests with their keys as the database has them; `007` and `7` are one account."""
    given = {"subject_keys": sorted({request.subject_key for request in requests})}
    subjects = {row.given: row.subject_key for row in queries.run(connection, "provider/subject_exists", given)}
    has_records = scope.names_records(request.scope for request in requests)
    types = keys.read_types(connection, policy) if has_records else keys.KeyTypes((), {})
    written: list[NewRequest | Fault] = []
    for request in requests:
        subject_key = subjects.get(request.subject_key)
        if subject_key is None:
            written.append(
                Fault(
                    Check.UNKNOWN_SUBJECT,
                    "subject_key",
                    "there is no such account.",
                    "correct it; to a person of whom nothing is held, answer so.",
                )
            )
            continue
        try:
            parts = scope.with_written_keys(connection, types, request.scope)
        except RequestError as error:
            written.append(Fault(Check.RECORD_KEY, "scope", error.what, error.fix))
        else:
            written.append(dataclasses.replace(request, subject_key=subject_key, scope=parts))
    return written


def _not_theirs(connection: sa.Connection, policy: Policy, requests: Sequence[NewRequest]) -> dict[str, Fault]:
    """The requests that name a record which is not of the account that asks, by reference."""
    naming = [request for request in requests if scope.names_records([request.scope])]
    found: dict[str, Fault] = {}
    if not naming:
        return found
    tables = ownership.read(connection, policy)
    for request in naming:
        try:
            ownership.require_theirs(connection, policy, tables, request.subject_key, request.scope)
        except RequestError as error:
            found[request.reference] = Fault(Check.NOT_THEIRS, "scope", error.what, error.fix)
    return found


def _compared(request: NewRequest, known: Request) -> Taken | Fault:
    """The register's request, if it is this one: whose, from when and of what."""
    same = (request.subject_key, request.channel, request.received_at, set(request.scope)) == (
        known.subject_key,
        known.channel,
        known.moments.received_at,
        set(known.scope),
    )
    return Taken(known.request_id, known.duplicate_of, is_new=False) if same else _TAKEN


def _register(
    connection: sa.Connection, policy: Policy, terms: Terms, requests: Sequence[NewRequest]
) -> dict[str, _Registered]:
    """Write the rows of new requests, by reference."""
    rows = json.dumps([_row(request, terms) for request in requests], default=dt.datetime.isoformat)
    inserted = queries.run(connection, "deletion_requests/request_insert", {"requests": rows})
    numbers = {row.reference: int(row.request_id) for row in inserted}
    parts = [
        {"request_id": numbers[request.reference], "part_no": number, **dataclasses.asdict(part)}
        for request in requests
        for number, part in enumerate(request.scope, start=1)
    ]
    queries.run(connection, "deletion_requests/request_insert_parts", {"parts": json.dumps(parts)})
    pairs = scope.columns_by_category(policy)
    values = {
        "requests": list(numbers.values()),
        "datasets": [dataset for dataset, _ in pairs],
        "categories": [category for _, category in pairs],
    }
    linked = queries.run(connection, "deletion_requests/request_link_duplicates", values)
    duplicate_of = {row.request_id: int(row.duplicate_of) for row in linked}
    return {
        request.reference: _Registered(
            numbers[request.reference], duplicate_of.get(numbers[request.reference]), request
        )
        for request in requests
    }


def _row(request: NewRequest, terms: Terms) -> dict[str, object]:
    withdraw_until = None
    if request.identity_confirmed_at is not None:
        known_on = max(terms.day_of(request.received_at), terms.day_of(request.identity_confirmed_at))
        withdraw_until = (known_on + dt.timedelta(days=terms.rules.cool_off_days)).isoformat()
    was_asked = request.identity_requested_at is not None
    return {
        "reference": request.reference,
        "channel": request.channel,
        "subject_key": request.subject_key,
        "received_at": request.received_at,
        "identity_requested_at": request.identity_requested_at,
        "identity_received_at": request.identity_confirmed_at if was_asked else None,
        "withdraw_until": withdraw_until,
    }


def _record(connection: sa.Connection, entries: Iterable[_Registered], *, by: str, now: dt.datetime) -> None:
    """Write the entries of new requests, and bring those on whose identity was asked for or is confirmed."""
    key = settings.load().pseudonym_key()
    new = list(entries)
    who = moves.who(by)
    for entry in new:
        request = entry.request
        facts: dict[str, ledger.JSON] = {
            "request": entry.request_id,
            "subject": pseudonym(key, SUBJECT, request.subject_key),
            "channel": request.channel.value,
            "received_at": request.received_at.isoformat(),
            "parts": len(request.scope),
            "duplicate_of": entry.duplicate_of,
            "by": who,
        }
        ledger.append(connection, "request_received", facts)
    asked = [entry.request_id for entry in new if entry.request.identity_requested_at is not None]
    confirmed = [entry.request_id for entry in new if entry.request.identity_confirmed_at is not None]
    moves.move(connection, asked, State.IDENTITY_PENDING, by=by, at=now)
    moves.move(connection, confirmed, State.VERIFIED, by=by, at=now)
