"""Take a night of retention task by task, in this process, as `airflow dags test` does; print how the run ended.

That command cannot: in Airflow 3.3.2 it takes the DAG's deadline for the number of one.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag


def main(folder: Path) -> None:
    dag = DagBag(str(folder), bundle_path=folder, bundle_name="dags-folder").dags["retention_nightly"]
    dag.deadline = None
    dag.on_failure_callback = None
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(logical_date=dt.datetime.now(dt.UTC))
    print(f"The run ended as {run.state}")


main(Path(sys.argv[1]))
