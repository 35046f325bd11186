"""After the erasure: what was done for each request, what stays and is restricted, and where the request now stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import matrix, moves
from holdfast.deletion_requests.register import State
from holdfast.enforcement.predicate.base import Setting
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import hmac_pads
from holdfast.holds.register import SUBJECT


@dataclass(frozen=True)
class Settled:
    """How many requests came to which end tonight, and how many restrictions were set and lifted."""

    completed: int
    partly_completed: int
    restricted: int
    lifted: int


def count(connection: sa.Connection, setting: Setting, run_id: int) -> None:
    """Count the matrix after the work. In a transaction of its own: it may take long, and `settle` must not."""
    matrix.count_after(connection, setting, run_id)


def settle(
    connection: sa.Connection,
    run_id: int,
    *,
    key: bytes,
    at: dt.datetime,
    take_back: Callable[[sa.Connection], object] = lambda _: None,
) -> Settled:
    """Write down what was erased for whom, restrict what stays, and move each request to where it now stands.

    Doing it again changes nothing. `key` is the key of all pseudonyms. `take_back` adds what further databases decided.
    """
    named = {"run_id": run_id}
    queries.run(connection, "deletion_requests/settle_decisions", named)
    take_back(connection)
    erased = _erasures(connection, run_id, key)
    queries.run(connection, "deletion_requests/settle_told_gone", named)
    marks = queries.run(connection, "deletion_requests/settle_restrictions", named).one()
    done: list[int] = []
    left: list[int] = []
    for row in queries.run(connection, "deletion_requests/settled_requests", named):
        if row.is_done:
            done.append(row.request_id)
        elif row.state == State.EXECUTING and not row.is_undecided:
            left.append(row.request_id)
    partly = moves.move(connection, left, State.PARTLY_COMPLETED, by=moves.NIGHT, at=at, run_id=run_id)
    completed = moves.move(connection, done, State.COMPLETED, by=moves.NIGHT, at=at, run_id=run_id)
    _record(connection, run_id, erased, marks)
    return Settled(completed, partly, marks.restricted, marks.lifted)


def settle_share(connection: sa.Connection, run_id: int, *, key: bytes) -> Settled:
    """The same in a further database. Where a request stands, and what is told of it, the main one says."""
    queries.run(connection, "deletion_requests/settle_decisions", {"run_id": run_id})
    erased = _erasures(connection, run_id, key)
    marks = queries.run(connection, "deletion_requests/settle_restrictions", {"run_id": run_id}).one()
    _record(connection, run_id, erased, marks)
    return Settled(0, 0, marks.restricted, marks.lifted)


def _erasures(connection: sa.Connection, run_id: int, key: bytes) -> Sequence[sa.Row[Any]]:
    inner, outer = hmac_pads(key, SUBJECT)
    values = {"run_id": run_id, "inner_pad": inner, "outer_pad": outer}
    erased = queries.run(connection, "deletion_requests/settle_erasures", values).all()
    queries.run(connection, "deletion_requests/analyze_requests")
    return erased


def _record(connection: sa.Connection, run_id: int, erased: Sequence[sa.Row[Any]], marks: sa.Row[Any]) -> None:
    for line in erased:
        facts: dict[str, ledger.JSON] = {"dataset": line.dataset, "requests": line.requests, "rows": line.erased_rows}
        ledger.append(connection, "request_erased", facts, run_id)
    if marks.restricted or marks.lifted:
        found: dict[str, ledger.JSON] = {"restricted": marks.restricted, "lifted": marks.lifted}
        ledger.append(connection, "request_restricted", found, run_id)
