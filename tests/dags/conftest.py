"""Airflow in a home of its own: it must be told before it is first imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


def pytest_configure() -> None:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="holdfast-test-airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What parsing all DAG files gives: see parse_dags.py."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("parse_dags.py"), PROJECT / "dags"],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow"))},
        capture_output=True,
        text=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts
