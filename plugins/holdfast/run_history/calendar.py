"""When each job has to have run, and what it leaves in the ledger once it is done. Pure.

This is what the watchdog expects, whatever Airflow says that it has scheduled; a test holds it against the DAG files.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dateutil.relativedelta import relativedelta

from holdfast.clock import NIGHTS_ZONE, local_date, midnight


@dataclass(frozen=True)
class Job:
    """One DAG. Its night begins at `at`, and has ended within `hours`, time for a person to answer included.

    `leaves`: it has runs of its own, each closed by a seal, if None; else the kinds of entry that say it is done. A
    monthly job is for a month, and due `days` after its end. `in_every_database`: it has a run in each.
    """

    dag: str
    at: dt.time
    hours: int
    leaves: tuple[str, ...] | None = None
    monthly: bool = False
    days: int = 0
    in_every_database: bool = False


JOBS = (
    Job("suspension_facts_nightly", dt.time(0, 40), 3, leaves=("safeguards_checked",)),
    Job("retention_nightly", dt.time(1, 30), 15, in_every_database=True),
    Job("deletion_requests_reconcile", dt.time(3, 30), 15, in_every_database=True),
    Job("emergency_data_999", dt.time(5), 12, leaves=("emergency_reconciled",)),
    Job("evidence_nightly", dt.time(7), 3, leaves=("history_compared",)),
    Job(
        "suspension_statistics_monthly",
        dt.time(1),
        24,
        leaves=("statistics_frozen", "statistics_restated", "statistics_reproduced"),
        monthly=True,
        days=15,  # ten for the days to settle, and some for whoever completes a late one
    ),
)
NAMES = tuple(job.dag for job in JOBS)
_MONTHLY = {job.dag for job in JOBS if job.monthly}
_MONTH = re.compile(r"\d{4}-\d{2}")


def night_of(sheet: Mapping[str, Any]) -> dt.date | None:
    """The night that a sheet is of, or of a monthly job the first day of the month; None if Airflow does not say."""
    if sheet["dag"] is None:
        return dt.date.fromisoformat(sheet["run"])
    if sheet["dag"] in _MONTHLY:
        month = _MONTH.match(sheet.get("partition") or "")
        return dt.date.fromisoformat(f"{month[0]}-01") if month else None
    return None if sheet["as_of"] is None else local_date(dt.datetime.fromisoformat(sheet["as_of"]), NIGHTS_ZONE)


def nights(job: Job, first: dt.date, now: dt.datetime) -> Iterator[dt.date]:
    """The nights from `first` that should be over by now; of a monthly job the first days of the months."""
    night = first.replace(day=1) if job.monthly else first
    while deadline(job, night) <= now:
        yield night
        night += relativedelta(months=1) if job.monthly else dt.timedelta(days=1)


def deadline(job: Job, night: dt.date) -> dt.datetime:
    """When the night must be over."""
    day = night + relativedelta(months=1, days=job.days) if job.monthly else night
    began = midnight(day, NIGHTS_ZONE).replace(hour=job.at.hour, minute=job.at.minute)
    return began + dt.timedelta(hours=job.hours)
