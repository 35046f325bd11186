"""Make the provider's own extract: every number that needs a record (full), or what changed since (delta)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import digests, formatting, inventory, writing
from holdfast.emergency_data.conditions import LIVE_STATES, SCHEMA
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.responses import WHOLE_FILE_CODE
from holdfast.store import AnyPath

_RECORDS = sa.table(
    "number_record",
    *map(sa.column, ("provider", "number", "state", "sequence", "submitted_at", "name_digest", "address_digest")),
    sa.column("rest_digest"),
    sa.column("told", sa.Text),
    sa.column("is_held", sa.Boolean),
    schema=SCHEMA,
)
_REJECTS = sa.table(
    "reject", *map(sa.column, ("provider", "number", "sequence", "code", "ended_at", "again_at")), schema=SCHEMA
)
_CALLS = sa.table("call_without_data", *map(sa.column, ("number", "called_at", "ended_at")), schema=SCHEMA)


def write(
    connection: sa.Connection,
    folder: AnyPath,
    layout: Layout,
    *,
    provider: str,
    extract_type: str,
    business_date: dt.date,
    now: dt.datetime,
) -> writing.WrittenFile:
    """Write the extract into `folder`. Call it in a snapshot: counts and lines must be of one moment."""
    last = queries.run(connection, "emergency/last_sequence", {"provider": provider}).scalar_one() or 0
    head = writing.Head(provider, last + 1, last, extract_type, business_date, now)
    given = inventory.numbers(now)
    action = sa.case((_needed(given), "I")) if extract_type == "FULL" else _change(given, provider, layout)
    records = _records(given, action, business_date)
    chosen: Any = sa.select(
        *(
            sa.cast(records.c[field.name] if field.name in records.c else sa.null(), sa.Text).label(field.name)
            for field in layout.detail.fields
            if field.name is not None
        )
    ).order_by(records.c.number_e164)
    return writing.write(
        folder, layout, head, _totals(connection, records), formatting.details(connection, chosen, layout)
    )


def _change(given: sa.Subquery, provider: str, layout: Layout) -> sa.ColumnElement[str]:
    """What the authority must be told of a number; NULL: nothing.

    What it rejected is not said again before it has been corrected, unless the fault was not the record's.
    """
    there = _record_of(given, provider)
    needs = _needed(given)
    gone = sa.or_(sa.not_(given.c.is_live), given.c.erased)
    known = there.where(_RECORDS.c.state.in_(LIVE_STATES)).exists()
    carried = {field.name for field in layout.detail.fields}
    found = digests.digests(given, carried)
    same_rest = _RECORDS.c.rest_digest == digests.rest(given, carried)
    failed = _RECORDS.c.state == "failed"
    same = there.where(
        _RECORDS.c.state.in_(("pending", "registered", "failed")),
        sa.func.coalesce(_RECORDS.c.told != "C", sa.true()),
        *(_RECORDS.c[name] == found[name] for name in ("name_digest", "address_digest")),
        sa.func.coalesce(same_rest, sa.not_(failed)),
        sa.not_(_missed(given)),
        sa.not_(_not_its_fault(given)),
    ).exists()
    ceasing = there.where(
        sa.or_(
            _RECORDS.c.state == "pending_cease",
            sa.and_(failed, _RECORDS.c.told == "C", sa.not_(_not_its_fault(given))),
        )
    ).exists()
    absent = sa.or_(sa.not_(known), there.where(failed, _RECORDS.c.is_held.is_(False)).exists())
    return sa.case(
        (sa.and_(needs, same), sa.null()),
        (sa.and_(needs, absent), "I"),
        (needs, "A"),
        (sa.and_(gone, known, sa.not_(ceasing)), "C"),
    )


def _not_its_fault(given: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether the record was rejected with its whole file, or a person has said that it should go out as it was."""
    return (
        sa.select(sa.literal(1))
        .where(
            *(_REJECTS.c[name] == _RECORDS.c[name] for name in ("provider", "number", "sequence")),
            _REJECTS.c.ended_at.is_(None),
            sa.or_(_REJECTS.c.code == WHOLE_FILE_CODE, _REJECTS.c.again_at.is_not(None)),
        )
        .correlate(given, _RECORDS)
        .exists()
    )


def _missed(given: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether 999 was called from the number, since its record was sent, and the authority had no data of it."""
    return (
        sa.select(sa.literal(1))
        .where(
            _CALLS.c.number == given.c.number_e164,
            _CALLS.c.ended_at.is_(None),
            _CALLS.c.called_at >= _RECORDS.c.submitted_at,
        )
        .correlate(given, _RECORDS)
        .exists()
    )


def _record_of(given: sa.Subquery, provider: str) -> sa.Select[Any]:
    return (
        sa.select(sa.literal(1))
        .where(_RECORDS.c.provider == provider, _RECORDS.c.number == given.c.number_e164)
        .correlate(given)
    )


def _needed(given: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether the authority must have a record of the number, and there is an address to tell."""
    return sa.and_(given.c.is_live, given.c.calls_999, sa.not_(given.c.erased), given.c.premises.is_not(None))


def _records(given: sa.Subquery, action: sa.ColumnElement[str], business_date: dt.date) -> sa.Subquery:
    """The fields of the extract's records; a cease has its number and its day only."""
    chosen = sa.select(given, action.label("action")).subquery("chosen")
    is_cease = chosen.c.action == "C"
    number = chosen.c.number_e164
    fields: dict[str, sa.ColumnElement[Any]] = {
        name: chosen.c[name] for name in inventory.FIELDS_GIVEN if name != "effective_from"
    }
    fields["national_number"] = sa.literal("0").concat(sa.func.substr(number, 4))
    return (
        sa.select(
            sa.func.row_number().over(order_by=number).label("line_no"),
            chosen.c.action,
            number,
            sa.case((is_cease, business_date.isoformat()), else_=chosen.c.effective_from).label("effective_from"),
            *(sa.case((sa.not_(is_cease), value)).label(name) for name, value in fields.items()),
        )
        .where(chosen.c.action.is_not(None))
        .subquery("records")
    )


def _totals(connection: sa.Connection, records: sa.Subquery) -> writing.Totals:
    digits = sa.cast(sa.func.right(records.c.number_e164, 6), sa.BigInteger)
    counts = sa.select(
        sa.func.count(),
        *(sa.func.count().filter(records.c.action == code) for code in "IAC"),
        sa.func.coalesce(sa.func.sum(digits), 0),
    ).select_from(records)
    return writing.Totals(*map(int, connection.execute(counts).one()))
