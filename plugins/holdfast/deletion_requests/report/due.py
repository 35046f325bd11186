"""The deadlines of the requests that are not answered yet, by how near they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.deletion_requests.agenda import Item
from holdfast.deletion_requests.deadlines import AGEING, ON_TRACK, OVERDUE, WAITING, Deadline, Terms, Waiting


@dataclass(frozen=True)
class DueLine:
    """One unanswered request. Without a deadline `waits_for` says what the clock waits for, and the days are None."""

    request: int
    state: str
    alert: str
    received_on: dt.date
    waits_for: str | None
    starts_on: dt.date | None
    due_on: dt.date | None
    internal_target: dt.date | None
    days_left: int | None


@dataclass(frozen=True)
class Level:
    """How many requests are this near to their deadline; `alert` as in the agenda."""

    alert: str
    requests: int


@dataclass(frozen=True)
class Deadlines:
    """All of them: the most urgent first, counted by level, on one day."""

    today: dt.date
    lines: tuple[DueLine, ...]
    levels: tuple[Level, ...]
    past_target: int

    def count(self, alert: str) -> int:
        return next((level.requests for level in self.levels if level.alert == alert), 0)

    @property
    def oldest(self) -> DueLine | None:
        """The request that was received first."""
        return min(self.lines, key=lambda line: (line.received_on, line.request), default=None)

    @property
    def soon(self) -> str:
        """The level next to being overdue."""
        return self.levels[1].alert


def deadlines(items: Sequence[Item], terms: Terms, today: dt.date) -> Deadlines:
    """What the agenda says, in figures."""
    lines = tuple(_line(item, today) for item in items)
    within = [f"within_{days}_days" for days in sorted(terms.rules.clock.alert_days)]
    order = (OVERDUE, *within, ON_TRACK, AGEING, WAITING)
    return Deadlines(
        today,
        lines,
        tuple(Level(alert, sum(line.alert == alert for line in lines)) for alert in order),
        past_target=sum(line.internal_target is not None and line.internal_target < today for line in lines),
    )


def _line(item: Item, today: dt.date) -> DueLine:
    clock = item.clock
    deadline = clock if isinstance(clock, Deadline) else None
    return DueLine(
        request=item.request_id,
        state=item.state.value,
        alert=item.alert,
        received_on=item.received_on,
        waits_for=clock.waits_for if isinstance(clock, Waiting) else None,
        starts_on=deadline.starts_on if deadline else None,
        due_on=item.due_on,
        internal_target=deadline.internal_target if deadline else None,
        days_left=deadline.days_left(today) if deadline else None,
    )
