"""Is every table and column of the live database accounted for, and can every rule do there what it says?

Run before anything is planned. A table or column that neither file mentions is an error: it may hold personal data
that no rule will ever delete. What is not covered by these checks is written down in docs/coverage.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from holdfast import settings
from holdfast.policy import consistency, fitness, hazards
from holdfast.policy.catalogue import Catalogue, Relation, read_catalogue
from holdfast.policy.data_map_checks import OWN_SCHEMAS, all_columns, place_of
from holdfast.policy.model import Dataset, Policy
from holdfast.policy.problems import Check, DatabaseNotCovered, EntryPath, Finder, Problem

HOLD_SOURCE_FOLDER = "provider/holds"
FRESHNESS = "_freshness"


def check_database(
    policy: Policy, connection: sa.Connection, as_of: dt.date, database: str = settings.MAIN
) -> tuple[Problem, ...]:
    """Everything that keeps a policy from being enforced on one of its databases that day, in the files' order."""
    find = Finder(policy.places)
    part, place = policy.at(database), place_of(database)
    catalogue = read_catalogue(connection, part.data_map.schemas)
    return tuple(
        sorted(
            (
                *consistency.overdue_reviews(policy, as_of),
                *_hold_source_queries(policy, find),
                *_schemas(part, place, catalogue, find),
                *_relations(part, place, catalogue, find),
                *_datasets(part, catalogue, find),
                *fitness.problems(part, catalogue, find),
                *hazards.problems(part, catalogue, find),
            )
        )
    )


def require_coverage(policy: Policy, connection: sa.Connection, as_of: dt.date, database: str = settings.MAIN) -> None:
    """Raises DatabaseNotCovered, with every finding, if there is one."""
    found = check_database(policy, connection, as_of, database)
    if found:
        raise DatabaseNotCovered(found)


def _hold_source_queries(policy: Policy, find: Finder) -> Iterator[Problem]:
    present = {file.stem for file in (settings.load().sql / HOLD_SOURCE_FOLDER).glob("*.sql")}
    for name in policy.holds.sources:
        for query in (name, name + FRESHNESS):
            if query not in present:
                yield find(
                    Check.SOURCE_QUERY_MISSING,
                    ("holds", "sources", name),
                    f"the query sql/{HOLD_SOURCE_FOLDER}/{query}.sql is missing, so this source cannot be read.",
                    "write the query, or remove the source.",
                )
    for query in sorted(present):
        if query.removesuffix(FRESHNESS) not in policy.holds.sources:
            yield find(
                Check.SOURCE_NOT_NAMED,
                ("holds", "sources"),
                f"no source is called {query.removesuffix(FRESHNESS)}, so sql/{HOLD_SOURCE_FOLDER}/{query}.sql is "
                "never read and its holds stop nothing.",
                "name the source, or remove the file.",
            )


def _schemas(policy: Policy, place: EntryPath, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    for i, schema in enumerate(policy.data_map.schemas):
        if schema not in catalogue.schemas:
            yield find(
                Check.SCHEMA_MISSING,
                (*place, "schemas", str(i)),
                f"the database has no schema {schema}.",
                "correct the name, or connect to the database that has it.",
            )
    known = {*policy.data_map.schemas, *policy.data_map.other_schemas, *OWN_SCHEMAS}
    for schema, relations in catalogue.schemas.items():
        if relations and schema not in known:
            yield find(
                Check.SCHEMA_UNREGISTERED,
                (*place, "schemas"),
                f"the schema {schema} is not mentioned; tables and views in it: {relations}.",
                "add it to `schemas` and register its tables, or say under `other_schemas` why it needs no cover.",
            )


def _relations(policy: Policy, place: EntryPath, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    registered = {dataset.table for dataset in policy.data_map.datasets.values()}
    where = f" of the connection {place[-1]}" if len(place) > 1 else ""
    for table, relation in catalogue.relations.items():
        if table not in registered and table not in policy.data_map.exemptions:
            yield find(
                Check.TABLE_UNREGISTERED,
                ("data_map", "datasets"),
                f"the {relation.kind} {table}{where} is neither a dataset nor exempt.",
                "register it as a dataset, or exempt it with a reason, an owner and a day of review.",
            )
    for table in policy.data_map.exemptions:
        if table.split(".")[0] in catalogue.schemas and table not in catalogue.relations:
            yield find(
                Check.TABLE_MISSING,
                (*place, "exemptions", table),
                f"the database has no {table}.",
                "remove the exemption, or correct the name.",
            )


def _datasets(policy: Policy, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    for name, dataset in policy.data_map.datasets.items():
        path = ("data_map", "datasets", name)
        relation = catalogue.relations.get(dataset.table)
        if relation is None:
            yield find(
                Check.TABLE_MISSING,
                (*path, "table"),
                f"the database has no table {dataset.table}.",
                "correct the name, or remove the dataset with its rules.",
            )
        elif not relation.kind.is_table:
            yield find(
                Check.NOT_A_TABLE,
                (*path, "table"),
                f"{dataset.table} is a {relation.kind}: a deletion there is not a deletion of what lies below it.",
                "register the table that has the rows, and exempt the "
                f"{relation.kind} with the reason that it has no data of its own.",
            )
        else:
            yield from _columns(dataset, relation, path, find)
            yield from _key(dataset, relation, path, find)


def _columns(dataset: Dataset, relation: Relation, path: EntryPath, find: Finder) -> Iterator[Problem]:
    for column in relation.columns:
        if column not in all_columns(dataset):
            yield find(
                Check.COLUMN_UNREGISTERED,
                (*path, "columns"),
                f"the column {column} of {relation.name} is not listed.",
                "list it under `columns` if it can hold personal data, otherwise under `not_personal`.",
            )
    written = {column: (*path, "columns", column) for column in dataset.columns}
    written |= {column: (*path, "not_personal", str(i)) for i, column in enumerate(dataset.not_personal)}
    for column, here in written.items():
        if column not in relation.columns:
            yield find(
                Check.COLUMN_MISSING,
                here,
                f"{relation.name} has no column {column}.",
                "correct the name, or remove the column here and wherever a rule uses it.",
            )


def _key(dataset: Dataset, relation: Relation, path: EntryPath, find: Finder) -> Iterator[Problem]:
    names = {key.columns for key in relation.unique_keys if key.is_primary or _never_null(key.columns, relation)}
    if not names:
        yield find(
            Check.NO_PRIMARY_KEY,
            (*path, "key"),
            f"{relation.name} has no primary key, so a row cannot be named: not in a hold, not in a batch.",
            "add a primary key, or a unique constraint over columns that are NOT NULL.",
        )
    elif set(dataset.key) not in [set(columns) for columns in names]:
        choices = " or ".join(sorted(f"({', '.join(columns)})" for columns in names))
        yield find(
            Check.NOT_THE_KEY,
            (*path, "key"),
            f"({', '.join(dataset.key)}) is not the key of {relation.name}, which is {choices}: "
            "one key could name several rows.",
            "name the columns of the primary key, all of them.",
        )


def _never_null(columns: tuple[str, ...], relation: Relation) -> bool:
    return all(relation.columns[column].not_null for column in columns)
