"""Airflow's own history, in the real Airflow: a night, a task marked by hand, `airflow db clean`, and what remains.

The tests of this module follow one another on one installation that stays up.
"""

from __future__ import annotations

import configparser
import datetime as dt
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.night.installation import (
    HOLDFAST,
    NIGHT_SECONDS,
    Installation,
    installed,
    read,
    said_until,
    status,
    staying,
    token,
)

DAG = "retention_nightly"
TASK = "write_report"


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with installed() as made:
        command = [HOLDFAST, "data", "make", "--accounts", "20"]
        subprocess.run(command, env=made.environment, check=True, capture_output=True, timeout=NIGHT_SECONDS)
        yield made


@pytest.fixture(scope="module")
def night(installation: Installation) -> Iterator[str]:
    """What the first night said; its Airflow is up."""
    with staying(installation) as process:
        yield said_until(process, "Press Ctrl-C")
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture(scope="module")
def address(installation: Installation, night: str) -> str:
    parser = configparser.ConfigParser()
    parser.read(installation.home / "airflow" / "airflow.cfg")
    return parser["api"]["base_url"]


def evidence(installation: Installation, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [HOLDFAST, "evidence", *words], env=installation.environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def runs(address: str, reader: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(f"{address}/api/v2/dags/{DAG}/dagRuns", token=reader)["dag_runs"]
    return found


def packed(installation: Installation, target: Path) -> dict[str, Any]:
    """What a pack of run 1 has of Airflow's, the last sheet; the pack verifies."""
    import zipfile

    code, said = evidence(installation, "pack", str(target), "--run", "1")
    assert code == 0, said
    _, key = evidence(installation, "key", "show")
    verify = [HOLDFAST.with_name("holdfast-verify"), str(target), "--key", key.strip()]
    checked = subprocess.run(verify, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    with zipfile.ZipFile(target) as archive:
        sheets = sorted(name for name in archive.namelist() if name.startswith("airflow/"))
        last: dict[str, Any] = json.loads(archive.read(sheets[-1]))
    return last


def test_a_night_leaves_a_copy_of_its_history_and_nothing_disagrees(
    installation: Installation, night: str, tmp_path: Path
) -> None:
    assert "evidence_nightly success" in night, night
    code, said = evidence(installation, "watchdog")
    assert (code, said.splitlines()[-1]) == (0, "0 open, 0 of them unexplained.")
    sheet = packed(installation, tmp_path / "run.zip")
    assert (sheet["dag"], sheet["state"]) == (DAG, "success")
    states = {one["task"]: one["state"] for one in sheet["tries"]}
    assert (states["seal_run"], states["ask_a_person"]) == ("success", "skipped")
    assert [one["what"] for one in sheet["events"] if one["by"]] == ["trigger_dag_run"] or not sheet["events"]


def test_a_task_that_somebody_marks_is_named_with_who_did_it(installation: Installation, address: str) -> None:
    engineer = token(installation, address, "engineer")
    (run,) = runs(address, engineer)
    place = f"{address}/api/v2/dags/{DAG}/dagRuns/{quote(run['dag_run_id'])}/taskInstances/{TASK}"
    assert status(place, body={"new_state": "failed"}, token=engineer, method="PATCH") == 200
    code, said = evidence(installation, "history")
    assert code == 0, said
    code, said = evidence(installation, "watchdog")
    assert code == 1
    assert f"patch_task_instance {TASK} failed by engineer" in said, said
    assert "1 open, 1 of them unexplained." in said


def test_after_airflow_has_cleaned_its_history_the_copy_is_there_and_the_act_is_still_named(
    installation: Installation, address: str, tmp_path: Path
) -> None:
    before = packed(installation, tmp_path / "before.zip")
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "clean", "--yes", "--skip-archive", "--clean-before-timestamp", later],
        env=installation.environment | {"AIRFLOW_HOME": str(installation.home / "airflow")},
        check=True,
        capture_output=True,
        timeout=NIGHT_SECONDS,
    )
    assert runs(address, token(installation, address, "auditor")) == []

    assert evidence(installation, "history")[0] == 0
    code, said = evidence(installation, "watchdog")
    assert (code, f"patch_task_instance {TASK} failed by engineer" in said) == (1, True), said
    assert packed(installation, tmp_path / "after.zip") == before
    assert {one["task"]: one["state"] for one in before["tries"]}[TASK] == "failed"


def test_somebody_else_explains_it(installation: Installation, address: str) -> None:
    assert evidence(installation, "explain", "1", "--reason", "drill", "--by", "engineer")[0] == 1
    assert evidence(installation, "explain", "1", "--reason", "drill", "--by", "dpo")[0] == 0
    assert evidence(installation, "watchdog")[0] == 0
