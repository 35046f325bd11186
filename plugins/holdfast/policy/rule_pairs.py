"""Rules of one dataset that cannot both come to act: a contradiction, or a rule nobody will ever see happen. Pure.

Periods are compared for rules with the same start event alone: whether two events are years apart, no file can tell.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping

from holdfast.policy.model import Anonymise, Condition, Delete, Policy, Rule, Start, Strength
from holdfast.policy.problems import Check, Finder, Problem

_ANY_DAY = dt.date(2001, 1, 1)  # periods are compared by where they end when they start on the same day


def problems(policy: Policy, find: Finder) -> Iterator[Problem]:
    """Every pair of rules of which one stands in the way of the other."""
    for dataset in policy.data_map.datasets:
        rules = policy.rules_for(dataset)
        known = {name: rule for name, rule in rules.items() if rule.deletion_class in policy.schedule.classes}
        yield from _never_deleted(known, find)
        for (first, one), (second, two) in itertools.combinations(known.items(), 2):
            if _event(one.start) == _event(two.start) and not disjoint(one.where, two.where):
                yield from _pair(policy, first, second, find)


def _never_deleted(rules: Mapping[str, Rule], find: Finder) -> Iterator[Problem]:
    """A rule without conditions gives way to one that has: rows that are anonymised by it alone would stay for ever."""
    general = [name for name, rule in rules.items() if not rule.where and isinstance(rule.action, Delete)]
    deleted = [rule.where for rule in rules.values() if rule.where and isinstance(rule.action, Delete)]
    for name, rule in rules.items():
        is_left = rule.where and isinstance(rule.action, Anonymise) and not any(covers(w, rule.where) for w in deleted)
        if is_left and general:
            yield find(
                Check.ROWS_LEFT,
                ("schedule", "rules", name),
                f"rows that meet its conditions are anonymised and never deleted: {general[0]} has no conditions, and "
                "gives way to a rule that has.",
                "add a rule that deletes, with the same conditions, or take the conditions away.",
            )


def _pair(policy: Policy, first: str, second: str, find: Finder) -> Iterator[Problem]:
    """What is kept, is kept as it is: a period that obliges to keep a row stops every other rule for that row."""
    for name, other in ((first, second), (second, first)):
        path = ("schedule", "rules", name)
        if _must_go_but_is_kept(policy, name, other):
            yield find(
                Check.RULES_CONFLICT,
                path,
                f"rows must be gone after {policy.period_of(name)} by this rule, and are kept for "
                f"{policy.period_of(other)} by {other}.",
                "change a period or a strength, or give the two conditions that no row meets both.",
            )
        elif _is_kept_past(policy, name, other):
            yield find(
                Check.RULE_NEVER_APPLIES,
                path,
                f"{other} keeps the same rows for {policy.period_of(other)}, so this rule comes too late or never.",
                "remove it, or give the two conditions that no row meets both.",
            )
        elif _is_deleted_first(policy, name, other):
            yield find(
                Check.RULE_NEVER_APPLIES,
                path,
                f"{other} deletes the same rows after {policy.period_of(other)}, before this rule could act.",
                "shorten its period, or remove it.",
            )
        elif _is_anonymised_first(policy, name, other):
            yield find(
                Check.RULE_NEVER_APPLIES,
                path,
                f"{other} anonymises the same rows after {policy.period_of(other)}, and then this rule is never asked.",
                "anonymise the columns of both in one rule, or delete the row at the later end.",
            )


def _is_anonymised_first(policy: Policy, name: str, other: str) -> bool:
    """The other rule's work is done for ever once it has acted, so this one, which comes later, is never asked."""
    both = (policy.schedule.rules[name], policy.schedule.rules[other])
    return (
        all(isinstance(rule.action, Anonymise) and rule.strength is Strength.MAXIMUM for rule in both)
        and (_length(policy, other), other) < (_length(policy, name), name)
        and bool(both[0].where) == bool(both[1].where)
        and covers(both[1].where, both[0].where)
    )


def _must_go_but_is_kept(policy: Policy, name: str, other: str) -> bool:
    return (
        _is_maximum(policy, name) and not _is_maximum(policy, other) and _length(policy, name) < _length(policy, other)
    )


def _is_kept_past(policy: Policy, name: str, other: str) -> bool:
    rule, keeping = policy.schedule.rules[name], policy.schedule.rules[other]
    both_oblige = not _is_maximum(policy, name) and not _is_maximum(policy, other)
    is_shorter = (_length(policy, name), name) < (_length(policy, other), other)
    return both_oblige and is_shorter and covers(keeping.where, rule.where)


def _is_deleted_first(policy: Policy, name: str, other: str) -> bool:
    rule, deleting = policy.schedule.rules[name], policy.schedule.rules[other]
    is_later = (_length(policy, other), other) < (_length(policy, name), name)
    same_day = _length(policy, other) == _length(policy, name) and isinstance(rule.action, Anonymise)
    return (
        _is_maximum(policy, name)
        and isinstance(deleting.action, Delete)
        # A rule with conditions goes before one without, whatever their periods.
        and bool(rule.where) == bool(deleting.where)
        and (is_later or same_day)
        and covers(deleting.where, rule.where)
    )


def _is_maximum(policy: Policy, name: str) -> bool:
    return policy.schedule.rules[name].strength is Strength.MAXIMUM


def _event(start: Start) -> tuple[object, ...]:
    return start.column, start.dataset, start.link, start.by, start.counts_from


def _length(policy: Policy, name: str) -> dt.date:
    return policy.period_of(name).after(_ANY_DAY)


def disjoint(one: tuple[Condition, ...], two: tuple[Condition, ...]) -> bool:
    """True if no row can meet both: some column is asked for two things at once."""
    return any(a.column == b.column and _excludes(a, b) for a in one for b in two)


def _excludes(a: Condition, b: Condition) -> bool:
    if a.is_in and b.is_in:
        return not set(a.is_in) & set(b.is_in)
    if a.is_in or b.is_in:
        return True in (a.is_null, b.is_null)
    return a.is_null is not b.is_null


def covers(general: tuple[Condition, ...], special: tuple[Condition, ...]) -> bool:
    """True if every row that meets `special` also meets `general`."""
    return all(any(a.column == b.column and _implies(b, a) for b in special) for a in general)


def _implies(b: Condition, a: Condition) -> bool:
    if b.is_in and a.is_in:
        return set(b.is_in) <= set(a.is_in)
    if b.is_in:
        return a.is_null is False
    return b.is_null is not None and b.is_null is a.is_null
