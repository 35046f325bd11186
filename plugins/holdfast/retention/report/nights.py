"""Which nights did not run? A night without a run leaves no trace of its own, so it is told from the gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from holdfast.retention.report.registers import Night

_DAY = dt.timedelta(days=1)


def missed_nights(nights: Iterable[Night], as_of_date: dt.date) -> tuple[dt.date, ...]:
    """The days between the last sealed night and `as_of_date` on which no run was to enforce the schedule.

    Before the first run that was ever sealed the job was not yet kept; then the gaps since the first attempt count.
    """
    attempted, since = _since(nights, as_of_date)
    if since is None:
        return ()
    between = (since + n * _DAY for n in range(1, (as_of_date - since).days))
    return tuple(day for day in between if day not in attempted)


def unfinished_nights(nights: Iterable[Night], as_of_date: dt.date) -> tuple[dt.date, ...]:
    """The days since the last sealed night that had a run, none of which was sealed."""
    attempted, since = _since(nights, as_of_date)
    return tuple(sorted(day for day, is_sealed in attempted.items() if not is_sealed and since and day >= since))


def _since(nights: Iterable[Night], as_of_date: dt.date) -> tuple[dict[dt.date, bool], dt.date | None]:
    attempted = {night.as_of_date: night.is_sealed for night in nights if night.as_of_date < as_of_date}
    sealed = [day for day, is_sealed in attempted.items() if is_sealed]
    return attempted, max(sealed, default=min(attempted, default=None))
