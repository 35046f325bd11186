"""How often one user may ask."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from holdfast.pages.limits import Limit


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_let_through_and_then_one_as_time_goes_by() -> None:
    clock = Clock()
    limit = Limit(burst=3, rate=0.5, clock=clock)
    assert [limit.wait("jo") for _ in range(4)] == [0, 0, 0, 2]
    clock.seconds += 2
    assert limit.wait("jo") == 0
    assert limit.wait("jo") == pytest.approx(2)


def test_one_user_takes_nothing_from_another() -> None:
    limit = Limit(burst=1, rate=1, clock=Clock())
    assert limit.wait("jo") == limit.wait("sam") == 0
    assert limit.wait("jo") == 1


def test_memory_does_not_grow_with_users_who_have_gone() -> None:
    clock = Clock()
    limit = Limit(burst=1, rate=1, clock=clock)
    for number in range(25_000):
        clock.seconds += 0.001
        limit.wait(f"user {number}")
    assert len(limit._buckets) <= 10_001


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.sampled_from([0.1, 0.5, 1, 4]))
def test_never_more_than_the_burst_and_the_rate(pauses: list[float], burst: int, rate: float) -> None:
    clock = Clock()
    limit = Limit(burst=burst, rate=rate, clock=clock)
    granted = 0
    for pause in pauses:
        clock.seconds += pause
        granted += limit.wait("jo") == 0
    assert granted <= burst + sum(pauses) * rate + 1e-6


def test_who_asks_too_often_is_told_when_to_come_back(
    pages_app: FastAPI, as_auditor: TestClient, as_compliance: TestClient
) -> None:
    (gate,) = pages_app.user_middleware
    gate.kwargs["limit"] = Limit(burst=2, rate=0.2, clock=Clock())
    answers = [as_auditor.get("/style.css") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "5"
    assert as_compliance.get("/style.css").status_code == 200
