"""Counts one rule's rows by what happens to them, in two passes that PostgreSQL can run in parallel.

The first pass counts the whole dataset by time, and the rows past their period that no hold can reach. The second looks
at the others: it groups them by exactly what a hold looks at (subject, event day, record), then asks the register once
for each group instead of once for each row. Planning and verification both count with this, so they count the same
thing.
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
    acted, held = outcomes.get(Outcome.DUE), outcomes.get(Outcome.HELD)
    # What the second pass did not see is acted on, or would be.
    code = Outcome.REFUSED if predicate.is_refused else Outcome.DUE
    by_outcome[code] = by_outcome.get(code, 0) + by_time.past - by_time.done - sum(by_outcome.values())
    oldest_due = [one for one in (by_time.oldest_plain, acted.oldest if acted else None) if one]
    oldest_past = [*oldest_due, *(row.oldest for row in outcomes.values() if row.oldest)]
    due_keys = by_time.past_keys or 0
    for outcome, row in outcomes.items():
        due_keys ^= 0 if outcome is Outcome.DUE else row.due_keys
    by_outcome[Outcome.DONE] = by_time.done
    by_outcome[Outcome.UNKNOWN] = by_time.unknown
    by_outcome[Outcome.NOT_STARTED] = by_time.not_started
    by_outcome[Outcome.NO_RULE] = by_time.elsewhere
    by_outcome[Outcome.NOT_DUE] = (
        by_time.total
        - by_time.past
        - sum(by_outcome[one] for one in (Outcome.UNKNOWN, Outcome.NOT_STARTED, Outcome.NO_RULE))
    )
    return Counts(
        total=by_time.total,
        by_outcome={outcome: number for outcome, number in by_outcome.items() if number},
        oldest_due=None if predicate.is_refused else min(oldest_due, default=None),
        oldest_past=min(oldest_past, default=None),
        due_fingerprint=fingerprint(0 if predicate.is_refused else due_keys),
        held_fingerprint=fingerprint(held.contents if held else None),
        held_by=tuple(
            HeldBy(row.code, row.authority, row.disclosable, int(row.rows), row.until, row.holds)
            for row in detail
            if row.part == "hold"
        ),
        forecast={days: by_time._mapping[f"within_{days}"] for days in FORECAST_DAYS},
    )


def by_time_statement(predicate: Predicate) -> sa.Select[Any]:
    """The first pass: one row with the whole dataset's counts by time, and the past rows that are plainly due."""
    narrowed = predicate.narrowed()
    if narrowed is not None:
        return _among(*narrowed)
    return _by_time(predicate)


def _among(condition: Bool, predicate: Predicate) -> sa.Select[Any]:
    """The first pass over the rows that meet a condition, which is asked once for each; the others are elsewhere."""
    whole = predicate.rows.table
    total = sa.select(sa.func.count()).select_from(whole.alias()).scalar_subquery()
    among = _by_time(predicate).where(condition).subquery()
    shown = [column for column in among.c if column.name not in ("total", "elsewhere")]
    elsewhere = total - among.c.total + among.c.elsewhere
    return sa.select(total.label("total"), elsewhere.label("elsewhere"), *shown)


def _by_time(predicate: Predicate) -> sa.Select[Any]:
    as_of = predicate.setting.as_of
    forecast = [
        _count(predicate.falls_due_by(as_of + dt.timedelta(days=days))).label(f"within_{days}")
        for days in FORECAST_DAYS
    ]
    decided = [predicate.unknown(), predicate.not_started(), predicate.not_due(), predicate.past()]
    elsewhere = sa.literal(0) if predicate.is_alone else _count(~sa.func.coalesce(sa.or_(*decided), sa.false()))
    not_started = _count(predicate.not_started()) if predicate.may_not_have_started else sa.literal(0)
    open_ = sa.and_(predicate.past(), ~predicate.done()) if predicate.may_be_done else predicate.past()
    done = _count(sa.and_(predicate.past(), predicate.done())) if predicate.may_be_done else sa.literal(0)
    plain = sa.and_(open_, ~_is_intricate(predicate))
    columns: list[sa.ColumnElement[Any]] = [
        sa.func.count().label("total"),
        _count(predicate.unknown()).label("unknown"),
        not_started.label("not_started"),
        elsewhere.label("elsewhere"),
        _count(predicate.past()).label("past"),
        done.label("done"),
        sa.func.bit_xor(predicate.rows.key_hash).filter(open_).label("past_keys"),
        predicate.start_day(sa.func.min(predicate.start_value()).filter(plain)).label("oldest_plain"),
        *forecast,
    ]
    return sa.select(*columns).select_from(predicate.rows.table)


def past_statement(predicate: Predicate) -> sa.CompoundSelect[Any]:
    """The second pass: past rows that something may keep, by outcome and by hold type."""
    rows, holding = predicate.rows, predicate.holding
    by_subject, by_record = holding.subject_touched(), holding.record_touched()
    by_period = sa.or_(holding.any_class_period(), sa.and_(by_subject, holding.any_subject_period()))
    event = rows.event_day()
    none = sa.null()
    start = predicate.start_value()
    past = (
        sa.select(
            predicate.needed().label("needed"),
            (sa.case((by_subject, rows.subject_value())) if rows.needs_subject else none).label("subject"),
            sa.case((by_record, holding.record_value())).label("record"),
            (sa.case((by_period, event)) if event is not None else sa.cast(none, sa.Date)).label("event"),
            start.label("start"),
            rows.key_hash.label("key"),
            sa.case((_is_touched(predicate), rows.content_hash)).label("content"),
        )
        .select_from(rows.table)
        .where(predicate.past(), ~predicate.done(), _is_intricate(predicate))
        .subquery()
    )
    what = (past.c.needed, past.c.subject, past.c.record, past.c.event)
    groups = (
        sa.select(
            sa.func.row_number().over().label("number"),
            *what,
            sa.func.count().label("rows"),
            sa.func.min(past.c.start).label("oldest"),
            sa.func.bit_xor(past.c.key).label("due_keys"),
            sa.func.bit_xor(past.c.content).label("contents"),
        )
        .group_by(*what)
        .cte("groups")
    )
    pairs = _pairs(predicate, groups)
    return sa.union_all(_outcomes(predicate, groups, pairs), _hold_types(pairs))


def _is_intricate(predicate: Predicate) -> Bool:
    """Whether a past row is acted on depends on more than its start: on holds, or on rows that refer to it."""
    return sa.true() if predicate.may_be_needed else _is_touched(predicate)


def _is_touched(predicate: Predicate) -> Bool:
    """A hold may reach the row; its period decides."""
    holding = predicate.holding
    return sa.or_(holding.any_class(), holding.subject_touched(), holding.record_touched())


def _pairs(predicate: Predicate, groups: sa.CTE) -> sa.CTE:
    """Each group with each hold that reaches it: one hashed join for each kind of scope."""
    holding = predicate.holding
    hold = holding.register()
    subject = groups.c.subject if predicate.rows.needs_subject else None
    event = groups.c.event if predicate.rows.dataset.event else None
    columns: list[sa.ColumnElement[Any]] = [
        groups.c.number,
        groups.c.rows,
        hold.c.hold_id,
        hold.c.hold_type,
        hold.c.authority,
        hold.c.disclosable,
        hold.c.ends_on,
    ]
    counts = holding.active(hold)
    joins = [groups.join(hold, sa.and_(counts, way)) for way in holding.ways(hold, subject, groups.c.record, event)]
    return sa.union_all(*(sa.select(*columns).select_from(join) for join in joins)).cte("pairs")


def _outcomes(predicate: Predicate, groups: sa.CTE, pairs: sa.CTE) -> sa.Select[Any]:
    held = groups.c.number.in_(sa.select(pairs.c.number))
    outcome = sa.case(
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


def _hold_types(each: sa.CTE) -> sa.Select[Any]:
    """Rows by hold type. A row that two holds of one type reach counts once for the type."""
    again = sa.func.row_number().over(partition_by=(each.c.hold_type, each.c.number)).label("again")
    pairs = sa.select(each, again).subquery()
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
