"""Days, months and time zones: when does a period end? Pure; the time is always passed in.

A period is counted in the controller's local calendar days (Europe/London): the record's start day plus the period,
clamped to the end of a shorter month, is its last day of keeping, and the record is due from the next midnight. This
is how Regulation (EEC, Euratom) 1182/71 art 3 reads periods (UK GDPR Art 4A): a period of months ends with the last
hour of the same date, or of the month's last day where there is no such date.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

NIGHTS_ZONE = "Europe/London"
"""In which the DAGs' nights are counted."""
_ISO_PERIOD = re.compile(r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?", re.ASCII)
_FIRST_DAY, _LAST_DAY = dt.date.min, dt.date.max
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A calendar period: whole months first (clamped), then days. `P1Y2M` is 14 months."""

    months: int
    days: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read an ISO 8601 period of years, months, weeks and days; ValueError for anything else or for nothing."""
        found = _ISO_PERIOD.fullmatch(text)
        parts = {name: int(value) for name, value in found.groupdict().items() if value} if found else {}
        if not parts:
            raise ValueError(f"{text!r} is not an ISO 8601 period such as P6Y, P18M, P2W or P90D")
        return cls(
            months=12 * parts.get("years", 0) + parts.get("months", 0),
            days=7 * parts.get("weeks", 0) + parts.get("days", 0),
        )

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        text = "".join(f"{n}{unit}" for n, unit in ((years, "Y"), (months, "M"), (self.days, "D")) if n)
        return f"P{text or '0D'}"

    def after(self, start: dt.date) -> dt.date:
        """The last day of the period that starts on `start`; the calendar's last day where it would pass it."""
        try:
            return start + relativedelta(months=self.months, days=self.days)
        except (OverflowError, ValueError):
            return _LAST_DAY


def local_date(instant: dt.datetime, zone: str) -> dt.date:
    """The calendar day of an aware instant in `zone`."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone has no calendar day")
    return instant.astimezone(ZoneInfo(zone)).date()


def midnight(day: dt.date, zone: str) -> dt.datetime:
    """The instant at which `day` begins in `zone`."""
    return dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(zone))


def is_due(start: dt.date, period: Period, as_of: dt.date) -> bool:
    """True once the whole of the period's last day has passed."""
    return period.after(start) < as_of


def last_due_start(period: Period, as_of: dt.date) -> dt.date:
    """The latest start day that is due on `as_of`: `is_due(d, ...)` holds for exactly the days d up to this one.

    Adding a period never reorders days, so the due days are all days up to one boundary. This lets SQL compare a
    bare column with one constant instead of adding an interval to each row. The calendar's first day, which is no
    credible start, where the period is longer than the calendar reaches back: then no day is due.
    """
    try:
        boundary = as_of - relativedelta(months=period.months, days=period.days)
    except (OverflowError, ValueError):
        return _FIRST_DAY
    while is_due(boundary, period, as_of):
        boundary += _ONE_DAY
    while boundary > _FIRST_DAY and not is_due(boundary, period, as_of):
        boundary -= _ONE_DAY
    return boundary


def accounting_period_end(day: dt.date, year_end: tuple[int, int]) -> dt.date:
    """The last day of the accounting period that contains `day`; `year_end` is (month, day), for example (3, 31).

    The calendar's last day where the period ends after it.
    """
    end = _clamped(day.year, *year_end)
    if day <= end:
        return end
    return _clamped(day.year + 1, *year_end) if day.year < dt.MAXYEAR else _LAST_DAY


def last_day_of_accounting_period_before(day: dt.date, year_end: tuple[int, int]) -> dt.date:
    """The latest accounting period end that is not after `day`; the calendar's first day where there is none."""
    end = _clamped(day.year, *year_end)
    if end <= day:
        return end
    return _clamped(day.year - 1, *year_end) if day.year > dt.MINYEAR else _FIRST_DAY


def _clamped(year: int, month: int, day: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + relativedelta(day=day)
