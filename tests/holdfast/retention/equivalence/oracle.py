"""What ought to happen to each row, worked out in plain Python and judged by `decide` alone."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from tests.holdfast.retention.equivalence.hotel import (
    AGES_AGO,
    ENDLESS,
    FOREIGN_KEYS,
    SHAPES,
    YEAR_END,
    World,
    key_of,
    zone_of,
)

from holdfast import clock
from holdfast.holds.decide import Decision, Outcome, Record, RecordHold, RecordRule, decide
from holdfast.policy.model import Delete, Missing, Rule, ToConstant, ToNull

LONDON = "Europe/London"
Row = dict[str, Any]


class Oracle:
    """The decisions about one world. Rows are named by dataset and place in its list."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.policy = world.policy
        types = (kind for name in world.untrusted for kind in self.policy.holds.sources[name].types)
        self._untrusted = frozenset(types)
        self._holds = [
            RecordHold(
                hold_type=one.hold_type,
                subject=None if one.subject is None else str(one.subject),
                record=one.record_key,
                period_from=one.period_from,
                period_to=one.period_to,
                datasets=None if one.datasets is None else frozenset(one.datasets),
                ends_on=one.ends_on,
            )
            for one in world.holds
            if one.released != "before"
        ]
        self.decision = functools.cache(self._decision)

    def outcomes(self, rule_id: str) -> Counter[Outcome]:
        """Each row of the rule's dataset once, as the rule's own or as one that another rule decides."""
        decided = [decision for _, decision in self._of_dataset(rule_id)]
        return Counter(one.outcome if one.rule_id == rule_id else Outcome.NO_RULE for one in decided)

    def due_keys(self, rule_id: str) -> set[str]:
        dataset = self.policy.schedule.rules[rule_id].dataset
        return {key_of(dataset, row) for row, one in self._of_dataset(rule_id) if one.rule_id == rule_id and one.acts}

    def held_by(self, rule_id: str) -> Counter[str]:
        """Hold type -> rows of this rule that it holds; a row under two types counts for each."""
        decided = [one for _, one in self._of_dataset(rule_id) if one.rule_id == rule_id]
        return Counter(kind for one in decided if one.outcome is Outcome.HELD for kind in one.hold_types)

    def oldest(self, rule_id: str, *outcomes: Outcome) -> dt.date | None:
        """The earliest start day among the rows that this rule gives one of these outcomes."""
        rule = self.policy.schedule.rules[rule_id]
        days = [
            self._start(rule.dataset, row, rule)
            for row, one in self._of_dataset(rule_id)
            if one.rule_id == rule_id and one.outcome in outcomes
        ]
        return min((day for day in days if day is not None), default=None)

    def forecast(self, rule_id: str, days: int) -> int:
        """Rows that are not past by this rule alone today, and will be in so many days."""
        later = self.world.as_of + dt.timedelta(days=days)
        rule = self.policy.schedule.rules[rule_id]
        found = 0
        for row in self.world.rows[rule.dataset]:
            seen = self._rule(rule.dataset, row, rule_id, rule)
            if seen.applies and seen.start is not None and dt.date(1900, 1, 1) <= seen.start <= self.world.as_of:
                counted = seen.counted_from or seen.start
                window = dt.timedelta(days=seen.undo_days)
                found += not clock.is_due(counted, seen.period, self.world.as_of + window) and clock.is_due(
                    counted, seen.period, later + window
                )
        return found

    def told(self, rule_id: str) -> str:
        """The rules, rows and holds of the rule's dataset, to read when the two disagree."""
        dataset = self.policy.schedule.rules[rule_id].dataset
        rules = [f"{name}: {rule!r}" for name, rule in self.policy.rules_for(dataset).items()]
        rows = [f"{row} -> {decision}" for row, decision in self._of_dataset(rule_id)]
        holds = [repr(one) for one in self.world.holds]
        return "\n".join((f"{rule_id} on {self.world.as_of}", *rules, *rows, *holds))

    def _of_dataset(self, rule_id: str) -> list[tuple[Row, Decision]]:
        dataset = self.policy.schedule.rules[rule_id].dataset
        return [(row, self.decision(dataset, n)) for n, row in enumerate(self.world.rows[dataset])]

    def _decision(self, dataset: str, place: int) -> Decision:
        row = self.world.rows[dataset][place]
        subject = self._subject(dataset, row)
        event = SHAPES[dataset].event
        record = Record(
            dataset=dataset,
            key=key_of(dataset, row),
            subject=None if subject is None else str(subject),
            event=None if event is None else day_of(row[event], zone_of(dataset)),
            needs_subject="none" not in SHAPES[dataset].subject,
            needed_by_others=self._needed(dataset, row),
        )
        rules = [self._rule(dataset, row, name, rule) for name, rule in self.policy.rules_for(dataset).items()]
        return decide(record, rules, self._holds, self.world.as_of, untrusted_types=self._untrusted)

    def _rule(self, dataset: str, row: Row, rule_id: str, rule: Rule) -> RecordRule:
        start = self._start(dataset, row, rule)
        counted = None
        if start is not None and rule.start.counts_from == "end_of_accounting_period":
            counted = clock.accounting_period_end(start, YEAR_END)
        return RecordRule(
            rule_id=rule_id,
            period=self.policy.period_of(rule_id),
            strength=rule.strength,
            start=start,
            applies=all(_matches(row, one) for one in rule.where),
            explicit=bool(rule.where),
            missing_is_normal=rule.start.missing is Missing.NOT_STARTED,
            hold_types=frozenset(self.policy.holds_of(rule_id)),
            deletes=isinstance(rule.action, Delete),
            already_done=_is_anonymised(row, rule),
            counted_from=counted,
            undo_days=self.policy.undo_days_of(rule_id),
        )

    def _start(self, dataset: str, row: Row, rule: Rule) -> dt.date | None:
        start = rule.start
        if start.dataset is None:
            return day_of(row[start.column], zone_of(dataset))
        zone = zone_of(start.dataset)
        if start.link == "subject":
            subject = self._subject(dataset, row)
            events = [
                day_of(other[start.column], zone)
                for other in self.world.rows[start.dataset]
                if subject is not None and self._subject(start.dataset, other) == subject
            ]
            return None if not events or None in events else max(day for day in events if day is not None)
        if start.link == "key":
            found = self._find(start.dataset, [row[column] for column in start.by])
        else:
            found = self._along(dataset, row, start.dataset)
        return None if found is None else day_of(found[start.column], zone)

    def _subject(self, dataset: str, row: Row) -> int | None:
        subject = SHAPES[dataset].subject
        if "column" in subject:
            value: int | None = row[subject["column"]]
            return value
        if "none" in subject:
            return None
        through = subject["through"]
        parent = self._find(through["dataset"], [row[column] for column in through["columns"]])
        return None if parent is None else self._subject(through["dataset"], parent)

    def _along(self, dataset: str, row: Row | None, to: str) -> Row | None:
        while row is not None and dataset != to:
            through = SHAPES[dataset].subject["through"]
            dataset, row = through["dataset"], self._find(through["dataset"], [row[c] for c in through["columns"]])
        return row

    def _find(self, dataset: str, key: list[Any]) -> Row | None:
        names = SHAPES[dataset].key
        return next((row for row in self.world.rows[dataset] if [row[name] for name in names] == key), None)

    def _needed(self, dataset: str, row: Row) -> bool:
        """Whether a row that stays refers to this one. A row of the same table counts as one that stays."""
        key = [row[name] for name in SHAPES[dataset].key]
        if dataset == "bookings" and any(one["booking_id"] == row["booking_id"] for one in self.world.vouchers):
            return True
        for child, columns in self._references_to(dataset):
            for place, other in enumerate(self.world.rows[child]):
                if [other[column] for column in columns] == key and (child == dataset or self._stays(child, place)):
                    return True
        return any(self._is_counted_from(dataset, row, child, event) for child, event in self._events_of(dataset))

    def _is_counted_from(self, dataset: str, row: Row, child: str, event: str) -> bool:
        """Whether this is its subject's latest event, and a row that counts from it has not been dealt with."""
        subject = self._subject(dataset, row)
        events = [one[event] for one in self.world.rows[dataset] if self._subject(dataset, one) == subject]
        if subject is None or any(_is_later(one, row[event]) for one in events):
            return False
        deletes = any(isinstance(rule.action, Delete) for rule in self.policy.rules_for(child).values())
        return any(
            self._subject(child, other) == subject
            and (self._stays(child, place) if deletes else not self._is_anonymised_by(child, place))
            for place, other in enumerate(self.world.rows[child])
        )

    def _is_anonymised_by(self, dataset: str, place: int) -> bool:
        """After tonight."""
        return self.decision(dataset, place).outcome in (Outcome.DUE, Outcome.DONE)

    def _events_of(self, dataset: str) -> set[tuple[str, str]]:
        starts = [(name, rule.start) for child in SHAPES for name, rule in self.policy.rules_for(child).items()]
        return {
            (self.policy.schedule.rules[name].dataset, start.column)
            for name, start in starts
            if start.link == "subject" and start.dataset == dataset
        }

    def _references_to(self, dataset: str) -> set[tuple[str, tuple[str, ...]]]:
        found = {(child, columns) for child, _, columns, parent in FOREIGN_KEYS if child and parent == dataset}
        for child, shape in SHAPES.items():
            through = shape.subject.get("through")
            if through and through["dataset"] == dataset:
                found.add((child, tuple(through["columns"])))
            for rule in self.policy.rules_for(child).values():
                if rule.start.dataset == dataset and rule.start.link == "key":
                    found.add((child, rule.start.by))
        return found

    def _stays(self, dataset: str, place: int) -> bool:
        decision = self.decision(dataset, place)
        if decision.rule_id is None or not decision.acts:
            return True
        return not isinstance(self.policy.schedule.rules[decision.rule_id].action, Delete)


def day_of(value: dt.date | dt.datetime | None, zone: str) -> dt.date | None:
    """A stored value as a day in London."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
        return clock.local_date(aware, LONDON)
    return value


def _is_later(one: dt.date | dt.datetime | None, other: dt.date | dt.datetime | None) -> bool:
    """As PostgreSQL compares; infinity is a date here, whatever the type of its column."""
    if one is None or other is None:
        return False
    return _in_order(one) > _in_order(other)


def _in_order(value: dt.date | dt.datetime) -> tuple[int, Any]:
    return (1, value) if value not in (ENDLESS, AGES_AGO) else (0 if value == AGES_AGO else 2, 0)


def _matches(row: Row, condition: Any) -> bool:
    value = row[condition.column]
    if condition.is_null is not None:
        return (value is None) is condition.is_null
    return value in condition.is_in


def _is_anonymised(row: Row, rule: Rule) -> bool:
    if isinstance(rule.action, Delete):
        return False
    value, strategy = row["nickname"], rule.action.columns["nickname"]
    if value is None or isinstance(strategy, ToNull):
        return value is None
    return value == "gone" if isinstance(strategy, ToConstant) else value.startswith("p1:")
