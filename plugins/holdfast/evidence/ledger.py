"""The ledger in the database: append an entry in the transaction whose deed it records, and read entries back.

The entry is text, hashed as stored, in a chain; the database assigns the number, takes the time and refuses whatever is
not a code (sql/migrations/0001_evidence.sql). An entry that is refused fails the transaction: no audit, no delete.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import LedgerError, sqlstate

JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None
"""What facts may be made of. Floats are written with at most six decimals."""

CODE = re.compile(r"(?!.*[0-9]{9})[A-Za-z][A-Za-z0-9_.:/=-]{0,199}")
"""What the database takes for a code (sql/migrations/0001_evidence.sql), for names that it might not."""
READ_AT_ONCE = 2_000
_DECIMALS = 6
_UNKNOWN_KIND = "HF001"
_NOT_CODES = "HF002"


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger; `text` is what was hashed."""

    seq: int
    at: dt.datetime
    run_id: int | None
    kind: str
    text: str
    hash: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """What was recorded, read from the text."""
        facts: dict[str, Any] = json.loads(self.text)["facts"]
        return facts


def append(connection: sa.Connection, kind: str, facts: Mapping[str, JSON], run_id: int | None = None) -> int:
    """Add an entry and return its number. Raises LedgerError if the kind or a fact is not of the closed lists.

    Call it last before the commit: every other writer waits from here until this transaction ends. A refusal leaves
    the transaction unable to go on, which is meant.
    """
    values = {"kind": kind, "facts": canonical(facts), "run_id": run_id}
    try:
        return int(queries.run(connection, "evidence/append_entry", values).scalar_one())
    except sa.exc.DBAPIError as error:
        refusal = _refusal(kind, sqlstate(error))
        if refusal is None:
            raise
    raise refusal  # outside the handler: the driver's error would come along and quotes the facts


def entries_of_run(connection: sa.Connection, run_id: int) -> Iterator[Entry]:
    """A run's entries in the order of writing, read as they are asked for."""
    statement = queries.query("evidence/entries_of_run").execution_options(yield_per=READ_AT_ONCE)
    with connection.execute(statement, {"run_id": run_id}) as rows:
        for row in rows:
            yield Entry(
                seq=row.seq,
                at=row.at,
                run_id=run_id,
                kind=row.kind,
                text=row.entry,
                hash=row.hash,
            )


def canonical(value: JSON) -> str:
    """The one JSON text of a value: keys sorted, no spaces, ASCII, floats without exponent.

    The same facts must give the same text, or digests over entries could not be compared.
    """
    match value:
        case None | bool() | int() | str():
            return json.dumps(value)
        case float() if math.isfinite(value):
            # Adding zero turns the minus zero that rounding may leave into zero.
            return f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}".rstrip("0").rstrip(".")
        case Mapping():
            return "{" + ",".join(f"{json.dumps(key)}:{canonical(item)}" for key, item in sorted(value.items())) + "}"
        case list() | tuple():
            return "[" + ",".join(canonical(item) for item in value) + "]"
    raise LedgerError(
        f"A fact is a {type(value).__name__} that has no place in an entry.",
        fix="record numbers, codes, ISO dates and digests, or lists and objects of them.",
    )


def _refusal(kind: str, code: str | None) -> LedgerError | None:
    if code == _UNKNOWN_KIND:
        return LedgerError(
            f"The ledger has no kind of entry named {kind!r}.",
            fix="use one of holdfast.ledger_kind, or add the kind in a migration.",
        )
    if code == _NOT_CODES:
        return LedgerError(
            f"The facts of an entry {kind} hold something other than codes, dates, digests, pseudonyms and numbers.",
            fix="record a code, a count or a pseudonym in place of text; see sql/migrations/0001_evidence.sql.",
        )
    return None
