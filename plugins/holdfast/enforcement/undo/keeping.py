"""Delete a batch's rows and keep them encrypted, in one transaction: a row is in its table or here, never in both."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement.predicate import statements
from holdfast.enforcement.predicate.base import Predicate
from holdfast.enforcement.shards import Shard
from holdfast.enforcement.undo import box
from holdfast.enforcement.undo.box import Label, Pack
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import ConservationError
from holdfast.evidence import ledger


@dataclass(frozen=True)
class Layout:
    """A table's columns that are stored as they were given, and their types."""

    names: tuple[str, ...]
    types: tuple[str, ...]


def layout(connection: sa.Connection, table: str) -> Layout:
    """The layout that the table has now; empty where there is no such table."""
    found = queries.run(connection, "undo/columns", {"table_name": table}).one()
    return Layout(tuple(found.names or ()), tuple(found.types or ()))


@dataclass(frozen=True)
class Kept:
    """What a batch deleted, and how much of it is kept until which day."""

    rows: int
    until: Mapping[dt.date, int]


def delete(connection: sa.Connection, keys: Keys, shard: Shard, predicate: Predicate, blocks: dict[str, str]) -> Kept:
    """Delete the due rows of these blocks. What is not late yet is encrypted until the day on which it must be gone."""
    table = predicate.rows.dataset.table
    columns = layout(connection, table)
    statement = statements.delete_returning(predicate, columns.names)
    rows, packs = box.by_day(box.copy_out(connection, statement, **blocks))
    until: dict[dt.date, int] = {}
    for day in sorted(packs):
        label = Label(
            run_id=shard.run_id,
            rule_id=shard.rule_id,
            dataset=predicate.dataset,
            wave=shard.wave,
            gone_by=day,
            ends_on=day,
            row_columns=columns.names,
            column_types=columns.types,
        )
        until[day] = store(connection, keys, label, packs[day])
    return Kept(rows, until)


def store(connection: sa.Connection, keys: Keys, label: Label, packs: Sequence[Pack], *, why: str = "window") -> int:
    """Encrypt what was packed, with the key of its run and day; the rows. `why` they are kept is for reports."""
    key = keys.make_or_load(label.run_id, label.ends_on)
    for pack in packs:
        values: dict[str, Any] = {
            **dataclasses.asdict(label),
            "row_columns": list(label.row_columns),
            "column_types": list(label.column_types),
            "why": why,
            "kept_rows": pack.rows,
            "sealed": pack.seal(key, label),
        }
        queries.run(connection, "undo/add_batch", values)
    return sum(pack.rows for pack in packs)


def verify(connection: sa.Connection, keys: Keys, run_id: int) -> None:
    """All that the ledger says a run kept is there, and so are its keys. Raises ConservationError otherwise."""
    recorded: dict[str, int] = {}
    for entry in ledger.entries_of_run(connection, run_id):
        for day, rows in entry.facts.get("kept", {}).items():
            recorded[day] = recorded.get(day, 0) + rows
    there = {row.ends_on: row.kept_rows for row in queries.run(connection, "undo/kept_rows", {"run_id": run_id})}
    if recorded != {day.isoformat(): rows for day, rows in there.items()}:
        raise ConservationError(
            f"Run {run_id} kept {recorded} rows encrypted by its entries, and the undo store has {there}.",
            fix="find out who else writes to holdfast.undo_batch.",
            run=run_id,
        )
    for day in there:
        keys.load(run_id, day)
