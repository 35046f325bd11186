"""What a report of a month says: the cells of one edition, its versions, what changed between them, the trend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import definitions, publication, rules, store, trend
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.disclosure import Cell
from holdfast.suspension_statistics.rules import Difference
from holdfast.suspension_statistics.store import Version
from holdfast.suspension_statistics.terms import Published, Terms, load_rules, zone_of
from holdfast.suspension_statistics.trend import Trend

EXACT = "none"


@dataclass(frozen=True)
class Edition:
    """One edition of a month's latest version. In the published one, differences and trends are between what was
    printed. `late`: months of which facts came too late, for the internal one.
    """

    kind: Literal["internal", "published"]
    version: Version
    versions: Sequence[Version]
    cells: Sequence[Cell]
    differences: Sequence[Difference]
    trends: Sequence[Trend]
    late: Mapping[dt.date, int]
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

    def per_10000(self, cell: Cell) -> float | None:
        """Of 10,000 of the mean number on a day of the month, where the second number is the sum over its days."""
        if not isinstance(cell.n, int) or not isinstance(cell.of_n, int) or cell.of_n == 0:
            return None
        days = (rules.after(self.version.month) - self.version.month).days
        return 10_000 * cell.n * days / cell.of_n

    def interval(self, cell: Cell) -> tuple[float, float] | None:
        """The interval of a rate that has one by its definition."""
        if cell.metric not in ("M23", "M27", "M28") or cell.share is None:
            return None
        assert isinstance(cell.n, int)
        assert isinstance(cell.of_n, int)
        return rules.wilson(min(cell.n, cell.of_n), cell.of_n)


def internal(
    connection: sa.Connection, policy: Path, month: dt.date, *, late: Mapping[dt.date, int], now: dt.datetime
) -> Edition:
    """The internal edition. Raises StatisticsError for a month that was never frozen."""
    everything = store.versions(connection, since=rules.after(month, -trend.MONTHS))
    versions = _of_month(everything, month)
    figures = {version.month: rules.figures_of(version.figures) for version in everything if version.month <= month}
    before = rules.figures_of(versions[-2].figures) if len(versions) > 1 else figures[month]
    numbers = {
        one: {figure.place: figure.n for figure in some if figure.n is not None} for one, some in figures.items()
    }
    return Edition(
        kind="internal",
        cells=[Cell(*figure.place, figure.n, figure.of_n, EXACT) for figure in figures[month]],
        differences=rules.differences(before, figures[month]),
        trends=trend.trends(month, numbers),
        late=late,
        **_common(policy, versions, now),
    )


def published(connection: sa.Connection, policy: Path, month: dt.date, *, now: dt.datetime) -> Edition:
    """The published edition, made now unless there is one. Raises StatisticsError for a month that was never frozen,
    or if what readers have already would tell a small number of it.
    """
    since = rules.after(month, -trend.MONTHS)
    versions = _of_month(store.versions(connection, since=since), month)
    known = publication.published(connection, since)
    common = _common(policy, versions, now)
    ours = publication.publish(connection, versions[-1], common["definitions"], common["published"], known, now=now)
    earlier = [one for one in known if one.month == month and one.version < ours.version]
    printed = {one.month: one.cells for one in known if one.month < month} | {month: ours.cells}
    numbers = {one: {cell.place: cell.n for cell in cells if cell.n is not None} for one, cells in printed.items()}
    return Edition(
        kind="published",
        cells=ours.cells,
        differences=rules.differences(earlier[-1].cells, ours.cells) if earlier else (),
        trends=trend.trends(month, numbers),
        late={},
        **common | {"published": ours.terms},
    )


def _of_month(versions: Sequence[Version], month: dt.date) -> list[Version]:
    found = [version for version in versions if version.month == month]
    if not found:
        raise StatisticsError(f"{month:%Y-%m} was never frozen.", fix="run the job for that month first.")
    return found


def _common(policy: Path, versions: Sequence[Version], now: dt.datetime) -> dict[str, Any]:
    defined, _ = definitions.load(policy)
    return {
        "version": versions[-1],
        "versions": versions,
        "definitions": defined,
        "terms": Terms.model_validate_json(versions[-1].terms),
        "published": load_rules(policy).published,
        "zone": zone_of(policy),
        "written_at": now,
    }
