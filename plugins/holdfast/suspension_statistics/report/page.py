"""The report as a page that can be put before a board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from holdfast.reports import charts, html
from holdfast.suspension_statistics.definitions import BASES
from holdfast.suspension_statistics.disclosure import HIDDEN, Cell
from holdfast.suspension_statistics.report.edition import Edition
from holdfast.suspension_statistics.safeguards import KINDS, Break, Kind
from holdfast.suspension_statistics.trend import Trend

TEMPLATE = Path(__file__).with_name("report.html.j2")
SAFEGUARDS = Path(__file__).with_name("safeguards.html.j2")
_DARK, _LIGHT, _WARM = "#2f6f73", "#d9b44a", "#a23b3b"  # told apart in grey too, and by their hatching
_COLUMNS: Mapping[str, tuple[str, str | None, str | None]] = {
    "count": ("Number", "Of", None),
    "share": ("Number", "Of", "Share"),
    "per_10000": ("Accounts", "Active, day by day", "Per 10,000"),
}
"""Unit -> what the columns are called; of a time its unit, and how many were observed."""
HEADLINE = (
    ("Suspensions", ("M01", "decision", "all", "all")),
    ("Fully automated", ("M02", "decision", "automation", "fully")),
    ("Accounts suspended", ("M07", "decision", "all", "all")),
    ("Reviews asked for", ("M19", "event", "flow", "asked_for")),
    ("Reviews decided", ("M18", "event", "all", "all")),
    ("Overturned or varied", ("M23", "event", "all", "of_decided")),
    ("Reviews open at the end", ("M19", "event", "flow", "open_at_the_end")),
    ("On recognised interests (must be none)", ("M40", "decision", "all", "all")),
)
BREAKDOWNS = (
    ("automation", "Suspensions by degree of automation", ("M02", "decision", "automation")),
    ("reason", "Suspensions by ground", ("M04", "decision", "reason")),
    ("outcome", "Outcomes of reviews that ended in the month", ("M22", "event", "outcome")),
)
"""What is drawn: a name, what it shows, and its cut."""


@dataclass(frozen=True)
class Table:
    """One breakdown of a metric: what its columns are called (None: there is no such column) and its cells."""

    caption: str
    number: str
    whole: str | None
    share: str | None
    has_intervals: bool
    cells: Sequence[Cell]


def html_of(edition: Edition) -> str:
    """The page of an edition."""
    context = {
        "edition": edition,
        "month": f"{edition.version.month:%B %Y}",
        "in_short": in_short(edition),
        "headline": [(name, _number(edition, place)) for name, place in HEADLINE],
        "metrics": [
            (metric_id, edition.definitions.metrics[metric_id], tables) for metric_id, tables in _tables(edition)
        ],
        "bases": BASES,
        "shown": shown,
        "share": lambda cell: share_of(edition, cell),
        "interval": edition.interval,
        "in_words": in_words,
        "charts": _charts(edition),
        "trend_charts": [_trend(number, one) for number, one in enumerate(edition.trends) if _has_bars(one)],
        "hidden": HIDDEN,
    }
    return html.render(TEMPLATE, context, zone=edition.zone)


def in_short(edition: Edition) -> str:
    """The month in two sentences."""
    suspensions, fully, accounts, asked, decided, wrong = (_number(edition, place) for _, place in HEADLINE[:6])
    said = (
        f"{suspensions} suspensions on {accounts} accounts, {fully} of them decided by a machine alone. {asked} reviews"
        f" were asked for and {decided} decided; {wrong} of these overturned or varied the decision"
    )
    rate = next(cell for cell in edition.cells if cell.place == HEADLINE[5][1])
    share = html.share(rate.share) if rate.share is not None else ""
    interval = edition.interval(rate)
    reach = f", 95 % interval {html.share(interval[0])} to {html.share(interval[1])}" if interval else ""
    return f"{said} ({share}{reach})." if share else f"{said}."


def safeguards_html(broken: Sequence[Break], kinds: Sequence[Kind], *, on: dt.date, now: dt.datetime, zone: str) -> str:
    """The page of broken safeguards."""
    context = {"broken": broken, "kinds": kinds, "meaning": KINDS, "on": on, "written_at": now}
    return html.render(SAFEGUARDS, context, zone=zone)


def in_words(code: str) -> str:
    """A code as a reader would write it."""
    return code.replace("_", " ")


def shown(value: int | str | None) -> str:
    """A number as it is printed."""
    return "not measured" if value is None else value if isinstance(value, str) else f"{value:,}"


def share_of(edition: Edition, cell: Cell) -> str:
    """What the printed numbers make together, as it is printed; empty where they make nothing."""
    cut = edition.definitions.cut(cell.metric, cell.basis, cell.dimension)
    assert cut is not None
    unit = edition.definitions.metrics[cell.metric].unit_of(cut)
    if unit == "share" and cell.share is not None:
        return html.share(cell.share)
    rate = edition.per_10000(cell)
    return "" if unit != "per_10000" or rate is None else f"{rate:,.1f}"


def _number(edition: Edition, place: tuple[str, str, str, str]) -> str:
    cells = {(cell.metric, cell.basis, cell.dimension, cell.category): cell.n for cell in edition.cells}
    return shown(cells.get(place))


def _tables(edition: Edition) -> list[tuple[str, list[Table]]]:
    """Metric -> its tables."""
    made: dict[str, list[Table]] = {metric_id: [] for metric_id in edition.definitions.metrics}
    for (metric_id, basis, dimension), some in groupby(
        edition.cells, key=lambda cell: (cell.metric, cell.basis, cell.dimension)
    ):
        cut = edition.definitions.cut(metric_id, basis, dimension)
        assert cut is not None
        unit, cells = edition.definitions.metrics[metric_id].unit_of(cut), list(some)
        number, whole, share = _COLUMNS.get(unit, (unit.capitalize(), "Observed", None))
        caption = f"{'In all' if dimension == 'all' else in_words(dimension).capitalize()}, {BASES[basis]}"
        has_whole = any(cell.of_n is not None for cell in cells)
        intervals = any(edition.interval(cell) for cell in cells)
        made[metric_id].append(Table(caption, number, whole if has_whole else None, share, intervals, cells))
    return list(made.items())


def _charts(edition: Edition) -> list[tuple[str, str]]:
    """Charts of what may be shown: of a hidden number there is no bar, and it is marked as hidden."""
    drawn = []
    for name, title, places in BREAKDOWNS:
        cells = [cell for cell in edition.cells if (cell.metric, cell.basis, cell.dimension) == places]
        if any(isinstance(cell.n, int) and cell.n for cell in cells):
            labels = [in_words(cell.category) for cell in cells]
            hidden = [row for row, cell in enumerate(cells) if cell.n == HIDDEN]
            values = [cell.n if isinstance(cell.n, int) else 0 for cell in cells]
            series = [charts.Series("number", values, _DARK)]
            drawn.append((title, _bars(name, title, title + ".", labels, series, hidden)))
    return drawn


def _has_bars(one: Trend) -> bool:
    return len(one.months) > 1 and any(isinstance(n, int) and n for _, n in one.months)


def _trend(number: int, one: Trend) -> tuple[str, str]:
    """A figure over the months, those outside the control limits hatched; of a hidden number there is no bar."""
    values = [n if isinstance(n, int) else 0 for _, n in one.months]
    outside = [value if one.is_outside(n) else 0 for value, (_, n) in zip(values, one.months, strict=True)]
    within = [value - other for value, other in zip(values, outside, strict=True)]
    series = [charts.Series("within the limits", within, _DARK), charts.Series("outside", outside, _WARM, "xx")]
    labels = [f"{month:%Y-%m}" for month, _ in one.months]
    hidden = [row for row, (_, n) in enumerate(one.months) if n == HIDDEN]
    text = f"{one.name}, month by month, with the months outside the control limits marked."
    return f"{one.name}, the last twelve months", _bars(f"trend-{number}", one.name, text, labels, series, hidden)


def _bars(
    name: str, title: str, text: str, labels: Sequence[str], series: Sequence[charts.Series], hidden: Sequence[int]
) -> str:
    return charts.stacked_bars(name, title, text, labels, series, as_shares=False, unit="numbers", hidden=hidden)
