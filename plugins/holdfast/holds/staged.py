"""Are the holds that a source reports ones that can be recorded exactly? Checked as a set, before any is believed.

One fault refuses the whole source: a hold that is left out because it is malformed is a hold that is lost.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.holds import keys
from holdfast.holds.reach import Reach
from holdfast.policy.model import Policy

_STAGED = sa.table(
    "hold_staged",
    sa.column("subject_key", sa.Text),
    sa.column("record_key", sa.Text),
    sa.column("datasets", postgresql.ARRAY(sa.Text)),
    schema="pg_temp",
)


@dataclass(frozen=True)
class Findings:
    """The number of holds, and of holds with each kind of fault; docs/decisions/0004-holds.md explains the codes."""

    holds: int
    faults: dict[str, int]


def findings(connection: sa.Connection, policy: Policy, reach: Reach, types: Collection[str]) -> Findings:
    """Check the staged holds of a source that may report `types`, and write their keys as PostgreSQL would.

    `policy` is the part of the database that is asked; keys of records in another one are checked there.
    Keys that fit no key column are counted together: PostgreSQL says that one is wrong, and not which.
    """
    values = {
        "types": list(types),
        "datasets": list(reach.key_sizes),
        "key_sizes": list(reach.key_sizes.values()),
        "without_subject": sorted(reach.without_subject),
        "deaf": reach.deaf_as_text(),
    }
    counts = dict(queries.run(connection, "holds/findings", values).mappings().one())
    holds = int(counts.pop("holds"))
    faults = {code: int(count) for code, count in counts.items() if count}
    if not faults:  # the casts rely on everything above
        faults = _unfit_keys(connection, policy)
    return Findings(holds, faults)


def _unfit_keys(connection: sa.Connection, policy: Policy) -> dict[str, int]:
    types = keys.read_types(connection, policy)
    subject, record, datasets = _STAGED.c.subject_key, _STAGED.c.record_key, _STAGED.c.datasets
    faults: dict[str, int] = {}
    unfit = _write_back(connection, subject, types.subject_written_back(subject), subject.is_not(None))
    if unfit:
        faults["subject_key_unfit"] = unfit
    for name in queries.run(connection, "holds/staged_record_datasets").scalars().all():
        if name not in policy.data_map.datasets:
            continue
        ours = sa.and_(record.is_not(None), datasets == sa.cast([name], postgresql.ARRAY(sa.Text)))
        written = types.written_back(record, name)
        unfit = _count(connection, ours) if written is None else _write_back(connection, record, written, ours)
        if unfit:
            faults["record_key_unfit"] = faults.get("record_key_unfit", 0) + unfit
    return faults


def _write_back(
    connection: sa.Connection,
    column: sa.ColumnClause[str],
    written: sa.ColumnElement[str],
    which: sa.ColumnElement[bool],
) -> int:
    """Replace keys by the way PostgreSQL writes them; 0, or how many were tried where one cannot be cast."""
    try:
        with connection.begin_nested():
            connection.execute(sa.update(_STAGED).where(which, column != written).values({column: written}))
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        return _count(connection, which)
    return 0


def _count(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(_STAGED).where(which)).scalar_one()
