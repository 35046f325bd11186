"""Contradictions within the data map: tables, columns, and the path from a row to whom it is about. Pure."""

from __future__ import annotations

import itertools
import zoneinfo
from collections.abc import Iterator

from holdfast.policy.model import DataMap, Dataset, NoSubject, Policy, Subject
from holdfast.policy.problems import Check, EntryPath, Finder, Problem
from holdfast.settings import MAIN

OWN_SCHEMAS = ("holdfast", "emergency", "statistics")
"""Ours: `holdfast` is what evidence stands on; `emergency` names numbers, which its own job forgets."""


def problems(policy: Policy, find: Finder) -> Iterator[Problem]:
    """Everything wrong with the data map as such."""
    data_map = policy.data_map
    yield from _tables(data_map, find)
    for name, dataset in data_map.datasets.items():
        path = ("data_map", "datasets", name)
        yield from _columns(dataset, path, find)
        yield from _way_to_subject(data_map, name, path, find)
        yield from time_zone_problems(dataset.time_zone, (*path, "time_zone"), find)
        yield from _rules(policy, name, path, find)
        yield from _facts(dataset, name, path, find)
    yield from _folders(data_map, find)


def all_columns(dataset: Dataset) -> set[str]:
    """Every column that the data map lists for a dataset."""
    return {*dataset.columns, *dataset.not_personal}


def subject_chain(data_map: DataMap, name: str) -> tuple[str, ...]:
    """The datasets from `name` to the one that has the subject in a column of its own, in the order of the way.

    Empty if there is no such way: it leads to nobody, to an unknown dataset, or in a circle.
    """
    chain: list[str] = []
    while name in data_map.datasets and name not in chain:
        chain.append(name)
        subject = data_map.datasets[name].subject
        if isinstance(subject, NoSubject):
            return ()
        if subject.through is None:
            return tuple(chain)
        name = subject.through.dataset
    return ()


def time_zone_problems(zone: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    """A zone that does not exist would move every period by hours, or stop the run half-way."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        yield find(
            Check.UNKNOWN_TIME_ZONE, path, f"there is no time zone {zone!r}.", "write one such as Europe/London or UTC."
        )


def _tables(data_map: DataMap, find: Finder) -> Iterator[Problem]:
    for database in data_map.databases:
        yield from _tables_of(data_map.at(database), place_of(database), find)
    for name, dataset in data_map.datasets.items():
        if dataset.connection not in data_map.databases:
            here = ("data_map", "datasets", name, "connection")
            yield unknown_connection(data_map, dataset.connection, dataset.table, here, find)


def place_of(database: str) -> EntryPath:
    """Where the data map says what of a database must be accounted for."""
    return ("data_map",) if database == MAIN else ("data_map", "connections", database)


def _tables_of(part: DataMap, place: EntryPath, find: Finder) -> Iterator[Problem]:
    """The same for one database: each has tables of its own, and may have one of the same name as another."""
    for schema in part.other_schemas:
        if schema in part.schemas:
            yield find(
                Check.TABLE_TWICE,
                (*place, "other_schemas", schema),
                f"the schema {schema} is to be covered, and is exempt.",
                "remove it from `schemas` or from `other_schemas`.",
            )
    first: dict[str, str] = {}
    for name, dataset in part.datasets.items():
        path = ("data_map", "datasets", name, "table")
        yield from _table_place(part, dataset.table, path, find)
        if dataset.table in first:
            yield find(
                Check.TABLE_TWICE,
                path,
                f"{dataset.table} is registered already as {first[dataset.table]}.",
                "keep one dataset for each table; give a rule several conditions instead.",
            )
        if dataset.table in part.exemptions:
            yield find(
                Check.TABLE_TWICE,
                path,
                f"{dataset.table} is a dataset and an exemption at once.",
                "remove the exemption, or the dataset.",
            )
        first.setdefault(dataset.table, name)
    for table in part.exemptions:
        yield from _table_place(part, table, (*place, "exemptions", table), find)


def _table_place(part: DataMap, table: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    schema = table.split(".")[0]
    if schema in OWN_SCHEMAS:
        yield find(
            Check.OWN_REGISTERS,
            path,
            f"{table} belongs to Holdfast's own registers: ledger, holds and runs are never due.",
            "remove it from the data map.",
        )
    elif schema not in part.schemas:
        yield find(
            Check.OUTSIDE_SCHEMAS,
            path,
            f"the schema {schema} is not one of `schemas`, so nobody checks that it is covered completely.",
            f"add {schema} to `schemas`, or correct the name.",
        )


def unknown_connection(data_map: DataMap, connection: str, subject: str, path: EntryPath, find: Finder) -> Problem:
    """The finding for anything that is said to lie in a database which the data map does not have."""
    return find(
        Check.OTHER_CONNECTION,
        path,
        f"{subject} is on the connection {connection!r}; the data map has only {', '.join(data_map.databases)}.",
        f"correct the name, or describe the database under `connections: {{{connection}: ...}}`.",
    )


def across(data_map: DataMap, ours: str, other: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    """A finding if a dataset needs rows of one in another database: no statement sees both, and no lock holds both."""
    one, two = (data_map.datasets[name].connection for name in (ours, other))
    if one != two and {one, two} <= set(data_map.databases):
        yield find(
            Check.ACROSS_CONNECTIONS,
            path,
            f"{ours} is on the connection {one!r} and {other}, which it leads to, on {two!r}.",
            "keep both in one database, or copy the column that is needed into the table.",
        )


def _columns(dataset: Dataset, path: EntryPath, find: Finder) -> Iterator[Problem]:
    seen = set(dataset.columns)
    for i, column in enumerate(dataset.not_personal):
        if column in seen:
            yield find(
                Check.COLUMN_TWICE,
                (*path, "not_personal", str(i)),
                f"the column {column} is listed twice.",
                "list each column once: as personal, or as not personal.",
            )
        seen.add(column)
    for where, column in _columns_used(dataset):
        if column not in seen:
            yield find(
                Check.COLUMN_NOT_LISTED,
                (*path, *where),
                f"the column {column} is not listed for this dataset.",
                "add it to `columns` or `not_personal`, or correct the name.",
            )


def _columns_used(dataset: Dataset) -> Iterator[tuple[EntryPath, str]]:
    for i, column in enumerate(dataset.key):
        yield ("key", str(i)), column
    if isinstance(dataset.subject, Subject):
        for column in dataset.subject.columns:
            yield ("subject",), column
    if dataset.event is not None:
        yield ("event",), dataset.event
    if dataset.made is not None:
        yield ("made",), dataset.made
    if dataset.files is not None:
        yield ("files", "url"), dataset.files.url


def _way_to_subject(data_map: DataMap, name: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    subject = data_map.datasets[name].subject
    if isinstance(subject, NoSubject) or subject.through is None:
        return
    through = subject.through
    target = data_map.datasets.get(through.dataset)
    if target is None:
        yield find(
            Check.PATH_BROKEN,
            (*path, "subject", "through", "dataset"),
            f"there is no dataset {through.dataset}.",
            "name a dataset of the data map.",
        )
        return
    yield from across(data_map, name, through.dataset, (*path, "subject", "through", "dataset"), find)
    if not subject_chain(data_map, name):
        yield find(
            Check.PATH_BROKEN,
            (*path, "subject", "through", "dataset"),
            f"the way through {through.dataset} leads to no subject: a hold on an account would not reach these rows.",
            "lead it to a dataset that has the subject in a column, or say under `none` why there is no subject.",
        )
    if len(through.columns) != len(target.key):
        yield find(
            Check.KEYS_DIFFER,
            (*path, "subject", "through", "columns"),
            f"the key of {through.dataset} has {len(target.key)} columns ({', '.join(target.key)}), "
            f"these are {len(through.columns)}.",
            "name one column for each, in the order of that key.",
        )


def _rules(policy: Policy, name: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    has_rule = bool(policy.rules_for(name))
    no_rule = policy.data_map.datasets[name].no_rule
    if not has_rule and no_rule is None:
        yield find(
            Check.NO_RULE,
            path,
            f"{name} has no retention rule: its rows would be kept for ever.",
            "give it a rule in retention_schedule.yaml, or say why not under `no_rule`.",
        )
    if has_rule and no_rule is not None:
        yield find(
            Check.NO_RULE,
            (*path, "no_rule"),
            f"{name} is said to have no rule, and has one.",
            "remove `no_rule`, or the rules.",
        )


def _facts(dataset: Dataset, name: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if dataset.facts_first and dataset.connection != MAIN:
        yield find(
            Check.ACROSS_CONNECTIONS,
            (*path, "facts_first"),
            f"{name} is on the connection {dataset.connection!r}; statistics take their facts from {MAIN!r} alone.",
            f"keep the table in the database of {MAIN!r}.",
        )


def _folders(data_map: DataMap, find: Finder) -> Iterator[Problem]:
    """Objects are counted in each database by its own rows: of a folder of two, each would miss those of the other."""
    named = [
        (name, dataset.connection, f"{folder.rstrip('/')}/", ("data_map", "datasets", name, "files", "folders", str(i)))
        for name, dataset in data_map.datasets.items()
        for i, folder in enumerate(dataset.files.folders if dataset.files else ())
    ]
    for (name, database, folder, _), (other, elsewhere, within, path) in itertools.permutations(named, 2):
        if within.startswith(folder) and (name == other or database != elsewhere):
            yield find(
                Check.FOLDERS_OVERLAP,
                path,
                f"the folder lies in {folder} of {name}, so its objects would be counted twice, or by rows of another"
                " database.",
                "name each folder once, and keep the objects of each database in folders of their own.",
            )
    for name, dataset in data_map.datasets.items():
        if dataset.files and not dataset.files.folders and any(one != dataset.connection for _, one, _, _ in named):
            yield find(
                Check.FOLDERS_OVERLAP,
                ("data_map", "datasets", name, "files", "folders"),
                "a dataset of another database names folders: if these objects lie there, they count as nobody's.",
                "name the folders of these as well.",
            )
