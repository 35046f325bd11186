"""What the job keeps no longer than it needs: replaced records, ceased numbers, closed gaps, ended
reports, and the files themselves.

Manifests, counts and digests stay; they name nobody. A record that is still in quarantine stays until it is replaced.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import manifest
from holdfast.emergency_data.taking_in import Folders
from holdfast.evidence import ledger
from holdfast.store import files

_TABLES = {
    "records": "emergency/forget_quarantine",
    "numbers": "emergency/forget_numbers",
    "gaps": "emergency/forget_gaps",
    "rejects": "emergency/forget_rejects",
    "calls": "emergency/forget_calls",
}


def forget(connection: sa.Connection, folders: Folders, now: dt.datetime, days: int) -> dict[str, int]:
    """Forget what ended more than `days` ago; how much of each kind, also in the ledger if there was any."""
    before = now - dt.timedelta(days=days)
    counts = {name: queries.run(connection, query, {"before": before}).rowcount for name, query in _TABLES.items()}
    old = [
        path
        for folder in (folders.received, folders.refused, folders.released)
        for path in files(folder, hidden=True)
        if not path.name.endswith(manifest.SUFFIX) and 0 < path.stat().st_mtime < before.timestamp()  # 0: not known
    ]
    counts["files"] = len(old)
    if any(counts.values()):
        ledger.append(connection, "emergency_forgotten", {**counts, "days": days})
    for path in old:
        path.unlink()
    return counts
