"""Read from Airflow what is new of our jobs' runs: those that changed, and those of which the audit log speaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from holdfast.run_history import sheets
from holdfast.run_history.client import AirflowRefused, Client, quoted
from holdfast.run_history.sheets import Sheet, Who

_OVERLAP = dt.timedelta(hours=1)
"""Read again each time: a row may be committed after a later one, and two machines' clocks differ."""
# The states that a task comes to are in the audit log as well; the attempts say them too.
_COMMON = ("running", "success", "failed", "skipped", "deferred", "up_for_retry", "up_for_reschedule", "awaiting_input")
_ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")


def changed(client: Client, jobs: Iterable[str], since: dt.datetime | None, who: Who) -> Iterator[Sheet]:
    """A sheet for each run that changed since a moment (None: each there is), and for each day of other acts.

    Raises AirflowRefused or AirflowSilent rather than leave one out.
    """
    after = None if since is None else (since - _OVERLAP).isoformat()
    jobs = tuple(jobs)
    found = dict(_events(client, jobs, after))
    for job in jobs:
        runs: dict[str, dict[str, Any] | None] = {run["dag_run_id"]: run for run in _runs(client, job, after)}
        for run_id in [run for dag, run in found if dag == job and run not in runs]:
            runs[run_id] = _run(client, job, run_id)
        for run_id, run in runs.items():
            sheet = sheets.of_deleted_run(job, run_id) if run is None else _sheet(client, run, who)
            sheet["events"] = [sheets.event(one, who) for one in found.pop((job, run_id), ())]
            yield sheet
    for (_, day), events in sorted(found.items(), key=lambda one: one[0][1]):
        sheet = sheets.of_day(dt.date.fromisoformat(day))
        sheet["events"] = [sheets.event(one, who) for one in events]
        yield sheet


def _events(
    client: Client, jobs: tuple[str, ...], after: str | None
) -> dict[tuple[str | None, str], list[Mapping[str, Any]]]:
    """The audit log of our jobs and of what is nobody's, by DAG and run; by day where no run is named."""
    since = {} if after is None else {"after": after}
    found: dict[tuple[str | None, str], list[Mapping[str, Any]]] = {}
    for one in client.pages(
        "/api/v2/eventLogs", "event_logs", order_by="event_log_id", excluded_events=_COMMON, **since
    ):
        if one["dag_id"] is None or one["dag_id"] in jobs:
            of_run = one["dag_id"] is not None and one["run_id"] is not None
            key = (one["dag_id"], one["run_id"]) if of_run else (None, one["when"][:10])
            found.setdefault(key, []).append(one)
    return found


def _runs(client: Client, job: str, after: str | None) -> Iterator[dict[str, Any]]:
    since = {} if after is None else {"updated_at_gte": after}
    yield from _or_nothing(client.pages(f"/api/v2/dags/{job}/dagRuns", "dag_runs", order_by="id", **since))


def _or_nothing(items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Airflow does not know the DAG: it has no runs, and the calendar will miss them."""
    try:
        yield from items
    except AirflowRefused as refused:
        if refused.facts.get("status") != 404:
            raise


def _run(client: Client, job: str, run: str) -> dict[str, Any] | None:
    try:
        return client.call("GET", f"/api/v2/dags/{job}/dagRuns/{quoted(run)}")
    except AirflowRefused as refused:
        if refused.facts.get("status") != 404:
            raise
        return None


def _sheet(client: Client, run: Mapping[str, Any], who: Who) -> Sheet:
    path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{quoted(run['dag_run_id'])}"
    tries: list[Mapping[str, Any]] = []
    for task in client.pages(f"{path}/taskInstances", "task_instances"):
        if task["try_number"] > 1 or task["state"] not in _ENDED:
            tries += _tries(client, path, task)
        else:
            tries.append(task)
    answers = client.pages(f"{path}/hitlDetails", "hitl_details")
    return sheets.of_run(run, tries, answers, who)


def _tries(client: Client, path: str, task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every attempt at a task that was tried again, or cleared and not yet begun."""
    place = quoted(task["task_id"]) if task["map_index"] < 0 else f"{quoted(task['task_id'])}/{task['map_index']}"
    answer = client.call("GET", f"{path}/taskInstances/{place}/tries")
    return list(answer["task_instances"])
