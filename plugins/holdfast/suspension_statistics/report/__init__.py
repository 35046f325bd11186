"""The report of a month in two editions: the internal one is complete and says so; the published one tells of nobody.

It is made from the frozen version alone, so it may be written again at any time and says the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from holdfast.reports import charts, files, pdf
from holdfast.reports.files import Written
from holdfast.reports.tables import csv_of
from holdfast.settings import Settings
from holdfast.suspension_statistics.report import exports, page
from holdfast.suspension_statistics.report.edition import Edition, editions_of
from holdfast.suspension_statistics.safeguards import Break

JOB = "suspension_statistics"
SAFEGUARDS = "suspension_safeguards"
PAGE = "index.html"


def write(
    connection: sa.Connection, settings: Settings, month: dt.date, *, to_restate: Sequence[dt.date], now: dt.datetime
) -> dict[str, str | int | None]:
    """Write both editions of the latest version below `reports/suspension_statistics/<month>/`.

    Returns the path of the internal page (`report`), the folders and their digests, and the sums of the headline.
    """
    charts.keep_cache_in(settings.home / "matplotlib")
    internal, published = editions_of(connection, settings.policy, month, to_restate=to_restate, now=now)
    written = {edition.kind: _write(settings, edition) for edition in (internal, published)}
    return {
        "report": str(written["internal"].folder / PAGE),
        "folder": str(written["internal"].folder),
        "sha256": written["internal"].sha256,
        "published": str(written["published"].folder),
        "published_sha256": written["published"].sha256,
        "month": f"{month:%Y-%m}",
        "version": internal.version.version,
        "suspensions": internal.number("M01", "decision", "all", "all"),
        "reviews": internal.number("M18", "event", "all", "all"),
        "set_aside": sum(int(cell.n or 0) for cell in internal.cells if cell.metric == "U01"),
    }


def _write(settings: Settings, edition: Edition) -> Written:
    text = page.html_of(edition)
    made: dict[str, str | bytes] = {
        PAGE: text,
        "report.pdf": pdf.pdf_of(text, on=edition.version.month),
        "statistics.xlsx": exports.workbook(edition),
        "statistics.csv": exports.statistics_csv(edition),
        "statistics.json": exports.json_text(edition),
        "statistics.schema.json": exports.schema_text(),
        "versions.csv": exports.versions_csv(edition),
        "differences.csv": exports.differences_csv(edition),
        "dsa.csv": exports.dsa_csv(edition),
        "methodology.md": exports.methodology(edition),
    }
    return files.write_set(settings.reports, (JOB, f"{edition.version.month:%Y-%m}", edition.kind), made)


def write_safeguards(
    settings: Settings, broken: Sequence[Break], *, on: dt.date, now: dt.datetime, zone: str
) -> dict[str, str]:
    """The list of broken safeguards, as a page and a table."""
    made = {PAGE: page.safeguards_html(broken, on=on, now=now, zone=zone), "safeguards.csv": csv_of(Break, broken)}
    written = files.write_set(settings.reports, (SAFEGUARDS, on.isoformat()), made)
    return {"report": str(written.folder / PAGE), "folder": str(written.folder), "sha256": written.sha256}
