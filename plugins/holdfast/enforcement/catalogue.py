"""The live database's tables and foreign keys, read once a step. Names from a policy become SQL only through here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import CoverageError

_SYSTEM_COLUMNS = ("ctid", "xmin")


@dataclass(frozen=True)
class ForeignKey:
    """`child_columns` of `child_table` refer to `parent_columns` of `parent_table`; tables as `schema.name`."""

    child_table: str
    child_columns: tuple[str, ...]
    parent_table: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """A physical table: a whole table (`parent` None), or one partition of `parent` (schema and name).

    `key_column` and the bounds are None where they can't be read: not one range of one plain column.
    `may_drop`: it is a partition, and it and its parent belong to the present role.
    """

    schema: str
    name: str
    parent: tuple[str, str] | None
    is_default: bool
    key_column: str | None
    from_bound: str | None
    to_bound: str | None
    may_drop: bool
    blocks: int
    rows_per_block: float


@dataclass(frozen=True)
class Catalogue:
    """Tables by qualified name, each with the type name of its columns, and all foreign keys."""

    columns: dict[str, dict[str, str]]
    foreign_keys: tuple[ForeignKey, ...] = field(default=())

    def table(self, name: str, columns: Iterable[str], *, leaf: Leaf | None = None) -> sa.TableClause:
        """A table whose identifiers exist, as SQLAlchemy writes them (quoted where need be). Raises as `require`."""
        self.require(name, columns)
        schema, _, bare = name.partition(".")
        if leaf is not None:
            schema, bare = leaf.schema, leaf.name
        named = (*self.columns[name], *_SYSTEM_COLUMNS)
        return sa.table(bare, *(sa.column(column) for column in named), schema=schema)

    def require(self, name: str, columns: Iterable[str]) -> None:
        """Raise CoverageError if the table or one of `columns` is not in the database."""
        known = self.columns.get(name)
        missing = sorted(set(columns) - set(known or ()))
        if known is None or missing:
            what = f"column {', '.join(missing)} of {name}" if known else f"table {name}"
            raise CoverageError(
                f"The policy names the {what}, which the database does not have.", fix="run `holdfast policy check`."
            )

    def type_of(self, table: str, column: str) -> str:
        """The type's name as PostgreSQL writes it, for example `timestamp with time zone`."""
        return self.columns[table][column]


def read(connection: sa.Connection, schemas: Collection[str]) -> Catalogue:
    """The catalogue of these schemas as this transaction sees it."""
    values = {"schemas": sorted(schemas)}
    columns: dict[str, dict[str, str]] = {}
    for row in queries.run(connection, "enforcement/columns", values):
        columns.setdefault(row.table_name, {})[row.column_name] = row.type_name
    keys = tuple(
        ForeignKey(row.child_table, tuple(row.child_columns), row.parent_table, tuple(row.parent_columns))
        for row in queries.run(connection, "enforcement/foreign_keys", values)
    )
    return Catalogue(columns, keys)


_USUAL_ROWS_PER_BLOCK = 100.0


def leaves(connection: sa.Connection, table: str) -> list[Leaf]:
    """The physical tables of `table`, with their size now."""
    schema, _, name = table.partition(".")
    found = queries.run(connection, "enforcement/leaves", {"schema_name": schema, "table_name": name})
    return [
        Leaf(
            schema=row.leaf_schema,
            name=row.leaf_name,
            parent=(row.parent_schema, row.parent_name) if row.parent_name else None,
            is_default=row.is_default,
            key_column=row.key_column,
            from_bound=row.from_bound,
            to_bound=row.to_bound,
            may_drop=row.may_drop,
            blocks=row.blocks,
            rows_per_block=_rows_per_block(row.rows_estimate, row.pages_estimate),
        )
        for row in found
    ]


def _rows_per_block(rows: float, pages: int) -> float:
    """From the last ANALYZE; never analysed means the usual density."""
    return max(1.0, rows / pages) if rows > 0 and pages > 0 else _USUAL_ROWS_PER_BLOCK
