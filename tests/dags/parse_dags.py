"""Parse the DAG files in a process of their own, as Airflow's DAG processor does, and print what came of it as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization


def main(folder: Path) -> None:
    started = time.process_time()  # not the wall clock: other tests run at the same time
    bag = DagBag(str(folder), bundle_path=folder, bundle_name="dags-folder")
    seconds = time.process_time() - started
    facts = {
        "seconds": seconds,
        "import_errors": bag.import_errors,
        "modules": sorted(sys.modules),
        "dags": {dag_id: _facts(dag) for dag_id, dag in bag.dags.items()},
    }
    print(json.dumps(facts))


def _facts(dag: Any) -> dict[str, Any]:
    return {
        "file": dag.fileloc,
        "doc": dag.doc_md,
        "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "schedule": DagSerialization.to_dict(dag)["dag"]["timetable"]["__var"],
        "tags": sorted(dag.tags),
        "on_failure": [type(one).__name__ for one in _listed(dag.on_failure_callback)],
        "deadlines": [(one.interval.total_seconds() / 3600, one.callback.path) for one in _listed(dag.deadline)],
        "params": {name: dag.params[name] for name in dag.params},
        "tasks": {
            task.task_id: {
                "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
                "upstream": sorted(task.upstream_task_ids),
                "downstream": sorted(task.downstream_task_ids),
                "can_start": _have_values(task.params),
                "pool": task.pool,
                "queue": task.queue,
                "at_once": task.max_active_tis_per_dagrun,
                "retries": task.retries,
                "retry_delay": task.retry_delay.total_seconds(),
                "retry_backoff": task.retry_exponential_backoff,
            }
            for task in dag.tasks
        },
    }


def _have_values(params: Any) -> bool:
    """Whether Airflow would start a task with these parameters: it looks at them before anybody can fill them in."""
    try:
        params.validate()
    except ParamValidationError:
        return False
    return True


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given] if given else []


if __name__ == "__main__":
    logging.disable()
    main(Path(sys.argv[1]))
