"""Reports: find one, read it, take its files away, compare it with another night's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from holdfast.evidence import reported
from holdfast.pages import compare
from holdfast.pages.access import Permission
from holdfast.pages.jobs import TITLES
from holdfast.pages.tonight import tone_of
from holdfast.pages.visit import Entry, Visit, Visitor, needs
from holdfast.reports import shelf
from holdfast.reports.shelf import Report

ENTRY = Entry("Reports", "reports", "Every report of every job: read, take away, compare")
router = APIRouter()

SHOWN = 100
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'"
"""A report brings its styles in itself, and nothing else: it is one file, to be archived."""

ReportId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
AskedFor = Annotated[str, Query(pattern=r"^[0-9a-f]{64}$")]


@router.get("/reports", name="reports", dependencies=[needs(Permission.READ)])
def find(
    visit: Visitor,
    job: Annotated[str, Query(max_length=80)] = "",
    period: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The reports that a user may read, the latest first; of one job, and of periods that begin like this."""
    shown = readable(visit)
    found = [one for one in shown if job in ("", one.job) and one.period.startswith(period.strip())]
    found.sort(key=lambda one: (one.period, one.job), reverse=True)
    jobs = sorted({one.job for one in shown})
    with visit.reading() as connection:
        listed = reported.looked_up(connection, found[:SHOWN])
    return visit.page(
        "reports.html.j2", found=listed, left_out=len(found[SHOWN:]), jobs=jobs, job=job, period=period,
        titles=TITLES, section="reports",
    )  # fmt: skip


@router.get("/reports/compare", name="compare", dependencies=[needs(Permission.READ)])
def compared(visit: Visitor, before: AskedFor, after: AskedFor) -> Response:
    """What two reports of one job say differently."""
    old, new = _report(visit, before), _report(visit, after)
    if old.job != new.job:
        raise visit.missing("Two reports can be compared that are of one job.")
    found = compare.changes(old.data(), new.data())
    return visit.page("compare.html.j2", old=old, new=new, changes=found, titles=TITLES, section="reports")


@router.get("/reports/{report_id}", name="report", dependencies=[needs(Permission.READ)])
def show(visit: Visitor, report_id: ReportId) -> Response:
    """One report: its verdict, its files and their digests, and what it can be compared with."""
    report = _report(visit, report_id)
    others = [one for one in readable(visit) if (one.job, one.edition) == (report.job, report.edition)]
    data = report.data()
    verdict = data.get("verdict")
    return visit.page(
        "report.html.j2", report=report, others=[one for one in others if one.id != report.id][:SHOWN],
        verdict=verdict, tone=tone_of(verdict or {}), run=data.get("run"), titles=TITLES, section="reports",
    )  # fmt: skip


@router.get("/reports/{report_id}/files/{name}", name="report_file", dependencies=[needs(Permission.READ)])
def take(visit: Visitor, report_id: ReportId, name: Annotated[str, Path(max_length=100)]) -> Response:
    """A file of a report, as it was written: the page to read, all others to keep."""
    report = _report(visit, report_id)
    if name not in report.files:
        raise visit.missing("The report has no such file.")
    suffix = name[name.rfind(".") :]
    headers = {"Content-Security-Policy": REPORT_POLICY}
    if suffix != ".html":
        headers["Content-Disposition"] = f'attachment; filename="{report.job}-{report.period}-{name}"'
    media_type = _TYPES.get(suffix, "application/octet-stream")
    return Response(report.read(name), media_type=media_type, headers=headers)


def may_read(visit: Visit, report: Report) -> bool:
    """Whether this report is for this user."""
    return not report.is_internal or visit.user.may(Permission.READ_INTERNAL)


def readable(visit: Visit) -> list[Report]:
    """The reports that are for this user."""
    return [one for one in shelf.reports(visit.site.settings.reports) if may_read(visit, one)]


def _report(visit: Visit, report_id: str) -> Report:
    found = [one for one in readable(visit) if one.id == report_id]
    with visit.reading() as connection:
        for report in reported.looked_up(connection, found):
            return report
    raise visit.missing("There is no such report, or it is not for you.")
