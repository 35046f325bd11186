"""The page: what the template is given, in the order in which it is read."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from holdfast.deletion_requests.breaks import EXAMPLES
from holdfast.deletion_requests.report import words
from holdfast.deletion_requests.report.edition import Edition
from holdfast.deletion_requests.report.figures import DECISIONS
from holdfast.policy import wording
from holdfast.reports import charts, html
from holdfast.reports.verdict import STANDINGS

TEMPLATE = Path(__file__).with_name("report.html.j2")
LISTED = 25
"""So many of the most urgent requests are on the page."""

SECTIONS = (
    "The verdict",
    "The night in figures",
    "Requests, by where they stand and why",
    "The matrix",
    "Deadlines",
    "Holds that block most",
    "Exempt by law or by need",
    "What stays, and until when",
    "Recipients that have not answered",
    "What does not agree",
    "Week by week",
    "Caps and approvals",
    "Proof",
    "How to read this report",
)

# Colour and hatch of a piece of a bar, told apart in grey print as well.
_PIECES = {
    "erase": ("#1d4b57", ""),
    "anonymise": ("#5b8792", ""),
    "held": ("#c9763f", "////"),
    "exempt": ("#e3d3a4", "----"),
    "not_held": ("#eef1f2", ""),
    "waiting": ("#ffffff", "||||"),
    "unknown": ("#ffffff", "xxxx"),
}
_ENDS = {
    "completed": ("#1d4b57", ""),
    "partly_completed": ("#8fb3bb", ""),
    "refused": ("#c9763f", "////"),
    "withdrawn": ("#e3d3a4", "----"),
}
_PLAIN = "#1d4b57"


def html_of(edition: Edition, *, with_charts: bool = True) -> str:
    """The whole page as text. Without charts it is made in milliseconds, which the tests of its figures need."""
    standing, tone = STANDINGS[edition.verdict.standing]
    due = edition.deadlines
    context = {
        "edition": edition,
        "sections": SECTIONS,
        "words": words,
        "wording": wording,
        "standing": standing,
        "tone": tone,
        "headline": _headline(edition),
        "decisions": DECISIONS,
        "examples": EXAMPLES,
        "listed": due.lines[:LISTED] if due else (),
        "matrix_chart": Markup(_matrix_chart(edition)) if with_charts else "",
        "due_chart": Markup(_due_chart(edition)) if with_charts else "",
        "ends_chart": Markup(_ends_chart(edition)) if with_charts else "",
        "open_chart": Markup(_open_chart(edition)) if with_charts else "",
        "is_hold_type": lambda code: bool(edition.policy and code in edition.policy.holds.types),
        "describe": lambda code: _describe(edition, code),
    }
    return html.render(TEMPLATE, context, zone=edition.zone)


def _headline(edition: Edition) -> list[tuple[str, int | None]]:
    totals, due = edition.totals, edition.deadlines
    erased = ("Rows planned", totals.rows_planned) if edition.run.is_dry else ("Rows erased", totals.rows_erased)
    return [
        ("Pending", totals.pending),
        ("Partly completed", totals.partly_completed),
        ("Completed", totals.completed),
        ("Refused", totals.refused),
        ("Decisions tonight", totals.decisions),
        erased,
        ("Overdue", due.count("overdue") if due else None),
        ("Breaks", None if edition.breaks is None else len(edition.breaks)),
    ]


def _describe(edition: Edition, code: str) -> wording.RuleWords | None:
    """The words of a rule; None for anything else that keeps rows."""
    policy = edition.policy
    return wording.describe(policy, code) if policy and code in policy.schedule.rules else None


def _matrix_chart(edition: Edition) -> str:
    """How each dataset was decided; datasets in which no request has anything are left out."""
    lines = [line for line in edition.matrix if line.decisions > line.not_held]
    if not lines:
        return ""
    series = [
        charts.Series(words.DECISIONS[name].lower(), [getattr(line, name) for line in lines], colour, hatch)
        for name, (colour, hatch) in _PIECES.items()
    ]
    return charts.stacked_bars(
        "matrix",
        "How requests were decided, by dataset",
        "A bar for each dataset, divided by the decisions of its requests.",
        [words.title(line.dataset) for line in lines],
        [one for one in series if any(one.values)],
        as_shares=True,
        unit="decisions",
    )


def _due_chart(edition: Edition) -> str:
    if edition.deadlines is None or not edition.deadlines.lines:
        return ""
    levels = edition.deadlines.levels
    return charts.stacked_bars(
        "due",
        "Requests without an answer, by how near their deadline is",
        "A bar for each distance from the deadline.",
        [words.alert(level.alert) for level in levels],
        [charts.Series("requests", [level.requests for level in levels], _PLAIN)],
        as_shares=False,
        unit="requests",
    )


def _ends_chart(edition: Edition) -> str:
    if not edition.weeks:
        return ""
    series = [
        charts.Series(words.title(name).lower(), [getattr(week, name) for week in edition.weeks], colour, hatch)
        for name, (colour, hatch) in _ENDS.items()
    ]
    return charts.stacked_bars(
        "ends",
        "Requests that were decided, week by week",
        "A bar for each week, divided by how requests were decided in it.",
        [html.short_day(week.week) for week in edition.weeks],
        series,
        as_shares=False,
        unit="requests",
    )


def _open_chart(edition: Edition) -> str:
    if not edition.weeks:
        return ""
    return charts.stacked_bars(
        "open",
        "Requests that were open at the end of the week",
        "A bar for each week.",
        [html.short_day(week.week) for week in edition.weeks],
        [charts.Series("open at the end of the week", [week.open_at_end for week in edition.weeks], "#8fb3bb")],
        as_shares=False,
        unit="requests",
    )
