"""When a period ends: whole days of the controller's calendar, months clamped, and one boundary for all start days."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast import clock
from holdfast.clock import Period

LONDON = "Europe/London"
ONE = dt.timedelta(days=1)
days = st.dates(dt.date(1850, 1, 1), dt.date(2150, 12, 31))
any_day = st.dates()
periods = st.builds(Period, months=st.integers(0, 150 * 12), days=st.integers(0, 4000))
year_ends = st.sampled_from([(3, 31), (12, 31), (2, 29), (2, 28), (4, 5), (6, 30)])


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "months", "days", "written"),
    [
        ("P6Y", 72, 0, "P6Y"),
        ("P18M", 18, 0, "P1Y6M"),
        ("P90D", 0, 90, "P90D"),
        ("P2W", 0, 14, "P14D"),
        ("P1Y2M3W4D", 14, 25, "P1Y2M25D"),
        ("P0D", 0, 0, "P0D"),
        ("P0Y", 0, 0, "P0D"),
        ("P0012M", 12, 0, "P1Y"),
    ],
)
def test_a_period_is_read_and_written(text: str, months: int, days: int, written: str) -> None:
    period = Period.parse(text)
    assert period == Period(months, days)
    assert str(period) == written
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    "text", ["", "P", "6Y", "PT1H", "P1DT1H", "P1.5Y", "P-1Y", "-P1Y", "P1D1Y", "p1y", "P1Y ", " P1Y", "P1Y\n", "P١Y"]
)
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 period"):
        Period.parse(text)


@given(periods)
def test_a_period_is_read_back_as_it_was_written(period: Period) -> None:
    assert Period.parse(str(period)) == period


# --- the last day -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "period", "last_day"),
    [
        ("2023-01-31", "P1M", "2023-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-01-31", "P2M", "2024-03-31"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2024-02-29", "P4Y", "2028-02-29"),
        ("2023-02-28", "P1Y", "2024-02-28"),
        ("2023-03-31", "P6Y", "2029-03-31"),
        ("2023-12-31", "P90D", "2024-03-30"),
        ("2023-01-30", "P1M1D", "2023-03-01"),  # the month first, clamped, and then the day
        ("2024-03-30", "P2D", "2024-04-01"),  # over the change of the clocks: days are days
        ("2024-03-01", "P0D", "2024-03-01"),
        ("9999-01-01", "P1Y", "9999-12-31"),  # the calendar's end
        ("1900-01-01", "P99999Y", "9999-12-31"),
    ],
)
def test_the_last_day_of_a_period(start: str, period: str, last_day: str) -> None:
    parsed, last = Period.parse(period), day(last_day)
    assert parsed.after(day(start)) == last
    assert not clock.is_due(day(start), parsed, last)
    if last < dt.date.max:
        assert clock.is_due(day(start), parsed, last + ONE)


@given(days, periods)
def test_a_later_start_never_ends_earlier(start: dt.date, period: Period) -> None:
    assert period.after(start) <= period.after(start + ONE)


@given(days, st.integers(0, 2400))
def test_a_period_of_months_ends_on_the_same_day_or_on_the_last_of_the_month(start: dt.date, months: int) -> None:
    last = Period(months, 0).after(start)
    assert (last.year * 12 + last.month) - (start.year * 12 + start.month) == months
    assert last.day == min(start.day, calendar.monthrange(last.year, last.month)[1])


# --- one boundary -----------------------------------------------------------------------------------------------


@given(any_day, periods, days)
@example(day("2024-02-29"), Period(12, 0), day("2025-03-01"))
@example(day("2024-01-31"), Period(1, 0), day("2024-03-01"))
@example(day("2023-01-29"), Period(1, 0), day("2023-03-01"))
@example(dt.date.min, Period(0, 0), day("2024-03-01"))
@example(dt.date.max, Period(0, 0), day("2024-03-01"))
def test_a_start_is_due_exactly_if_it_is_not_after_the_last_due_start(
    start: dt.date, period: Period, as_of: dt.date
) -> None:
    assert clock.is_due(start, period, as_of) is (start <= clock.last_due_start(period, as_of))


@given(periods, days)
def test_the_last_due_start_is_due_and_the_next_day_is_not(period: Period, as_of: dt.date) -> None:
    last = clock.last_due_start(period, as_of)
    assert clock.is_due(last, period, as_of)
    assert not clock.is_due(last + ONE, period, as_of)
    assert clock.last_due_start(period, as_of + ONE) >= last


@pytest.mark.parametrize("period", ["P2024Y", "P3000Y", "P999999D", "P99999999Y", "P2023Y2M"])
def test_a_period_longer_than_the_calendar_makes_no_credible_day_due(period: str) -> None:
    last = clock.last_due_start(Period.parse(period), day("2024-03-02"))
    assert last <= dt.date(1, 1, 1)


# --- accounting periods -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_day", "year_end", "end", "before"),
    [
        ("2024-03-31", (3, 31), "2024-03-31", "2024-03-31"),
        ("2024-04-01", (3, 31), "2025-03-31", "2024-03-31"),
        ("2024-01-01", (12, 31), "2024-12-31", "2023-12-31"),
        ("2024-02-29", (2, 29), "2024-02-29", "2024-02-29"),
        ("2023-02-28", (2, 29), "2023-02-28", "2023-02-28"),  # no such day that year: the month's last
        ("2023-03-01", (2, 29), "2024-02-29", "2023-02-28"),
        ("9999-06-01", (3, 31), "9999-12-31", "9999-03-31"),
        ("0001-01-01", (3, 31), "0001-03-31", "0001-01-01"),
    ],
)
def test_the_accounting_period_of_a_day(given_day: str, year_end: tuple[int, int], end: str, before: str) -> None:
    assert clock.accounting_period_end(day(given_day), year_end) == day(end)
    assert clock.last_day_of_accounting_period_before(day(given_day), year_end) == day(before)


@given(days, year_ends)
def test_a_day_lies_in_the_year_that_ends_with_its_period(one: dt.date, year_end: tuple[int, int]) -> None:
    end = clock.accounting_period_end(one, year_end)
    assert one <= end < one + dt.timedelta(days=367)
    assert clock.accounting_period_end(end, year_end) == end
    before = clock.last_day_of_accounting_period_before(one, year_end)
    assert before <= one
    assert clock.accounting_period_end(before + ONE, year_end) == (end if before < one else _next(end, year_end))


def _next(end: dt.date, year_end: tuple[int, int]) -> dt.date:
    return clock.accounting_period_end(end + ONE, year_end)


@given(days, periods, year_ends, days)
def test_sql_may_compare_a_start_with_the_last_accounting_period_that_is_due(
    start: dt.date, period: Period, year_end: tuple[int, int], as_of: dt.date
) -> None:
    """The period counts from the end of the accounting period, which is due up to one boundary as well."""
    boundary = clock.last_day_of_accounting_period_before(clock.last_due_start(period, as_of), year_end)
    counted_from = clock.accounting_period_end(start, year_end)
    assert clock.is_due(counted_from, period, as_of) is (start <= boundary)


# --- time zones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "zone", "local"),
    [
        ("2024-03-30T23:59:59+00:00", LONDON, "2024-03-30"),
        ("2024-03-31T22:59:59+00:00", LONDON, "2024-03-31"),
        ("2024-03-31T23:00:00+00:00", LONDON, "2024-04-01"),  # summer time has begun that day
        ("2024-10-26T23:00:00+00:00", LONDON, "2024-10-27"),
        ("2024-10-27T23:00:00+00:00", LONDON, "2024-10-27"),  # and ended on this one
        ("2024-10-28T00:00:00+00:00", LONDON, "2024-10-28"),
        ("2024-07-01T00:30:00+01:00", LONDON, "2024-07-01"),
        ("2024-07-01T00:30:00+01:00", "UTC", "2024-06-30"),
        ("1970-06-01T23:30:00+00:00", LONDON, "1970-06-02"),  # British Standard Time, all year
    ],
)
def test_the_day_of_an_instant(instant: str, zone: str, local: str) -> None:
    assert clock.local_date(dt.datetime.fromisoformat(instant), zone) == day(local)


def test_an_instant_without_a_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        clock.local_date(dt.datetime(2024, 3, 2), LONDON)  # noqa: DTZ001


@given(days, st.sampled_from([LONDON, "UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]))
def test_a_day_begins_at_its_midnight_and_not_a_moment_before(one: dt.date, zone: str) -> None:
    begins = clock.midnight(one, zone).astimezone(dt.UTC)
    assert clock.local_date(begins, zone) == one
    assert clock.local_date(begins - dt.timedelta(microseconds=1), zone) == one - ONE


@pytest.mark.parametrize(("one", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-03-30", 24)])
def test_days_of_the_change_of_clocks_are_shorter_or_longer(one: str, hours: int) -> None:
    begins = clock.midnight(day(one), LONDON).astimezone(dt.UTC)
    ends = clock.midnight(day(one) + ONE, LONDON).astimezone(dt.UTC)
    assert (ends - begins) == dt.timedelta(hours=hours)
