"""Is a figure of this month out of the ordinary? Twelve months, control limits, the same month of the year before.
Pure.

Limits are those of a chart of individual values and moving ranges (XmR, Shewhart): the mean of the months before, plus
and minus 2.66 times the mean difference from one month to the next. A value outside them is a real change far more
often than chance. Fewer than six months before say too little.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.suspension_statistics import rules
from holdfast.suspension_statistics.rules import Figure

MONTHS = 12
_LEAST = 6
_FACTOR = 2.66
FOLLOWED: Mapping[tuple[str, str, str, str], str] = {
    ("M01", "decision", "all", "all"): "Suspensions",
    ("M02", "decision", "automation", "fully"): "Fully automated suspensions",
    ("M07", "decision", "all", "all"): "Accounts suspended",
    ("M13", "event", "all", "all"): "Human reviews requested",
    ("M18", "event", "all", "all"): "Reviews completed",
    ("M23", "event", "all", "of_decided"): "Overturned or varied",
    ("M19", "event", "flow", "open_at_the_end"): "Reviews open at the end",
}


@dataclass(frozen=True)
class Trend:
    """A figure over the months. Limits are None where there are too few months before."""

    name: str
    months: Sequence[tuple[dt.date, int]]
    low: float | None
    high: float | None
    year_before: int | None

    @property
    def now(self) -> int:
        return self.months[-1][1]

    @property
    def is_unusual(self) -> bool:
        return self.low is not None and self.high is not None and not self.low <= self.now <= self.high


def trends(month: dt.date, by_month: Mapping[dt.date, Sequence[Figure]]) -> list[Trend]:
    """The figures that are followed, in the months up to this one of which there are frozen ones."""
    known = {one: {figure.place: figure.n for figure in figures} for one, figures in by_month.items()}
    made = []
    for place, name in FOLLOWED.items():
        values = [(one, known[one].get(place)) for one in sorted(known) if rules.after(month, -MONTHS) <= one <= month]
        measured = [(one, n) for one, n in values if n is not None]
        if measured and measured[-1][0] == month:
            before = known.get(rules.after(month, -MONTHS), {}).get(place)
            low, high = limits([n for _, n in measured[:-1]])
            made.append(Trend(name, measured, low, high, before))
    return made


def limits(before: Sequence[int]) -> tuple[float, float] | tuple[None, None]:
    """Between what a next value is ordinary."""
    if len(before) < _LEAST:
        return None, None
    mean = sum(before) / len(before)
    moves = [abs(one - other) for one, other in itertools.pairwise(before)]
    reach = _FACTOR * sum(moves) / len(moves)
    return max(0.0, mean - reach), mean + reach
