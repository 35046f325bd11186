"""Counts one rule's rows by what happens to them, in two passes that PostgreSQL can run in parallel.

The first pass counts the whole dataset by time. The second looks only at rows past their period: it groups those a
hold might reach by exactly what a hold looks at (subject, event day, record), then asks the register once for each
group instead of once for each row. Planning and verification both count with this, so they count the same thing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from holdfast.enforcement.predicate.base import Predicate
from holdfast.enforcement.predicate.rows import Bool
from holdfast.holds.decide import Outcome

FORECAST_DAYS = (30, 60, 90)
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class HeldBy:
    """The past rows one hold type keeps. `until` None: at least one of its holds has no end."""

    hold_type: str
    authority: str
    disclosable: bool
    rows: int
    until: dt.date | None
    holds: int


@dataclass(frozen=True)
class Counts:
    """Each row of the dataset once. Fingerprints are 64-bit XORs of row hashes, as 16 hexadecimal digits."""

    total: int
    by_outcome: dict[Outcome, int]
    oldest_due: dt.date | None
    oldest_past: dt.date | None
    due_fingerprint: str
    held_fingerprint: str
    held_by: tuple[HeldBy, ...] = ()
    forecast: dict[int, int] = field(default_factory=dict)

    def of(self, outcome: Outcome) -> int:
        return self.by_outcome.get(outcome, 0)

    @property
    def due(self) -> int:
        return self.of(Outcome.DUE)


def count(connection: sa.Connection, predicate: Predicate) -> Counts:
    """Count all rows of the rule's dataset by what happens to them.

    Both passes must see the same data: call it in a REPEATABLE READ transaction.
    """
    by_time = connection.execute(by_time_statement(predicate)).one()
    detail = connection.execute(past_statement(predicate)).all()
    outcomes = {Outcome(row.code): row for row in detail if row.part == "outcome"}
    by_outcome = {outcome: int(row.rows) for outcome, row in outcomes.items()}
    by_outcome[Outcome.UNKNOWN] = by_time.unknown
    by_outcome[Outcome.NOT_STARTED] = by_time.not_started
    past = sum(int(row.rows) for row in outcomes.values())
    by_outcome[Outcome.NOT_DUE] = by_time.total - by_time.elsewhere - by_time.unknown - by_time.not_started - past
    by_outcome[Outcome.NO_RULE] = by_time.elsewhere
    acted = outcomes.get(Outcome.DUE)
    held = outcomes.get(Outcome.HELD)
    overdue = [row.oldest for outcome, row in outcomes.items() if outcome is not Outcome.DONE and row.oldest]
    return Counts(
        total=by_time.total,
        by_outcome={outcome: number for outcome, number in by_outcome.items() if number},
        oldest_due=acted.oldest if acted else None,
        oldest_past=min(overdue, default=None),
        due_fingerprint=fingerprint(acted.due_keys if acted else None),
        held_fingerprint=fingerprint(held.contents if held else None),
        held_by=tuple(
            HeldBy(row.code, row.authority, row.disclosable, int(row.rows), row.until, row.holds)
            for row in detail
            if row.part == "hold"
        ),
        forecast={days: by_time._mapping[f"within_{days}"] for days in FORECAST_DAYS},
    )


def by_time_statement(predicate: Predicate) -> sa.Select[Any]:
    """The first pass: one row with the whole dataset's counts by time."""
    as_of = predicate.setting.as_of
    forecast = [
        _count(predicate.falls_due_by(as_of + dt.timedelta(days=days))).label(f"within_{days}")
        for days in FORECAST_DAYS
    ]
    decided = [predicate.unknown(), predicate.not_started(), predicate.not_due(), predicate.past()]
    elsewhere = sa.literal(0) if predicate.is_alone else _count(~sa.func.coalesce(sa.or_(*decided), sa.false()))
    not_started = _count(predicate.not_started()) if predicate.may_not_have_started else sa.literal(0)
    columns: list[sa.ColumnElement[Any]] = [
        sa.func.count().label("total"),
        _count(predicate.unknown()).label("unknown"),
        not_started.label("not_started"),
        elsewhere.label("elsewhere"),
        *forecast,
    ]
    return sa.select(*columns).select_from(predicate.rows.table)


def past_statement(predicate: Predicate) -> sa.CompoundSelect[Any]:
    """The second pass: rows past their period, by outcome and by hold type."""
    rows, holding = predicate.rows, predicate.holding
    by_subject, by_record = holding.subject_touched(), holding.record_touched()
    by_period = sa.or_(holding.any_class_period(), sa.and_(by_subject, holding.any_subject_period()))
    event = rows.event_day()
    none = sa.null()
    start = predicate.start_value()
    touched = sa.or_(by_subject, by_record, holding.any_class())
    past = (
        sa.select(
            predicate.done().label("done"),
            predicate.needed().label("needed"),
            (sa.case((by_subject, rows.subject_value())) if rows.needs_subject else none).label("subject"),
            sa.case((by_record, holding.record_value())).label("record"),
            (sa.case((by_period, event)) if event is not None else sa.cast(none, sa.Date)).label("event"),
            start.label("start"),
            rows.key_hash.label("key"),
            sa.case((touched, rows.content_hash)).label("content"),
        )
        .select_from(rows.table)
        .where(predicate.past())
        .subquery()
    )
    what = (past.c.done, past.c.needed, past.c.subject, past.c.record, past.c.event)
    groups = (
        sa.select(
            *what,
            sa.func.count().label("rows"),
            sa.func.min(past.c.start).label("oldest"),
            sa.func.bit_xor(past.c.key).label("due_keys"),
            sa.func.bit_xor(past.c.content).label("contents"),
        )
        .group_by(*what)
        .cte("groups")
    )
    return sa.union_all(_outcomes(predicate, groups), _hold_types(predicate, groups))


def _outcomes(predicate: Predicate, groups: sa.CTE) -> sa.Select[Any]:
    hold = predicate.holding.register()
    reached = reaches(predicate, hold, groups)
    held = sa.select(sa.literal(1)).select_from(hold).where(reached).correlate_except(hold).exists()
    outcome = sa.case(
        (groups.c.done, Outcome.DONE.value),
        (held, Outcome.HELD.value),
        (sa.literal(predicate.is_refused), Outcome.REFUSED.value),
        (groups.c.needed, Outcome.WAITING.value),
        else_=Outcome.DUE.value,
    )
    resolved = sa.select(outcome.label("code"), groups).subquery()
    return sa.select(
        sa.literal("outcome").label("part"),
        resolved.c.code,
        sa.cast(sa.null(), sa.Text).label("authority"),
        sa.cast(sa.null(), sa.Boolean).label("disclosable"),
        sa.func.sum(resolved.c.rows).label("rows"),
        predicate.start_day(sa.func.min(resolved.c.oldest)).label("oldest"),
        sa.func.bit_xor(resolved.c.due_keys).label("due_keys"),
        sa.func.bit_xor(resolved.c.contents).label("contents"),
        sa.cast(sa.null(), sa.Date).label("until"),
        sa.cast(0, sa.BigInteger).label("holds"),
    ).group_by(resolved.c.code)


def _hold_types(predicate: Predicate, groups: sa.CTE) -> sa.Select[Any]:
    """Rows by hold type. A row that two holds of one type reach counts once for the type."""
    hold = predicate.holding.register()
    numbered = sa.select(sa.func.row_number().over().label("number"), groups).where(~groups.c.done).subquery()
    again = sa.func.row_number().over(partition_by=(hold.c.hold_type, numbered.c.number)).label("again")
    pairs = (
        sa.select(hold, numbered.c.rows, again)
        .select_from(numbered.join(hold, reaches(predicate, hold, numbered)))
        .subquery()
    )
    all_end = sa.func.count() == sa.func.count(pairs.c.ends_on)
    return sa.select(
        sa.literal("hold").label("part"),
        pairs.c.hold_type,
        pairs.c.authority,
        sa.func.bool_and(pairs.c.disclosable).label("disclosable"),
        sa.func.sum(pairs.c.rows).filter(pairs.c.again == 1).label("rows"),
        sa.cast(sa.null(), sa.Date).label("oldest"),
        sa.cast(sa.null(), sa.BigInteger).label("due_keys"),
        sa.cast(sa.null(), sa.BigInteger).label("contents"),
        sa.case((all_end, sa.func.max(pairs.c.ends_on))).label("until"),
        sa.func.count(sa.distinct(pairs.c.hold_id)).label("holds"),
    ).group_by(pairs.c.hold_type, pairs.c.authority)


def reaches(predicate: Predicate, hold: sa.FromClause, groups: sa.FromClause) -> Bool:
    """The hold reaches the rows of a group."""
    holding = predicate.holding
    subject = groups.c.subject if predicate.rows.needs_subject else None
    event = groups.c.event if predicate.rows.dataset.event else None
    return sa.and_(holding.active(hold), holding.covers(hold, subject, groups.c.record, event))


def count_sample(connection: sa.Connection, predicates: Sequence[Predicate]) -> tuple[int, str]:
    """Number and fingerprint of the rows that are past under none of a dataset's rules.

    The predicates must share their rows; those are usually a sample of the dataset.
    """
    rows = predicates[0].rows
    kept = ~sa.func.coalesce(sa.or_(*(one.past() for one in predicates)), sa.false())
    contents = sa.func.bit_xor(rows.content_hash)
    row = connection.execute(sa.select(sa.func.count(), contents).select_from(rows.table).where(kept)).one()
    return row[0], fingerprint(row[1])


def fingerprint(value: int | None) -> str:
    return f"{(value or 0) & _MASK:016x}"


def _count(condition: Bool) -> sa.ColumnElement[int]:
    return sa.func.count().filter(condition)
