"""Kept rows laid open for the length of a transaction, so that SQL can say of each what a hold or a request wants."""

from __future__ import annotations

import sqlalchemy as sa
from psycopg import sql

from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.rows import NamedType, Rows
from holdfast.enforcement.undo import box
from holdfast.enforcement.undo.box import Label, Pack
from holdfast.enforcement.undo.keeping import Layout, layout
from holdfast.policy.model import Policy

SUBJECT = "holdfast_subject"
TABLE = "holdfast_undo"


class KeptRows(Rows):
    """Rows of a dataset as they were, in a table of this session's own; whom each was about was noted as it went."""

    def __init__(self, policy: Policy, catalogue: Catalogue, name: str, columns: tuple[str, ...]) -> None:
        kept = sa.table(TABLE, *(sa.column(one) for one in (SUBJECT, *columns)))
        super().__init__(policy, catalogue, name, table=kept)

    @property
    def subject_type(self) -> NamedType:
        return Rows(self.policy, self.catalogue, self.name).subject_type

    @property
    def subject_column(self) -> sa.ColumnElement[object] | None:
        return sa.cast(self.table.c[SUBJECT], self.subject_type) if self.needs_subject else None


def fits(connection: sa.Connection, policy: Policy, label: Label) -> bool:
    """Whether the rows still have the form of their dataset's table."""
    dataset = policy.data_map.datasets.get(label.dataset)
    then = Layout(label.row_columns, label.column_types)
    return dataset is not None and layout(connection, dataset.table) == then


def make_table(connection: sa.Connection, rows: KeptRows, columns: tuple[str, ...]) -> None:
    """An empty table for kept rows, gone when the transaction ends. Their types are the table's own."""
    schema, _, name = rows.dataset.table.partition(".")
    statement = sql.SQL(
        "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT CAST(NULL AS text) AS {}, {} FROM {} LIMIT 0"
    )
    driver = box.driver_of(connection)
    driver.execute(
        statement.format(
            sql.Identifier(TABLE),
            sql.Identifier(SUBJECT),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.Identifier(schema, name),
        )
    )


def drop_table(connection: sa.Connection) -> None:
    """Make room for the next one in the same transaction."""
    box.driver_of(connection).execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(TABLE)))


def fill(connection: sa.Connection, label: Label, pack: Pack) -> None:
    """Lay a pack open in the table."""
    box.copy_in(connection, TABLE, (SUBJECT, *label.row_columns), pack.copied)
