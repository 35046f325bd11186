"""The pinned table of bank holidays against the library, and against days that were proclaimed once."""

from __future__ import annotations

import datetime as dt

import holidays
import pytest
from tests.holdfast.deletion_requests.desk import requests_policy

from holdfast.policy.requests_model import Nation

TABLE = requests_policy().holidays


@pytest.mark.parametrize("nation", Nation)
def test_the_library_agrees_or_the_difference_is_listed(nation: Nation) -> None:
    years = range(TABLE.first_year, TABLE.last_year + 1)
    library = {day for day in holidays.country_holidays("GB", subdiv=nation, years=years) if day.weekday() < 5}
    known = {one.day for one in TABLE.differences if one.nation is nation}
    differing = library ^ TABLE.nations[nation].keys()
    assert differing == known, "compare with the government's list; correct the table, or list the day in `differences`"


@pytest.mark.parametrize("nation", Nation)
def test_wales_is_england_and_each_year_has_as_many_days_as_the_law_says(nation: Nation) -> None:
    for year in range(TABLE.first_year, TABLE.last_year + 1):
        usual = {Nation.ENGLAND_AND_WALES: 8, Nation.SCOTLAND: 9, Nation.NORTHERN_IRELAND: 10}[nation]
        one_off = sum(day.year == year for day in ONE_OFF.get(nation, ()))
        assert sum(day.year == year for day in TABLE.nations[nation]) == usual + one_off, year
    years = range(TABLE.first_year, TABLE.last_year + 1)
    wales, england = (set(holidays.country_holidays("GB", subdiv=one, years=years)) for one in ("WLS", "ENG"))
    assert wales == england


ONE_OFF = {Nation.SCOTLAND: (dt.date(2026, 6, 15),)}
"""Days that were proclaimed for one year: the World Cup in Scotland."""


def test_one_off_holidays_are_of_their_nation_alone() -> None:
    for nation, days in ONE_OFF.items():
        for day in days:
            assert day in TABLE.nations[nation]
            assert not any(day in TABLE.nations[other] for other in Nation if other is not nation)


@pytest.mark.parametrize(
    ("nation", "day", "falls_on"),
    [
        (Nation.ENGLAND_AND_WALES, dt.date(2026, 12, 28), "Boxing Day, a Saturday"),
        (Nation.ENGLAND_AND_WALES, dt.date(2027, 12, 28), "Boxing Day, a Sunday, after Christmas on a Saturday"),
        (Nation.SCOTLAND, dt.date(2027, 1, 4), "2 January, a Saturday"),
        (Nation.SCOTLAND, dt.date(2024, 12, 2), "St Andrew's Day, a Saturday"),
        (Nation.NORTHERN_IRELAND, dt.date(2025, 7, 14), "12 July, a Saturday"),
        (Nation.NORTHERN_IRELAND, dt.date(2029, 3, 19), "St Patrick's Day, a Saturday"),
    ],
)
def test_a_holiday_on_a_weekend_stands_on_the_day_it_is_moved_to(nation: Nation, day: dt.date, falls_on: str) -> None:
    assert day in TABLE.nations[nation], falls_on
