"""What is decided without a database: months, figures and their completeness, controls, intervals, times to an end."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Protocol

from dateutil.relativedelta import relativedelta

from holdfast.errors import StatisticsError
from holdfast.suspension_statistics.definitions import Cut, Definitions, Metric

CONFIDENCE = 0.95
_FLOW_IN = ("open_at_the_beginning", "asked_for")
_FLOW_OUT = ("decided", "withdrawn", "omitted", "open_at_the_end")


@dataclass(frozen=True, order=True)
class Figure:
    """One figure. `n` is a count or a value, `of_n` what it is a part of; None: nothing was measured."""

    metric: str
    basis: str
    dimension: str
    category: str
    n: int | None
    of_n: int | None

    @property
    def cut(self) -> tuple[str, str, str]:
        return self.metric, self.basis, self.dimension

    @property
    def place(self) -> tuple[str, str, str, str]:
        return *self.cut, self.category


def month_of(text: str) -> dt.date:
    """The first day of a month written 2026-05. Raises StatisticsError for anything else."""
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise StatisticsError(f"{text!r} is no month.", fix="write it as 2026-05.") from None


def after(month: dt.date, months: int = 1) -> dt.date:
    """The first day of a later (or, with a negative number, earlier) month."""
    return month + relativedelta(months=months)


def wilson(n: int, of_n: int) -> tuple[float, float] | None:
    """The Wilson interval of 95 % of a share; None where there is nothing to take a share of."""
    if of_n == 0:
        return None
    from scipy.stats import binomtest

    low, high = binomtest(n, of_n).proportion_ci(confidence_level=CONFIDENCE, method="wilson")
    return float(low), float(high)


def kaplan_meier_median(times: Sequence[tuple[int, bool, int]]) -> int | None:
    """By when half had ended, from (time, whether it ended then or was watched until then, how many).

    None where the share that had not ended stays above a half for as long as they were watched.
    """
    if not any(ended for _, ended, _ in times):
        return None
    from scipy.stats import CensoredData, ecdf

    ended = [time for time, is_end, how_many in times if is_end for _ in range(how_many)]
    watched = [time for time, is_end, how_many in times if not is_end for _ in range(how_many)]
    survival = ecdf(CensoredData(uncensored=ended, right=watched)).sf
    # A product of shares that is a half in truth may be a hair above it in floating point.
    return next(
        (int(t) for t, s in zip(survival.quantiles, survival.probabilities, strict=True) if s <= 0.5 + 1e-9), None
    )


def complete(figures: Iterable[Figure], definitions: Definitions) -> list[Figure]:
    """The figures in order, with those of closed lists that did not occur. Raises StatisticsError for an undefined
    one.
    """
    by_cut: dict[tuple[str, str, str], dict[str, Figure]] = defaultdict(dict)
    for figure in figures:
        cut = definitions.cut(*figure.cut)
        if cut is None or (cut.categories and figure.category not in cut.categories):
            raise StatisticsError(
                f"{'/'.join(figure.place)} is a figure that is not defined.",
                fix="define it in policy/suspension_metrics.yaml, or put the provider's code right.",
            )
        by_cut[figure.cut][figure.category] = figure
    made = []
    for metric_id, metric in definitions.metrics.items():
        for cut in metric.cuts:
            found = by_cut[metric_id, cut.basis, cut.dimension]
            names = cut.categories or sorted(found)
            whole = None if cut.each else next((one.of_n for one in found.values()), None)
            made += [found.get(name) or _absent(metric_id, metric, cut, name, whole) for name in names]
    return made


def _absent(metric_id: str, metric: Metric, cut: Cut, category: str, whole: int | None) -> Figure:
    """Of a count or a share, none of the whole; of a time, none to measure."""
    n = 0 if metric.unit_of(cut) in ("count", "share") else None
    return Figure(
        metric_id, cut.basis, cut.dimension, category, n, (whole or 0) if metric.denominator_of(cut) else None
    )


def broken_controls(figures: Sequence[Figure], definitions: Definitions) -> list[str]:
    """The sums that do not hold, in words without figures."""
    sums: dict[str, int] = defaultdict(int)
    for figure in figures:
        sums["/".join(figure.cut)] += figure.n or 0
    broken = [
        f"{control.whole} is not the sum of {part}"
        for control in definitions.controls
        for part in control.parts
        if sums[part] != sums[control.whole]
    ]
    flow = {figure.category: figure.n or 0 for figure in figures if figure.cut == ("M19", "event", "flow")}
    if sum(flow.get(name, 0) for name in _FLOW_IN) != sum(flow.get(name, 0) for name in _FLOW_OUT):
        broken.append("the flow of reviews does not add up")
    return broken


def text_of(figures: Sequence[Figure]) -> str:
    """The canonical text of a month's figures: what is frozen, and what the digest is of."""
    return "[" + ",\n".join(json.dumps(astuple(figure), separators=(",", ":")) for figure in figures) + "]\n"


def figures_of(text: str) -> list[Figure]:
    """The figures of a frozen month."""
    return [Figure(*row) for row in json.loads(text)]


def digest_of(text: str) -> str:
    """The digest that names a version."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


Number = int | str | None


class Shown(Protocol):
    """A figure, or what is printed of one: then a number may be hidden."""

    @property
    def place(self) -> tuple[str, str, str, str]: ...
    @property
    def n(self) -> Number: ...
    @property
    def of_n(self) -> Number: ...


@dataclass(frozen=True)
class Difference:
    """A figure that two versions of a month do not share; None where a version has no such figure."""

    place: tuple[str, str, str, str]
    n_before: Number
    of_n_before: Number
    n_after: Number
    of_n_after: Number


def differences(before: Sequence[Shown], after_it: Sequence[Shown]) -> list[Difference]:
    """Every figure that changed, in the order of the later version."""
    old, new = ({one.place: (one.n, one.of_n) for one in figures} for figures in (before, after_it))
    nothing = (None, None)
    return [
        Difference(place, *old.get(place, nothing), *new.get(place, nothing))
        for place in [*new, *(place for place in old if place not in new)]
        if old.get(place) != new.get(place)
    ]
