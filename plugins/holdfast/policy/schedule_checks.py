"""Contradictions within the retention schedule: rules that name nothing, and rules that cannot all be kept. Pure."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

from holdfast.policy.data_map_checks import all_columns, subject_chain, time_zone_problems
from holdfast.policy.model import (
    Anonymise,
    Authority,
    Condition,
    Dataset,
    Delete,
    Policy,
    Rule,
    Start,
    Strength,
    Subject,
)
from holdfast.policy.problems import Check, EntryPath, Finder, Problem

_ANY_DAY = dt.date(2001, 1, 1)  # periods are compared by where they end when they start on the same day


def problems(policy: Policy, find: Finder) -> Iterator[Problem]:
    """Everything wrong with the schedule as such, and with what it says about data map and holds."""
    yield from time_zone_problems(policy.schedule.time_zone, ("schedule", "time_zone"), find)
    used = {rule.deletion_class for rule in policy.schedule.rules.values()}
    for name in policy.schedule.classes:
        if name not in used:
            yield find(
                Check.CLASS_UNUSED,
                ("schedule", "classes", name),
                f"no rule uses the deletion class {name}.",
                "remove it, or correct the rule that was meant to use it.",
            )
    for name, rule in policy.schedule.rules.items():
        path = ("schedule", "rules", name)
        yield from _names(policy, rule, path, find)
        dataset = policy.data_map.datasets.get(rule.dataset)
        if dataset is not None:
            yield from _start(policy, rule, dataset, path, find)
            yield from _conditions(rule, dataset, path, find)
            yield from _anonymising(policy, rule, dataset, path, find)
    yield from _pairs(policy, find)


def _names(policy: Policy, rule: Rule, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if rule.dataset not in policy.data_map.datasets:
        yield find(
            Check.UNKNOWN_DATASET,
            (*path, "dataset"),
            f"there is no dataset {rule.dataset}.",
            "name a dataset of data_map.yaml.",
        )
    if rule.deletion_class not in policy.schedule.classes:
        yield find(
            Check.UNKNOWN_CLASS,
            (*path, "deletion_class"),
            f"there is no deletion class {rule.deletion_class}, so the rule has no period.",
            "add it under `classes`, or name one that is there.",
        )
    if rule.holds == "all":
        return
    for i, hold_type in enumerate(rule.holds):
        if hold_type not in policy.holds.types:
            yield find(
                Check.UNKNOWN_HOLD_TYPE,
                (*path, "holds", str(i)),
                f"there is no hold type {hold_type}.",
                "name a type of holds.yaml.",
            )
    legal = [name for name, kind in policy.holds.types.items() if kind.authority is Authority.LEGAL]
    ignored = [name for name in legal if name not in rule.holds]
    if ignored:
        yield find(
            Check.LEGAL_HOLD_IGNORED,
            (*path, "holds"),
            f"a legal hold must be able to stop every deletion; this rule would ignore {', '.join(ignored)}.",
            "write `holds: all`, or add them to the list.",
        )


def _start(policy: Policy, rule: Rule, dataset: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    start, path = rule.start, (*path, "start")
    for i, column in enumerate(start.by):
        if column not in all_columns(dataset):
            yield _not_listed(Check.START_NOT_LISTED, (*path, "by", str(i)), column, rule.dataset, find)
    elsewhere = start.dataset or rule.dataset
    source = policy.data_map.datasets.get(elsewhere)
    if source is None:
        yield find(
            Check.UNKNOWN_DATASET,
            (*path, "dataset"),
            f"there is no dataset {elsewhere}, so the period would never start.",
            "name a dataset of data_map.yaml.",
        )
        return
    if start.column not in all_columns(source):
        yield _not_listed(Check.START_NOT_LISTED, (*path, "column"), start.column, elsewhere, find)
    if start.link == "key":
        yield from _key_link(start, elsewhere, source, path, find)
    if start.link == "path" and elsewhere not in subject_chain(policy.data_map, rule.dataset)[1:]:
        yield find(
            Check.START_UNREACHABLE,
            (*path, "link"),
            f"the way from {rule.dataset} to its subject does not pass {elsewhere}.",
            "use `link: key` or `link: subject`, or name a dataset that the way passes.",
        )
    if start.link == "subject":
        yield from _subject_link(policy, (rule.dataset, elsewhere), path, find)


def _key_link(start: Start, elsewhere: str, source: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if len(start.by) != len(source.key):
        yield find(
            Check.KEYS_DIFFER,
            (*path, "by"),
            f"the key of {elsewhere} has {len(source.key)} columns ({', '.join(source.key)}), "
            f"these are {len(start.by)}.",
            "name one column for each, in the order of that key.",
        )


def _subject_link(policy: Policy, datasets: tuple[str, str], path: EntryPath, find: Finder) -> Iterator[Problem]:
    for name in datasets:
        if not subject_chain(policy.data_map, name):
            yield find(
                Check.START_UNREACHABLE,
                (*path, "link"),
                f"{name} has no subject, so it cannot be linked by it.",
                "use `link: key`, or give the dataset a subject.",
            )


def _conditions(rule: Rule, dataset: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    for i, condition in enumerate(rule.where):
        if condition.column not in all_columns(dataset):
            here = (*path, "where", str(i), "column")
            yield _not_listed(Check.CONDITION_NOT_LISTED, here, condition.column, rule.dataset, find)


def _not_listed(check: Check, path: EntryPath, column: str, dataset: str, find: Finder) -> Problem:
    return find(
        check,
        path,
        f"the data map lists no column {column} in {dataset}.",
        "correct the name, or list the column in data_map.yaml.",
    )


def _anonymising(policy: Policy, rule: Rule, dataset: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if not isinstance(rule.action, Anonymise):
        return
    if dataset.files is not None:
        yield find(
            Check.FILE_LEFT_BEHIND,
            (*path, "action"),
            f"each row of {rule.dataset} stands for a file, which would keep what the row loses.",
            "delete instead, so that file and row go together.",
        )
    needed = _needed_columns(policy, rule.dataset, dataset)
    for column in rule.action.columns:
        here = (*path, "action", "columns", column)
        if column not in all_columns(dataset):
            yield _not_listed(Check.ANONYMISED_NOT_LISTED, here, column, rule.dataset, find)
        elif column in needed:
            yield find(
                Check.ANONYMISED_NEEDED,
                here,
                f"{column} must stay as it is: it is {needed[column]}.",
                "leave it out, or delete the row instead.",
            )


def _needed_columns(policy: Policy, name: str, dataset: Dataset) -> dict[str, str]:
    """The columns whose change would lose a row from sight of its rule, its holds or its subject; and why."""
    needed: dict[str, str] = {}
    if dataset.event is not None:
        needed[dataset.event] = "the column that a hold on a period looks at"
    for rule_id, rule in policy.schedule.rules.items():
        start_of = rule.start.dataset or rule.dataset
        if start_of == name:
            needed[rule.start.column] = f"the start event of the rule {rule_id}"
        if rule.dataset == name:
            needed.update({condition.column: f"a condition of the rule {rule_id}" for condition in rule.where})
            needed.update(dict.fromkeys(rule.start.by, f"what the rule {rule_id} finds its start event by"))
    if isinstance(dataset.subject, Subject):
        needed.update(dict.fromkeys(dataset.subject.columns, "the way to the subject"))
    needed.update(dict.fromkeys(dataset.key, "part of the key"))
    return needed


def _pairs(policy: Policy, find: Finder) -> Iterator[Problem]:
    for dataset in policy.data_map.datasets:
        rules = policy.rules_for(dataset)
        known = {name: rule for name, rule in rules.items() if rule.deletion_class in policy.schedule.classes}
        for (first, one), (second, two) in itertools.combinations(known.items(), 2):
            if _event(one.start) != _event(two.start) or _disjoint(one.where, two.where):
                continue
            for name, rule, other_name, other in ((first, one, second, two), (second, two, first, one)):
                if _contradicts(policy, name, rule, other_name, other):
                    yield find(
                        Check.RULES_CONFLICT,
                        ("schedule", "rules", name),
                        f"rows must be gone after {policy.period_of(name)} by this rule, and be kept for "
                        f"{policy.period_of(other_name)} by {other_name}.",
                        "change a period or a strength, or give the two conditions that no row meets both.",
                    )
            yield from _without_effect(policy, first, second, find)


def _contradicts(policy: Policy, name: str, rule: Rule, other_name: str, other: Rule) -> bool:
    """A maximum that ends before a period of keeping. Emptying columns of a row that is kept is no contradiction."""
    touches = isinstance(rule.action, Delete) or (
        isinstance(other.action, Anonymise) and bool(rule.action.columns.keys() & other.action.columns.keys())
    )
    opposed = rule.strength is Strength.MAXIMUM and other.strength is not Strength.MAXIMUM
    return opposed and touches and _length(policy, name) < _length(policy, other_name)


def _without_effect(policy: Policy, first: str, second: str, find: Finder) -> Iterator[Problem]:
    """Rules of one dataset of which one can never come to act: it says what nobody will see happen."""
    one, two = policy.schedule.rules[first], policy.schedule.rules[second]
    for name, rule, other_name, other in ((first, one, second, two), (second, two, first, one)):
        is_idle = (
            isinstance(rule.action, Anonymise)
            and isinstance(other.action, Delete)
            and _covers(other.where, rule.where)
            and _length(policy, other_name) <= _length(policy, name)
        )
        if is_idle:
            yield find(
                Check.RULE_NEVER_APPLIES,
                ("schedule", "rules", name),
                f"the rows are deleted by {other_name} before this rule could anonymise them.",
                "shorten its period, or remove it.",
            )
    same = isinstance(one.action, Delete) and isinstance(two.action, Delete) and one.strength is two.strength
    if same and (_covers(one.where, two.where) or _covers(two.where, one.where)):
        yield find(
            Check.RULE_NEVER_APPLIES,
            ("schedule", "rules", second),
            f"{first} deletes the same rows from the same start event: one of the two never applies.",
            "keep one, or give the two conditions that no row meets both.",
        )


def _event(start: Start) -> tuple[object, ...]:
    return start.column, start.dataset, start.link, start.by, start.counts_from


def _length(policy: Policy, name: str) -> dt.date:
    return policy.period_of(name).after(_ANY_DAY)


def _disjoint(one: tuple[Condition, ...], two: tuple[Condition, ...]) -> bool:
    """True if no row can meet both: some column is asked for two things at once."""
    return any(a.column == b.column and _excludes(a, b) for a in one for b in two)


def _excludes(a: Condition, b: Condition) -> bool:
    if a.is_in and b.is_in:
        return not set(a.is_in) & set(b.is_in)
    if a.is_in or b.is_in:
        return True in (a.is_null, b.is_null)
    return a.is_null is not b.is_null


def _covers(general: tuple[Condition, ...], special: tuple[Condition, ...]) -> bool:
    """True if every row that meets `special` also meets `general`."""
    return all(any(a.column == b.column and _implies(b, a) for b in special) for a in general)


def _implies(b: Condition, a: Condition) -> bool:
    if b.is_in and a.is_in:
        return set(b.is_in) <= set(a.is_in)
    if b.is_in:
        return a.is_null is False
    return b.is_null is not None and b.is_null is a.is_null
