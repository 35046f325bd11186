"""What a retention rule acts on: the one predicate of each rule, composed of time, holds and references.

A dataset's rules are taken together, in the order of `holds.decide`: a row is decided by exactly one of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import clock
from holdfast.enforcement.predicate.anonymise import is_done
from holdfast.enforcement.predicate.base import Predicate, Setting, no
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.enforcement.predicate.starts import StartEvent
from holdfast.enforcement.rules import overdue_days
from holdfast.holds.decide import period_order
from holdfast.policy.model import Anonymise, Caps, Condition, Delete, Rule, Strength


@dataclass(frozen=True)
class Timing:
    """One rule's conditions over some rows: does it apply, is its start unknown, is its period over."""

    rule_id: str
    rule: Rule
    period: clock.Period
    start: StartEvent
    applies: Bool
    unknown: Bool
    past: Bool

    @property
    def explicit(self) -> bool:
        return bool(self.rule.where)

    @property
    def obliges(self) -> bool:
        return self.rule.strength in (Strength.STATUTORY, Strength.BUSINESS)


class RetentionSetting(Setting):
    """The nightly retention run: its work is every rule of the schedule."""

    def work(self, dataset: str | None = None) -> list[str]:
        return list(self.policy.schedule.rules if dataset is None else self.policy.rules_for(dataset))

    def predicate(self, work_id: str, rows: Rows | None = None) -> RulePredicate:
        return RulePredicate(self, work_id, rows)


class RulePredicate(Predicate):
    """The conditions of one retention rule, among the rules of its dataset."""

    def __init__(self, setting: Setting, rule_id: str, rows: Rows | None = None) -> None:
        self.rule = setting.policy.schedule.rules[rule_id]
        super().__init__(setting, rule_id, self.rule.dataset, self.rule.action, rows)
        all_of_dataset = setting.policy.rules_for(self.rule.dataset)
        in_order = sorted(all_of_dataset, key=lambda one: (period_order(setting.policy.period_of(one)), one))
        self._timings = [timing(setting, self.rows, one) for one in in_order]
        self._own = next(one for one in self._timings if one.rule_id == rule_id)

    @property
    def start(self) -> StartEvent:
        return self._own.start

    @property
    def period(self) -> clock.Period:
        return self._own.period

    @property
    def caps(self) -> Caps:
        return self.setting.policy.caps_of(self.work_id)

    @property
    def is_alone(self) -> bool:
        """The only rule of its dataset, for all rows: then no row is decided elsewhere."""
        return len(self._timings) == 1 and not self._own.explicit

    @property
    def may_not_have_started(self) -> bool:
        return self.start.missing_is_normal

    @property
    def waits_for_facts(self) -> bool:
        return self.rows.dataset.facts_first

    def start_value(self) -> sa.ColumnElement[object]:
        return self.start.value()

    def start_day(self, value: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        return self.start.day_of(value)

    def overdue_days(self, oldest: dt.date | None) -> int | None:
        return overdue_days(self.setting.policy, self.work_id, oldest, self.setting.as_of)

    def partition_limit(self) -> tuple[str, sa.ColumnElement[object]] | None:
        start = self.rule.start
        if not self.is_alone or start.dataset is not None:
            return None
        return start.column, self.start.first_not_past(self.period)

    @property
    def keeps_what_it_takes(self) -> bool:
        return self.rule.undo_days is not None

    def kept_until(self) -> sa.ColumnElement[dt.date]:
        """The day by which a due row must be gone, until which it is kept encrypted; NULL where that day has come.

        Or where another rule should have emptied columns of it by now: what is late already is not kept.
        """
        start = self.start
        last = sa.cast(start.end(start.day_of(start.value()), self.period), sa.Date)
        gone_by = sa.cast(last + sa.literal(1, sa.Integer), sa.Date)
        emptied = [
            sa.or_(no(sa.and_(one.applies, one.past)), is_done(self.rows, one.rule.action))
            for one in self._timings
            if isinstance(one.rule.action, Anonymise)
        ]
        in_time = sa.and_(gone_by > sa.literal(self.setting.as_of, sa.Date), *emptied)
        return sa.case((in_time, gone_by), else_=sa.cast(sa.null(), sa.Date))

    def applies(self) -> Bool:
        """The row meets the rule's conditions."""
        return self._own.applies

    def unknown(self) -> Bool:
        """This rule applies and cannot tell when the period starts, or whom a past row is about."""
        known_before = [~sa.and_(one.applies, one.unknown) for one in self._before()]
        by_start = sa.and_(self._own.applies, self._own.unknown, *known_before)
        return sa.or_(by_start, sa.and_(self._past_by_time(), self.rows.subject_missing()))

    def not_started(self) -> Bool:
        """The row is kept by this rule because its start event has not happened yet."""
        return sa.and_(self._keeps(), self._own.start.missing())

    def not_due(self) -> Bool:
        """The row is kept by this rule because its period is not over."""
        return sa.and_(self._keeps(), ~self._own.start.missing())

    def falls_due_by(self, day: dt.date) -> Bool:
        """Not past today, and past on a later `day` by this rule alone (for the forecast)."""
        own = self._own
        return sa.and_(own.applies, own.start.falls_due_by(own.period, day))

    def past(self) -> Bool:
        """The period of this rule is over for the row, and no other rule of the dataset keeps or decides it."""
        return sa.and_(self._past_by_time(), ~self.rows.subject_missing())

    def _before(self) -> list[Timing]:
        return self._timings[: self._timings.index(self._own)]

    def _after(self) -> list[Timing]:
        return self._timings[self._timings.index(self._own) + 1 :]

    def _goes_first(self, other: Timing) -> bool:
        """Of two rules that are past, the one that deletes acts, and then the one with the shorter period."""
        own, its = self.deletes, isinstance(other.rule.action, Delete)
        return other in self._before() if own == its else its

    def _all_known(self) -> list[Bool]:
        return [~sa.and_(one.applies, one.unknown) for one in self._timings]

    @staticmethod
    def _is_kept_by(one: Timing) -> Bool:
        return sa.and_(one.applies, no(one.past)) if one.obliges else sa.false()

    def _eligible(self, one: Timing) -> Bool:
        """The rule may decide a deletion: it applies, and it is explicit or no explicit rule applies."""
        if one.explicit:
            return one.applies
        return sa.and_(one.applies, *(~other.applies for other in self._timings if other.explicit))

    def _past_by_time(self) -> Bool:
        if self.is_alone:
            return self._own.past
        kept = [~self._is_kept_by(one) for one in self._timings]
        earlier = [no(sa.and_(self._eligible(one), one.past)) for one in self._timings if self._goes_first(one)]
        return sa.and_(*self._all_known(), *kept, self._eligible(self._own), self._own.past, *earlier)

    def _keeps(self) -> Bool:
        """This rule is the one that keeps the row by its time: the longest that obliges, or else the shortest."""
        if self.is_alone:
            return sa.and_(~self._own.unknown, no(self._own.past))
        longer = [~self._is_kept_by(one) for one in self._after()]
        as_obliging = sa.and_(self._is_kept_by(self._own), *longer)
        nobody_obliges = [~self._is_kept_by(one) for one in self._timings]
        nobody_past = [no(sa.and_(self._eligible(one), one.past)) for one in self._timings]
        shorter = [~self._eligible(one) for one in self._before()]
        as_shortest = sa.and_(*nobody_obliges, *nobody_past, self._eligible(self._own), *shorter)
        return sa.and_(*self._all_known(), sa.or_(as_obliging, as_shortest))


def timing(setting: Setting, rows: Rows, rule_id: str) -> Timing:
    """The conditions of a rule over these rows, by time alone."""
    rule = setting.policy.schedule.rules[rule_id]
    period = setting.policy.period_of(rule_id)
    start = StartEvent(rows, rule, setting.as_of)
    unknown = start.strange() if start.missing_is_normal else sa.or_(start.missing(), start.strange())
    applies = sa.and_(sa.true(), *(_matches(rows, one) for one in rule.where))
    return Timing(rule_id, rule, period, start, applies, unknown, start.past(period))


def _matches(rows: Rows, condition: Condition) -> Bool:
    column = rows.column(condition.column)
    if condition.is_null is not None:
        return column.is_(None) if condition.is_null else column.is_not(None)
    return sa.func.coalesce(column.in_(condition.is_in), sa.false())
