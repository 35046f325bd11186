"""The words for what a policy says in codes: periods, start events, actions."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.clock import Period
from holdfast.policy.model import (
    Anonymise,
    GeneraliseDate,
    Policy,
    Rule,
    StartType,
    Strategy,
    ToConstant,
    ToNull,
    ToPseudonym,
    TruncateIp,
)

_EVENTS = {
    StartType.CREATION: "the record's creation",
    StartType.END_OF_PROCESS: "the end of the matter",
    StartType.END_OF_RELATIONSHIP: "the end of the relationship",
}

_ACRONYMS = frozenset({"api", "id", "ip", "sim", "sms", "url", "vat"})


@dataclass(frozen=True)
class RuleWords:
    """Why a rule does what it does, for the reader."""

    action: str
    period: str
    start: str
    law: str
    source: str
    owner: str


def describe(policy: Policy | None, rule_id: str) -> RuleWords | None:
    """The words for a rule; None without the policy that has it."""
    if policy is None:
        return None
    rule = policy.schedule.rules[rule_id]
    return RuleWords(
        action=action(rule),
        period=period(policy.period_of(rule_id)),
        start=start(policy, rule),
        law=rule.law,
        source=rule.source,
        owner=rule.owner,
    )


def title(code: str) -> str:
    """`call_detail_records` as a person writes it."""
    words = [word.upper() if word in _ACRONYMS else word for word in code.replace("_", " ").replace("-", " ").split()]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def period(length: Period) -> str:
    """For example: 6 years; 13 months; 90 days; 1 month and 2 days."""
    years, months = divmod(length.months, 12)
    if years > 1 and months == 0:
        months_in_words = _counted(years, "year")
    else:
        months_in_words = _counted(length.months, "month") if length.months else ""
    days = _counted(length.days, "day") if length.days else ""
    return " and ".join(part for part in (months_in_words, days) if part) or "no time"


def start(policy: Policy, rule: Rule) -> str:
    """What the period is counted from."""
    event = _EVENTS[policy.schedule.classes[rule.deletion_class].starts]
    column = rule.start.column if rule.start.dataset is None else f"{rule.start.column} of {rule.start.dataset}"
    told = f"{event} ({column})"
    if rule.start.counts_from == "end_of_accounting_period":
        return f"the end of the accounting period that contains {told}"
    return told


def action(rule: Rule) -> str:
    """What is done to a row that is due."""
    if not isinstance(rule.action, Anonymise):
        if rule.undo_days is None:
            return "Deleted"
        return f"Deleted {_counted(rule.undo_days, 'day')} earlier and kept encrypted for that time"
    changes = ", ".join(f"{column} {_change(strategy)}" for column, strategy in rule.action.columns.items())
    return f"Anonymised ({changes})"


def _change(strategy: Strategy) -> str:
    match strategy:
        case ToNull():
            return "emptied"
        case ToConstant():
            return "replaced by one text for all"
        case ToPseudonym():
            return "replaced by a keyed pseudonym"
        case TruncateIp():
            return "cut to its network"
        case GeneraliseDate():
            return f"cut to the {strategy.precision}"
        case _:
            return "cut to the outward postcode"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
