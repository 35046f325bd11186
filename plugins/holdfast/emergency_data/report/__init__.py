"""The report of a day's emergency data: what came, what left, what was stopped and why, and where records are missing.

It names records by their number in their extract. No telephone number, name or address is in it.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast.emergency_data import validation
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Rule
from holdfast.emergency_data.report import exports, figures, page, scorecard
from holdfast.evidence import reported
from holdfast.reports import charts, pdf
from holdfast.settings import Settings
from holdfast.store import AnyPath

JOB = "emergency_data_999"
PAGE = "index.html"
DATA_DOCS = "data_docs"


def write(
    connection: sa.Connection,
    settings: Settings,
    bounds: Bounds,
    rules: dict[str, Rule],
    *,
    switched_off: dict[str, str],
    day: dt.date,
    now: dt.datetime,
) -> dict[str, str | int]:
    """Write the report of the day into `reports/emergency_data_999/<day>/`, in place of an earlier one of that day."""
    charts.keep_cache_in(settings.home / "matplotlib")
    documented = validation.documented(data_docs_of(settings, day))
    edition = figures.read(
        connection, bounds, rules, documented=documented, switched_off=switched_off, day=day, now=now
    )
    written = reported.write(connection.engine, settings.reports, (JOB, day.isoformat()), files_of(edition))
    return {
        "report": str(written.folder / PAGE),
        "folder": str(written.folder),
        "sha256": written.sha256,
        "records": edition.records,
        "released": edition.released,
        "quarantined": sum(row["quarantined"] for row in edition.left),
        "needs_somebody": len(scorecard.verdict(edition).points),
    }


def data_docs_of(settings: Settings, day: dt.date) -> AnyPath:
    """The folder of the Data Docs of the extracts that were validated on a day, one below it for each."""
    return settings.reports / JOB / day.isoformat() / DATA_DOCS


def files_of(edition: figures.Edition) -> dict[str, str | bytes]:
    """The files of a report, by name."""
    text = page.html_of(edition)
    return {
        PAGE: text,
        "report.pdf": pdf.pdf_of(text, on=edition.day),
        "report.xlsx": exports.workbook(edition),
        "report.json": exports.json_text(edition),
        **exports.csv_files(edition),
    }
