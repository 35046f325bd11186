"""The live database as frozen values: what tables there are, and what could get in the way of a deletion.

Read from PostgreSQL's own catalogue, not from information_schema, which hides what the present role may not touch.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries


class Kind(enum.StrEnum):
    """What PostgreSQL calls a relation (`pg_class.relkind`), in words."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    VIEW = "view"
    MATERIALISED_VIEW = "materialised view"
    FOREIGN_TABLE = "foreign table"

    @property
    def is_table(self) -> bool:
        """True for what holds rows of its own in this database."""
        return self in (Kind.TABLE, Kind.PARTITIONED)


_KINDS = {
    "r": Kind.TABLE,
    "p": Kind.PARTITIONED,
    "v": Kind.VIEW,
    "m": Kind.MATERIALISED_VIEW,
    "f": Kind.FOREIGN_TABLE,
}


class Family(enum.StrEnum):
    """Types that can stand for one another in a comparison without losing anything."""

    INTEGER = "integer"
    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    IP = "IP address"
    OTHER = "other"


_FAMILIES = {
    "int2": Family.INTEGER,
    "int4": Family.INTEGER,
    "int8": Family.INTEGER,
    "text": Family.TEXT,
    "varchar": Family.TEXT,
    "bpchar": Family.TEXT,
    "uuid": Family.UUID,
    "bool": Family.BOOLEAN,
    "date": Family.DATE,
    "timestamp": Family.TIMESTAMP,
    "timestamptz": Family.TIMESTAMP,
    "inet": Family.IP,
}


@dataclass(frozen=True)
class Column:
    """One column. `type_name` is as PostgreSQL writes it; `max_length` None means no limit."""

    name: str
    type_name: str
    base_type: str
    is_enum: bool
    not_null: bool
    is_generated: bool
    max_length: int | None

    @property
    def family(self) -> Family:
        return _FAMILIES.get(self.base_type, Family.OTHER)


@dataclass(frozen=True)
class UniqueKey:
    """A unique index that names one row at every moment."""

    name: str
    is_primary: bool
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """One table, view or foreign table; a partitioned table with its partitions is one."""

    name: str
    kind: Kind
    columns: Mapping[str, Column]
    unique_keys: tuple[UniqueKey, ...]
    row_security: bool
    foreign_partitions: int


@dataclass(frozen=True)
class ForeignKey:
    """`on_delete` is what becomes of the rows that refer: None (the deletion waits for them), or what changes them."""

    name: str
    child: str
    columns: tuple[str, ...]
    parent: str
    on_delete: str | None


_ON_DELETE = {"c": "ON DELETE CASCADE", "n": "ON DELETE SET NULL", "d": "ON DELETE SET DEFAULT"}


@dataclass(frozen=True)
class Trigger:
    """A trigger or rewrite rule (`kind`) that acts when a row is deleted or updated."""

    table: str
    name: str
    kind: str
    on_delete: bool
    on_update: bool


@dataclass(frozen=True)
class Catalogue:
    """Everything in the schemas that the policy must account for, and `schemas`: all there are, with what they hold."""

    schemas: Mapping[str, int]
    relations: Mapping[str, Relation]
    foreign_keys: tuple[ForeignKey, ...]
    triggers: tuple[Trigger, ...]
    inheritance: tuple[tuple[str, str], ...]
    """Pairs of parent and child."""


def read_catalogue(connection: sa.Connection, schemas: tuple[str, ...]) -> Catalogue:
    """The catalogue as the present transaction sees it."""
    wanted = {"schemas": list(schemas)}
    columns: dict[str, dict[str, Column]] = {}
    for row in queries.run(connection, "policy/columns", wanted).mappings():
        columns.setdefault(row["table_name"], {})[row["column_name"]] = Column(
            name=row["column_name"],
            type_name=row["type_name"],
            base_type=row["base_type"],
            is_enum=row["category"] == "E",
            not_null=row["not_null"],
            is_generated=row["is_generated"],
            max_length=row["max_length"],
        )
    keys: dict[str, list[UniqueKey]] = {}
    for row in queries.run(connection, "policy/unique_keys", wanted).mappings():
        key = UniqueKey(row["index_name"], row["is_primary"], tuple(row["column_names"]))
        keys.setdefault(row["table_name"], []).append(key)
    return Catalogue(
        schemas={row["schema_name"]: row["relations"] for row in queries.run(connection, "policy/schemas").mappings()},
        relations={
            row["table_name"]: Relation(
                name=row["table_name"],
                kind=_KINDS[row["kind"]],
                columns=columns.get(row["table_name"], {}),
                unique_keys=tuple(keys.get(row["table_name"], ())),
                row_security=row["row_security"],
                foreign_partitions=row["foreign_partitions"],
            )
            for row in queries.run(connection, "policy/relations", wanted).mappings()
        },
        foreign_keys=tuple(
            ForeignKey(
                name=row["constraint_name"],
                child=row["child_table"],
                columns=tuple(row["child_columns"]),
                parent=row["parent_table"],
                on_delete=_ON_DELETE.get(row["on_delete"]),
            )
            for row in queries.run(connection, "policy/foreign_keys", wanted).mappings()
        ),
        triggers=tuple(
            Trigger(row["table_name"], row["trigger_name"], row["kind"], row["on_delete"], row["on_update"])
            for row in queries.run(connection, "policy/triggers", wanted).mappings()
        ),
        inheritance=tuple(
            (row["parent_table"], row["child_table"])
            for row in queries.run(connection, "policy/inheritance", wanted).mappings()
        ),
    )
