"""An Airflow that can be told what happened: its REST API over HTTP, with answers in the shapes of Airflow 3.3.2."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

USER, PASSWORD = "historian", "a password"
SECRET = "Alice Example, 020 7946 0000"
"""Something that no copy may have; a run is full of it."""


@dataclass
class World:
    """What this Airflow knows. Everything of it may be changed between two readings, as `airflow db clean` does."""

    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tries: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    page: int = 100
    lies: int = 0
    """By how many the total that it says is too large."""

    def run(self, dag: str, at: dt.datetime, state: str = "success", **more: Any) -> str:
        """A scheduled run that took ten minutes."""
        run = more.pop("run", f"scheduled__{at.isoformat()}")
        ended = state in ("success", "failed")
        self.runs[dag, run] = {
            "dag_run_id": run,
            "dag_id": dag,
            "logical_date": _z(at),
            "queued_at": _z(at),
            "start_date": _z(at),
            "end_date": _z(at + dt.timedelta(minutes=10)) if ended else None,
            "duration": 600.0,
            "data_interval_start": _z(at),
            "data_interval_end": _z(at),
            "run_after": _z(at),
            "last_scheduling_decision": _z(at),
            "run_type": "scheduled",
            "state": state,
            "triggered_by": "timetable",
            "triggering_user_name": None,
            "conf": {"note": SECRET},
            "note": SECRET,
            "dag_versions": [{"id": "0199", "version_number": 3, "bundle_version": None}],
            "bundle_version": None,
            "dag_display_name": dag,
            "partition_key": None,
            "partition_date": None,
            "updated_at": at + dt.timedelta(minutes=10),  # by which Airflow filters, and which it does not tell
        } | more
        self.tries.setdefault((dag, run), [])
        self.answers.setdefault((dag, run), [])
        return run

    def attempt(
        self, dag: str, run: str, task: str, state: str | None = "success", number: int = 1, **more: Any
    ) -> None:
        """One attempt at a task."""
        at = self.runs[dag, run]["start_date"]
        self.tries[dag, run].append(
            {
                "id": "0199",
                "task_id": task,
                "dag_id": dag,
                "dag_run_id": run,
                "map_index": -1,
                "start_date": at,
                "end_date": at,
                "duration": 1.0,
                "state": state,
                "try_number": number,
                "max_tries": 3,
                "task_display_name": task,
                "hostname": "worker-1",
                "operator": "_PythonDecoratedOperator",
                "queued_when": at,
                "note": SECRET,
                "rendered_map_index": SECRET,
                "rendered_fields": {"op_kwargs": SECRET},
            }
            | more
        )

    def answer(self, dag: str, run: str, user: str, chose: str, at: dt.datetime) -> None:
        """A person's answer to a question."""
        self.answers[dag, run].append(
            {
                "task_instance": {"task_id": "ask_a_person", "map_index": -1},
                "options": ["Approve", "Refuse"],
                "subject": SECRET,
                "body": SECRET,
                "params_input": {"text": SECRET},
                "created_at": _z(at),
                "responded_by_user": {"id": user, "name": SECRET},
                "responded_at": _z(at),
                "chosen_options": [chose],
                "response_received": True,
            }
        )

    def event(self, what: str, at: dt.datetime, user: str | None = None, **more: Any) -> None:
        """A line of the audit log."""
        self.events.append(
            {
                "event_log_id": len(self.events) + 1,
                "when": _z(at),
                "dag_id": None,
                "task_id": None,
                "run_id": None,
                "map_index": None,
                "try_number": None,
                "event": what,
                "logical_date": None,
                "owner": user,
                "extra": json.dumps(
                    {"note": SECRET, "conf": {"text": SECRET}, "method": "PATCH", **more.pop("told", {})}
                ),
                "dag_display_name": None,
                "task_display_name": None,
            }
            | more
        )

    def forget(self) -> None:
        """What `airflow db clean` does."""
        self.runs.clear()
        self.tries.clear()
        self.answers.clear()
        self.events.clear()

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """The answer to one question."""
        if path == "/api/v2/eventLogs":
            since = query.get("after", [""])[0]
            found = [
                one
                for one in self.events
                if _at(one["when"]) > _at(since) and one["event"] not in query["excluded_events"]
            ]
            return self._page("event_logs", found, query)
        matched = re.fullmatch(r"/api/v2/dags/([^/]+)/dagRuns(?:/([^/]+)(/.*)?)?", path)
        assert matched, path
        dag, run, rest = matched[1], unquote(matched[2] or ""), matched[3]
        if not run:
            of_dag = [one for (name, _), one in self.runs.items() if name == dag]
            if not of_dag:
                return 404, {}
            since = query.get("updated_at_gte", [""])[0]
            return self._page("dag_runs", [one for one in of_dag if one["updated_at"] >= _at(since)], query)
        if (dag, run) not in self.runs:
            return 404, {}
        if rest is None:
            return 200, _plain(self.runs[dag, run])
        if rest == "/hitlDetails":
            return self._page("hitl_details", self.answers[dag, run], query)
        tries = self.tries[dag, run]
        if rest == "/taskInstances":
            last = {(one["task_id"], one["map_index"]): one for one in tries}
            return self._page("task_instances", list(last.values()), query)
        task, index = re.fullmatch(r"/taskInstances/([^/]+?)(?:/(\d+))?/tries", rest).groups()  # type: ignore[union-attr]
        key = (task, int(index or -1))
        found = [one for one in tries if (one["task_id"], one["map_index"]) == key]
        return 200, {"task_instances": found, "total_entries": len(found)}

    def _page(self, key: str, found: list[dict[str, Any]], query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        first = int(query["offset"][0])
        items = [_plain(one) for one in found[first : first + min(self.page, int(query["limit"][0]))]]
        return 200, {key: items, "total_entries": len(found) + self.lies}


@contextmanager
def serving(world: World) -> Iterator[dict[str, Any]]:
    """The parts of the connection to an Airflow that knows this world."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = given == {"username": USER, "password": PASSWORD}
            self._say(201 if known else 401, {"access_token": "a token"})

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            world.asked.append(parts.path)
            if self.headers["Authorization"] != "Bearer a token":
                self._say(401, {})
            else:
                self._say(*world.get(parts.path, parse_qs(parts.query)))

        def _say(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield {"host": "127.0.0.1", "port": server.server_address[1], "login": USER, "password": PASSWORD}
    finally:
        server.shutdown()
        server.server_close()


def _z(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text) if text else dt.datetime.min.replace(tzinfo=dt.UTC)


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != "updated_at"}
