"""What SQLAlchemy has no words for: COPY, and a table made of a query. Names are quoted, values written as literals."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

COPY_ENCODINGS = {"ascii": "UTF8", "utf-8": "UTF8", "latin-1": "LATIN1"}
LINE_SEPARATOR, LINE_QUOTE = "\x01", "\x02"
"""No layout allows them, so that with them COPY takes a whole line for one value."""


def make_table(connection: sa.Connection, schema: str, name: str, rows: sa.Select[Any]) -> None:
    """Make an unlogged table of the rows. Unlike INSERT, this lets the database use more than one process."""
    statement = sql.SQL("CREATE UNLOGGED TABLE {} AS {}").format(
        sql.Identifier(schema, name), literal(connection, rows)
    )
    driver(connection).execute(statement)


def execute(connection: sa.Connection, statement: sa.UpdateBase) -> int:
    """Carry out an insertion or a change; how many rows it was, which is not kept unless asked for."""
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def make_key(connection: sa.Connection, table: sa.Table, column: str) -> None:
    """Give a table that was filled just now its primary key."""
    driver(connection).execute(
        sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(_name(table), sql.Identifier(column))
    )


def add_column(connection: sa.Connection, table: sa.Table, column: str) -> None:
    """Give a table another column of text."""
    driver(connection).execute(
        sql.SQL("ALTER TABLE {} ADD COLUMN {} text").format(_name(table), sql.Identifier(column))
    )


def analyze(connection: sa.Connection, table: sa.Table) -> None:
    """Let the planner know what was loaded."""
    driver(connection).execute(sql.SQL("ANALYZE {}").format(_name(table)))


def literal(connection: sa.Connection, rows: sa.Select[Any]) -> sql.Composable:
    """The query as text with its values in it, for statements that take no parameters."""
    compiled = str(rows.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    return sql.SQL(compiled.replace("%%", "%").replace("{", "{{").replace("}", "}}")).format()


def driver(connection: sa.Connection) -> psycopg.Connection[tuple[object, ...]]:
    """The driver's own connection, within the same transaction."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def _name(table: sa.Table) -> sql.Identifier:
    return sql.Identifier(table.schema or "", table.name)
