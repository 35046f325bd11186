"""Which days a night announces, which it names as late, and what it signs."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from tests.holdfast.suspension_statistics.feed import ZONE, Feed

from holdfast import clock, database, settings
from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import months, rules, steps

NOW = dt.datetime.now(dt.UTC)
TODAY = clock.local_date(NOW, ZONE)
LONG_AGO = rules.after(TODAY.replace(day=1), -6)
GONE = LONG_AGO.replace(day=9)
"""Longer ago than the months that every night looks at."""


@pytest.fixture
def half_a_year(feed: Feed) -> Feed:
    """Days since then, but one."""
    feed.end_days(LONG_AGO, TODAY - dt.timedelta(days=1), but=[GONE])
    feed.take(NOW)
    return feed


def test_a_day_that_is_missing_is_named_for_as_long_as_its_month_is_not_frozen(half_a_year: Feed) -> None:
    with pytest.raises(StatisticsError, match=f"1 days are late: {GONE}"):
        steps.conclude_night(half_a_year.engine, settings.load())
    half_a_year.end_days(GONE, GONE)
    half_a_year.take(NOW)
    assert steps.conclude_night(half_a_year.engine, settings.load()) == {"late": 0}


def test_days_are_announced_until_their_month_is_frozen(half_a_year: Feed) -> None:
    before = steps.settled_days(half_a_year.engine, settings.load())
    later = rules.after(LONG_AGO)
    assert {day[:7] for day in before} >= {f"{LONG_AGO:%Y-%m}", f"{later:%Y-%m}"}
    assert GONE.isoformat() not in before
    with database.transaction(half_a_year.engine) as connection:
        months.freeze(connection, settings.load().policy, later, made_by="tests")
    after = steps.settled_days(half_a_year.engine, settings.load())
    assert set(before) - set(after) == {day for day in before if day[:7] == f"{later:%Y-%m}"}


def test_the_last_step_of_each_job_signs_what_the_ledger_has(half_a_year: Feed) -> None:
    with database.transaction(half_a_year.engine) as connection:
        months.freeze(connection, settings.load().policy, rules.after(LONG_AGO), made_by="tests")
    steps.conclude_month(half_a_year.engine, settings.load())
    with database.transaction(half_a_year.engine) as connection:
        entries = connection.execute(sa.text("SELECT max(seq) FROM holdfast.ledger_entry")).scalar_one()
        signed = connection.execute(sa.text("SELECT max(size) FROM holdfast.ledger_checkpoint")).scalar_one()
    assert signed == entries
