"""What the night does to many requests at once without a person. The erasing itself is not here."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import moves
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.register import State


def advance(connection: sa.Connection, terms: Terms, *, now: dt.datetime, run_id: int | None) -> int:
    """Bring every verified request on whose cool-off is over, so that it is assessed; how many.

    One that somebody is changing at this moment waits for the next night.
    """
    found = queries.run(connection, "deletion_requests/request_ready", {"today": terms.day_of(now)})
    return moves.move(connection, found.scalars().all(), State.ASSESSED, by=moves.NIGHT, at=now, run_id=run_id)


def approve_small(connection: sa.Connection, terms: Terms, *, now: dt.datetime, run_id: int) -> int:
    """Approve every assessed request that would change few enough rows by this run's matrix; how many.

    None at all where the policy says that people approve every request.
    """
    limit = terms.rules.approval.automatic_up_to_rows
    if limit is None:
        return 0
    found = queries.run(connection, "deletion_requests/request_small", {"run_id": run_id, "max_rows": limit})
    return moves.move(connection, found.scalars().all(), State.APPROVED, by=moves.POLICY, at=now, run_id=run_id)
