"""The few questions we ask Airflow, over its public REST API on loopback."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.errors import HoldfastError

_TIMEOUT_SECONDS = 30
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never behind a proxy


class AirflowRefused(HoldfastError):
    """An answer that is not what we asked for must not be read as 'nothing to do'."""


class AirflowSilent(HoldfastError):
    """No answer says nothing about the night: it may be going on, and must not be taken for ended."""


@dataclass(frozen=True)
class Task:
    """One task instance. `label` names it for people, a mapped one with its shard; `state` None: not yet started."""

    task_id: str
    map_index: int
    label: str
    state: str | None
    attempt: int
    seconds: float | None


class Api:
    """A client with one user's token. Methods raise AirflowRefused for an unexpected answer, AirflowSilent for none."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._token: str | None = None

    def health(self) -> dict[str, str | None]:
        """The state of each component, by name; needs no log-in."""
        answer = self._call("GET", "/api/v2/monitor/health")
        return {name: part["status"] for name, part in answer.items() if part}

    def log_in(self, user: str, password: str) -> None:
        answer = self._call("POST", "/auth/token", {"username": user, "password": password})
        self._token = answer["access_token"]

    def import_errors(self) -> list[str]:
        """The files that could not be read as DAGs."""
        return [error["filename"] for error in self._call("GET", "/api/v2/importErrors")["import_errors"]]

    def has_dag(self, dag: str) -> bool:
        return bool(self._call("GET", f"/api/v2/dags?dag_id_pattern={dag}")["dags"])

    def unpause(self, dag: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag}?update_mask=is_paused", {"is_paused": False})

    def unfinished_runs(self, dag: str) -> dict[str, dt.datetime]:
        """The runs that are queued or running, oldest first: id and the moment each is for."""
        answer = self._call("GET", f"/api/v2/dags/{dag}/dagRuns?state=queued&state=running&order_by=run_after")
        return {
            run["dag_run_id"]: dt.datetime.fromisoformat(run["logical_date"] or run["run_after"])
            for run in answer["dag_runs"]
        }

    def trigger(self, dag: str, logical_date: dt.datetime) -> str:
        """Queue a run; its id."""
        body = {"logical_date": logical_date.isoformat()}
        run: str = self._call("POST", f"/api/v2/dags/{dag}/dagRuns", body)["dag_run_id"]
        return run

    def run_state(self, dag: str, run: str) -> str:
        state: str = self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{_quoted(run)}")["state"]
        return state

    def tasks(self, dag: str, run: str) -> list[Task]:
        answer = self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{_quoted(run)}/taskInstances?limit=1000")
        return [
            Task(
                task_id=task["task_id"],
                map_index=task["map_index"],
                label=_label(task),
                state=task["state"],
                attempt=task["try_number"],
                seconds=task["duration"],
            )
            for task in answer["task_instances"]
        ]

    def reason(self, dag: str, run: str, task: Task) -> str | None:
        """The last error in a task's log, or None. Our tasks log no personal data, so it may be shown."""
        path = f"/api/v2/dags/{dag}/dagRuns/{_quoted(run)}/taskInstances/{task.task_id}/logs/{task.attempt}"
        events = self._call("GET", f"{path}?map_index={task.map_index}&full_content=true")["content"]
        errors = [event["error_detail"][-1]["exc_value"] for event in events if event.get("error_detail")]
        return errors[-1] if errors else None

    def result(self, dag: str, run: str, task: str) -> Any:
        """What a task returned, or None if it returned nothing."""
        path = f"/api/v2/dags/{dag}/dagRuns/{_quoted(run)}/taskInstances/{task}/xcomEntries/return_value"
        try:
            return self._call("GET", path)["value"]
        except AirflowRefused as refused:
            if refused.facts.get("status") == 404:
                return None
            raise

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self._address + path, method=method, data=None if body is None else json.dumps(body).encode()
        )
        request.add_header("Content-Type", "application/json")
        request.add_header("Accept", "application/json")
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with _DIRECT.open(request, timeout=_TIMEOUT_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise AirflowRefused(
                f"Airflow answered {error.code} to {method} {path}.",
                fix="see api-server.log in the logs folder.",
                status=error.code,
            ) from None
        except OSError as error:
            raise AirflowSilent(
                f"Airflow did not answer {method} {path} within {_TIMEOUT_SECONDS} s ({type(error).__name__}).",
                fix="start again; a run that was going on is carried on. If it lasts, see api-server.log.",
            ) from None


def _label(task: Mapping[str, Any]) -> str:
    shard = task["rendered_map_index"] or (task["map_index"] if task["map_index"] >= 0 else None)
    return task["task_id"] if shard is None else f"{task['task_id']} [{shard}]"


def _quoted(run: str) -> str:
    return urllib.parse.quote(run, safe="")
