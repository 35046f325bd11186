"""What a report of a month says: the cells of one edition, its versions, what changed between them, the trend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import definitions, disclosure, rules, store, trend
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.disclosure import Cell
from holdfast.suspension_statistics.rules import Difference, Figure
from holdfast.suspension_statistics.store import Version
from holdfast.suspension_statistics.terms import Published, Terms, load_rules, zone_of
from holdfast.suspension_statistics.trend import Trend

EXACT = "none"
_CLOSING = ("M19", "event", "flow", "open_at_the_end")
_OPENING = ("M19", "event", "flow", "open_at_the_beginning")


@dataclass(frozen=True)
class Edition:
    """One edition of a month's latest version. Differences, trend and intervals are in the internal one alone."""

    kind: Literal["internal", "published"]
    version: Version
    versions: Sequence[Version]
    cells: Sequence[Cell]
    differences: Sequence[Difference]
    trends: Sequence[Trend]
    to_restate: Sequence[dt.date]
    definitions: Definitions
    terms: Terms
    published: Published
    zone: str
    written_at: dt.datetime

    @property
    def is_internal(self) -> bool:
        return self.kind == "internal"

    @property
    def rule_id(self) -> str:
        return EXACT if self.is_internal else self.published.rule

    def number(self, *place: str) -> int | None:
        """The printed count of a place; None where it is hidden or not measured."""
        found = next(
            (cell.n for cell in self.cells if (cell.metric, cell.basis, cell.dimension, cell.category) == place), None
        )
        return found if isinstance(found, int) else None

    def interval(self, cell: Cell) -> tuple[float, float] | None:
        """The interval of a rate that has one by its definition."""
        if cell.metric not in ("M23", "M27", "M28") or cell.share is None:
            return None
        assert isinstance(cell.n, int)
        assert isinstance(cell.of_n, int)
        return rules.wilson(min(cell.n, cell.of_n), cell.of_n)


def editions_of(
    connection: sa.Connection, policy: Path, month: dt.date, *, to_restate: Sequence[dt.date], now: dt.datetime
) -> tuple[Edition, Edition]:
    """The internal and the published edition. Raises StatisticsError for a month that was never frozen."""
    defined, _ = definitions.load(policy)
    terms = load_rules(policy).published
    everything = store.versions(connection)
    versions = [version for version in everything if version.month == month]
    if not versions:
        raise StatisticsError(f"{month:%Y-%m} was never frozen.", fix="run the job for that month first.")
    latest = {version.month: rules.figures_of(version.figures) for version in everything}
    figures = latest[month]
    before = rules.figures_of(versions[-2].figures) if len(versions) > 1 else figures
    common = {
        "version": versions[-1],
        "versions": versions,
        "definitions": defined,
        "terms": Terms.model_validate_json(versions[-1].terms),
        "published": terms,
        "zone": zone_of(policy),
        "written_at": now,
    }
    internal = Edition(
        kind="internal",
        cells=[Cell(*figure.place, figure.n, figure.of_n, EXACT) for figure in figures],
        differences=rules.differences(before, figures),
        trends=trend.trends(month, latest),
        to_restate=to_restate,
        **common,  # type: ignore[arg-type]
    )
    cells = _published(everything, month, defined, terms)
    published = Edition(kind="published", cells=cells, differences=(), trends=(), to_restate=(), **common)  # type: ignore[arg-type]
    return internal, published


def _published(everything: Sequence[Version], month: dt.date, defined: Definitions, terms: Published) -> list[Cell]:
    """What is published of the latest version, next to all that was published before it: its own earlier versions, and
    the month before, at whose end the reviews were open that are open at the beginning of this one."""
    earlier: list[disclosure.Edition] = []
    if previous := [version for version in everything if version.month == rules.after(month, -1)]:
        earlier += _carried_over(previous, defined, terms)
    cells: list[Cell] = []
    for version in everything:
        if version.month == month:
            cells, edition = disclosure.publish(rules.figures_of(version.figures), defined, terms, earlier)
            earlier.append(edition)
    return cells


def _carried_over(previous: Sequence[Version], defined: Definitions, terms: Published) -> list[disclosure.Edition]:
    found: list[disclosure.Edition] = []
    own: list[disclosure.Edition] = []
    for version in previous:
        figures = rules.figures_of(version.figures)
        _, edition = disclosure.publish(figures, defined, terms, own)
        own.append(edition)
        closing = next(figure.n for figure in figures if figure.place == _CLOSING)
        is_hidden = "/".join(_CLOSING) in edition.hidden
        opening = "/".join(_OPENING)
        hidden = frozenset({opening}) if is_hidden else frozenset()
        found.append(disclosure.Edition((Figure(*_OPENING, closing, None),), hidden))
    return found
