"""The report as a page to read, print and archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from holdfast.emergency_data.report import scorecard
from holdfast.emergency_data.report.figures import TREND_DAYS, Edition, Row
from holdfast.emergency_data.rules import FIGURES, RECONCILIATION
from holdfast.emergency_data.taking_in import ZONE
from holdfast.reports import charts, html

TEMPLATE = Path(__file__).with_name("report.html.j2")
_LISTED = 50
_GOOD, _WARNED, _STOPPED = "#2f6f73", "#d9b44a", "#a23b3b"
_GAP_AGES = {
    "up_to_a_day": ("up to a day", _GOOD, ""),
    "up_to_a_week": ("up to a week", "#8fb3bb", "//"),
    "up_to_a_month": ("up to a month", _WARNED, ".."),
    "older": ("older", _STOPPED, "xx"),
}
_REJECT_AGES = {
    "up_to_a_day": ("up to a day", _GOOD, ""),
    "in_time": ("within the working days", _WARNED, "//"),
    "too_long": ("for too long", _STOPPED, "xx"),
}


def html_of(edition: Edition) -> str:
    """The page."""
    context = {
        "edition": edition,
        "verdict": scorecard.verdict(edition),
        "scorecard": scorecard.scorecard(edition),
        "broken": [row for row in edition.rules if row["broken"] or row["excepted"]],
        "severities": _severities(edition),
        "reconciliation": RECONCILIATION,
        "figures": FIGURES,
        "listed": edition.quarantine[:_LISTED],
        "trend_days": TREND_DAYS,
        "records_chart": _records(edition),
        "trend_chart": _trend(edition),
        "gaps_chart": _ages("gaps", "Open gaps by age", edition.gaps, "rule_id", _GAP_AGES),
        "rejects_chart": _ages("rejects", "Open rejects by age", edition.rejects, "code", _REJECT_AGES),
        "audit_chart": _audit(edition),
    }
    return html.render(TEMPLATE, context, zone=ZONE)


def _severities(edition: Edition) -> list[tuple[str, int, int, int]]:
    """For each severity: rules that were checked, rules that were broken, and how often."""
    return [
        (
            severity,
            len(rows),
            sum(row["broken"] > 0 for row in rows),
            sum(row["broken"] for row in rows),
        )
        for severity in ("critical", "warning")
        for rows in [[row for row in edition.rules if row["severity"] == severity]]
    ]


def _records(edition: Edition) -> str | None:
    """What became of the records of each extract."""
    rows = [row for row in edition.extracts if row["released"] is not None]
    if not rows:
        return None
    clean = [int(row["released"]) - int(row["warned"]) for row in rows]
    return charts.stacked_bars(
        "records",
        "What became of the records",
        "For each extract: passed without a remark, passed with a warning, stopped.",
        [f"{row['provider']} {row['sequence']}" for row in rows],
        [
            charts.Series("passed", clean, _GOOD),
            charts.Series("passed, with a warning", [int(row["warned"]) for row in rows], _WARNED, "//"),
            charts.Series("stopped", [int(row["quarantined"]) for row in rows], _STOPPED, "xx"),
        ],
        as_shares=True,
        unit="records",
    )


def _trend(edition: Edition) -> str | None:
    """Completeness, checks of addresses and quality, day by day."""
    if not edition.days:
        return None

    def shares(part: str, whole: str) -> list[float | None]:
        return [row[part] / row[whole] if row[whole] else None for row in edition.days]

    return charts.shares_by_day(
        "trend",
        "Completeness and quality, day by day",
        f"The last {TREND_DAYS} days, as far as they were measured.",
        [row["day"] for row in edition.days],
        [
            charts.Line("live numbers with a record", shares("covered", "needing"), _GOOD),
            charts.Line("addresses checked within a year", shares("verified", "needing"), "#8a5a00", "--"),
            charts.Line("records that passed", shares("released", "records"), _STOPPED, ":"),
        ],
    )


def _ages(name: str, title: str, rows: Sequence[Row], label: str, ages: dict[str, tuple[str, str, str]]) -> str | None:
    if not rows:
        return None
    series = [
        charts.Series(words, [int(row[age]) for row in rows], colour, hatch)
        for age, (words, colour, hatch) in ages.items()
    ]
    labels = [str(row[label]) for row in rows]
    return charts.stacked_bars(name, title, "A bar for each.", labels, series, as_shares=False, unit=name)


def _audit(edition: Edition) -> str | None:
    """How many addresses fall due in each month."""
    if not edition.audit:
        return None
    return charts.stacked_bars(
        "audit",
        "Addresses to be checked again, by month",
        "A bar for each month in which their year ends.",
        [f"{row['due_month']:%b %Y}" for row in edition.audit],
        [charts.Series("due", [int(row["numbers"]) for row in edition.audit], _GOOD)],
        as_shares=False,
        unit="addresses",
    )
