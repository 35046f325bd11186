"""What of Airflow's answers is kept of a run: one sheet, in words that name nobody. Pure.

A sheet has the run, each attempt at each task, what people answered, and what Airflow's audit log says of it. Never
what somebody may have typed: no configuration, note, parameter, rendered template or value that tasks left for one
another. Who did something is a keyed pseudonym, the same that the ledger has. A name that is no code is kept as its
digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from holdfast.evidence.ledger import CODE

Sheet = dict[str, Any]
Who = Callable[[str], str]
"""A user's name -> the pseudonym."""

UNFINISHED = ("queued", "running")
GONE = "gone"
"""The state of a run that Airflow had deleted before it was ever copied: only its audit log tells of it."""

_MADE_BY_AIRFLOW = re.compile(
    r"(?:scheduled|manual|backfill|operator_triggered|asset_triggered|asset_materialization)"
    r"__\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)(?:__\d{4}(?:-\d\d){0,2})?(?:_{1,2}[A-Za-z0-9]{8})?"
)
_TOLD_OF_AN_ACT = (
    "new_state",
    "state",
    "task_id",
    "task_ids",
    "dag_id",
    "dag_run_id",
    "run_id",
    "map_index",
    "chosen_options",
    "is_paused",
    "only_failed",
    "only_running",
    "include_upstream",
    "include_downstream",
    "include_future",
    "include_past",
    "reset_dag_runs",
    "action",
    "entities",
    "actions",
    "connection_id",
    "variable_key",
    "pool_name",
    "xcom_key",
    "key",
)
"""What the audit log may tell of an act, if it is a code, a small number, or a list of them."""
_AIRFLOWS_OWN = re.compile(r"[a-z ]+|up_for_[a-z]+|upstream_failed|awaiting_input")
"""How Airflow names what it did itself (`state mismatch`, or a task's state); what a person asked for has the name of a
function."""


def run_name(run: str) -> str:
    """A run's id if Airflow made it; one that a person chose may say anything, and is kept as its digest."""
    return run if _MADE_BY_AIRFLOW.fullmatch(run) else _digest(run)


def of_run(
    run: Mapping[str, Any],
    tries: Iterable[Mapping[str, Any]],
    answers: Iterable[Mapping[str, Any]],
    who: Who,
) -> Sheet:
    """The sheet of a run as the API has it now, without what the audit log says."""
    versions = [one["version_number"] for one in run["dag_versions"]]
    return {
        "dag": run["dag_id"],
        "run": run_name(run["dag_run_id"]),
        "as_of": run["logical_date"] or run["run_after"],
        "state": run["state"],
        "type": run["run_type"],
        "triggered_by": run["triggered_by"],
        "by": _by(run["triggering_user_name"], who),
        "partition": _word(run["partition_key"]) or _month(run["conf"]),
        "dry_run": (run["conf"] or {}).get("dry_run") is True,
        "queued_at": run["queued_at"],
        "started_at": run["start_date"],
        "ended_at": run["end_date"],
        "version": max(versions, default=None),
        "tries": [_try(one) for one in tries],
        "answers": [_answer(one, who) for one in answers if one["response_received"]],
        "events": [],
    }


def of_deleted_run(dag: str, run: str) -> Sheet:
    """The sheet of a run that Airflow knows by its audit log alone."""
    return {"dag": dag, "run": run_name(run), "as_of": None, "state": GONE, "tries": [], "answers": [], "events": []}


def of_day(day: dt.date) -> Sheet:
    """The sheet for what the audit log says of no run: DAGs paused, connections changed, commands given."""
    return {"dag": None, "run": day.isoformat(), "as_of": None, "state": None, "tries": [], "answers": [], "events": []}


def event(found: Mapping[str, Any], who: Who) -> dict[str, Any]:
    """One line of the audit log."""
    return {
        "event": found["event_log_id"],
        "at": found["when"],
        "what": _word(found["event"]) if not _AIRFLOWS_OWN.fullmatch(found["event"]) else found["event"],
        "dag": _word(found["dag_id"]),
        "task": _word(found["task_id"]),
        "map_index": found["map_index"],
        "try": found["try_number"],
        "by": None if _AIRFLOWS_OWN.fullmatch(found["event"]) else _by(found["owner"], who),
        "told": _told(found["extra"]),
    }


def merged(before: Sheet | None, now: Sheet) -> Sheet:
    """Nothing that was known is lost, though Airflow no longer has it; of what both have, what is known now."""
    if before is None:
        return _in_order(now)
    kept = before if now["state"] == GONE else now
    lists = {
        name: list({_key(name, one): one for one in (*before[name], *now[name])}.values())
        for name in ("tries", "answers", "events")
    }
    return _in_order({**kept, **lists})


def _in_order(sheet: Sheet) -> Sheet:
    lists = {
        name: sorted(sheet[name], key=lambda one, name=name: json.dumps(_key(name, one)))  # type: ignore[misc]
        for name in ("tries", "answers", "events")
    }
    return {**sheet, **lists}


def _key(name: str, one: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = {
        "tries": ("task", "map_index", "try"),
        "answers": ("task", "map_index", "at"),
        "events": ("at", "event"),  # numbers begin again in a new database of Airflow's
    }
    return tuple(one[key] for key in keys[name])


def _try(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task": _word(found["task_id"]),
        "map_index": found["map_index"],
        "try": found["try_number"],
        "state": found["state"],
        "operator": _word(found["operator"]),
        "queued_at": found["queued_when"],
        "started_at": found["start_date"],
        "ended_at": found["end_date"],
    }


def _answer(found: Mapping[str, Any], who: Who) -> dict[str, Any]:
    task = found["task_instance"]
    return {
        "task": _word(task["task_id"]),
        "map_index": task["map_index"],
        "asked_at": found["created_at"],
        "at": found["responded_at"],
        "by": _by((found["responded_by_user"] or {}).get("id"), who),
        "chose": [_word(one) for one in found["chosen_options"] or []],
    }


def _by(user: str | None, who: Who) -> str | None:
    return who(user) if user else None


def _month(given: Mapping[str, Any] | None) -> str | None:
    """The month that somebody asked a monthly job for, if it is one."""
    month = str((given or {}).get("month"))
    return month if re.fullmatch(r"\d{4}-\d{2}", month) else None


def _told(extra: str | None) -> Any:
    try:
        return _codes_of(json.loads(extra or "{}"))
    except ValueError:
        return {}


def _codes_of(value: Any) -> Any:
    match value:
        case dict():
            return {name: _codes_of(one) for name, one in sorted(value.items()) if name in _TOLD_OF_AN_ACT}
        case list():
            return [_codes_of(one) for one in value]
        case str():
            return value if _MADE_BY_AIRFLOW.fullmatch(value) else _word(value)
        case bool() | None:
            return value
        case int() if abs(value) < 1_000_000:
            return value
        case _:
            return None


def _word(value: str | None) -> str | None:
    return value if value is None or CODE.fullmatch(value) else _digest(value)


def _digest(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
