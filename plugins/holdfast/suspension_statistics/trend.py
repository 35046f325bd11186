"""Is a figure of this month out of the ordinary? Twelve months, control limits, the same month of the year before.
Pure.

Limits are those of a chart of individual values and moving ranges (XmR, Shewhart): the mean of the months before, plus
and minus 2.66 times the mean difference from one month to the next. A value outside them is a real change far more
often than chance. Fewer than six months before say too little.

For the published edition all of it is made from the numbers that were printed, month by month, and from nothing else:
it tells nobody what they could not work out themselves.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.suspension_statistics import rules

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


Place = tuple[str, str, str, str]
Number = int | str
"""A figure as a reader has it: a number, or the sign for one that is hidden."""


@dataclass(frozen=True)
class Trend:
    """A figure over the months. Limits are None where there are too few months before."""

    name: str
    place: Place
    months: Sequence[tuple[dt.date, Number]]
    low: float | None
    high: float | None
    year_before: Number | None

    @property
    def now(self) -> Number:
        return self.months[-1][1]

    def is_outside(self, value: Number) -> bool:
        """Whether a number is outside the limits; a hidden one is not known to be."""
        known = isinstance(value, int) and self.low is not None and self.high is not None
        return known and not self.low <= value <= self.high  # type: ignore[operator]

    @property
    def is_unusual(self) -> bool:
        return self.is_outside(self.now)


def trends(month: dt.date, by_month: Mapping[dt.date, Mapping[Place, Number]]) -> list[Trend]:
    """The figures that are followed, in the months up to this one of which readers have any."""
    span = [one for one in sorted(by_month) if rules.after(month, -MONTHS) <= one <= month]
    made = []
    for place, name in FOLLOWED.items():
        measured = [(one, by_month[one][place]) for one in span if place in by_month[one]]
        if measured and measured[-1][0] == month:
            low, high = limits([n for _, n in measured[:-1] if isinstance(n, int)])
            before = by_month.get(rules.after(month, -MONTHS), {}).get(place)
            made.append(Trend(name, place, measured, low, high, before))
    return made


def limits(before: Sequence[int]) -> tuple[float, float] | tuple[None, None]:
    """Between what a next value is ordinary."""
    if len(before) < _LEAST:
        return None, None
    mean = sum(before) / len(before)
    moves = [abs(one - other) for one, other in itertools.pairwise(before)]
    reach = _FACTOR * sum(moves) / len(moves)
    return max(0.0, mean - reach), mean + reach
