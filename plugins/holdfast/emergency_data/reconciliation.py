"""What the authority has against what the provider has: gaps both ways, each with its age, and the yearly audit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data.bounds import Bounds
from holdfast.evidence import ledger


def reconcile(connection: sa.Connection, bounds: Bounds, day: dt.date, now: dt.datetime) -> dict[str, Any]:
    """Open and close gaps, and note how complete the records are; counts, and open gaps by rule.

    Ask in one transaction: what is found is compared with what was open.
    """
    ours: dict[str, object] = {"provider": bounds.provider}
    checked = {**ours, "verified_since": bounds.verified_since(day), "day": day}
    queries.run(connection, "emergency/work_in_memory")
    queries.run(connection, "emergency/stage_gaps")
    queries.run(connection, "emergency/find_gaps", checked)
    closed = queries.run(connection, "emergency/close_gaps", {**ours, "at": now}).rowcount
    opened = queries.run(connection, "emergency/open_gaps", {**ours, "at": now}).rowcount
    standing = queries.run(connection, "emergency/store_reconciliation", {**checked, "at": now}).one()
    queries.run(connection, "emergency/forget_audit", ours)
    queries.run(connection, "emergency/store_audit", {**checked, "verified_days": bounds.verified_days})
    gaps = {row.rule_id: row.gaps for row in queries.run(connection, "emergency/open_gap_counts", ours)}
    counts = {**standing._mapping, "opened": opened, "closed": closed}
    ledger.append(connection, "emergency_reconciled", {"provider": bounds.provider, **counts, "gaps": gaps})
    return {**counts, "gaps": gaps}
