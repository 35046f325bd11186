"""Airflow in a home of its own: it must be told before it is first imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


def pytest_configure() -> None:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="holdfast-test-airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


@pytest.fixture(scope="session")
def parsed(parse: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What parsing all DAG files gives: see parse_dags.py."""
    return parse()


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, Any]]:
    """Parses all DAG files, with the environment as it is then."""
    return lambda: _parsed(tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="session")
def parsed_with_archive(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same where the data map names a further database."""
    project = tmp_path_factory.mktemp("project")
    (project / "policy").mkdir()
    text = (PROJECT / "policy" / "data_map.yaml").read_text()
    more = "connections:\n  archive: {description: What was sold in earlier years., schemas: [shop]}\n"
    (project / "policy" / "data_map.yaml").write_text(text + more)
    return _parsed(tmp_path_factory.mktemp("airflow"), HOLDFAST_PROJECT=str(project))


def _parsed(home: Path, **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("parse_dags.py"), PROJECT / "dags"],
        env=os.environ | {"AIRFLOW_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts
