"""999 data: is it complete and good, what is kept back and for how long, and what does one record in quarantine say?

What came, completeness and exceptions are read from small tables. What is counted over records (rules broken,
quarantine, rejects, gaps, calls) is as the last report has it: counting millions is the night's work, not a page's.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.emergency_data import quarantine
from holdfast.emergency_data.report import JOB
from holdfast.emergency_data.report.figures import TREND_DAYS
from holdfast.emergency_data.rules import FIGURES, RECONCILIATION
from holdfast.emergency_data.taking_in import ZONE
from holdfast.errors import ReportAltered
from holdfast.evidence import reported
from holdfast.pages.access import Permission
from holdfast.pages.reports import readable
from holdfast.pages.tonight import tone_of
from holdfast.pages.visit import FORM, Entry, Reason, Visitor, needs
from holdfast.reports.shelf import Report

ENTRY = Entry("999 data", "emergency", "Is it complete and good, and what is kept back?")
router = APIRouter()

EXTRACTS, RECORDS = 20, 50
Number = Annotated[int, Form(ge=1, le=2**63 - 1)]
Row = Mapping[str, Any]


@router.get("/emergency-data", name="emergency", dependencies=[needs(Permission.READ)])
def emergency(visit: Visitor) -> Response:
    """How the data stands, by the last reconciliation and the last report."""
    reports = {one.period: one for one in readable(visit) if one.job == JOB}
    newest = sorted(reports.values(), key=lambda one: one.period)[-1:]
    with visit.reading() as connection:
        last = next(iter(reported.looked_up(connection, newest)), None)
        extracts = queries.run(connection, "emergency/latest_extracts", {"most": EXTRACTS}).all()
        today = clock.local_date(visit.now, ZONE)
        exceptions = queries.run(connection, "emergency/report_exceptions", {"day": today}).all()
        since = {"since": visit.now - dt.timedelta(days=TREND_DAYS)}
        days = [dict(row) for row in queries.run(connection, "emergency/report_days", since).mappings()]
    try:
        said, problem = told(last), None
    except ReportAltered as error:  # the page opens on that very day
        said, problem = told(None), str(error)
    measured = [row for row in days if row["needing"] is not None]
    return visit.page(
        "emergency.html.j2",
        report=last,
        told=said,
        problem=problem,
        reports=reports,
        extracts=extracts,
        exceptions=exceptions,
        today=today,
        first=Standing.of(measured[0]) if measured else None,
        now=Standing.of(measured[-1]) if measured else None,
        weeks=weeks(days),
        trend_days=TREND_DAYS,
        reconciliation=RECONCILIATION,
        figures=FIGURES,
        records=RECORDS,
        reasons=list(Reason),
    )


@router.post("/emergency-data/record", name="quarantined_record", dependencies=[needs(Permission.LOOK_UP), FORM])
def record(visit: Visitor, extract: Number, record: Number, reason: Annotated[Reason, Form()]) -> Response:
    """One record in quarantine, with names and addresses. That somebody looked, and why, is entered first."""
    visit.looked_up("quarantine", extract=extract, record=record, reason=reason)
    with visit.reading() as connection:
        found = quarantine.look_up(connection, visit.site.settings, extract, record)
    if found is None:
        raise visit.missing("There is no such record in quarantine. That you looked is in the ledger.")
    return visit.page("emergency_record.html.j2", extract=extract, record=record, found=found, section="emergency")


@dataclass(frozen=True)
class Standing:
    """How the records stood on a day; a share is None where there was nothing to take it of."""

    day: dt.date
    needing: int
    covered: int
    coverage: float | None
    verified: float | None
    stale: float | None

    @classmethod
    def of(cls, row: Row) -> Standing:
        """By a day of the report that has a reconciliation."""
        return cls(
            day=row["day"],
            needing=row["needing"],
            covered=row["covered"],
            coverage=_share(row["covered"], row["needing"]),
            verified=_share(row["verified"], row["needing"]),
            stale=_share(row["stale"], row["told"]),
        )


@dataclass(frozen=True)
class Week:
    """A week of the trend: how the records last stood in it, and what share of those that came passed."""

    begins: dt.date
    standing: Standing | None
    records: int
    passed: float | None


def weeks(days: Sequence[Row]) -> list[Week]:
    """The weeks in which anything was measured or came, the latest first."""
    by_week: dict[dt.date, list[Row]] = {}
    for row in days:
        by_week.setdefault(row["day"] - dt.timedelta(days=row["day"].weekday()), []).append(row)
    made = []
    for begins, some in sorted(by_week.items(), reverse=True):
        measured = [row for row in some if row["needing"] is not None]
        records, released = (sum(row[name] or 0 for row in some) for name in ("records", "released"))
        standing = Standing.of(measured[-1]) if measured else None
        made.append(Week(begins, standing, records, _share(released, records)))
    return made


def told(report: Report | None) -> dict[str, Any]:
    """What a report says of single records, without their content. Nothing of what an earlier version did not say."""
    data = report.data() if report else {}
    rules: list[Row] = [
        {**row, "records": int(row["records"]), "excepted": int(row["excepted"])} for row in _table(report, "rules")
    ]
    listed = _table(report, "quarantine")
    return {
        "verdict": data.get("verdict"),
        "tone": tone_of(data.get("verdict") or {}),
        "written_at": _moment(data.get("written_at")),
        "calls": [{**row, "oldest": _moment(row["oldest"])} for row in data.get("calls", ())],
        "rejects": [{**row, "oldest": _moment(row["oldest"])} for row in data.get("rejects", ())],
        "gaps": data.get("gaps", []),
        "quarantine": data.get("quarantine", {}),
        "broken": [row for row in rules if row["records"] or row["excepted"]],
        "severities": [
            (severity, len(some), sum(row["records"] > 0 for row in some), sum(row["records"] for row in some))
            for severity in ("critical", "warning")
            for some in [[row for row in rules if row["severity"] == severity]]
        ],
        "listed": [{**row, "since": _moment(row["since"])} for row in listed[:RECORDS]],
        "is_longer": len(listed) > RECORDS,
    }


def _table(report: Report | None, name: str) -> list[dict[str, str]]:
    """A table that lies beside the report."""
    file = f"{name}.csv"
    if report is None or file not in report.files:
        return []
    return list(csv.DictReader(io.StringIO(report.read(file).decode("utf-8-sig"), newline="")))


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _share(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None
