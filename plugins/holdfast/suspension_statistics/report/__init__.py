"""The report of a month in two editions: the internal one is complete and says so; the published one tells of nobody.

They are made from the frozen version and from what was published, so they may be written again at any time and say the
same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from holdfast import database
from holdfast.evidence import reported
from holdfast.reports import charts, data, pdf
from holdfast.reports.files import Written
from holdfast.reports.tables import csv_of
from holdfast.settings import Settings
from holdfast.suspension_facts import take_in
from holdfast.suspension_statistics.report import edition, exports, page
from holdfast.suspension_statistics.report.edition import Edition
from holdfast.suspension_statistics.safeguards import Break, by_kind, in_words

JOB = "suspension_statistics"
SAFEGUARDS = "suspension_safeguards"
PAGE = "index.html"


def write(
    engine: sa.Engine, settings: Settings, month: dt.date, *, late: Mapping[dt.date, int], now: dt.datetime
) -> dict[str, str | int | None]:
    """Write both editions of the latest version below `reports/suspension_statistics/<month>/`.

    In transactions of its own: what is published is entered in the ledger, and each edition after that.

    Returns the path of the internal page (`report`), the folders and their digests, and the sums of the headline.
    Raises StatisticsError, after the internal one was written, if the other may not be published.
    """
    charts.keep_cache_in(settings.home / "matplotlib")
    with database.transaction(engine) as connection:
        internal = edition.internal(connection, settings.policy, month, late=late, now=now)
    complete = _write(engine, settings, internal)
    with database.transaction(engine) as connection:
        take_in.begin(connection)  # so that nobody else publishes it, or freezes another version
        for_everybody = edition.published(connection, settings.policy, month, now=now)
    published = _write(engine, settings, for_everybody)
    return {
        "report": str(complete.folder / PAGE),
        "folder": str(complete.folder),
        "sha256": complete.sha256,
        "published": str(published.folder),
        "published_sha256": published.sha256,
        "month": f"{month:%Y-%m}",
        "version": internal.version.version,
        "suspensions": internal.number("M01", "decision", "all", "all"),
        "reviews": internal.number("M18", "event", "all", "all"),
        "set_aside": sum(int(cell.n or 0) for cell in internal.cells if cell.metric == "U01"),
    }


def _write(engine: sa.Engine, settings: Settings, made_of: Edition) -> Written:
    text = page.html_of(made_of)
    made: dict[str, str | bytes] = {
        PAGE: text,
        "report.pdf": pdf.pdf_of(text, on=made_of.version.month),
        "statistics.xlsx": exports.workbook(made_of),
        "statistics.csv": exports.statistics_csv(made_of),
        "statistics.json": exports.json_text(made_of),
        "statistics.schema.json": exports.schema_text(),
        "versions.csv": exports.versions_csv(made_of),
        "differences.csv": exports.differences_csv(made_of),
        "months.csv": exports.months_csv(made_of),
        "dsa.csv": exports.dsa_csv(made_of),
        "methodology.md": exports.methodology(made_of),
    }
    shelf = (JOB, f"{made_of.version.month:%Y-%m}", made_of.kind)
    return reported.write(engine, settings.reports, shelf, made)


def write_safeguards(
    engine: sa.Engine, settings: Settings, broken: Sequence[Break], *, on: dt.date, now: dt.datetime, zone: str
) -> dict[str, str]:
    """The list of broken safeguards, as a page, a table and data."""
    kinds = by_kind(broken, on)
    verdict = {"sentence": in_words(kinds)}
    made = {
        PAGE: page.safeguards_html(broken, kinds, on=on, now=now, zone=zone),
        "safeguards.csv": csv_of(Break, broken),
        "report.json": data.json_text({"on": on, "verdict": verdict, "safeguards": kinds, "breaks": broken}),
    }
    written = reported.write(engine, settings.reports, (SAFEGUARDS, on.isoformat()), made)
    return {"report": str(written.folder / PAGE), "folder": str(written.folder), "sha256": written.sha256}
