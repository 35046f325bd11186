"""How rows are packed: as PostgreSQL's own binary COPY, compressed, then AES-256-GCM.

COPY writes and reads every type exactly, and Python never looks at a value. A pack is bound to what it is a pack of:
one that was moved to another run, dataset or day in the database cannot be opened.
"""

from __future__ import annotations

import datetime as dt
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql

from holdfast.errors import UndoRefused
from holdfast.evidence.ledger import canonical

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_FIRST_DAY = dt.date(2000, 1, 1)  # from which COPY counts dates
_NULL = b"\xff\xff\xff\xff"  # the length of a field that has no value
_DAY_ENDS = 10  # the bytes of a row up to the end of its first field, a day
_NONCE_BYTES = 12
_LEVEL = 1  # a higher level takes longer and saves little more
_PACKED_AT_ONCE = 64 * 2**20  # bytes of rows in one pack, so that memory and the size of a value stay bounded


@dataclass(frozen=True)
class Label:
    """What a pack holds; all of it is authenticated with the rows."""

    run_id: int
    rule_id: str
    dataset: str
    wave: int
    gone_by: dt.date
    ends_on: dt.date
    row_columns: tuple[str, ...]
    column_types: tuple[str, ...]

    @classmethod
    def of(cls, row: Any) -> Label:
        """From a row of holdfast.undo_batch."""
        return cls(
            run_id=row.run_id,
            rule_id=row.rule_id,
            dataset=row.dataset,
            wave=row.wave,
            gone_by=row.gone_by,
            ends_on=row.ends_on,
            row_columns=tuple(row.row_columns),
            column_types=tuple(row.column_types),
        )

    def text(self) -> bytes:
        return canonical(
            {
                "undo": 1,
                "run": self.run_id,
                "rule": self.rule_id,
                "dataset": self.dataset,
                "gone_by": self.gone_by.isoformat(),
                "ends_on": self.ends_on.isoformat(),
                "columns": self.row_columns,
                "types": self.column_types,
            }
        ).encode()


@dataclass(frozen=True)
class Pack:
    """Rows, compressed and not yet encrypted."""

    rows: int
    compressed: bytes

    def seal(self, key: bytes, label: Label) -> bytes:
        """Encrypted, and bound to the label."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, self.compressed, label.text())

    @classmethod
    def unseal(cls, sealed: bytes, key: bytes, label: Label, rows: int) -> Pack:
        """Decrypted. Raises UndoRefused for what was altered, or encrypted with another key."""
        try:
            return cls(rows, AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.text()))
        except InvalidTag:
            raise UndoRefused(
                f"Rows of {label.dataset} kept for run {label.run_id} are not what was encrypted with its key.",
                fix="treat it as an incident: somebody changed holdfast.undo_batch or the key.",
            ) from None

    @property
    def copied(self) -> bytes:
        """The rows as COPY reads them."""
        return _HEADER + zlib.decompress(self.compressed) + _TRAILER


class Packer:
    """Takes rows as COPY gives them and makes packs of bounded size. `beginning` is what each row begins with."""

    def __init__(self, beginning: bytes = b"") -> None:
        self._beginning = beginning
        self._packs: list[Pack] = []
        self._begin()

    def add(self, row: bytes) -> None:
        """One row, without the beginning that all have."""
        self._rows.append(row)
        self._size += len(row)
        if self._size >= _PACKED_AT_ONCE:
            self._end()

    def done(self) -> list[Pack]:
        """All that was added."""
        if self._rows:
            self._end()
        return self._packs

    def _begin(self) -> None:
        self._rows: list[bytes] = []
        self._size = 0

    def _end(self) -> None:
        rows = self._beginning.join([b"", *self._rows])
        self._packs.append(Pack(len(self._rows), zlib.compress(rows, _LEVEL)))
        self._begin()


def by_day(rows: Iterable[bytes]) -> tuple[int, dict[dt.date, list[Pack]]]:
    """How many rows there are, and those whose first field is a day, packed by it and without it.

    A row begins with the number of its fields, two bytes, and each field with its length, four: a day with its length
    is the same in all rows of that day, so it need not be read in each.
    """
    number, packers = 0, dict[bytes, Packer]()
    for row in rows:
        number += 1
        day = row[:_DAY_ENDS]
        packer = packers.get(day)
        if packer is None:
            if day[2:6] == _NULL:
                continue
            packer = packers[day] = Packer((int.from_bytes(day[:2]) - 1).to_bytes(2))
        packer.add(row[_DAY_ENDS:])
    return number, {_day(beginning): packer.done() for beginning, packer in packers.items()}


def _day(beginning: bytes) -> dt.date:
    return _FIRST_DAY + dt.timedelta(days=int.from_bytes(beginning[6:], signed=True))


def copy_out(connection: sa.Connection, statement: sa.sql.expression.Executable, **values: object) -> Iterator[bytes]:
    """Run a statement that returns rows, and give each as COPY writes it. Values are bound, by the driver.

    COPY takes no parameters of its own, so they stand in the statement that the server gets: no key may be among them.
    """
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    query = f"COPY ({compiled}) TO STDOUT (FORMAT binary)"
    with driver_of(connection).cursor() as cursor, cursor.copy(query, compiled.construct_params(values)) as copy:
        for data in copy:
            row = bytes(data)
            if row.startswith(_HEADER):
                row = row[len(_HEADER) :]
            if row and row != _TRAILER:
                yield row


def copy_in(connection: sa.Connection, table: str, columns: Iterable[str], rows: bytes) -> None:
    """Put rows that COPY wrote into a table of this session's own."""
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(table), listed)
    with driver_of(connection).cursor() as cursor, cursor.copy(query) as copy:
        copy.write(rows)


def driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The driver's own connection, within the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver
