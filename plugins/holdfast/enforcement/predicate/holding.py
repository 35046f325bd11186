"""Which rows does a hold reach? Joins the register to a dataset by subject, by record, or by nothing (a class)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast.enforcement.predicate.rows import Bool, NamedType, Rows, exists

_COLUMNS = (
    "hold_id", "hold_type", "reference", "authority", "disclosable", "subject_key", "datasets", "record_key",
    "period_from", "period_to", "ends_on", "review_on", "released_at", "changed_xid", "placed_xid",
)  # fmt: skip


@dataclass(frozen=True)
class HoldWindow:
    """Which holds count in a run: those of `types` that have not ended on `as_of`.

    A hold released after `holds_as_of` still counts: what was planned as held is not deleted in the same run. So does
    one whose release the plan's snapshot could not see, `planned_in`, where it is given: it may have been written
    before and committed after.
    `seen_in`, where given, is a pg_snapshot: holds placed since are left out, to compare with a count made in it.
    """

    types: Collection[str]
    as_of: dt.date
    holds_as_of: dt.datetime
    seen_in: str | None = None
    planned_in: str | None = None


class Holding:
    """The holds that can reach the rows of one dataset."""

    def __init__(self, rows: Rows, window: HoldWindow) -> None:
        self._rows = rows
        self._window = window

    @staticmethod
    def register() -> sa.FromClause:
        return sa.table("hold", *map(sa.column, _COLUMNS), schema="holdfast").alias()

    def active(self, hold: sa.FromClause) -> Bool:
        """The hold counts in this run and can reach this dataset."""
        window, c = self._window, hold.c
        conditions: list[Bool] = [
            c.hold_type == sa.func.any(sa.cast(sorted(window.types), postgresql.ARRAY(sa.Text))),
            sa.or_(c.datasets.is_(None), sa.literal(self._rows.name, sa.Text) == sa.func.any(c.datasets)),
            sa.or_(c.ends_on.is_(None), c.ends_on >= sa.literal(window.as_of, sa.Date)),
            self._not_released(hold),
        ]
        if window.seen_in is not None:
            conditions.append(_was_seen(c.placed_xid, window.seen_in))
        return sa.and_(*conditions)

    def covers(
        self,
        hold: sa.FromClause,
        subject: sa.ColumnElement[object] | None,
        record: sa.ColumnElement[object],
        event: sa.ColumnElement[object] | None,
    ) -> Bool:
        """The hold reaches a row with these values: the conditions of `holds.decide.covers`, in SQL."""
        return sa.or_(*self.ways(hold, subject, record, event))

    def ways(
        self,
        hold: sa.FromClause,
        subject: sa.ColumnElement[object] | None,
        record: sa.ColumnElement[object],
        event: sa.ColumnElement[object] | None,
    ) -> list[Bool]:
        """The ways in which the hold may reach a row: all of a class, one record, a subject. No hold has two of them.

        Each alone is a join that PostgreSQL can hash; all of them together it can only try one by one.
        """
        in_period = self._in_period(hold, event)
        key, named = self._record_key(hold)
        found = [
            sa.and_(hold.c.record_key.is_(None), hold.c.subject_key.is_(None), in_period),
            sa.and_(named, key == record),
        ]
        if subject is not None:
            same = sa.cast(hold.c.subject_key, self._rows.subject_type) == subject
            found.append(sa.and_(hold.c.record_key.is_(None), same, in_period))
        return found

    def free(self) -> Bool:
        """No hold reaches the row, written so that PostgreSQL looks nothing up row by row.

        Records and subjects are one NOT EXISTS each, joined by AND, of which it makes hashed anti-joins; negated as a
        whole, they would be a look-up for each row. Classes have nothing to hash: their periods are read once.
        """
        event = self._rows.event_day()
        ways = [self._free_of_classes(event), ~self._by_record()]
        if self._rows.needs_subject:
            ways.append(~self._by_subject(event))
        return sa.and_(*ways)

    def subject_touched(self) -> Bool:
        """A hold names the row's subject, whatever the period. A look-up in a hash, cheap enough for each row."""
        if not self._rows.needs_subject:
            return sa.false()
        hold = self.register()
        named = (self.active(hold), hold.c.record_key.is_(None), hold.c.subject_key.is_not(None))
        subject = sa.cast(hold.c.subject_key, self._rows.subject_type)
        if self._rows.subject_column is not None:
            return self._rows.subject_column.in_(sa.select(subject).where(*named).correlate_except(hold))
        way = self._rows.path()
        inner = sa.select(*way.first_columns).select_from(*way.tables, hold)
        chosen = inner.where(*way.joins, way.subject == subject, *named).correlate_except(*way.tables, hold)
        return sa.tuple_(*way.start_columns).in_(chosen)

    def record_touched(self) -> Bool:
        """A hold names this very record."""
        hold = self.register()
        key, named = self._record_key(hold)
        return self.record_value().in_(sa.select(key).where(self.active(hold), named).correlate_except(hold))

    def any_class(self) -> Bool:
        """Some hold is on a class of records and not on a subject or a record."""
        hold = self.register()
        return exists([hold], self.active(hold), hold.c.subject_key.is_(None), hold.c.record_key.is_(None))

    def any_class_period(self) -> Bool:
        """Some hold on a class of records is limited to a period."""
        hold = self.register()
        return exists([hold], self.active(hold), hold.c.subject_key.is_(None), self._has_period(hold))

    def any_subject_period(self) -> Bool:
        """Some hold on a subject is limited to a period."""
        hold = self.register()
        return exists([hold], self.active(hold), hold.c.subject_key.is_not(None), self._has_period(hold))

    def _free_of_classes(self, event: sa.ColumnElement[object] | None) -> Bool:
        if event is None:
            return ~self.any_class()
        hold = self.register()
        periods = sa.func.range_agg(sa.func.daterange(hold.c.period_from, hold.c.period_to))
        of_classes = (self.active(hold), hold.c.subject_key.is_(None), hold.c.record_key.is_(None))
        covered = sa.select(periods).where(*of_classes).correlate_except(hold).scalar_subquery()
        # A row without an event day counts as inside every period, as in `_in_period`.
        return sa.or_(covered.is_(None), ~sa.func.coalesce(event.bool_op("<@")(covered), sa.true()))

    def _by_record(self) -> Bool:
        hold = self.register()
        key, named = self._record_key(hold)
        return exists([hold], self.active(hold), named, key == self.record_value())

    def _by_subject(self, event: sa.ColumnElement[object] | None) -> Bool:
        hold = self.register()
        named = (self.active(hold), hold.c.record_key.is_(None), hold.c.subject_key.is_not(None))
        subject = sa.cast(hold.c.subject_key, self._rows.subject_type)
        period = self._in_period(hold, event)
        if self._rows.subject_column is not None:
            return exists([hold], *named, subject == self._rows.subject_column, period)
        way = self._rows.path()
        return exists([*way.tables, hold], way.start, *way.joins, way.subject == subject, *named, period)

    def record_value(self) -> sa.ColumnElement[object]:
        """The key in the form that a hold's record key is compared in."""
        if len(self._rows.key) == 1:
            return self._rows.key[0]
        return sa.type_coerce(self._rows.key_text, NamedType("text"))

    def _record_key(self, hold: sa.FromClause) -> tuple[sa.ColumnElement[object], Bool]:
        """The hold's record key in the type of our key, and the condition under which it is one of ours.

        The CASE keeps another dataset's keys, which may be of another type, out of the cast.
        """
        ours = hold.c.datasets == sa.cast([self._rows.name], postgresql.ARRAY(sa.Text))
        named = sa.and_(hold.c.record_key.is_not(None), ours)
        return sa.case((named, self.key_from(hold.c.record_key))), named

    def key_from(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[object]:
        """A record key that is written as text, in the form that our rows' keys are compared in."""
        single = len(self._rows.key) == 1
        kind = NamedType(self._rows.type_of(self._rows.dataset.key[0])) if single else NamedType("text")
        return sa.cast(text, kind)

    def _not_released(self, hold: sa.FromClause) -> Bool:
        planned_in, released_at = self._window.planned_in, hold.c.released_at
        later = released_at > sa.literal(self._window.holds_as_of, sa.DateTime(timezone=True))
        unseen = sa.false() if planned_in is None else ~_was_seen(hold.c.changed_xid, planned_in)
        return sa.or_(released_at.is_(None), later, unseen)

    @staticmethod
    def _has_period(hold: sa.FromClause) -> Bool:
        return sa.or_(hold.c.period_from.is_not(None), hold.c.period_to.is_not(None))

    @staticmethod
    def _in_period(hold: sa.FromClause, event: sa.ColumnElement[object] | None) -> Bool:
        """A row without an event day cannot be shown to lie outside the period, so it counts as inside."""
        if event is None:
            return sa.true()
        after = sa.or_(hold.c.period_from.is_(None), event >= hold.c.period_from, event.is_(None))
        before = sa.or_(hold.c.period_to.is_(None), event < hold.c.period_to, event.is_(None))
        return sa.and_(after, before)


def _was_seen(transaction: sa.ColumnElement[object], snapshot: str) -> Bool:
    return sa.func.pg_visible_in_snapshot(transaction, sa.cast(snapshot, NamedType("pg_snapshot")))
