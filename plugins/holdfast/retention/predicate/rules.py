"""What a retention rule acts on: the one predicate of each rule, composed of time, holds and references.

A dataset's rules are taken together, in the order of `holds.decide`: a row is decided by exactly one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import clock
from holdfast.holds.decide import period_order
from holdfast.policy.model import Anonymise, Condition, Delete, Policy, Rule, Strength
from holdfast.retention.catalogue import Catalogue
from holdfast.retention.predicate.anonymise import is_done
from holdfast.retention.predicate.holding import Holding, HoldWindow
from holdfast.retention.predicate.rows import Bool, Rows, exists
from holdfast.retention.predicate.starts import StartEvent
from holdfast.retention.references import Reference, references_to


@dataclass(frozen=True)
class Setting:
    """What every predicate of one run depends on. `untrusted_types` are the hold types whose source is not believed.

    Before the work, a row that refers to another one is expected to go if it is due. Once those that refer are worked
    off (`is_worked_off`), whatever still does has come since and stays.
    """

    policy: Policy
    catalogue: Catalogue
    as_of: dt.date
    holds_as_of: dt.datetime
    seen_in: str | None = None
    untrusted_types: frozenset[str] = frozenset()
    planned_in: str | None = None
    is_worked_off: bool = False

    def window(self, dataset: str) -> HoldWindow:
        """The holds that stop this dataset: a type that any of its rules lists stops all of them."""
        return HoldWindow(self._types(dataset), self.as_of, self.holds_as_of, self.seen_in, self.planned_in)

    def is_refused(self, dataset: str) -> bool:
        """A source that is not believed could hold rows of this dataset, so none of its rules acts."""
        return not self.untrusted_types.isdisjoint(self._types(dataset))

    def _types(self, dataset: str) -> frozenset[str]:
        rules = self.policy.rules_for(dataset)
        return frozenset(kind for rule_id in rules for kind in self.policy.holds_of(rule_id))


@dataclass(frozen=True)
class _Timing:
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


class RulePredicate:
    """The conditions of one rule over the rows of its dataset.

    `rows` says which: a table already in the statement, a leaf partition, a sample; by default the whole table under
    a name of its own.

    Each row satisfies exactly one of `elsewhere`, `unknown`, `not_started`, `not_due` and `past`; and of the past
    rows, each is one of done, held, waiting or due.
    """

    def __init__(self, setting: Setting, rule_id: str, rows: Rows | None = None) -> None:
        self.setting = setting
        self.rule_id = rule_id
        self.rule = setting.policy.schedule.rules[rule_id]
        self.rows = rows or Rows(setting.policy, setting.catalogue, self.rule.dataset, alias=True)
        self.holding = Holding(self.rows, setting.window(self.rule.dataset))
        all_of_dataset = setting.policy.rules_for(self.rule.dataset)
        in_order = sorted(all_of_dataset, key=lambda one: (period_order(setting.policy.period_of(one)), one))
        self._timings = [self._timing(one) for one in in_order]
        self._own = next(timing for timing in self._timings if timing.rule_id == rule_id)

    @property
    def start(self) -> StartEvent:
        return self._own.start

    @property
    def period(self) -> clock.Period:
        return self._own.period

    @property
    def is_refused(self) -> bool:
        """A source that is not believed could hold its rows: what is past its period stays."""
        return self.setting.is_refused(self.rule.dataset)

    @property
    def is_alone(self) -> bool:
        """The only rule of its dataset, for all rows: then no row is decided elsewhere."""
        return len(self._timings) == 1 and not self._own.explicit

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

    def done(self) -> Bool:
        """Nothing is left to anonymise."""
        action = self.rule.action
        return is_done(self.rows, action) if isinstance(action, Anonymise) else sa.false()

    @property
    def may_be_done(self) -> bool:
        """Rows stay when they have been acted on."""
        return isinstance(self.rule.action, Anonymise)

    @property
    def may_be_needed(self) -> bool:
        """Something may refer to rows of the dataset, or count from them."""
        return bool(self._references_that_stay(frozenset({self.rule.dataset})))

    def needed(self) -> Bool:
        """A row that stays refers to this one, so deleting it would break the reference or lose a start event."""
        return sa.or_(sa.false(), *self._references_that_stay(frozenset({self.rule.dataset})))

    def due(self) -> Bool:
        """What is acted on tonight."""
        return self._due(frozenset({self.rule.dataset}))

    def _due(self, seen: frozenset[str]) -> Bool:
        if self.is_refused:
            return sa.false()
        unneeded = (~stays for stays in self._references_that_stay(seen))  # one by one: each can be an anti-join
        return sa.and_(self.past(), ~self.done(), self.holding.free(), *unneeded)

    def _references_that_stay(self, seen: frozenset[str]) -> list[Bool]:
        if not isinstance(self.rule.action, Delete):
            return []
        references = references_to(self.setting.policy, self.setting.catalogue, self.rule.dataset)
        return [self._stays(reference, seen) for reference in references]

    def _stays(self, reference: Reference, seen: frozenset[str]) -> Bool:
        """Some row of the referring table points here and will not be deleted tonight."""
        if reference.event is not None:
            return self._is_counted_from(reference, reference.event, seen)
        parents = [self.rows.column(name) for name in reference.parent_columns]
        if reference.child_dataset is None or reference.child_dataset in seen or self.setting.is_worked_off:
            child = self.setting.catalogue.table(reference.child_table, reference.child_columns).alias()
            return exists([child], *(child.c[c] == p for c, p in zip(reference.child_columns, parents, strict=True)))
        goes: list[Bool] = []
        rows = Rows(self.setting.policy, self.setting.catalogue, reference.child_dataset, alias=True)
        for rule_id, rule in self.setting.policy.rules_for(reference.child_dataset).items():
            if isinstance(rule.action, Delete):
                one = RulePredicate(self.setting, rule_id, rows)
                goes.append(one._due(seen | {reference.child_dataset}))
        links = [rows.column(c) == p for c, p in zip(reference.child_columns, parents, strict=True)]
        return exists([rows.table], *links, _no(sa.or_(sa.false(), *goes)))

    def _is_counted_from(self, reference: Reference, event: str, seen: frozenset[str]) -> Bool:
        """This is the latest event of its subject, and a row that counts from it is not dealt with tonight.

        A row that is only ever anonymised is dealt with once it has been.
        """
        policy, known, ours = self.setting.policy, self.setting.catalogue, self.rows.subject_column
        if ours is None:
            raise LookupError(f"{self.rows.name} has no subject column to link by")
        rows = Rows(policy, known, reference.child_dataset or "", alias=True)
        dealt_with: list[Bool] = []
        if rows.name not in seen:
            predicates = [RulePredicate(self.setting, rule_id, rows) for rule_id in policy.rules_for(rows.name)]
            deleting = [one for one in predicates if isinstance(one.rule.action, Delete)]
            if not self.setting.is_worked_off:
                dealt_with = [one._due(seen | {rows.name}) for one in deleting or predicates]
            if not deleting:
                dealt_with += [sa.and_(one.past(), one.done()) for one in predicates]
        later = Rows(policy, known, self.rows.name, alias=True)
        is_later = later.column(event) > self.rows.column(event)
        same_subject = later.column(ours.key or "") == ours
        counts = exists([rows.table], rows.subject_value() == ours, _no(sa.or_(sa.false(), *dealt_with)))
        return sa.and_(counts, ~exists([later.table], same_subject, is_later))

    def _timing(self, rule_id: str) -> _Timing:
        rule = self.setting.policy.schedule.rules[rule_id]
        period = self.setting.policy.period_of(rule_id)
        start = StartEvent(self.rows, rule, self.setting.as_of)
        unknown = start.strange() if start.missing_is_normal else sa.or_(start.missing(), start.strange())
        applies = sa.and_(sa.true(), *(self._matches(one) for one in rule.where))
        return _Timing(rule_id, rule, period, start, applies, unknown, start.past(period))

    def _matches(self, condition: Condition) -> Bool:
        column = self.rows.column(condition.column)
        if condition.is_null is not None:
            return column.is_(None) if condition.is_null else column.is_not(None)
        return sa.func.coalesce(column.in_(condition.is_in), sa.false())

    def _before(self) -> list[_Timing]:
        return self._timings[: self._timings.index(self._own)]

    def _after(self) -> list[_Timing]:
        return self._timings[self._timings.index(self._own) + 1 :]

    def _goes_first(self, other: _Timing) -> bool:
        """Of two rules that are past, the one that deletes acts, and then the one with the shorter period."""
        own, its = isinstance(self.rule.action, Delete), isinstance(other.rule.action, Delete)
        return other in self._before() if own == its else its

    def _all_known(self) -> list[Bool]:
        return [~sa.and_(one.applies, one.unknown) for one in self._timings]

    @staticmethod
    def _is_kept_by(one: _Timing) -> Bool:
        return sa.and_(one.applies, _no(one.past)) if one.obliges else sa.false()

    def _eligible(self, one: _Timing) -> Bool:
        """The rule may decide a deletion: it applies, and it is explicit or no explicit rule applies."""
        if one.explicit:
            return one.applies
        return sa.and_(one.applies, *(~other.applies for other in self._timings if other.explicit))

    def _past_by_time(self) -> Bool:
        if self.is_alone:
            return self._own.past
        kept = [~self._is_kept_by(one) for one in self._timings]
        earlier = [_no(sa.and_(self._eligible(one), one.past)) for one in self._timings if self._goes_first(one)]
        return sa.and_(*self._all_known(), *kept, self._eligible(self._own), self._own.past, *earlier)

    def _keeps(self) -> Bool:
        """This rule is the one that keeps the row by its time: the longest that obliges, or else the shortest."""
        if self.is_alone:
            return sa.and_(~self._own.unknown, _no(self._own.past))
        longer = [~self._is_kept_by(one) for one in self._after()]
        as_obliging = sa.and_(self._is_kept_by(self._own), *longer)
        nobody_obliges = [~self._is_kept_by(one) for one in self._timings]
        nobody_past = [_no(sa.and_(self._eligible(one), one.past)) for one in self._timings]
        shorter = [~self._eligible(one) for one in self._before()]
        as_shortest = sa.and_(*nobody_obliges, *nobody_past, self._eligible(self._own), *shorter)
        return sa.and_(*self._all_known(), sa.or_(as_obliging, as_shortest))


def _no(condition: Bool) -> Bool:
    """The condition does not hold; where it is NULL, as it is for a missing start, it does not either."""
    return ~sa.func.coalesce(condition, sa.false())


def types_of_sources(policy: Policy, sources: Iterable[str]) -> frozenset[str]:
    """The hold types that these sources report."""
    return frozenset(kind for name in sources for kind in policy.holds.sources[name].types)
