"""Contradictions within the retention schedule: rules that name nothing, and rules that cannot all be kept. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from holdfast.policy import rule_pairs
from holdfast.policy.data_map_checks import across, all_columns, subject_chain, time_zone_problems
from holdfast.policy.model import (
    Anonymise,
    Authority,
    Dataset,
    Delete,
    Policy,
    Rule,
    Start,
    Strength,
    Subject,
)
from holdfast.policy.problems import Check, EntryPath, Finder, Problem

_ANY_DAY = dt.date(2001, 2, 1)  # the shortest month: a period is at least as long from any other day


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
            yield from _undo_window(policy, name, dataset, find)
    yield from rule_pairs.problems(policy, find)


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
    yield from across(policy.data_map, rule.dataset, elsewhere, (*path, "dataset"), find)
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
        yield from _subject_link(policy, rule.dataset, elsewhere, path, find)


def _key_link(start: Start, elsewhere: str, source: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if len(start.by) != len(source.key):
        yield find(
            Check.KEYS_DIFFER,
            (*path, "by"),
            f"the key of {elsewhere} has {len(source.key)} columns ({', '.join(source.key)}), "
            f"these are {len(start.by)}.",
            "name one column for each, in the order of that key.",
        )


def _subject_link(policy: Policy, ours: str, elsewhere: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if not subject_chain(policy.data_map, ours):
        yield find(
            Check.START_UNREACHABLE,
            (*path, "link"),
            f"{ours} has no subject to be linked by.",
            "use `link: key`, or give the dataset a subject.",
        )
    if len(subject_chain(policy.data_map, elsewhere)) != 1:
        yield find(
            Check.START_UNREACHABLE,
            (*path, "link"),
            f"{elsewhere} has no subject in a column of its own, by which to find the events of an account.",
            "name a dataset that has, or use `link: key` or `link: path`.",
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
    needed = needed_columns(policy, rule.dataset)
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


def _undo_window(policy: Policy, name: str, dataset: Dataset, find: Finder) -> Iterator[Problem]:
    """The window counts towards the period, so nothing is kept longer for it; no law's minimum may pay for that."""
    rule = policy.schedule.rules[name]
    if rule.undo_days is None or rule.deletion_class not in policy.schedule.classes:
        return
    last = policy.period_of(name).after(_ANY_DAY)
    refused = {
        "the law says keep until the period is over, and the row would leave its table before": rule.strength
        is Strength.STATUTORY,
        "it keeps rows that are deleted, and this rule changes them": not isinstance(rule.action, Delete),
        "each row stands for a file, which is not kept": dataset.files is not None,
        "it is as long as the period": (last - _ANY_DAY).days <= rule.undo_days,
    }
    for why in (why for why, is_so in refused.items() if is_so):
        yield find(
            Check.UNDO_UNFIT,
            ("schedule", "rules", name, "undo_days"),
            f"the rule can have no undo window: {why}.",
            "take undo_days out, or shorten it below the period.",
        )


def needed_columns(policy: Policy, name: str) -> dict[str, str]:
    """The columns whose change would lose a row from sight of its rule, its holds or its subject; and why."""
    dataset = policy.data_map.datasets[name]
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
