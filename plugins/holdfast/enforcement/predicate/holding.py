"""Which rows does a hold reach? Joins the register to a dataset by subject, by record, or by nothing (a class)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
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
    `disclosable`, where given, leaves out the holds that must not be disclosed (True), or all others (False).
    """

    types: Collection[str]
    as_of: dt.date
    holds_as_of: dt.datetime
    seen_in: str | None = None
    planned_in: str | None = None
    disclosable: bool | None = None


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
            conditions.append(was_seen(c.placed_xid, window.seen_in))
        if window.disclosable is not None:
            conditions.append(c.disclosable if window.disclosable else ~c.disclosable)
        return sa.and_(*conditions)

    def ways(
        self,
        hold: sa.FromClause,
        subject: sa.ColumnElement[object] | None,
        record: sa.ColumnElement[object],
        event: sa.ColumnElement[object] | None,
    ) -> list[Bool]:
        """How the hold may reach a row with these values, as in `holds.decide.covers`: by its class, record or subject.

        No hold has two of them. Each alone is a join that PostgreSQL can hash; any of them, it can only try one by one.
        The few rows that have a `record` are told from all others first, lest each be tried with each hold.
        """
        in_period = self._in_period(hold, event)
        key, named = self._record_key(hold)
        found = [
            sa.and_(hold.c.record_key.is_(None), hold.c.subject_key.is_(None), in_period),
            sa.and_(named, record.is_not(None), key == record),
        ]
        if subject is not None:
            same = sa.cast(hold.c.subject_key, self._rows.subject_type) == subject
            found.append(sa.and_(hold.c.record_key.is_(None), same, in_period))
        return found

    def covers(
        self,
        hold: sa.FromClause,
        subject: sa.ColumnElement[object] | None,
        record: sa.ColumnElement[object],
        event: sa.ColumnElement[object] | None,
    ) -> Bool:
        """The hold reaches a row with these values, in one of the ways."""
        return sa.or_(*self.ways(hold, subject, record, event))

    def free(self) -> Bool:
        """No hold reaches the row, written so that PostgreSQL scans no hold for a row.

        Whatever the planner expects of a batch, it must never look the register up row by row: 3,000 holds turned the
        60 ms of a batch into a minute. So holds are read once a statement, into hashes of subjects and records and
        into periods; NOT IN is hashed in any place, EXISTS only where it can become a join.
        """
        return sa.and_(~self._by_class(), ~self.record_touched(), ~self._by_subject())

    def subject_touched(self) -> Bool:
        """A hold names the row's subject, whatever the period. A look-up in a hash, cheap enough for each row."""
        return self._names_subject(lambda hold: sa.true())

    def subjects(self) -> sa.Subquery:
        """Everybody whom a hold names: whether one of them has a period, and one must not be disclosed."""
        hold = self.register()
        subject = sa.cast(hold.c.subject_key, self._rows.subject_type)
        columns: list[sa.ColumnElement[object]] = [
            subject.label("subject"),
            sa.func.bool_or(self._has_period(hold)).label("has_period"),
            sa.func.bool_or(~hold.c.disclosable).label("is_secret"),
        ]
        return sa.select(*columns).where(self._on_subject(hold)).group_by(subject).subquery()

    def record_touched(self) -> Bool:
        """A hold names this very record."""
        hold = self.register()
        key, named = self._record_key(hold)
        return self.record_value().in_(sa.select(key).where(self.active(hold), named).correlate_except(hold))

    def any_secret(self) -> Bool:
        """Some hold, of whatever dataset, must not be disclosed."""
        hold = self.register()
        return exists([hold], ~hold.c.disclosable, self._not_released(hold))

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

    def _by_class(self) -> Bool:
        event = self._rows.event_day()
        if event is None:
            return self.any_class()
        hold = self.register()
        of_classes = (self.active(hold), hold.c.subject_key.is_(None), hold.c.record_key.is_(None))
        periods = sa.select(_periods(hold)).where(*of_classes).correlate_except(hold).scalar_subquery()
        return sa.and_(periods.is_not(None), _inside(event, periods))

    def _by_subject(self) -> Bool:
        event = self._rows.event_day()
        if event is None or not self._rows.needs_subject:
            return self.subject_touched()
        whatever_the_period = self._names_subject(lambda hold: ~self._has_period(hold))
        periods = sa.cast(
            self._periods_by_subject().op("->>")(sa.cast(self._rows.subject_value(), sa.Text)),
            NamedType("datemultirange"),
        )
        return sa.or_(whatever_the_period, sa.and_(self._names_subject(self._has_period), _inside(event, periods)))

    def _names_subject(self, condition: Callable[[sa.FromClause], Bool]) -> Bool:
        """A hold that satisfies the condition names the row's subject."""
        if not self._rows.needs_subject:
            return sa.false()
        hold = self.register()
        named = (self._on_subject(hold), condition(hold))
        subject = sa.cast(hold.c.subject_key, self._rows.subject_type)
        if self._rows.subject_column is not None:
            return self._rows.subject_column.in_(sa.select(subject).where(*named).correlate_except(hold))
        way = self._rows.path()
        inner = sa.select(*way.first_columns).select_from(*way.tables, hold)
        chosen = inner.where(*way.joins, way.subject == subject, *named).correlate_except(*way.tables, hold)
        return sa.tuple_(*way.start_columns).in_(chosen)

    def _periods_by_subject(self) -> sa.ScalarSelect[object]:
        """Subject -> the periods of the holds on it that have one, as one JSON object."""
        hold = self.register()
        subject = sa.cast(sa.cast(hold.c.subject_key, self._rows.subject_type), sa.Text).label("subject")
        one = sa.select(subject, sa.cast(_periods(hold), sa.Text).label("periods"))
        each = one.where(self._on_subject(hold), self._has_period(hold)).group_by(subject).correlate_except(hold)
        by_subject = each.subquery()
        return sa.select(sa.func.jsonb_object_agg(by_subject.c.subject, by_subject.c.periods)).scalar_subquery()

    def _on_subject(self, hold: sa.FromClause) -> Bool:
        return sa.and_(self.active(hold), hold.c.record_key.is_(None), hold.c.subject_key.is_not(None))

    def record_value(self) -> sa.ColumnElement[object]:
        """The key in the form that a hold's record key is compared in."""
        return self._rows.record_value()

    def _record_key(self, hold: sa.FromClause) -> tuple[sa.ColumnElement[object], Bool]:
        """The hold's record key in the type of our key, and the condition under which it is one of ours.

        The CASE keeps another dataset's keys, which may be of another type, out of the cast.
        """
        ours = hold.c.datasets == sa.cast([self._rows.name], postgresql.ARRAY(sa.Text))
        named = sa.and_(hold.c.record_key.is_not(None), ours)
        return sa.case((named, self.key_from(hold.c.record_key))), named

    def key_from(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[object]:
        """A record key that is written as text, in the form that our rows' keys are compared in."""
        return self._rows.record_key_from(text)

    def _not_released(self, hold: sa.FromClause) -> Bool:
        planned_in, released_at = self._window.planned_in, hold.c.released_at
        later = released_at > sa.literal(self._window.holds_as_of, sa.DateTime(timezone=True))
        unseen = sa.false() if planned_in is None else ~was_seen(hold.c.changed_xid, planned_in)
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


def _periods(hold: sa.FromClause) -> sa.ColumnElement[object]:
    """The days that these holds cover, together."""
    return sa.func.range_agg(sa.func.daterange(hold.c.period_from, hold.c.period_to))


def _inside(event: sa.ColumnElement[object], periods: sa.ColumnElement[object]) -> Bool:
    """A row without an event day cannot be shown to lie outside, so it counts as inside, as in `_in_period`."""
    return sa.func.coalesce(event.bool_op("<@")(periods), sa.true())


def was_seen(transaction: sa.ColumnElement[object], snapshot: str) -> Bool:
    """Whether a snapshot could see what a transaction did."""
    return sa.func.pg_visible_in_snapshot(transaction, sa.cast(snapshot, NamedType("pg_snapshot")))
