"""The report as a page to read, print and archive."""

from __future__ import annotations

from pathlib import Path

from holdfast.emergency_data.report.figures import ZONE, Edition
from holdfast.emergency_data.rules import RECONCILIATION
from holdfast.reports import charts, html

TEMPLATE = Path(__file__).with_name("report.html.j2")
_LISTED = 50
_GOOD, _WARNED, _STOPPED = "#2f6f73", "#d9b44a", "#a23b3b"


def html_of(edition: Edition) -> str:
    """The page."""
    broken = [row for row in edition.rules if row["broken"] or row["excepted"]]
    context = {
        "edition": edition,
        "broken": broken,
        "reconciliation": RECONCILIATION,
        "listed": edition.quarantine[:_LISTED],
        "chart": _chart(edition),
        "trend": _trend(edition),
    }
    return html.render(TEMPLATE, context, zone=ZONE)


def _chart(edition: Edition) -> str | None:
    """What became of the records of each extract."""
    rows = [row for row in edition.extracts if row["released"] is not None]
    if not rows:
        return None
    clean = [int(row["released"]) - int(row["warned"]) for row in rows]
    return charts.stacked_bars(
        "records",
        "What became of the records",
        "For each extract: left without a remark, left with a warning, stopped.",
        [f"{row['provider']} {row['sequence']}" for row in rows],
        [
            charts.Series("left", clean, _GOOD),
            charts.Series("left, with a warning", [int(row["warned"]) for row in rows], _WARNED, "//"),
            charts.Series("stopped", [int(row["quarantined"]) for row in rows], _STOPPED, "xx"),
        ],
        as_shares=True,
        unit="records",
    )


def _trend(edition: Edition) -> str | None:
    """Completeness day by day; the last thirty that were measured."""
    rows = edition.days[-30:]
    if not rows:
        return None
    covered = [int(row["covered"]) for row in rows]
    missing = [int(row["needing"]) - int(row["covered"]) for row in rows]
    return charts.stacked_bars(
        "coverage",
        "Live numbers with and without a record",
        "For each day: numbers that need a record and have one, and those that have none.",
        [row["day"].isoformat() for row in rows],
        [charts.Series("with a record", covered, _GOOD), charts.Series("without", missing, _STOPPED, "xx")],
        as_shares=True,
        unit="numbers",
    )
