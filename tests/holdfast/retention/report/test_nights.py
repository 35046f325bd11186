"""Which nights did not run: told from the gaps between those that did."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.report import cinema

from holdfast import database as hf_database
from holdfast.policy.model import Policy
from holdfast.retention.report import missed_nights, registers
from holdfast.retention.report.nights import unfinished_nights
from holdfast.retention.report.registers import Night

TONIGHT = dt.date(2026, 3, 2)


def nights(**days: bool) -> list[Night]:
    """`feb27=True` is a night of 27 February that was sealed."""
    months = {"feb": 2, "mar": 3}
    return [Night(dt.date(2026, months[day[:3]], int(day[3:])), sealed) for day, sealed in days.items()]


@pytest.mark.parametrize(
    ("before", "missed", "unfinished"),
    [
        (nights(), [], []),
        (nights(mar1=True), [], []),
        (nights(feb27=True), [28, 1], []),
        (nights(feb26=True, feb28=False), [27, 1], [28]),
        (nights(feb24=True, feb26=True, mar1=False), [27, 28], [1]),
        (nights(feb25=False, feb27=False), [26, 28, 1], [25, 27]),
        (nights(mar1=True, mar2=False), [], []),
    ],
)
def test_gaps_since_the_last_sealed_night(before: list[Night], missed: list[int], unfinished: list[int]) -> None:
    assert [day.day for day in missed_nights(before, TONIGHT)] == missed
    assert [day.day for day in unfinished_nights(before, TONIGHT)] == unfinished


@given(st.dictionaries(st.dates(dt.date(2026, 1, 1), dt.date(2026, 3, 9)), st.booleans()))
def test_every_night_since_the_last_sealed_one_ran_or_was_missed(ran: dict[dt.date, bool]) -> None:
    before = [Night(day, is_sealed) for day, is_sealed in ran.items()]
    missed, unfinished = missed_nights(before, TONIGHT), unfinished_nights(before, TONIGHT)
    assert not set(missed) & ran.keys()
    sealed = [day for day, is_sealed in ran.items() if is_sealed and day < TONIGHT]
    if sealed:
        since = (TONIGHT - max(sealed)).days - 1
        assert len(missed) + len(unfinished) == since


def test_dry_runs_and_other_jobs_are_no_nights(database: sa.Engine, cinema_policy: Policy) -> None:
    with hf_database.transaction(database) as connection:
        cinema.nights_before(connection, cinema_policy)
        eve = cinema.NIGHT - dt.timedelta(days=1)
        cinema.open_run(connection, cinema_policy, job="another_job", as_of_date=eve)
        read = registers.read(connection, cinema.open_run(connection, cinema_policy))
    assert [(night.as_of_date.day, night.is_sealed) for night in read.nights] == [(18, True), (19, False), (22, False)]
    assert [day.day for day in missed_nights(read.nights, cinema.NIGHT)] == [20, 21, 23]


def test_rows_are_kept_since_the_first_night_of_an_unbroken_series(database: sa.Engine, cinema_policy: Policy) -> None:
    kept = {18: 4, 19: 0, 20: 7, 22: 1}  # nothing on the 21st: a night that did not run breaks no series
    with hf_database.transaction(database) as connection:
        for day, rows in kept.items():
            as_of_date = cinema.NIGHT.replace(day=day)
            run_id = cinema.open_run(connection, cinema_policy, as_of_date=as_of_date)
            cinema.plan_rule(connection, run_id, "bookings-6y", "bookings", refused=rows)
        run_id = cinema.open_run(connection, cinema_policy)
        cinema.plan_rule(connection, run_id, "bookings-6y", "bookings", held=2)
        cinema.plan_rule(connection, run_id, "cards-13m", "cards", due=2)
        read = registers.read(connection, run_id)
    assert read.kept_since == (("bookings-6y", cinema.NIGHT.replace(day=20)),)
