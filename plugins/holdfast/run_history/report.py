"""The list of what is open: a page, a table and data, in the folder of the night."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import clock
from holdfast.evidence import reported
from holdfast.reports import html
from holdfast.reports.tables import csv_of
from holdfast.run_history import rules
from holdfast.run_history.watchdog import Open
from holdfast.settings import Settings

JOB = "evidence_nightly"
PAGE = "index.html"
_TEMPLATE = Path(__file__).with_name("report.html.j2")


def write(engine: sa.Engine, settings: Settings, found: Sequence[Open], now: dt.datetime) -> dict[str, str | int]:
    """Write the report of this night, in place of an earlier one of the same day."""
    on = clock.local_date(now, clock.NIGHTS_ZONE)
    alarms = [one for one in found if one.alarms]
    context = {
        "alarms": alarms,
        "others": [one for one in found if not one.alarms],
        "kinds": rules.KINDS,
        "on": on,
        "written_at": now,
    }
    made = {
        PAGE: html.render(_TEMPLATE, context, zone=clock.NIGHTS_ZONE),
        "disagreements.csv": csv_of(Open, found),
        "report.json": json.dumps(_data(found, on), indent=2) + "\n",
    }
    written = reported.write(engine, settings.reports, (JOB, on.isoformat()), made)
    return {
        "report": str(written.folder / PAGE),
        "folder": str(written.folder),
        "sha256": written.sha256,
        "unexplained": len(alarms),
    }


def _data(found: Sequence[Open], on: dt.date) -> dict[str, Any]:
    """The verdict, and how many are open of each kind that any is open of."""
    alarms = sum(one.alarms for one in found)
    unexplained = Counter(one.kind for one in found if one.alarms)
    sentence = (
        f"{html.counted(alarms, 'disagreement')} between ledger, Airflow and calendar, which nobody explained."
        if alarms
        else "Ledger, Airflow and calendar say the same, or somebody has said why they do not."
    )
    return {
        "date": on.isoformat(),
        "verdict": {"clear": not alarms, "sentence": sentence},
        "disagreements": [
            {"kind": kind, "open": count, "unexplained": unexplained[kind], "meaning": rules.KINDS[kind].meaning}
            for kind, count in sorted(Counter(one.kind for one in found).items())
        ],
    }
