"""Drive Airflow through a night: wait until it is up, trigger each job, follow it to its end."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from holdfast.clock import local_date
from holdfast.errors import HoldfastError
from holdfast.night.api import Api, Task
from holdfast.night.progress import Progress
from holdfast.night.supervisor import Kept
from holdfast.run_history.client import AirflowRefused, AirflowSilent

JOBS = (  # in the order of the night: facts are taken before their rows may go
    "suspension_facts_nightly",
    "retention_nightly",
    "deletion_requests_reconcile",
    "emergency_data_999",
    "suspension_statistics_monthly",
    "evidence_nightly",
)
SUCCESS, FAILED, WAITS = "success", "failed", "awaiting approval"

_START_SECONDS = 180
_SILENCE_SECONDS = 180
_POLL_SECONDS = 1.0  # the API server that answers also serves the tasks, on the same two cores
_ZONE = "Europe/London"  # in which the DAGs' nights are counted
_TOLD = ("success", "failed", "up_for_retry", "awaiting_input", "deferred")


class AirflowNotReady(HoldfastError):
    """A night that never starts must not look like a night with nothing to do."""


@dataclass(frozen=True)
class Run:
    """One finished run of a job, or one that waits for a person. `report` is what its `write_report` task returned."""

    dag: str
    run_id: str
    state: str
    seconds: float
    tasks: list[Task]
    report: dict[str, Any] | None


def log_in_when_ready(api: Api, airflow: Kept, user: str, password: str) -> None:
    """Return once the API answers, the scheduler is at work and every job's DAG is known."""
    _wait(airflow, lambda: _healthy(api), "its scheduler and DAG processor did not report")
    api.log_in(user, password)
    _wait(airflow, lambda: all(_known(api, dag) for dag in JOBS), "a DAG did not appear")


def carry_on(api: Api, airflow: Kept, progress: Progress, dag: str, *, now: dt.datetime, leave: bool) -> list[Run]:
    """Finish the runs of `dag` that an earlier stop left open; then make one, unless that was tonight's and succeeded.

    With `leave`, a run that waits for a person's approval is returned as it is instead of being waited for.
    """
    api.unpause(dag)
    tonight = local_date(now, _ZONE)
    runs: list[Run] = []
    ours: str | None = None
    while True:
        unfinished = api.unfinished_runs(dag)
        if not unfinished:
            ours = ours or api.trigger(dag, now)
            unfinished = {ours: now}
        run, logical_date = next(iter(unfinished.items()))
        followed = _follow(api, airflow, progress, dag, run, leave)
        if followed is None:
            continue
        runs.append(followed)
        was_tonights = ours is None and local_date(logical_date, _ZONE) == tonight and followed.state == SUCCESS
        if followed.state == WAITS or run == ours or was_tonights:
            return runs


def _follow(api: Api, airflow: Kept, progress: Progress, dag: str, run: str, leave: bool) -> Run | None:
    """The run at its end; None if it has not begun and the scheduler has made one that goes before it."""
    started = time.monotonic()
    told: dict[tuple[str, int], str | None] = {}
    progress.say(f"[bold]{dag}[/] {run}")
    with progress.console.status("waiting for the scheduler") as status:
        while True:
            state, tasks = _look(api, airflow, dag, run)
            if state == "queued" and next(iter(api.unfinished_runs(dag)), run) != run:
                return None
            for task in _news(told, tasks):
                _tell(api, progress, dag, run, task)
            if state not in ("queued", "running"):
                break
            if _waits_for_a_person(tasks) and leave:
                state = WAITS
                break
            at_work = [task.label for task in tasks if task.state in ("queued", "running")]
            status.update(", ".join(at_work) or "waiting")
            time.sleep(_POLL_SECONDS)
    report = api.result(dag, run, "write_report")
    return Run(dag, run, state, time.monotonic() - started, tasks, report)


def _look(api: Api, airflow: Kept, dag: str, run: str) -> tuple[str, list[Task]]:
    """The state of a run and its tasks. A machine at its limit may leave us without an answer for a while."""
    deadline = time.monotonic() + _SILENCE_SECONDS
    while True:
        airflow.check()
        try:
            return api.run_state(dag, run), api.tasks(dag, run)
        except AirflowSilent:
            if time.monotonic() > deadline:
                raise


def _news(told: dict[tuple[str, int], str | None], tasks: list[Task]) -> list[Task]:
    """The tasks whose state is worth a line and was not told yet."""
    news = [task for task in tasks if task.state in _TOLD and told.get((task.task_id, task.map_index)) != task.state]
    told.update({(task.task_id, task.map_index): task.state for task in news})
    return news


def _tell(api: Api, progress: Progress, dag: str, run: str, task: Task) -> None:
    assert task.state is not None
    progress.line(task.state, task.label, task.seconds)
    if task.state in ("failed", "up_for_retry") and (reason := api.reason(dag, run, task)):
        progress.detail(reason)
    if task.state == "deferred":
        progress.detail("It waits for a file, and takes no worker meanwhile; see the DAG's description.")
    if task.state == "awaiting_input":
        progress.detail("An approver whom the policy names has to decide: log in as dpo and open Required Actions.")


def _waits_for_a_person(tasks: list[Task]) -> bool:
    states = {task.state for task in tasks}
    return "awaiting_input" in states and not states & {"queued", "running", "scheduled", "up_for_retry", "deferred"}


def _healthy(api: Api) -> bool:
    try:
        health = api.health()
    except (AirflowSilent, AirflowRefused):
        return False
    return health.get("scheduler") == health.get("dag_processor") == "healthy"


def _known(api: Api, dag: str) -> bool:
    if broken := api.import_errors():
        raise AirflowNotReady(
            f"Airflow cannot read {', '.join(broken)}.",
            fix="run `make test`, which shows the error, and mend the file.",
        )
    return api.has_dag(dag)


def _wait(airflow: Kept, ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not ready():
        airflow.check()
        if time.monotonic() > deadline:
            raise AirflowNotReady(
                f"Airflow is not ready after {_START_SECONDS} s: {what}.",
                fix="read the logs of its components, named above, and start again.",
            )
        time.sleep(_POLL_SECONDS)
