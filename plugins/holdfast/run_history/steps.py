"""The watchdog's tasks, one function each. Each may be repeated: nothing is copied twice, or found twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.errors import DatabaseUnreachable, HistoryDisagrees, MigrationError
from holdfast.evidence import checkpoint, known_key
from holdfast.policy.load import load_policy
from holdfast.run_history import calendar, copy, report, watchdog
from holdfast.run_history.client import of_settings
from holdfast.settings import Settings

Result = dict[str, Any]


def copy_history(engine: sa.Engine, settings: Settings) -> Result:
    """Copy what Airflow has to say since the last time."""
    with database.transaction(engine) as connection:
        key = known_key.require(connection, settings)
    copied = copy.take_in(engine, of_settings(settings), calendar.NAMES, key)
    return {"read": copied.read, "new": copied.new}


def compare(engine: sa.Engine, settings: Settings) -> Result:
    """Compare ledger, Airflow's history and calendar, and sign what the ledger has gained."""
    with database.transaction(engine) as connection:
        now = queries.run(connection, "run_history/lock_read").one().now
        role = queries.run(connection, "roles/working_as").scalar_one()
    others = [watchdog.elsewhere(one, name, now) for name, one in _others(settings, role)]
    with database.transaction(engine) as connection:
        now = queries.run(connection, "run_history/lock_read").one().now
        found = watchdog.look(connection, now, others)
    log = checkpoint.open_log(settings)
    signed = checkpoint.sign(engine, log, now)
    return {"open": dict(Counter(one.kind for one in found)), "checkpoint": signed.size if signed else 0}


def _others(settings: Settings, role: str | None) -> Iterator[tuple[str, sa.Engine | None]]:
    """Each further database, and an engine for it unless it does not answer."""
    for name in load_policy(settings.policy).data_map.connections:
        try:
            yield name, database.connect_migrated(settings.at(name), role)
        except (DatabaseUnreachable, MigrationError):
            yield name, None


def write_report(engine: sa.Engine, settings: Settings) -> Result:
    """The list of what is open, for whoever has to look."""
    with database.transaction(engine) as connection:
        now = queries.run(connection, "run_history/lock_read").one().now
        found = watchdog.listed(connection)
    return report.write(engine, settings, found, now)


def conclude(engine: sa.Engine, settings: Settings) -> Result:
    """Sign what the ledger has. Green only if nothing is open that nobody explained.

    Raises HistoryDisagrees, and names the kinds.
    """
    with database.transaction(engine) as connection:
        now = queries.run(connection, "run_history/lock_read").one().now
        counts = Counter(one.kind for one in watchdog.listed(connection) if one.alarms)
    checkpoint.sign(engine, checkpoint.open_log(settings), now)
    if counts:
        told = ", ".join(f"{kind}: {number}" for kind, number in sorted(counts.items()))
        raise HistoryDisagrees(
            f"Ledger, Airflow and calendar do not say the same ({told}).",
            fix="see the report of write_report; mend it, or give the reason with `holdfast evidence explain`.",
            **counts,
        )
    return {"open": 0}
