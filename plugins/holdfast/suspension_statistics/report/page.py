"""The report as a page that can be put before a board."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
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
_HEADLINE = (
    ("Suspensions", ("M01", "decision", "all", "all")),
    ("by a machine alone", ("M02", "decision", "automation", "fully")),
    ("Accounts", ("M07", "decision", "all", "all")),
    ("Reviews asked for", ("M19", "event", "flow", "asked_for")),
    ("Reviews decided", ("M18", "event", "all", "all")),
    ("overturned or varied", ("M23", "event", "all", "of_decided")),
    ("Reviews open at the end", ("M19", "event", "flow", "open_at_the_end")),
    ("On recognised interests (must be none)", ("M40", "decision", "all", "all")),
)


def html_of(edition: Edition) -> str:
    """The page of an edition."""
    context = {
        "edition": edition,
        "month": f"{edition.version.month:%B %Y}",
        "headline": [(name, _number(edition, place)) for name, place in _HEADLINE],
        "metrics": [
            (metric_id, edition.definitions.metrics[metric_id], tables) for metric_id, tables in _tables(edition)
        ],
        "bases": BASES,
        "shown": shown,
        "interval": edition.interval,
        "in_words": in_words,
        "charts": _charts(edition),
        "hidden": HIDDEN,
    }
    return html.render(TEMPLATE, context, zone=edition.zone)


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


def _number(edition: Edition, place: tuple[str, str, str, str]) -> str:
    cells = {(cell.metric, cell.basis, cell.dimension, cell.category): cell.n for cell in edition.cells}
    return shown(cells.get(place))


def _tables(edition: Edition) -> list[tuple[str, list[tuple[str, str, str, list[Cell]]]]]:
    """Metric -> its tables, each with basis, dimension, unit and cells."""
    made: dict[str, list[tuple[str, str, str, list[Cell]]]] = {
        metric_id: [] for metric_id in edition.definitions.metrics
    }
    for (metric_id, basis, dimension), cells in groupby(
        edition.cells, key=lambda cell: (cell.metric, cell.basis, cell.dimension)
    ):
        cut = edition.definitions.cut(metric_id, basis, dimension)
        assert cut is not None
        unit = edition.definitions.metrics[metric_id].unit_of(cut)
        made[metric_id].append((basis, dimension, unit, list(cells)))
    return list(made.items())


def _charts(edition: Edition) -> list[tuple[str, str]]:
    """Charts of what may be shown: a hidden number is left out and its label says so."""
    drawn = []
    for name, title, places in (
        ("automation", "Suspensions by degree of automation", ("M02", "decision", "automation")),
        ("reason", "Suspensions by ground", ("M04", "decision", "reason")),
        ("outcome", "Outcomes of reviews that ended in the month", ("M22", "event", "outcome")),
    ):
        cells = [cell for cell in edition.cells if (cell.metric, cell.basis, cell.dimension) == places]
        if any(isinstance(cell.n, int) and cell.n for cell in cells):
            labels = [in_words(cell.category) + (" (hidden)" if cell.n == HIDDEN else "") for cell in cells]
            values = [cell.n if isinstance(cell.n, int) else 0 for cell in cells]
            series = [charts.Series("number", values, _DARK)]
            drawn.append(
                (title, charts.stacked_bars(name, title, title + ".", labels, series, as_shares=False, unit="numbers"))
            )
    drawn += [_trend(number, one) for number, one in enumerate(edition.trends) if len(one.months) > 1]
    return drawn


def _trend(number: int, one: Trend) -> tuple[str, str]:
    """A figure over the months, those outside the control limits hatched; a hidden number is drawn as none."""
    values = [n if isinstance(n, int) else 0 for _, n in one.months]
    outside = [value if one.is_outside(n) else 0 for value, (_, n) in zip(values, one.months, strict=True)]
    within = [value - other for value, other in zip(values, outside, strict=True)]
    series = [charts.Series("within the limits", within, _DARK), charts.Series("outside", outside, _WARM, "xx")]
    labels = [f"{month:%Y-%m}" + (" (hidden)" if n == HIDDEN else "") for month, n in one.months]
    text = f"{one.name}, month by month, with the months outside the control limits marked."
    chart = charts.stacked_bars(f"trend-{number}", one.name, text, labels, series, as_shares=False, unit="numbers")
    return f"{one.name}, the last twelve months", chart
