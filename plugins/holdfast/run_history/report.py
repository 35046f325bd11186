"""The list of what is open: a page and a table, in the folder of the night."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from holdfast import clock
from holdfast.reports import html
from holdfast.reports.files import write_set
from holdfast.reports.tables import csv_of
from holdfast.run_history import calendar, rules
from holdfast.run_history.watchdog import Open
from holdfast.settings import Settings

JOB = "evidence_nightly"
PAGE = "index.html"
_TEMPLATE = Path(__file__).with_name("report.html.j2")


def write(settings: Settings, found: Sequence[Open], now: dt.datetime) -> dict[str, str | int]:
    """Write the report of this night, in place of an earlier one of the same day."""
    on = clock.local_date(now, calendar.ZONE)
    alarms = [one for one in found if one.alarms]
    context = {
        "alarms": alarms,
        "others": [one for one in found if not one.alarms],
        "kinds": rules.KINDS,
        "on": on,
        "written_at": now,
    }
    made = {PAGE: html.render(_TEMPLATE, context, zone=calendar.ZONE), "disagreements.csv": csv_of(Open, found)}
    written = write_set(settings.reports, (JOB, on.isoformat()), made)
    return {
        "report": str(written.folder / PAGE),
        "folder": str(written.folder),
        "sha256": written.sha256,
        "unexplained": len(alarms),
    }
