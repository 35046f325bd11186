"""A hold source's two queries: found, checked against the shape they must have, and run inside PostgreSQL.

`sql/provider/holds/<source>.sql` gives the holds, `<source>_freshness.sql` when they were last complete. Both are the
provider's own, so nothing about them is taken for granted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

import psycopg
import sqlalchemy as sa

from holdfast import database, queries
from holdfast.errors import HoldSourceUntrusted, QueryError
from holdfast.policy.coverage import FRESHNESS, HOLD_SOURCE_FOLDER
from holdfast.policy.model.holds import BY_HAND
from holdfast.settings import Settings

HOLD_COLUMNS: Mapping[str, str] = {
    "reference": "text",
    "hold_type": "text",
    "subject_key": "text",
    "datasets": "text[]",
    "record_key": "text",
    "period_from": "date",
    "period_to": "date",
    "ground": "text",
    "disclosable": "boolean",
    "ends_on": "date",
    "review_on": "date",
}
_FRESHNESS_COLUMNS: Mapping[str, str] = {"loaded_at": "timestamptz"}
_BY_HAND = "holds/by_hand"
_STAGE = sa.table("hold_staged", *map(sa.column, HOLD_COLUMNS), schema="pg_temp")


def loaded_at(connection: sa.Connection, settings: Settings, source_id: str) -> dt.datetime | None:
    """When the source was last complete; None: never, or it is being loaded.

    The main register is complete at every moment. Raises HoldSourceUntrusted if there is no such query, QueryError if
    it is not what it must be.
    """
    if source_id == BY_HAND:
        at: dt.datetime = queries.run(connection, "holds/clock").scalar_one()
        return at
    name = f"{HOLD_SOURCE_FOLDER}/{source_id}{FRESHNESS}"
    read = _checked(connection, settings, name, _FRESHNESS_COLUMNS, {})
    found = connection.execute(sa.select(read.c.loaded_at).limit(2)).scalars().all()
    if len(found) > 1:
        raise QueryError(f"sql/{name}.sql returns more than one row.", fix="return one row: the oldest of the moments.")
    return found[0] if found else None


def stage(connection: sa.Connection, settings: Settings, source_id: str, as_of: dt.date) -> None:
    """Put the source's holds of the day `as_of` into pg_temp.hold_staged, without moving them through Python.

    Raises HoldSourceUntrusted if there is no such query, QueryError if it is not what it must be.
    """
    name = _BY_HAND if source_id == BY_HAND else f"{HOLD_SOURCE_FOLDER}/{source_id}"
    read = _checked(connection, settings, name, HOLD_COLUMNS, {"as_of": as_of})
    queries.run(connection, "holds/stage")
    connection.execute(sa.insert(_STAGE).from_select(list(HOLD_COLUMNS), sa.select(*read.c)))
    queries.run(connection, "holds/analyze_staged")


def bring(source: sa.Connection, to: sa.Connection) -> None:
    """Bring what is staged in one database into another's stage."""
    queries.run(to, "holds/stage")
    database.bring(source, "TABLE pg_temp.hold_staged", to, "pg_temp.hold_staged")
    queries.run(to, "holds/analyze_staged")


def _checked(
    connection: sa.Connection, settings: Settings, name: str, columns: Mapping[str, str], values: Mapping[str, object]
) -> sa.Subquery:
    """The query as something to select `columns` from. It is planned, not run, to see what it would return."""
    if not (settings.sql / f"{name}.sql").is_file():
        raise HoldSourceUntrusted(
            f"There is no sql/{name}.sql.", fix="write the query, or remove the source.", reason="file_missing"
        )
    statement = queries.query(name)
    # Within parentheses: no semicolon, and a comment at the end must not swallow the closing one.
    text = sa.text(statement.text.rstrip().removesuffix(";") + "\n")
    asked = set(text.compile().params)
    if not asked <= values.keys():
        raise QueryError(
            f"sql/{name}.sql asks for {', '.join(sorted(asked - values.keys()))}, which it is not given.",
            fix=f"use no parameter but {', '.join(values)}." if values else "use no parameter.",
        )
    given = text.bindparams(**{key: value for key, value in values.items() if key in asked})
    read = given.columns(*map(sa.column, columns)).subquery("read")
    nothing: sa.CursorResult[object]
    with connection.execute(sa.select(sa.literal_column("*")).select_from(read).limit(0)) as nothing:
        # What the driver was told, because SQLAlchemy knows only the types it was given.
        _check_shape(name, columns, [(str(column[0]), cast("int", column[1])) for column in nothing.cursor.description])
    return read


def _check_shape(name: str, columns: Mapping[str, str], returned: list[tuple[str, int]]) -> None:
    """Raises QueryError, naming file and column, unless exactly `columns` come back, each once and of its type."""
    names = [column for column, _ in returned]
    wrong = [f"{column} is missing" for column in columns if column not in names]
    wrong += [f"{column} is not expected" for column in dict.fromkeys(names) if column not in columns]
    wrong += [f"{column} comes twice" for column in columns if names.count(column) > 1]
    wrong += [
        f"{column} is of the type {_type_name(oid)} and must be {columns[column]}"
        for column, oid in returned
        if column in columns and oid != _oid(columns[column])
    ]
    if wrong:
        raise QueryError(
            f"sql/{name}.sql does not return what it must: {'; '.join(wrong)}.",
            fix=f"return {', '.join(f'{column} {kind}' for column, kind in columns.items())}; cast where need be.",
        )


def _oid(kind: str) -> int:
    known = psycopg.adapters.types[kind.removesuffix("[]")]
    return known.array_oid if kind.endswith("[]") else known.oid


def _type_name(oid: int) -> str:
    known = psycopg.adapters.types.get(oid)
    if known is None:
        return f"number {oid}"
    return f"{known.name}[]" if known.array_oid == oid else known.name
