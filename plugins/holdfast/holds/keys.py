"""The keys that a hold names: text in the register, and values of some column's type wherever they are compared.

A key is accepted only if it can be cast to that type, so that no later comparison fails half-way, and it is kept as
PostgreSQL writes the value back: `007` and ` 7` would otherwise be two spellings of one account, of which a record key
made of several columns, compared as text, would miss its row. PostgreSQL 15 has no way to ask beforehand whether a cast
will succeed, so it is tried within a savepoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

from holdfast import queries
from holdfast.policy.model import Policy, Subject

SEPARATOR = "|"
"""Between the columns of a key that has several."""

_ONE_SPELLING = frozenset(
    (
        "bigint", "boolean", "bpchar", "character varying", "date", "inet", "integer", "smallint", "text",
        "timestamp with time zone", "timestamp without time zone", "uuid",
    )
)  # fmt: skip
"""Types of which equal values are always written alike, as numeric (1 and 1.0) and citext are not."""


class ColumnType(UserDefinedType[object]):
    """A PostgreSQL type by the name that the catalogue gives it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


@dataclass(frozen=True)
class KeyTypes:
    """The types of all subjects, and of the key of each dataset whose table is there."""

    subjects: tuple[str, ...]
    records: dict[str, tuple[str, ...]]

    def written_alike(self) -> list[str]:
        """The datasets whose equal keys are always written alike, so that a key can be known again by its text."""
        return [name for name, types in self.records.items() if _ONE_SPELLING.issuperset(types)]

    def written_back(self, key: sa.ColumnElement[str], dataset: str) -> sa.ColumnElement[str] | None:
        """A record key of `dataset` as PostgreSQL writes it; None if no text can be relied on to name a record of it.

        That is where the table is not there, or where a column of several is of a type with more than one spelling.
        """
        types = self.records.get(dataset)
        if types is None or (len(types) > 1 and not _ONE_SPELLING.issuperset(types)):
            return None
        if len(types) == 1:
            return _through(key, types)
        parts = sa.func.string_to_array(key, SEPARATOR, type_=postgresql.ARRAY(sa.Text))
        return sa.func.concat_ws(SEPARATOR, *(_through(parts[i], (name,)) for i, name in enumerate(types, start=1)))

    def subject_written_back(self, key: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        """A subject as PostgreSQL writes it. It has to fit every dataset: a hold on a subject may reach them all."""
        return _through(key, self.subjects)


def read_types(connection: sa.Connection, policy: Policy) -> KeyTypes:
    """The types as the live database has them."""
    datasets = policy.data_map.datasets
    subject_of = {
        name: dataset.subject.column
        for name, dataset in datasets.items()
        if isinstance(dataset.subject, Subject) and dataset.subject.column
    }
    wanted = [(datasets[name].table, column) for name, column in subject_of.items()]
    wanted += [(dataset.table, column) for dataset in datasets.values() for column in dataset.key]
    values = {"tables": [table for table, _ in wanted], "columns": [column for _, column in wanted]}
    rows = queries.run(connection, "holds/column_types", values)
    types = {(row.table_name, row.column_name): str(row.type_name) for row in rows}
    subjects = {types.get((datasets[name].table, column)) for name, column in subject_of.items()}
    return KeyTypes(
        subjects=tuple(sorted(name for name in subjects if name is not None)),
        records={
            name: tuple(types[dataset.table, column] for column in dataset.key)
            for name, dataset in datasets.items()
            if all((dataset.table, column) in types for column in dataset.key)
        },
    )


def _through(key: sa.ColumnElement[str], types: Iterable[str]) -> sa.ColumnElement[str]:
    for name in types:
        key = sa.cast(sa.cast(key, ColumnType(name)), sa.Text)
    return key
