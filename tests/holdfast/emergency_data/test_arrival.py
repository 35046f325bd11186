"""Whose extract of the day is still missing?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.holdfast.emergency_data.conftest import Job

from holdfast.emergency_data import steps


@pytest.fixture
def expecting(job: Job) -> Job:
    """The job, which expects an extract of its own and one of RSL."""
    job.choose("expected: [HFT]", "expected: [HFT, RSL]")
    return job


def missing(job: Job) -> dict[str, Any]:
    return steps.find_missing(job.engine, job.settings)


def test_a_sender_is_missing_until_its_file_of_the_day_lies_there_or_was_taken_in(expecting: Job) -> None:
    before = missing(expecting)
    assert before["senders"] == ["HFT", "RSL"]
    expecting.send(1, [expecting.good(0)], "FULL")
    there = missing(expecting)
    assert there["senders"] == ["RSL"]
    assert there["seen"] != before["seen"]
    expecting.run()
    assert missing(expecting)["senders"] == ["RSL"], "it was taken in"


def test_a_file_of_another_day_or_one_that_was_refused_does_not_count(expecting: Job) -> None:
    path = expecting.send(1, [expecting.good(0)], "FULL")
    path.write_bytes(path.read_bytes()[:-20])
    expecting.work()
    assert missing(expecting)["senders"] == ["HFT", "RSL"]
    expecting.send(1, [expecting.good(0)], "FULL")
    expecting.run()
    expecting.query("UPDATE emergency.extract SET business_date = business_date - 1 RETURNING 1")
    assert missing(expecting)["senders"] == ["HFT", "RSL"]
