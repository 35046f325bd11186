"""When does a row's period start, and is it over? Compared with one boundary instead of adding a period to each row."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from holdfast import clock
from holdfast.enforcement.predicate.rows import Bool, Rows, exists
from holdfast.holds.decide import EARLIEST_START
from holdfast.policy.model import Missing, Rule

_DAY = dt.timedelta(days=1)


class StartEvent:
    """The start event of one rule, for the rows of its dataset.

    `missing`, `strange` (in the future, or a placeholder) and `before(day)` are conditions that are never NULL where
    they are used to act: a NULL start is not before any day.
    """

    def __init__(self, rows: Rows, rule: Rule, as_of: dt.date) -> None:
        self._rows = rows
        self._rule = rule
        self._as_of = as_of
        self._window = dt.timedelta(days=rule.undo_days or 0)  # so much earlier a rule acts that keeps what it takes
        self._schedule = rows.policy.schedule
        start = rule.start
        self._tables: tuple[sa.FromClause, ...] = ()
        self._links: list[Bool] = []
        self._source = rows
        if start.link == "path":
            way = rows.path(start.dataset)
            self._tables, self._links, self._source = way.tables, [way.start, *way.joins], way.end
        elif start.dataset is not None:
            self._source = Rows(rows.policy, rows.catalogue, start.dataset, alias=True)
            self._tables = (self._source.table,)
            if start.link == "key":
                ours = [rows.column(name) for name in start.by]
                self._links = [a == b for a, b in zip(ours, self._source.key, strict=True)]
        self._column = self._source.column(start.column)
        self._kind = self._source.type_of(start.column)

    @property
    def missing_is_normal(self) -> bool:
        return self._rule.start.missing is Missing.NOT_STARTED

    def missing(self) -> Bool:
        if self._rule.start.dataset is None:
            return self._column.is_(None)
        if self._links:
            return ~exists(self._tables, *self._links, self._column.is_not(None))
        return sa.or_(self._subject_events(sa.func.bool_or(self._column.is_(None))), ~self._subject_events(sa.true()))

    def strange(self) -> Bool:
        """A known start that is in the future or before 1900."""
        return sa.and_(~self.missing(), sa.or_(~self._up_to(self._as_of), self._up_to(EARLIEST_START - _DAY)))

    def past(self, period: clock.Period) -> Bool:
        """Known, credible, and its period over on the day, or when the rule's undo window would be."""
        return self.between(EARLIEST_START, self._last_past(period))

    def falls_due_by(self, period: clock.Period, day: dt.date) -> Bool:
        """The period of a start that is known today is not over, and will be on a later `day`."""
        first = max(EARLIEST_START, self._last_past(period) + _DAY)
        return self.between(first, min(self._last_start(period, day + self._window), self._as_of))

    def first_not_past(self, period: clock.Period) -> sa.ColumnElement[object]:
        """The smallest stored start whose period is not over."""
        return self._from(self._last_start(period, self._as_of + self._window) + _DAY)

    def between(self, first: dt.date, last: dt.date) -> Bool:
        """The start is known and its day is in [first, last]."""
        if self._rule.start.dataset is None:
            return sa.and_(self._column >= self._from(first), self._column < self._from(last + _DAY))
        if self._links:
            inside = (self._column >= self._from(first), self._column < self._from(last + _DAY))
            return exists(self._tables, *self._links, *inside)
        newest = sa.func.max(self._column)
        known = sa.func.bool_and(self._column.is_not(None))
        return self._subject_events(sa.and_(known, newest >= self._from(first), newest < self._from(last + _DAY)))

    def value(self) -> sa.ColumnElement[object]:
        """The start as it is stored; a look-up for each row where it is another dataset's."""
        if self._rule.start.dataset is None:
            return self._column
        picked: sa.ColumnElement[object] = self._column
        conditions = self._links
        if not conditions:
            picked, conditions = sa.func.max(self._column), [self._same_subject()]
        inner = sa.select(picked).select_from(*self._tables).where(*conditions)
        return inner.correlate_except(*self._tables).scalar_subquery()

    def day_of(self, value: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        """A stored start as a day in the controller's zone."""
        if self._kind == "date":
            return value
        if self._kind.endswith("without time zone"):
            value = sa.func.timezone(self._source.dataset.time_zone, value)
        return sa.cast(sa.func.timezone(self._schedule.time_zone, value), sa.Date)

    def end(self, first: sa.ColumnElement[object], period: clock.Period) -> sa.ColumnElement[object]:
        """The last day of the period that starts on the day `first`."""
        counts_from_year_end = self._rule.start.counts_from == "end_of_accounting_period"
        return last_day_of(first, period, self._schedule.year_end if counts_from_year_end else None)

    def _last_past(self, period: clock.Period) -> dt.date:
        return min(self._last_start(period, self._as_of + self._window), self._as_of)

    def _last_start(self, period: clock.Period, day: dt.date) -> dt.date:
        """The latest day of a start event whose period is over on `day`."""
        last = clock.last_due_start(period, day)
        if self._rule.start.counts_from == "end_of_accounting_period":
            return clock.last_day_of_accounting_period_before(last, self._schedule.year_end)
        return last

    def _up_to(self, day: dt.date) -> Bool:
        """The start is known and its day is `day` or earlier."""
        limit = self._from(day + _DAY)
        if self._rule.start.dataset is None:
            return sa.func.coalesce(self._column < limit, sa.false())
        if self._links:
            return exists(self._tables, *self._links, self._column < limit)
        return self._subject_events(sa.func.max(self._column) < limit)

    def _from(self, day: dt.date) -> sa.ColumnElement[object]:
        """The first stored value that belongs to `day` or later, in the type of the column."""
        if self._kind == "date":
            return sa.literal(day, sa.Date)
        instant = clock.midnight(day, self._schedule.time_zone)
        if self._kind.endswith("without time zone"):
            naive = instant.astimezone(ZoneInfo(self._source.dataset.time_zone)).replace(tzinfo=None)
            return sa.literal(naive, sa.DateTime(timezone=False))
        return sa.literal(instant.astimezone(dt.UTC), sa.DateTime(timezone=True))

    def _same_subject(self) -> Bool:
        theirs = self._source.subject_column
        if theirs is None:
            raise LookupError(f"{self._source.name} has no subject column to link by")
        return theirs == self._rows.subject_value()

    def _subject_events(self, having: Bool) -> Bool:
        """The row's subject has events in the other dataset, and they satisfy `having` together."""
        theirs = self._source.subject_column
        if theirs is None:
            raise LookupError(f"{self._source.name} has no subject column to link by")
        grouped = sa.select(theirs).where(theirs.is_not(None)).group_by(theirs).having(having)
        chosen = grouped.correlate_except(self._source.table)
        return sa.func.coalesce(self._rows.subject_value().in_(chosen), sa.false())


def last_day_of(
    first: sa.ColumnElement[object], period: clock.Period, year_end: tuple[int, int] | None
) -> sa.ColumnElement[object]:
    """The last day of the period that starts on the day `first`, or with the end of its accounting period."""
    start = _accounting_period_end(first, year_end) if year_end else first
    return sa.cast(sa.cast(start, sa.Date) + sa.func.make_interval(0, period.months, 0, period.days), sa.Date)


def _accounting_period_end(day: sa.ColumnElement[object], year_end: tuple[int, int]) -> sa.ColumnElement[object]:
    """The last day of the accounting period that contains `day`, as `clock.accounting_period_end` counts it."""
    month, last = year_end
    year = sa.cast(sa.func.date_part("year", day), sa.Integer)

    def end_of(which: sa.ColumnElement[int]) -> sa.ColumnElement[object]:
        first = sa.func.make_date(which, month, 1)
        end_of_month = first + sa.func.make_interval(0, 1, 0, -1)
        return sa.cast(sa.func.least(first + sa.func.make_interval(0, 0, 0, last - 1), end_of_month), sa.Date)

    return sa.case((sa.cast(day, sa.Date) <= end_of(year), end_of(year)), else_=end_of(year + 1))
