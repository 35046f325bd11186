"""A plan above its caps, in the real Airflow: only an approver whom the policy names can answer; then it is done."""

from __future__ import annotations

import configparser
import signal
import subprocess
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """One with data that was never cleaned up, so that its first night is above every cap."""
    with installed() as made:
        command = [HOLDFAST, "data", "make", "--accounts", "60", "--backlog"]
        subprocess.run(command, env=made.environment, check=True, capture_output=True, timeout=NIGHT_SECONDS)
        yield made


@pytest.fixture(scope="module")
def night(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    """The first night, as it waits for an answer."""
    with staying(installation) as process:
        said_until(process, "An approver whom the policy names has to decide")
        yield process


def test_only_an_approver_can_answer_and_then_the_plan_is_carried_out(
    installation: Installation,
    night: subprocess.Popen[str],
    eventually: Callable[[Callable[[], bool], float], bool],
) -> None:
    parser = configparser.ConfigParser()
    parser.read(installation.home / "airflow" / "airflow.cfg")
    address = parser["api"]["base_url"]
    users = {user: token(installation, address, user) for user in ("admin", "auditor", "dpo", "engineer")}
    (run,) = read(f"{address}/api/v2/dags/{DAG}/dagRuns", token=users["dpo"])["dag_runs"]
    task = f"{address}/api/v2/dags/{DAG}/dagRuns/{quote(run['dag_run_id'])}/taskInstances/ask_a_person"
    question = f"{task}/-1/hitlDetails"

    for user in users.values():
        _check_question(read(question, token=user), installation)

    yes: dict[str, object] = {"chosen_options": ["Approve"], "params_input": {}}
    for user in ("engineer", "admin", "auditor"):
        assert status(question, body=yes, token=users[user], method="PATCH") == 403, user
    assert read(task, token=users["engineer"])["state"] == "awaiting_input"

    # Airflow 3.3.2 fails a task that is answered before its scheduler has heard of the end of the half that asked
    # (apache/airflow#67287): less than a second, in which no person answers.
    heard = f"with state success for task instance TaskInstanceKey(dag_id='{DAG}', task_id='ask_a_person'"
    scheduler = installation.home / "logs" / "scheduler.log"
    assert eventually(lambda: heard in scheduler.read_text(), 60)
    assert status(question, body=yes, token=users["dpo"], method="PATCH") == 200
    said = said_until(night, "Press Ctrl-C")
    assert f"{DAG} success" in said
    night.send_signal(signal.SIGINT)
    assert night.wait(60) == 0, said

    listed = subprocess.run(
        [HOLDFAST, "ledger", "list", "1"], env=installation.environment, capture_output=True, text=True, check=True
    )
    assert listed.stdout.count("approval_given") == 1
    assert "approval_unauthorised" not in listed.stdout


def _check_question(asked: dict[str, Any], installation: Installation) -> None:
    """It is for the data protection officer, has a table, and leads to a report that is there."""
    assert [user["id"] for user in asked["assigned_users"]] == ["dpo", "deputy"]
    assert "| --- |" in asked["body"]
    reports = list((installation.home / "reports" / DAG).glob("*/index.html"))
    assert [f"`{report}`" in asked["body"] for report in reports] == [True]
