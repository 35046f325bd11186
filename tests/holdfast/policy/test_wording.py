"""Codes of the policy in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.holdfast.retention.report import cinema

from holdfast.clock import Period
from holdfast.policy import wording


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("P6Y", "6 years"),
        ("P1Y", "12 months"),
        ("P12M", "12 months"),
        ("P24M", "2 years"),
        ("P13M", "13 months"),
        ("P1M", "1 month"),
        ("P90D", "90 days"),
        ("P2W", "14 days"),
        ("P1Y1D", "12 months and 1 day"),
        ("P0D", "no time"),
    ],
)
def test_periods(iso: str, words: str) -> None:
    assert wording.period(Period.parse(iso)) == words


def test_rules(tmp_path: Path) -> None:
    cinema_policy = cinema.write_policy(tmp_path)
    told = wording.describe(cinema_policy, "bookings-6y")
    assert told is not None
    assert told.start == "the end of the accounting period that contains the record's creation (booked_at)"
    assert told.action == "Deleted"
    told = wording.describe(cinema_policy, "members-2y")
    assert told is not None
    assert told.start == "the end of the relationship (left_on)"
    assert told.action == "Anonymised (note emptied)"
    assert wording.describe(None, "members-2y") is None


def test_names() -> None:
    assert wording.title("call_detail_records") == "Call detail records"
    assert wording.title("api_request_logs") == "API request logs"
