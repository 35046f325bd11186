"""The clock: the sheet's vectors, the regulator's examples, and what must hold for every day that the table knows."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.deletion_requests.desk import LONDON, policy, requests_policy, terms

from holdfast.deletion_requests.deadlines import Deadline, Moments, Terms, Waiting, clock_of
from holdfast.errors import PolicyError
from holdfast.policy.requests_model import Nation

DAY = dt.timedelta(days=1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def noon(on: dt.date | str) -> dt.datetime:
    on = day(on) if isinstance(on, str) else on
    return dt.datetime.combine(on, dt.time(12), tzinfo=LONDON)


def clock(received: dt.date | str, nation: Nation = Nation.ENGLAND_AND_WALES, **moments: dt.date | str) -> Deadline:
    found = clock_of(Moments(noon(received), **{name: noon(on) for name, on in moments.items()}), terms(nation=nation))
    assert isinstance(found, Deadline)
    return found


SCOTLAND = Nation.SCOTLAND


# received, due in England and Wales, due in Scotland, due with an extension (England and Wales)
VECTORS = [
    ("2026-09-03", "2026-10-05", "2026-10-05", "2026-12-03"),
    ("2025-11-25", "2025-12-29", "2025-12-29", "2026-02-25"),
    ("2026-11-25", "2026-12-29", "2026-12-29", "2027-02-25"),
    ("2026-03-31", "2026-04-30", "2026-04-30", "2026-06-30"),
    ("2027-01-31", "2027-03-01", "2027-03-01", "2027-04-30"),
    ("2028-01-31", "2028-02-29", "2028-02-29", "2028-05-02"),
    ("2026-01-30", "2026-03-02", "2026-03-02", "2026-04-30"),
    ("2026-03-03", "2026-04-07", "2026-04-06", "2026-06-03"),
    ("2026-12-01", "2027-01-04", "2027-01-05", "2027-03-01"),
    ("2026-10-31", "2026-11-30", "2026-12-01", "2027-02-01"),
    ("2026-05-15", "2026-06-15", "2026-06-16", "2026-08-17"),
]


@pytest.mark.parametrize(("received", "due", "due_in_scotland", "extended"), VECTORS)
def test_the_vectors(received: str, due: str, due_in_scotland: str, extended: str) -> None:
    assert clock(received).due_on == day(due)
    assert clock(received, SCOTLAND).due_on == day(due_in_scotland)
    told = clock(received, extension_notified_at=received)
    assert (told.first_due_on, told.due_on) == (day(due), day(extended))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2024-09-03", "2024-10-03"),  # 3 September: 3 October
        ("2024-11-25", "2024-12-27"),  # 25 November: over Christmas and Boxing Day, "27 December, if that is a weekday"
        ("2025-03-31", "2025-04-30"),  # 31 March: no 31 April
        ("2024-09-08", "2024-10-08"),  # a Sunday: the clock starts on the day of receipt whatever day it is
        ("2024-08-26", "2024-09-26"),  # a bank holiday: the same
    ],
)
def test_the_examples_of_the_regulators_guidance(received: str, due: str) -> None:
    assert clock(received).due_on == day(due)


@pytest.mark.parametrize(
    ("received_at", "due"),
    [
        (
            dt.datetime(2026, 7, 9, 22, 59, tzinfo=dt.UTC),
            "2026-08-10",
        ),  # 23:59 in London: the 9th, and 9 August is a Sunday
        (dt.datetime(2026, 7, 9, 23, 0, tzinfo=dt.UTC), "2026-08-10"),  # midnight in London: the 10th
        (dt.datetime(2026, 7, 10, 23, 0, tzinfo=dt.UTC), "2026-08-11"),
        (dt.datetime(2026, 11, 9, 23, 59, tzinfo=dt.UTC), "2026-12-09"),
        (dt.datetime(2026, 11, 10, 0, 0, tzinfo=dt.UTC), "2026-12-10"),
        (dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC), "2026-04-29"),  # the night the clocks go forward
        (dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC), "2026-11-25"),  # the night they go back
    ],
)
def test_the_day_is_that_of_the_controllers_zone(received_at: dt.datetime, due: str) -> None:
    found = clock_of(Moments(received_at), terms())
    assert isinstance(found, Deadline)
    assert found.due_on == day(due)


def test_northern_ireland_has_days_of_its_own() -> None:
    assert clock("2026-06-13", Nation.NORTHERN_IRELAND).due_on == day("2026-07-14")  # 13 July stands for the 12th
    assert clock("2026-06-13").due_on == day("2026-07-13")
    assert clock("2026-02-17", Nation.NORTHERN_IRELAND).due_on == day("2026-03-18")


def test_the_clock_starts_with_the_latest_of_receipt_identity_and_fee() -> None:
    asked = {"identity_requested_at": "2026-09-04", "identity_received_at": "2026-09-14"}
    paid = {"fee_requested_at": "2026-09-07", "fee_paid_at": "2026-09-21"}
    assert clock("2026-09-03", **asked).starts_on == day("2026-09-14")
    assert clock("2026-09-03", **asked).due_on == day("2026-10-14")
    assert clock("2026-09-03", **paid).starts_on == day("2026-09-21")
    assert clock("2026-09-03", **asked, **paid).due_on == day("2026-10-21")
    # An identity that came by itself, before the request or the fee, moves nothing.
    assert clock("2026-09-03", identity_requested_at="2026-09-03", identity_received_at="2026-09-03").due_on == day(
        "2026-10-05"
    )


@pytest.mark.parametrize(
    ("moments", "waits_for", "since"),
    [
        ({"identity_requested_at": "2026-09-04"}, "identity", "2026-09-04"),
        ({"fee_requested_at": "2026-09-05"}, "fee", "2026-09-05"),
        ({"fee_requested_at": "2026-09-04", "identity_requested_at": "2026-09-05"}, "identity", "2026-09-05"),
        (
            {
                "identity_requested_at": "2026-09-04",
                "identity_received_at": "2026-09-05",
                "fee_requested_at": "2026-09-06",
            },
            "fee",
            "2026-09-06",
        ),
    ],
)
def test_while_an_answer_is_awaited_there_is_no_deadline_and_the_question_ages(
    moments: dict[str, str], waits_for: str, since: str
) -> None:
    found = clock_of(Moments(noon("2026-09-03"), **{name: noon(on) for name, on in moments.items()}), terms())
    assert found == Waiting(waits_for, day(since))  # type: ignore[arg-type]
    rules = terms().rules
    assert found.alert(day(since), rules) == "waiting"
    assert found.alert(day(since) + 13 * DAY, rules) == "waiting"
    assert found.alert(day(since) + 14 * DAY, rules) == "ageing"


def test_nothing_else_moves_the_clock() -> None:
    """Asking for clarification stops the clock of a request for access alone: there is no such moment here."""
    assert {one.name for one in dataclasses.fields(Moments)} == {
        "received_at",
        "identity_requested_at",
        "identity_received_at",
        "fee_requested_at",
        "fee_paid_at",
        "extension_notified_at",
    }


def test_the_internal_target_is_28_days_from_receipt_and_never_after_the_deadline() -> None:
    assert clock("2026-09-03").internal_target == day("2026-10-01")
    assert clock("2027-01-31").internal_target == day("2027-02-28")  # 28 days, where the deadline is 1 March
    assert clock("2026-01-31").internal_target == day("2026-02-28")
    asked = {"identity_requested_at": "2026-09-04", "identity_received_at": "2026-11-02"}
    assert clock("2026-09-03", **asked).internal_target == day("2026-10-01")  # the person has waited since September


@pytest.mark.parametrize(
    ("days_left", "alert"),
    [
        (30, "on_track"),
        (15, "on_track"),
        (14, "within_14_days"),
        (8, "within_14_days"),
        (7, "within_7_days"),
        (3, "within_7_days"),
        (2, "within_2_days"),
        (0, "within_2_days"),
        (-1, "overdue"),
        (-400, "overdue"),
    ],
)
def test_alerts(days_left: int, alert: str) -> None:
    found = clock("2026-09-03")
    today = found.due_on - days_left * DAY
    assert found.days_left(today) == days_left
    assert found.alert(today, terms().rules) == alert


def test_an_extension_moves_the_alerts_too() -> None:
    late = day("2026-10-06")
    assert clock("2026-09-03").alert(late, terms().rules) == "overdue"
    assert clock("2026-09-03", extension_notified_at="2026-10-05").alert(late, terms().rules) == "on_track"


@pytest.mark.parametrize("received", ["2030-12-01", "2031-06-01"])
def test_a_deadline_beyond_the_table_is_refused_and_not_guessed(received: str) -> None:
    with pytest.raises(PolicyError, match=r"not known.*2024-01-01 to 2030-12-31.*add the year to policy/bank_holidays"):
        clock(received)


# What must hold for every day. An extension needs three months of the table, so the days end before its last autumn.
days = st.dates(dt.date(2024, 1, 1), dt.date(2030, 9, 1))
nations = st.sampled_from(Nation)


def raw(start: dt.date, months: int) -> dt.date:
    """The same date some months later, or the last day of that month; written apart from the code under test."""
    year, month = divmod(start.month - 1 + months, 12)
    first = dt.date(start.year + year, month + 1, 1)
    following = dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + (start.day - 1) * DAY, following - DAY)


def holidays_of(nation: Nation) -> frozenset[dt.date]:
    return Terms.of(
        policy(), requests_policy().model_copy(update={"rules": terms(nation=nation).rules})
    ).working_days.bank_holidays


@given(days, nations)
def test_it_ends_on_the_first_working_day_from_the_same_date_on(received: dt.date, nation: Nation) -> None:
    for months, due in (
        (1, clock(received, nation).due_on),
        (3, clock(received, nation, extension_notified_at=received).due_on),
    ):
        off = holidays_of(nation)
        assert due.weekday() < 5
        assert due not in off
        passed = [raw(received, months) + n * DAY for n in range((due - raw(received, months)).days)]
        assert all(one.weekday() >= 5 or one in off for one in passed)
        assert len(passed) <= 4  # no run of days off is longer


@given(days, days, nations)
def test_who_asks_later_is_never_answered_earlier(one: dt.date, other: dt.date, nation: Nation) -> None:
    earlier, later = sorted((one, other))
    assert clock(earlier, nation).due_on <= clock(later, nation).due_on
    assert (
        clock(earlier, nation, extension_notified_at=earlier).due_on
        <= clock(later, nation, extension_notified_at=later).due_on
    )


@given(days, nations, st.integers(0, 40))
def test_an_extension_never_shortens(received: dt.date, nation: Nation, told_after: int) -> None:
    told = clock(received, nation, extension_notified_at=received + told_after * DAY)
    plain = clock(received, nation)
    assert told.first_due_on == plain.due_on
    assert told.due_on > plain.due_on
    assert told.internal_target == plain.internal_target  # ours is not extended


@given(st.dates(dt.date(2024, 1, 1), dt.date(2030, 7, 1)), nations, st.integers(0, 60), st.integers(0, 60))
def test_identity_and_fee_only_ever_move_the_clock_later(
    received: dt.date, nation: Nation, identity_after: int, fee_after: int
) -> None:
    moved = clock(
        received,
        nation,
        identity_requested_at=received,
        identity_received_at=received + identity_after * DAY,
        fee_requested_at=received,
        fee_paid_at=received + fee_after * DAY,
    )
    assert moved.starts_on == received + max(identity_after, fee_after) * DAY
    assert moved.due_on >= clock(received, nation).due_on


@given(days, nations)
def test_the_target_of_28_days_always_lies_within_the_month(received: dt.date, nation: Nation) -> None:
    found = clock(received, nation)
    assert found.internal_target == received + 28 * DAY <= found.due_on


@given(days, nations, st.integers(-30, 60))
def test_an_alert_never_calms_down_as_days_pass(received: dt.date, nation: Nation, days_on: int) -> None:
    order = ["on_track", "within_14_days", "within_7_days", "within_2_days", "overdue"]
    found, rules = clock(received, nation), terms().rules
    today = received + days_on * DAY
    assert order.index(found.alert(today, rules)) <= order.index(found.alert(today + DAY, rules))
