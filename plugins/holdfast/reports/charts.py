"""Charts as SVG inside a page: the same bytes for the same figures, readable in grey, and told in words as well.

matplotlib draws without a display. Its dates, random ids and style sheet are taken out of the SVG, because a page may
hold several charts and must not change from one writing to the next. Text stays text, in the font of the page, so it
can be searched and read aloud.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_INK, _FAINT = "#1c2326", "#c9d1d3"
_FAMILY = re.compile(r" ?font-family: [^;]*;")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "holdfast",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so widths are measured alike everywhere
    "font.size": 8.0,
    "text.parse_math": False,  # a dollar sign is a dollar sign
    "hatch.linewidth": 0.7,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.edgecolor": _FAINT,
}


@dataclass(frozen=True)
class Series:
    """One kind of bar piece: a value for each label. `hatch` is matplotlib's, and tells pieces apart without colour."""

    name: str
    values: Sequence[int]
    colour: str
    hatch: str = ""


@dataclass(frozen=True)
class Line:
    """A share for each day, from 0 to 1; None where it was not measured, which leaves the line open there.

    `dash` is matplotlib's, and tells lines apart without colour.
    """

    name: str
    values: Sequence[float | None]
    colour: str
    dash: str = "-"


def keep_cache_in(folder: Path) -> None:
    """Let matplotlib keep its list of fonts there and not in the user's home. Takes effect before its first import."""
    os.environ.setdefault("MPLCONFIGDIR", str(folder))


def stacked_bars(
    name: str,
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    as_shares: bool,
    unit: str = "rows",
    hidden: Collection[int] = (),
) -> str:
    """A horizontal bar for each label, made of the series; the sum stands at its end.

    Of the rows that are `hidden` no number is told, which is not zero: an asterisk stands there.
    `name` is unique in the page. `as_shares` makes all bars equally long, so that a small dataset can be read beside a
    large one; otherwise lengths compare, and pieces are drawn from zero on one scale.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sums = [sum(one.values[row] for one in series) for row in range(len(labels))]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 0.62 + 0.235 * len(labels)))
        axes = figure.add_subplot()
        starts = [0.0] * len(labels)
        for one in series:
            widths = [value / (sums[row] or 1) if as_shares else value for row, value in enumerate(one.values)]
            axes.barh(
                range(len(labels)),
                widths,
                left=starts,
                height=0.68,
                color=one.colour,
                hatch=one.hatch,
                edgecolor=_INK if one.hatch else "white",
                linewidth=0.0 if one.hatch else 0.6,
                label=one.name,
            )
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        longest = max([*starts, 1.0 if as_shares else 1e-9])
        for row, total in enumerate(sums):
            axes.text(
                starts[row] + 0.012 * longest,
                row,
                "*" if row in hidden else f"{total:,}",
                va="center",
                ha="left",
                fontsize=7.5,
            )
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(0, longest * 1.13)
        axes.set_xticks([])
        axes.tick_params(left=False)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        figure.legend(
            loc="upper left",
            ncols=len(series),
            frameon=False,
            fontsize=8,
            handlelength=1.4,
            columnspacing=1.6,
            borderaxespad=0.1,
        )
        figure.subplots_adjust(left=0.245, right=0.995, top=1 - 0.36 / figure.get_figheight(), bottom=0.02)
        return _inline(figure, name, title, f"{description} {_in_words(labels, series, unit, hidden)}")


def shares_by_day(name: str, title: str, description: str, days: Sequence[dt.date], lines: Sequence[Line]) -> str:
    """Lines of shares over days, which stand as far apart as they are; the first and last value of each in words.

    A line ends before a day that is not among them, or has no value.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 2.4))
        axes = figure.add_subplot()
        for one in lines:
            places = _with_breaks([(day.toordinal(), value) for day, value in zip(days, one.values, strict=True)])
            axes.plot(
                [place for place, _ in places],
                [float("nan") if value is None else value for _, value in places],
                color=one.colour,
                linestyle=one.dash,
                linewidth=1.4,
                marker="." if len(days) < 10 else "",
                label=one.name,
            )
        shown = sorted({days[0], days[-1]})
        axes.set_xticks([day.toordinal() for day in shown], [_short(day) for day in shown])
        lowest = min((value for one in lines for value in one.values if value is not None), default=0.9)
        axes.set_ylim(min(lowest, 0.9), 1.01)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="upper left", ncols=len(lines), frameon=False, fontsize=8, borderaxespad=0.1)
        figure.subplots_adjust(left=0.07, right=0.96, top=0.86, bottom=0.12)
        told = " ".join(filter(None, (_line_in_words(days, one) for one in lines)))
        return _inline(figure, name, title, f"{description} {told}")


def _with_breaks(places: Sequence[tuple[int, float | None]]) -> list[tuple[int, float | None]]:
    """The same, with nothing between days that do not follow one another: a line would tell of days not measured."""
    broken: list[tuple[int, float | None]] = []
    for place, value in places:
        if broken and place > broken[-1][0] + 1:
            broken.append((place - 1, None))
        broken.append((place, value))
    return broken


def _line_in_words(days: Sequence[dt.date], line: Line) -> str:
    measured = [(day, value) for day, value in zip(days, line.values, strict=True) if value is not None]
    if not measured:
        return f"{line.name}: not measured."
    (first, before), (last, now) = measured[0], measured[-1]
    return f"{line.name}: {before:.1%} on {_short(first)}, {now:.1%} on {_short(last)}."


def _short(day: dt.date) -> str:
    return f"{day.day} {day:%b %Y}"


def _in_words(labels: Sequence[str], series: Sequence[Series], unit: str, hidden: Collection[int]) -> str:
    told = []
    for row, label in enumerate(labels):
        pieces = ", ".join(f"{one.name} {one.values[row]:,}" for one in series if one.values[row])
        told.append(f"{label}: {'hidden' if row in hidden else pieces or 'none'}.")
    return f"In {unit}. " + " ".join(told)


def _inline(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as an SVG element with a title and a description, its ids made the page's own."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(drawn.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        element.tail = None
        element.text = (element.text or "").strip() or None
    _own_ids(root, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    for text in root.iter(f"{{{_SVG}}}text"):
        text.set("style", _FAMILY.sub("", text.get("style", "")))
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    for position, (kind, words) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{{{_SVG}}}{kind}", id=f"{name}-{'title' if kind == 'title' else 'description'}")
        element.text = words
        root.insert(position, element)
    return ElementTree.tostring(root, encoding="unicode")


def _own_ids(root: ElementTree.Element, name: str) -> None:
    """Drop ids that nothing refers to, and put `name` before the others."""
    href = f"{{{_XLINK}}}href"
    referred: set[str] = set()
    for element in root.iter():
        for attribute, value in element.attrib.items():
            referred.update(_REFERENCE.findall(value))
            if attribute == href:
                referred.add(value.removeprefix("#"))
    for element in root.iter():
        if element.get("id") in referred:
            element.set("id", f"{name}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
        for attribute, value in list(element.attrib.items()):
            if attribute == href:
                element.set(href, f"#{name}-{value.removeprefix('#')}")
            else:
                element.set(attribute, _REFERENCE.sub(rf"url(#{name}-\1)", value))
