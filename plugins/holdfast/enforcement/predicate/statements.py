"""The statements that change the provider's tables: delete or anonymise a range of blocks, drop a partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningDelete

from holdfast.enforcement.catalogue import Leaf
from holdfast.enforcement.predicate.base import Predicate
from holdfast.enforcement.predicate.rows import Bool, NamedType

_TID = NamedType("tid")
_LOOKS_FOR_A_CHANGE = 10


def change_blocks(predicate: Predicate, pseudonym_key: bytes) -> sa.Delete | sa.Update:
    """Delete or anonymise the due rows in blocks [from_block, to_block), given as the parameters `first` and `end`."""
    table = predicate.rows.table
    conditions = (*_in_blocks(), predicate.due())
    if not predicate.deletes:
        values = predicate.new_values(pseudonym_key)
        return sa.update(table).values(values).where(*conditions)  # type: ignore[arg-type]
    return sa.delete(table).where(*conditions)  # type: ignore[arg-type]


def delete_returning(predicate: Predicate, columns: Sequence[str]) -> ReturningDelete[Any]:
    """Delete the due rows in those blocks. Returns of each until when it is kept, whom it is about, and its columns.

    The subject as text: where it is found through other rows, those may be gone when somebody asks next.
    """
    rows = predicate.rows
    subject = rows.subject_value() if rows.needs_subject else sa.null()
    own: list[sa.ColumnElement[Any]] = [rows.table.c[name] for name in columns]
    due = sa.delete(rows.table).where(*_in_blocks(), predicate.due())  # type: ignore[arg-type]
    return due.returning(predicate.kept_until(), sa.cast(subject, sa.Text), *own)


def due_files(predicate: Predicate) -> sa.Select[Any]:
    """The due rows in those blocks that stand for files: their place (ctid) and the file's address, locked."""
    rows = predicate.rows
    files = rows.dataset.files
    if files is None:
        raise LookupError(f"{rows.name} has no files")
    place = sa.cast(sa.column("ctid"), sa.Text).label("place")
    columns: list[sa.ColumnElement[Any]] = [place, rows.column(files.url).label("url")]
    return sa.select(*columns).select_from(rows.table).where(*_in_blocks(), predicate.due()).with_for_update()


def has_plain_addresses(predicate: Predicate) -> sa.Select[Any]:
    """Whether rows of the dataset have addresses on a disk that are surely not in percent notation."""
    files = predicate.rows.dataset.files
    if files is None:
        raise LookupError(f"{predicate.rows.name} has no files")
    url = sa.cast(predicate.rows.column(files.url), sa.Text)
    plain = url.regexp_match("^(file:|/)") & url.regexp_match("^/|[^!-~]|%(?![0-9A-Fa-f]{2})")
    return sa.select(sa.select(sa.literal(1)).select_from(predicate.rows.table).where(plain).exists())


def delete_places(predicate: Predicate) -> sa.Delete:
    """Delete the rows at these places (parameter `places`, a text array of ctids)."""
    places = sa.cast(sa.bindparam("places"), NamedType("tid[]"))
    return sa.delete(predicate.rows.table).where(sa.column("ctid") == sa.func.any(places))  # type: ignore[arg-type]


def count_rows(predicate: Predicate, *conditions: Bool) -> sa.Select[Any]:
    """How many rows satisfy the conditions."""
    return sa.select(sa.func.count()).select_from(predicate.rows.table).where(*conditions)


def places_of_work(predicate: Predicate, shares: Sequence[float]) -> sa.Select[Any]:
    """The places (ctids) by which these shares of the work are done, as an array of text; NULL without any rows.

    Changing a past row is work, and so is looking at ten others.
    """
    fractions = sa.cast(shares, postgresql.ARRAY(sa.Double))
    place: sa.ColumnElement[object] = predicate.rows.table.c.ctid
    found = sa.func.percentile_disc(fractions).within_group(place)
    looked_at = predicate.rows.key_hash % _LOOKS_FOR_A_CHANGE == 0
    return sa.select(sa.cast(found, postgresql.ARRAY(sa.Text))).where(sa.or_(predicate.past(), looked_at))


def block_of(place: str) -> int:
    """The block of a place such as `(17,3)`."""
    return int(place.strip("()").partition(",")[0])


def block_range(first: int, end: int) -> dict[str, str]:
    """The parameters of a statement over blocks [first, end)."""
    return {"first": f"({first},0)", "end": f"({end},0)"}


def lock_against_writers(connection: sa.Connection, leaf: Leaf) -> None:
    """Let nobody write to the partition until this transaction ends. Readers go on."""
    _execute(connection, sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.Identifier(leaf.schema, leaf.name)))


def drop_partition(connection: sa.Connection, leaf: Leaf) -> None:
    """Detach the partition and drop it: both take moments, whatever its size."""
    if leaf.parent is None:
        raise LookupError(f"{leaf.name} is not a partition")
    partition = sql.Identifier(leaf.schema, leaf.name)
    detach = sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(sql.Identifier(*leaf.parent), partition)
    _execute(connection, detach)
    _execute(connection, sql.SQL("DROP TABLE {}").format(partition))


def _in_blocks() -> tuple[Bool, Bool]:
    ctid: sa.ColumnElement[object] = sa.column("ctid", _TID)
    first, end = (sa.cast(sa.bindparam(name), _TID) for name in ("first", "end"))
    return ctid >= first, ctid < end


def _execute(connection: sa.Connection, statement: sql.Composed) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.execute(statement)
