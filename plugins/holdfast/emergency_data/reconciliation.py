"""What the authority has against what the provider has: gaps both ways, what waits for too long, the yearly audit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.rules import working_days_before
from holdfast.emergency_data.taking_in import ZONE
from holdfast.evidence import ledger


def reconcile(connection: sa.Connection, bounds: Bounds, now: dt.datetime) -> dict[str, Any]:
    """Open and close gaps, and note how complete the records are; counts, and open gaps by rule.

    Ask in one transaction: what is found is compared with what was open.
    """
    day = clock.local_date(now, ZONE)
    at: dict[str, object] = {"at": now}
    ours = {"provider": bounds.provider}
    checked = {**ours, "verified_since": bounds.verified_since(day), "day": day}
    queries.run(connection, "emergency/work_in_memory")
    queries.run(connection, "emergency/end_calls", at)
    queries.run(connection, "emergency/stage_gaps")
    queries.run(connection, "emergency/find_gaps", checked)
    late = {"alert_before": alert_before(bounds, day), "answers_before": now - dt.timedelta(hours=bounds.answer_hours)}
    queries.run(connection, "emergency/find_late", {**ours, **late})
    closed = queries.run(connection, "emergency/close_gaps", at).rowcount
    opened = queries.run(connection, "emergency/open_gaps", at).rowcount
    standing = queries.run(connection, "emergency/store_reconciliation", {**checked, **at}).one()
    queries.run(connection, "emergency/forget_audit", ours)
    queries.run(connection, "emergency/store_audit", {**checked, "verified_days": bounds.verified_days})
    gaps = {row.rule_id: row.gaps for row in queries.run(connection, "emergency/open_gap_counts")}
    counts = {**standing._mapping, "opened": opened, "closed": closed}
    ledger.append(connection, "emergency_reconciled", {**ours, **counts, "gaps": gaps})
    return {**counts, "gaps": gaps}


def alert_before(bounds: Bounds, day: dt.date) -> dt.datetime:
    """Rejects and reports of calls from before this moment should have been mended by `day`."""
    return clock.midnight(working_days_before(day, bounds.reject_alert_working_days), ZONE)
