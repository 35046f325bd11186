"""Airflow's own history, in the real Airflow: a night, a task marked by hand, `airflow db clean`, and what remains.

The tests of this module follow one another on one Airflow that stays up. Only two of the jobs run: retention, and the
one that copies and compares.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from rich.console import Console
from tests.night.installation import HOLDFAST, NIGHT_SECONDS, Installation, installed, read, status, token

from holdfast import database, roles
from holdfast.night import configuration, jobs, postgres, supervisor
from holdfast.night.api import Api
from holdfast.night.progress import Progress
from holdfast.synthetic import provider

DAG, WATCHDOG = "retention_nightly", "evidence_nightly"
TASK = "write_report"


@dataclasses.dataclass(frozen=True)
class Up:
    """An installation with its Airflow, and how the runs of its two jobs ended."""

    installation: Installation
    airflow: configuration.Airflow
    states: dict[str, str]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with installed() as made:
        settings = made.settings
        engine = database.connect(settings)
        database.migrate(engine, settings.sql / "migrations")
        now = dt.datetime.now(dt.UTC)
        provider.make(engine, accounts=20, seed=3, as_of=now, objects=settings.objects)
        roles.renew(engine, settings)
        airflow = configuration.configure(
            settings,
            metadata_url=postgres.metadata_url(settings),
            database_url=engine.url.render_as_string(hide_password=False),
            port=configuration.free_port(8480),
        )
        logs, progress = settings.home / "logs", Progress(Console(quiet=True))
        log = supervisor.log_of(logs, "db-migrate")
        supervisor.finished(supervisor.migrate_metadata(airflow.environment, log), log)
        with supervisor.kept(airflow.environment, logs, settings.postgres_data) as kept:
            api = Api(airflow.address)
            jobs.log_in_when_ready(api, kept, "admin", airflow.passwords["admin"])
            runs = [
                one for dag in (DAG, WATCHDOG) for one in jobs.carry_on(api, kept, progress, dag, now=now, leave=True)
            ]
            yield Up(made, airflow, {one.dag: one.state for one in runs})


@pytest.fixture(scope="module")
def installation(up: Up) -> Installation:
    return up.installation


@pytest.fixture(scope="module")
def address(up: Up) -> str:
    return up.airflow.address


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
    up: Up, installation: Installation, tmp_path: Path
) -> None:
    assert up.states == {DAG: "success", WATCHDOG: "success"}
    code, said = evidence(installation, "watchdog")
    assert (code, said.splitlines()[-1]) == (0, "0 open, 0 of them unexplained.")
    sheet = packed(installation, tmp_path / "run.zip")
    assert (sheet["dag"], sheet["state"]) == (DAG, "success")
    states = {one["task"]: one["state"] for one in sheet["tries"]}
    assert (states["seal_run"], states["ask_a_person"]) == ("success", "skipped")
    assert sheet["by"].startswith("p1:")


def test_a_task_that_somebody_marks_is_named_with_who_did_it(installation: Installation, address: str) -> None:
    engineer = token(installation, address, "engineer")
    (run,) = runs(address, engineer)
    place = f"{address}/api/v2/dags/{DAG}/dagRuns/{quote(run['dag_run_id'])}/taskInstances/{TASK}"
    assert status(place, body={"new_state": "failed"}, token=engineer, method="PATCH") == 200
    code, said = evidence(installation, "history")
    assert code == 0, said
    code, said = evidence(installation, "watchdog")
    assert code == 1
    assert f"patch_task_instance {TASK} failed by p1:" in said, said
    assert ", who is engineer" in said
    assert "1 open, 1 of them unexplained." in said


def test_after_airflow_has_cleaned_its_history_the_copy_is_there_and_the_act_is_still_named(
    installation: Installation, address: str, tmp_path: Path
) -> None:
    before = packed(installation, tmp_path / "before.zip")
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    tables = "dag_run,task_instance,task_instance_history,log,xcom"
    clean = ["db", "clean", "--yes", "--skip-archive", "--tables", tables, "--clean-before-timestamp", later]
    subprocess.run(
        [sys.executable, "-m", "airflow", *clean],
        env=installation.environment | {"AIRFLOW_HOME": str(installation.home / "airflow")},
        check=True,
        capture_output=True,
        timeout=NIGHT_SECONDS,
    )
    assert runs(address, token(installation, address, "auditor")) == []

    assert evidence(installation, "history")[0] == 0
    code, said = evidence(installation, "watchdog")
    assert (code, f"patch_task_instance {TASK} failed by p1:" in said) == (1, True), said
    assert packed(installation, tmp_path / "after.zip") == before
    assert {one["task"]: one["state"] for one in before["tries"]}[TASK] == "failed"


def test_somebody_else_explains_it(installation: Installation, address: str) -> None:
    assert evidence(installation, "explain", "1", "--reason", "drill", "--by", "engineer")[0] == 1
    assert evidence(installation, "explain", "1", "--reason", "drill", "--by", "dpo")[0] == 0
    assert evidence(installation, "watchdog")[0] == 0
