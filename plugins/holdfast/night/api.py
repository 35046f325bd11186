"""The few questions we ask Airflow, over its public REST API on loopback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.run_history.client import AirflowRefused, Client, quoted


@dataclass(frozen=True)
class Task:
    """One task instance. `label` names it for people, a mapped one with its shard; `state` None: not yet started."""

    task_id: str
    map_index: int
    label: str
    state: str | None
    attempt: int
    seconds: float | None


class Api(Client):
    """What the night asks and orders. Methods raise as those of `Client`."""

    def health(self) -> dict[str, str | None]:
        """The state of each component, by name; needs no log-in."""
        answer = self.call("GET", "/api/v2/monitor/health")
        return {name: part["status"] for name, part in answer.items() if part}

    def import_errors(self) -> list[str]:
        """The files that could not be read as DAGs."""
        return [error["filename"] for error in self.call("GET", "/api/v2/importErrors")["import_errors"]]

    def has_dag(self, dag: str) -> bool:
        return bool(self.call("GET", f"/api/v2/dags?dag_id_pattern={dag}")["dags"])

    def unpause(self, dag: str) -> None:
        self.call("PATCH", f"/api/v2/dags/{dag}?update_mask=is_paused", {"is_paused": False})

    def unfinished_runs(self, dag: str) -> dict[str, dt.datetime]:
        """The runs that are queued or running, oldest first: id and the moment each is for."""
        answer = self.call("GET", f"/api/v2/dags/{dag}/dagRuns?state=queued&state=running&order_by=run_after")
        return {
            run["dag_run_id"]: dt.datetime.fromisoformat(run["logical_date"] or run["run_after"])
            for run in answer["dag_runs"]
        }

    def trigger(self, dag: str, logical_date: dt.datetime) -> str:
        """Queue a run; its id."""
        body = {"logical_date": logical_date.isoformat()}
        run: str = self.call("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]
        return run

    def run_state(self, dag: str, run: str) -> str:
        state: str = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quoted(run)}")["state"]
        return state

    def tasks(self, dag: str, run: str) -> list[Task]:
        return [
            Task(
                task_id=task["task_id"],
                map_index=task["map_index"],
                label=_label(task),
                state=task["state"],
                attempt=task["try_number"],
                seconds=task["duration"],
            )
            for task in self.pages(f"/api/v2/dags/{dag}/dagRuns/{quoted(run)}/taskInstances", "task_instances")
        ]

    def reason(self, dag: str, run: str, task: Task) -> str | None:
        """The last error in a task's log, or None. Our tasks log no personal data, so it may be shown."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quoted(run)}/taskInstances/{task.task_id}/logs/{task.attempt}"
        events = self.call("GET", f"{path}?map_index={task.map_index}&full_content=true")["content"]
        errors = [event["error_detail"][-1]["exc_value"] for event in events if event.get("error_detail")]
        return errors[-1] if errors else None

    def result(self, dag: str, run: str, task: str) -> Any:
        """What a task returned, or None if it returned nothing."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quoted(run)}/taskInstances/{task}/xcomEntries/return_value"
        try:
            return self.call("GET", path)["value"]
        except AirflowRefused as refused:
            if refused.facts.get("status") == 404:
                return None
            raise


def _label(task: Mapping[str, Any]) -> str:
    shard = task["rendered_map_index"] or (task["map_index"] if task["map_index"] >= 0 else None)
    return task["task_id"] if shard is None else f"{task['task_id']} [{shard}]"
