"""Every component of Airflow is killed while rows are being deleted, and a task is frozen until another took its place.

Once, a task's supervisor is; `make drill-airflow` does all of them, ten times each (`HOLDFAST_DRILL_AIRFLOW`).
Whatever Airflow says of a run, the database's own account of it is what is compared.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from tests.night.stack import Stack, kill, stack

from holdfast.evidence.verify import Verdict

TIMES = int(os.environ.get("HOLDFAST_DRILL_AIRFLOW", "0"))
FROZEN_SECONDS = 75
"""Longer than Airflow goes on believing in a task without a heartbeat, which is 60 s here."""

Wound = Callable[[Stack], None]


def the_task(up: Stack) -> None:
    kill(up.at_work()[1])


def the_supervisor(up: Stack) -> None:
    kill(up.at_work()[0])


def component(name: str) -> Wound:
    return lambda up: kill(up.pid(name))


def everything(up: Stack) -> None:
    for pid in (*up.at_work(), *(up.pid(name) for name in up.components)):
        kill(pid)


WOUNDS: dict[str, Wound] = {
    "supervisor": the_supervisor,
    "task": the_task,
    "scheduler": component("scheduler"),
    "api-server": component("api-server"),
    "triggerer": component("triggerer"),
    "dag-processor": component("dag-processor"),
    "everything at once": everything,
}
CASES = [(name, n) for name in WOUNDS for n in range(TIMES)]


@pytest.fixture(scope="module")
def up() -> Iterator[Stack]:
    with stack() as made:
        yield made


def assert_right(up: Stack, night: dt.datetime, held: str) -> None:
    """Done once, entered once, nothing held touched, nothing half done, and the ledger whole."""
    run = up.run_of(night)
    assert run.state == "sealed"
    assert run.worked == run.entered >= run.planned > 0
    assert up.held() == held
    assert up.verdict() is Verdict.OK


@pytest.mark.parametrize(("name", "n"), CASES, ids=[f"{name}-{n}" for name, n in CASES])
def test_a_kill_while_rows_are_deleted_loses_nothing_and_counts_nothing_twice(up: Stack, name: str, n: int) -> None:
    held, started = up.held(), time.monotonic()
    with up.deletions_wait():
        night, run = up.begin_night()
        up.wait_for_a_deletion()
        WOUNDS[name](up)
        time.sleep(1 + n % 3)
    state = up.end_of(run)
    first = up.run_of(night)
    if state == "failed":  # Airflow may call failed what it lost sight of; the next night takes over what is left
        night, run = up.begin_night()
        assert up.end_of(run) == "success"
    assert_right(up, night, held)
    print(
        f"{name:<20} {n:>2}  Airflow: {state:<8} ours: {first.state:<10} attempts more: {up.attempts(run)}"
        f"  rows {first.worked}  {time.monotonic() - started:.0f} s",
        flush=True,
    )


@pytest.mark.skipif(not TIMES, reason="make drill-airflow")
def test_a_task_that_was_frozen_and_goes_on_commits_nothing_more(up: Stack) -> None:
    """A zombie: Airflow gave it up and tried again, and then its machine woke up."""
    held = up.held()
    with up.deletions_wait():
        night, run = up.begin_night()
        up.wait_for_a_deletion()
        frozen = up.at_work()
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(FROZEN_SECONDS)
        state = up.end_of(run)
        before = up.run_of(night)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    time.sleep(10)
    assert state == "success"
    assert up.attempts(run) >= 1
    assert up.run_of(night) == before
    assert_right(up, night, held)
    print(f"zombie: woke up after attempt 2 had ended; rows {before.worked}", flush=True)


@pytest.mark.skipif(not TIMES, reason="make drill-airflow")
def test_two_schedulers_do_the_work_of_one(up: Stack) -> None:
    held = up.held()
    up.start("scheduler-2", up.components["scheduler"].command)
    for n in range(TIMES):
        night, run = up.begin_night()
        time.sleep(2)
        if n % 2 == 0:
            kill(up.pid("scheduler"))
        assert up.end_of(run) == "success"
        assert_right(up, night, held)
        print(f"two schedulers: night {n}, rows {up.run_of(night).worked}", flush=True)


@pytest.mark.skipif(not TIMES, reason="make drill-airflow")
def test_an_api_server_that_is_away_for_a_minute_is_not_read_as_nothing_done(up: Stack) -> None:
    held = up.held()
    with up.deletions_wait():
        night, run = up.begin_night()
        up.wait_for_a_deletion()
        os.kill(up.pid("api-server"), signal.SIGSTOP)
        time.sleep(1)
    time.sleep(61)
    os.kill(up.pid("api-server"), signal.SIGCONT)
    state = up.end_of(run)
    ours = up.run_of(night)
    print(f"API server away for 61 s: Airflow {state}, ours {ours.state}, rows {ours.worked}", flush=True)
    if state == "failed":
        night, run = up.begin_night()
        assert up.end_of(run) == "success"
    assert_right(up, night, held)
