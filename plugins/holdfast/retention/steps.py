"""One function for each task of dags/retention_nightly.py, under the task's name.

Most are the tasks that every deleting job has, in `enforcement.night` and `enforcement.approval`.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import database
from holdfast.enforcement import kinds, night, objects
from holdfast.enforcement.approval import ask_a_person, check_caps, record_approval
from holdfast.enforcement.night import (
    Result,
    check_policy,
    end_windows,
    enforce_shards,
    list_shards,
    make_plan,
    refresh_holds,
    seal_run,
    verify_run,
)
from holdfast.retention import report
from holdfast.settings import Settings

__all__ = [
    "ask_a_person",
    "check_caps",
    "check_policy",
    "conclude",
    "count_objects",
    "end_windows",
    "enforce_shards",
    "list_shards",
    "make_plan",
    "open_run",
    "record_approval",
    "refresh_holds",
    "seal_run",
    "verify_run",
    "write_report",
]


def open_run(engine: sa.Engine, settings: Settings, *, as_of: dt.datetime, dry_run: bool) -> Result:
    """Open tonight's run, or go on with it."""
    return night.open_run(engine, settings, kinds.RETENTION, as_of=as_of, dry_run=dry_run)


def write_report(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """The report for compliance staff, however far the run has come."""
    now = night.database_time(engine)
    with database.transaction(engine) as connection:
        return dict(report.write(connection, settings, run_id, now=now))


def count_objects(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Count the objects that no row knows of, where the data map says in which folders they lie. Deletes nothing."""
    policy, _ = night.policy_and_run(engine, settings, run_id)
    counted = objects.count(engine, settings, policy, now=night.database_time(engine))
    with database.transaction(engine) as connection:
        objects.record(connection, run_id, counted)
    unknown = [one.dataset for one in counted if one.unknown_because is not None]
    return {"objects_without_row": sum(one.without_row or 0 for one in counted), "unknown": unknown}


def conclude(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """End green only if every promise was kept, and no object was found without a row."""
    totals = night.conclude(engine, settings, run_id=run_id)
    with database.transaction(engine) as connection:
        objects.require_none(connection, run_id)
    return totals
