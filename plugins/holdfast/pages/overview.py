"""The first page: is every promise kept tonight? One line for each job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.errors import ReportAltered
from holdfast.evidence import reported
from holdfast.pages import tonight
from holdfast.pages.access import Permission
from holdfast.pages.jobs import JOBS
from holdfast.pages.reports import may_read
from holdfast.pages.tonight import LastRun, Night, Standing, Suspensions
from holdfast.pages.visit import Entry, Visit, Visitor, needs
from holdfast.reports import shelf
from holdfast.reports.shelf import Report
from holdfast.reports.verdict import capital
from holdfast.run_history import watchdog
from holdfast.suspension_statistics import rules

ENTRY = Entry("Overview", "overview", "Is every promise kept tonight?")
router = APIRouter()
_JUDGED = tuple(job.shelf for job in JOBS if not job.is_monthly)


@router.get("/", name="overview", dependencies=[needs(Permission.READ)])
def overview(visit: Visitor) -> Response:
    """One line for each job, and what the ledger says of itself."""
    latest = _latest(shelf.reports(visit.site.settings.reports))
    with visit.reading() as connection:
        latest = {one.job: one for one in reported.looked_up(connection, latest.values())}
        runs = {
            row.job: LastRun(row.run_id, row.as_of_date, row.state)
            for row in queries.run(connection, "pages/last_runs")
        }
        suspensions = Suspensions(**queries.run(connection, "pages/suspensions_now").mappings().one())
        disagreements = tuple(one.kind for one in watchdog.listed(connection) if one.alarms)
        ledger = queries.run(connection, "pages/ledger_now").one()
    night = Night(
        reports={job: (one.period, _data(one) if job in _JUDGED else {}) for job, one in latest.items()},
        runs=runs,
        suspensions=suspensions,
        disagreements=disagreements,
        expected=tonight.expected_night(visit.now, visit.site.zone()),
        expected_month=_settled_month(visit),
    )
    lines = tonight.lines(JOBS, night)
    kept = sum(1 for line in lines if line.standing is Standing.KEPT)
    may_open = {job: one for job, one in latest.items() if may_read(visit, one)}
    has_policy = visit.site.policy() is not None
    return visit.page(
        "overview.html.j2", lines=lines, kept=kept, ledger=ledger, night=night, latest=may_open, has_policy=has_policy
    )


def _data(report: Report) -> Mapping[str, Any]:
    """What a report says; of one that was changed that it was, so that the page opens on that very day."""
    try:
        return report.data()
    except ReportAltered as error:
        return {"verdict": {"standing": "altered", "sentence": error.what, "points": [capital(error.fix)], "notes": []}}


def _latest(found: list[Report]) -> dict[str, Report]:
    """The last report of each job that is no dry run; of two editions the published one."""
    latest: dict[str, Report] = {}
    for report in found:  # the latest first, and 'published' before 'internal'
        if not report.is_dry:
            latest.setdefault(report.job, report)
    return latest


def _settled_month(visit: Visit) -> dt.date | None:
    """The last month that must be frozen by now; None while the policy on statistics cannot be read."""
    terms = visit.site.statistics()
    if terms is None:
        return None
    settled = clock.local_date(visit.now, visit.site.zone()) - dt.timedelta(days=terms.settling_days + 1)
    return rules.after(settled.replace(day=1), -1)
