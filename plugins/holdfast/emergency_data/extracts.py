"""Make the provider's own extract: every number that needs a record (full), or what changed since (delta)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import digests, formatting, inventory, writing
from holdfast.emergency_data.conditions import LIVE_STATES, SCHEMA
from holdfast.emergency_data.layout import Layout

_RECORDS = sa.table(
    "number_record",
    *map(sa.column, ("provider", "number", "state", "submitted_at", "name_digest", "address_digest")),
    schema=SCHEMA,
)
_CALLS = sa.table("call_without_data", *map(sa.column, ("number", "called_at", "ended_at")), schema=SCHEMA)


def write(
    connection: sa.Connection,
    folder: Path,
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
    action = sa.case((_needed(given), "I")) if extract_type == "FULL" else _change(given, provider)
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


def _change(given: sa.Subquery, provider: str) -> sa.ColumnElement[str]:
    """What the authority must be told of a number; NULL: nothing."""
    there = _record_of(given, provider)
    needs = _needed(given)
    known = there.where(_RECORDS.c.state.in_(LIVE_STATES)).exists()
    found = digests.digests(given)
    same = there.where(
        _RECORDS.c.state.in_(("pending", "registered")),
        *(_RECORDS.c[name] == found[name] for name in ("name_digest", "address_digest")),
        sa.not_(_missed(given)),
    ).exists()
    ceasing = there.where(_RECORDS.c.state == "pending_cease").exists()
    gone = sa.or_(sa.not_(given.c.is_live), given.c.erased)
    return sa.case(
        (sa.and_(needs, sa.not_(known)), "I"),
        (sa.and_(needs, sa.not_(same)), "A"),
        (sa.and_(gone, known, sa.not_(ceasing)), "C"),
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
