"""Have the statistics taken their facts of a row? What happened to a row after that is in no fact yet.

Asked in the very statement that deletes, by the transaction that wrote the row version: a night in which no facts were
taken, or a row that came since, keeps the row until they are.
"""

from __future__ import annotations

import sqlalchemy as sa

from holdfast.enforcement.predicate.holding import was_seen
from holdfast.enforcement.predicate.rows import Bool, NamedType, Rows

_TAKING = sa.table("taking", *map(sa.column, ("taking_id", "seen_in", "taken_xid")), schema="statistics")
_ROUND = 4_294_967_296  # transaction numbers in a row version come round after so many
_NEWER = -1_000_000_000  # ages count from the asking transaction's own number: what began after it has a negative one


def untaken(rows: Rows, planned_in: str | None) -> Bool:
    """The row version was written since facts were last taken of everybody, or they never were.

    What was taken since the plan's snapshot, `planned_in`, does not count: nothing goes that was planned to stay.
    An age below `_NEWER` is of a row more than two thousand million transactions old. A negative horizon is one of
    another server, from which the database was restored: it says nothing.
    """
    full = sa.cast(sa.cast(sa.func.pg_snapshot_xmin(_TAKING.c.seen_in), sa.Text), sa.BigInteger)
    number = sa.cast(sa.cast(sa.func.mod(full, _ROUND), sa.Text), NamedType("xid"))
    known = sa.true() if planned_in is None else was_seen(_TAKING.c.taken_xid, planned_in)
    last = sa.select(sa.func.age(number)).where(known).order_by(_TAKING.c.taking_id.desc()).limit(1)
    horizon = sa.func.coalesce(last.scalar_subquery(), -1)
    return sa.or_(horizon < 0, rows.age.between(_NEWER, horizon))
