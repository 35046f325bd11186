"""What becomes of the matrices of past nights: decision by decision, each is kept for a while and then forgotten.

A night decides every open request in every dataset, millions of times a year what the night before decided. What must
be proved later is elsewhere: the ledger has the sums of each night and every change of state, holdfast.erasure what was
erased for whom, and the letters what people were told. Of a forgotten night only that stays which a letter will say.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.errors import RunRefused
from holdfast.evidence import ledger

_AT_ONCE = 5
"""So many nights are forgotten in one: where more are past their period, it takes a few nights to catch up."""


def forget(engine: sa.Engine, run_id: int, *, before: dt.date, now: dt.datetime) -> int:
    """Forget the matrices of the nights before a day, each in a transaction of its own; how many rows that were.

    Never that of the run itself, which is the latest. Doing it again finds only what letters needed until then.
    """
    with database.transaction(engine) as connection:
        values = {"run_id": run_id, "before": before, "at_once": _AT_ONCE}
        past = queries.run(connection, "deletion_requests/matrix_past", values).all()
    return sum(_forget(engine, run_id, night, now) for night in past)


def refuse_forgotten(connection: sa.Connection, run_id: int) -> None:
    """Raises RunRefused if the run's matrix was forgotten: a report of it made now would say that there was nothing."""
    if queries.run(connection, "deletion_requests/matrix_is_forgotten", {"run_id": run_id}).scalar_one():
        raise RunRefused(
            f"The matrix of run {run_id} was forgotten at the end of its period, so no report can be made of it.",
            fix="read the one that was written on its night.",
        )


def _forget(engine: sa.Engine, run_id: int, night: sa.Row[tuple[int, dt.date]], now: dt.datetime) -> int:
    with database.transaction(engine) as connection:
        values = {"run_id": night.run_id, "now": now}
        gone = queries.run(connection, "deletion_requests/matrix_forget", values).one()
        rows = int(gone.decisions + gone.counted)
        if rows:
            facts: dict[str, ledger.JSON] = {
                "night": night.run_id,
                "day": night.as_of_date.isoformat(),
                "decisions": gone.decisions,
                "counted_after": gone.counted,
                "kept_for_letters": gone.kept,
            }
            ledger.append(connection, "matrix_forgotten", facts, run_id)
    return rows
