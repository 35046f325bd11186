"""What happens to one record: the decision table of docs/decision_table.md as pure functions.

Precedence, strongest first: an unknown start or subject keeps; then a period that obliges to keep (statutory and
business alike, the longest first); then a hold; then a source of holds that is not believed; then a row that still
needs this one. Only a record that passes all of these is acted on, by the explicit rule before the general one, by a
rule that deletes before one that anonymises, and by the shortest period. A request for erasure ends every running
period that is not statutory, and beats nothing else: `decide_erasure`.

The set-based SQL of `enforcement.predicate` is proven equal to these functions on random data.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from holdfast.clock import Period, is_due
from holdfast.policy.model import Strength

EARLIEST_START = dt.date(1900, 1, 1)
"""A start before this day is a placeholder (0001-01-01, -infinity), not an event: unknown."""


class Outcome(enum.StrEnum):
    """Where a record stands tonight. Only `due` is acted on; every other outcome keeps it as it is."""

    DUE = "due"
    HELD = "held"
    REFUSED = "refused"  # a source that could hold it is not believed
    WAITING = "waiting"  # rows that stay still refer to it, or statistics have not taken their facts of it
    DONE = "done"  # past its period and already anonymised
    UNKNOWN = "unknown"  # start or subject missing, in the future, or a placeholder
    NOT_STARTED = "not_started"
    NOT_DUE = "not_due"
    NO_RULE = "no_rule"


@dataclass(frozen=True)
class RecordHold:
    """A hold, seen from one record of one dataset.

    `subject`, `record` and `period` are the hold's scope; None means no limit of that kind.
    """

    hold_type: str
    subject: str | None = None
    record: str | None = None
    period_from: dt.date | None = None
    period_to: dt.date | None = None
    datasets: frozenset[str] | None = None
    ends_on: dt.date | None = None


@dataclass(frozen=True)
class RecordRule:
    """A retention rule, seen from one record.

    `applies` is whether its conditions match, `explicit` whether it has any, `start` the day of the record's start
    event (None: missing), `missing_is_normal` whether a missing start means that the event has not happened yet, and
    `counted_from` the day the period counts from where that is not the event's own (end of the accounting period).
    A rule that does not delete anonymises; `already_done` says that it has nothing left to change. `undo_days` before
    the end of its period it acts, since what it takes is kept encrypted for so long.
    """

    rule_id: str
    period: Period
    strength: Strength
    start: dt.date | None
    applies: bool = True
    explicit: bool = False
    missing_is_normal: bool = False
    hold_types: frozenset[str] = frozenset()
    deletes: bool = True
    already_done: bool = False
    counted_from: dt.date | None = None
    undo_days: int = 0


@dataclass(frozen=True)
class Record:
    """One record: its dataset, keys as text, and the day a hold on a period looks at (None: it has none)."""

    dataset: str
    key: str
    subject: str | None
    event: dt.date | None
    needs_subject: bool = True
    needed_by_others: bool = False


@dataclass(frozen=True)
class Decision:
    """The outcome, the rule that decided and, for a held record, every hold type that holds it."""

    outcome: Outcome
    rule_id: str | None
    hold_types: tuple[str, ...] = ()

    @property
    def acts(self) -> bool:
        """The record is deleted or anonymised, as its rule says."""
        return self.outcome is Outcome.DUE


def decide(
    record: Record,
    rules: Collection[RecordRule],
    holds: Iterable[RecordHold],
    as_of: dt.date,
    *,
    untrusted_types: frozenset[str] = frozenset(),
) -> Decision:
    """What happens to `record` on the day `as_of`, given every rule of its dataset and every active hold.

    `untrusted_types` are the hold types whose source is not believed. A hold type that any rule of the dataset lists
    stops every rule of it: adding a rule never takes a hold's effect away.
    """
    applicable = [rule for rule in _in_order(rules) if rule.applies]
    if not applicable:
        return Decision(Outcome.NO_RULE, None)
    rule, outcome = _by_time(record, applicable, as_of)
    if outcome is not None:
        return Decision(outcome, rule.rule_id)
    if rule.already_done:
        return Decision(Outcome.DONE, rule.rule_id)
    return _unless_kept(record, rules, holds, as_of, untrusted_types, rule_id=rule.rule_id, deletes=rule.deletes)


def decide_erasure(
    record: Record,
    rules: Collection[RecordRule],
    holds: Iterable[RecordHold],
    as_of: dt.date,
    *,
    already_done: bool = False,
    untrusted_types: frozenset[str] = frozenset(),
) -> Decision:
    """What happens to `record` if a request asks for it that may be carried out (UK GDPR Art 17(1), (3)).

    What goes, goes as the dataset does and whether or not a rule applies: deleted if any of its rules deletes, else
    made anonymous in every column that any of them names; `already_done` says that nothing of that is left to change.
    A decision without a rule is the request's own.
    """
    in_order = _in_order(rules)
    if not in_order:
        return Decision(Outcome.NO_RULE, None)
    applicable = [rule for rule in in_order if rule.applies]
    by_law = [rule for rule in applicable if rule.strength is Strength.STATUTORY]
    for rule in by_law:
        if _is_unknown(rule, as_of):
            return Decision(Outcome.UNKNOWN, rule.rule_id)
    keeping = [rule for rule in applicable if _is_running(rule) or (rule in by_law and not _is_past(rule, as_of))]
    if keeping:
        return _kept_by(keeping[-1])
    if record.needs_subject and record.subject is None:
        return Decision(Outcome.UNKNOWN, None)
    deletes = any(rule.deletes for rule in rules)
    if already_done and not deletes:
        return Decision(Outcome.DONE, None)
    return _unless_kept(record, rules, holds, as_of, untrusted_types, rule_id=None, deletes=deletes)


def covers(hold: RecordHold, record: Record, as_of: dt.date) -> bool:
    """Whether an active hold reaches this record. What cannot be compared (no event day) counts as reached."""
    if hold.ends_on is not None and hold.ends_on < as_of:
        return False
    if hold.datasets is not None and record.dataset not in hold.datasets:
        return False
    if hold.record is not None:
        return hold.record == record.key
    if hold.subject is not None and hold.subject != record.subject:
        return False
    if record.event is None or record.event < EARLIEST_START:
        return True
    after_start = hold.period_from is None or record.event >= hold.period_from
    return after_start and (hold.period_to is None or record.event < hold.period_to)


def _in_order(rules: Iterable[RecordRule]) -> list[RecordRule]:
    return sorted(rules, key=lambda rule: (period_order(rule.period), rule.rule_id))


def _by_time(record: Record, rules: list[RecordRule], as_of: dt.date) -> tuple[RecordRule, Outcome | None]:
    """The rule that decides by its period, and the outcome if the period alone keeps the record."""
    unknown = [rule for rule in rules if _is_unknown(rule, as_of)]
    if unknown:
        return unknown[0], Outcome.UNKNOWN
    obliging = (Strength.STATUTORY, Strength.BUSINESS)
    keeping = [rule for rule in rules if rule.strength in obliging and not _is_past(rule, as_of)]
    if keeping:
        return keeping[-1], _kept_by(keeping[-1]).outcome
    candidates = [rule for rule in rules if rule.explicit] or rules
    past = [rule for rule in candidates if _is_past(rule, as_of)]
    past.sort(key=lambda rule: not rule.deletes)  # stable: the shortest first among each
    if not past:
        return candidates[0], _kept_by(candidates[0]).outcome
    if record.needs_subject and record.subject is None:
        return past[0], Outcome.UNKNOWN
    return past[0], None


def _kept_by(rule: RecordRule) -> Decision:
    return Decision(Outcome.NOT_STARTED if rule.start is None else Outcome.NOT_DUE, rule.rule_id)


def _unless_kept(
    record: Record,
    rules: Iterable[RecordRule],
    holds: Iterable[RecordHold],
    as_of: dt.date,
    untrusted_types: frozenset[str],
    *,
    rule_id: str | None,
    deletes: bool,
) -> Decision:
    """Due, unless a hold, a source that is not believed, or a row that stays keeps the record."""
    stopping = frozenset().union(*(one.hold_types for one in rules))
    holding = sorted({h.hold_type for h in holds if h.hold_type in stopping and covers(h, record, as_of)})
    if holding:
        return Decision(Outcome.HELD, rule_id, tuple(holding))
    if stopping & untrusted_types:
        return Decision(Outcome.REFUSED, rule_id)
    if record.needed_by_others and deletes:
        return Decision(Outcome.WAITING, rule_id)
    return Decision(Outcome.DUE, rule_id)


def _is_running(rule: RecordRule) -> bool:
    """What the record is needed for has not ended: the account is live, the case is open (UK GDPR Art 17(1)(a))."""
    return rule.start is None and rule.missing_is_normal


def _is_unknown(rule: RecordRule, as_of: dt.date) -> bool:
    if rule.start is None:
        return not rule.missing_is_normal
    return not EARLIEST_START <= rule.start <= as_of


def _is_past(rule: RecordRule, as_of: dt.date) -> bool:
    acts_on = as_of + dt.timedelta(days=rule.undo_days)
    return rule.start is not None and is_due(rule.counted_from or rule.start, rule.period, acts_on)


def period_order(period: Period) -> tuple[float, int]:
    """An order of periods by length; a month counts as a twelfth of 365.2425 days."""
    return (period.months * 30.436875 + period.days, period.days)
