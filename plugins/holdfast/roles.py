"""The database's roles, as `sql/roles/matrix.yaml` has them: `holdfast migrate` makes them, each part works as one.

A part works as its role (SET ROLE), so its login needs no right but to take it. What a role may do with the provider's
own tables follows from the data map; the matrix says the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, LiteralString

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.sql import SQL, Identifier
from pydantic import Field

from holdfast import database, queries
from holdfast.errors import MigrationError, SettingsError
from holdfast.policy.load import load_document, load_policy
from holdfast.policy.model import DataMap, Sentence, Strict
from holdfast.settings import Settings

Verb = Literal["select", "insert", "update", "delete", "lock", "own"]
_MAKE: LiteralString = """
DO $make$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role}) THEN
        CREATE ROLE {name} NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- roles are the server's: another database's migration did it
END $make$
"""


class Role(Strict):
    """One role: what it may do with groups of our tables and with the provider's, and which steps work as it."""

    meaning: Sentence
    is_also: tuple[str, ...] = ()
    ours: dict[str, tuple[Verb, ...]] = Field(default={})
    functions: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    creates_in: tuple[str, ...] = ()
    provider: tuple[Literal["select", "insert", "update", "delete"], ...] = ()
    steps: tuple[str, ...] = ()


class Matrix(Strict):
    """Every table of ours in one group, and every role by its name."""

    version: Literal[1]
    groups: dict[str, tuple[str, ...]]
    roles: dict[str, Role]

    def of_step(self, name: str) -> str:
        """The role that works a step, `<package>.<function>`: named itself, or else by its package."""
        package = name.split(".")[0]
        for wanted in (name, package):
            for role, one in self.roles.items():
                if wanted in one.steps:
                    return role
        raise SettingsError(f"No role works the step {name}.", fix="name it under `steps` in sql/roles/matrix.yaml.")

    def ours(self, role: str) -> Iterator[tuple[str, Verb]]:
        """(table, verb) for all that a role itself may do with our tables."""
        for group, verbs in self.roles[role].ours.items():
            for table in self.groups[group]:
                for verb in verbs:
                    yield table, verb


def load(folder: Path) -> Matrix:
    """The matrix of this version, from the folder `sql`. Raises PolicyError, with file and line, if it is not one."""
    return load_document(Matrix, folder / "roles" / "matrix.yaml")[0]


def renew(engine: sa.Engine, settings: Settings) -> None:
    """Give the roles what this version and this installation's data map say. Raises as `apply`, or PolicyRefused."""
    with database.transaction(engine) as connection:
        apply(connection, load(settings.sql), load_policy(settings.policy).data_map.at(settings.database))


def apply(connection: sa.Connection, matrix: Matrix, data_map: DataMap) -> None:
    """Make the roles that are missing, and give each what the matrix says and nothing else, in this database.

    Raises MigrationError where our login may not.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        for role in matrix.roles:
            driver.execute(SQL(_MAKE).format(role=sql.Literal(role), name=Identifier(role)))
        for statement in _grants(connection, matrix, data_map):
            driver.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            "Our login may not make the roles of sql/roles/matrix.yaml, or not give them their rights.",
            fix="run `holdfast migrate` as a login with CREATEROLE that owns the tables.",
        ) from error


def _grants(connection: sa.Connection, matrix: Matrix, data_map: DataMap) -> Iterator[sql.Composed]:
    theirs = queries.run(connection, "roles/provider_tables", {"schemas": sorted(data_map.schemas)}).all()
    ours = {table.partition(".")[0] for tables in matrix.groups.values() for table in tables}
    schemas = sorted(ours | {row.schema_name for row in theirs})
    registered = {dataset.table for dataset in data_map.datasets.values()}
    tables = [entry for entries in matrix.groups.values() for entry in entries if not parts(entry)[1]]
    for name, role in matrix.roles.items():
        to = Identifier(name)
        for schema in schemas:
            if schema not in ours:
                yield SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(Identifier(schema), to)
            yield SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(Identifier(schema), to)
        # Not all tables of our schemas: what a role has made for itself it keeps.
        yield from (SQL("REVOKE ALL ON {} FROM {}").format(_name(table), to) for table in tables)
        yield from _on_ours(matrix, name, sorted(ours), _lock_right(connection))
        if role.provider:
            yield from _on_theirs(Identifier(name), role, theirs, registered)
    for name, role in matrix.roles.items():
        yield from (SQL("GRANT {} TO {}").format(Identifier(other), Identifier(name)) for other in role.is_also)
        yield SQL("GRANT {} TO CURRENT_USER").format(Identifier(name))


def _on_ours(matrix: Matrix, name: str, schemas: Sequence[str], lock: LiteralString) -> Iterator[sql.Composed]:
    role, to = matrix.roles[name], Identifier(name)
    for schema in schemas:
        creates = SQL(", CREATE" if schema in role.creates_in else "")
        yield SQL("GRANT USAGE{} ON SCHEMA {} TO {}").format(creates, Identifier(schema), to)
    for entry, verb in matrix.ours(name):
        table, columns = parts(entry)
        if verb == "own":
            yield SQL("ALTER TABLE {} OWNER TO {}").format(_name(table), to)
            yield SQL("GRANT ALL ON {} TO {}").format(_name(table), to)  # an owner's own rights were taken away above
        else:
            right = SQL(lock if verb == "lock" else verb)
            of = SQL(" ({})").format(SQL(", ").join(map(Identifier, columns))) if columns else SQL("")
            yield SQL("GRANT {}{} ON {} TO {}").format(right, of, _name(table), to)
    for sequence in role.sequences:
        yield SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(_name(sequence), to)
    for function in role.functions:
        yield SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(_name(function), to)


def _on_theirs(
    to: Identifier, role: Role, tables: Sequence[sa.Row[Any]], registered: Collection[str]
) -> Iterator[sql.Composed]:
    for schema in sorted({row.schema_name for row in tables}):
        yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(schema), to)
    for row in tables:
        verbs = [verb for verb in role.provider if verb == "select" or row.root_name in registered]
        yield SQL("GRANT {} ON {} TO {}").format(SQL(", ").join(map(SQL, verbs)), _name(row.table_name), to)


def parts(entry: str) -> tuple[str, tuple[str, ...]]:
    """A group's entry, `schema.table` or `schema.table(column, column)`, as the table and the columns that it names."""
    table, _, columns = entry.rstrip(")").partition("(")
    return table, tuple(one.strip() for one in columns.split(",") if one)


def _lock_right(connection: sa.Connection) -> LiteralString:
    """PostgreSQL 17 has a right that locks and changes nothing; before it only one that changes locks as well."""
    version = connection.dialect.server_version_info
    return "MAINTAIN" if version is not None and version >= (17,) else "UPDATE"


def _name(table: str) -> Identifier:
    return Identifier(*table.split("."))
