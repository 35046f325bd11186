"""What Airflow is told to ask, and whom; and that an answer counts by our database and policy, not by Airflow.

Airflow's own check of who may answer is tested where its API server runs: tests/night/test_approval.py.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.providers.standard.exceptions import HITLTimeoutError
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from airflow.sdk.execution_time import task_runner
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Shop

from holdfast import queries, roles, settings
from holdfast_airflow import Approval

STEPS = "holdfast.retention.steps"


@pytest.fixture
def shop(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose plan is above a cap: three due rows where two are allowed."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    monkeypatch.setenv(settings.DATABASE_URL, database.url.render_as_string(hide_password=False))
    queries.query.cache_clear()
    made = shops.build(database, tmp_path / "project")
    made.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=2))
    made.purchases([1, 2, 3])
    roles.renew(database, settings.load())
    yield made
    queries.query.cache_clear()


class _Supervisor:
    """The other end of a task's line to Airflow: keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def send(self, msg: Any) -> None:
        self.told.append(msg)


def put(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Approval, Any, dict[str, Any]]:
    """Plan and ask: the run, the task, what Airflow was told to ask, and what it keeps until the answer."""
    run_id = shop.plan()
    supervisor = _Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    monkeypatch.setattr("holdfast_calls._connection", lambda *_: None)
    task = Approval(
        task_id="ask", steps=STEPS, title="Shop", given={"run_id": run_id}, response_timeout=dt.timedelta(hours=12)
    )
    with pytest.raises(TaskAwaitingInput) as parked:
        task.execute({"task_instance": SimpleNamespace(id=uuid.uuid4())})
    assert parked.value.timeout == dt.timedelta(hours=12)
    (asked,) = supervisor.told
    return run_id, task, asked, dict(parked.value.kwargs or {})


def event(option: str, user: str, **typed: str) -> dict[str, Any]:
    at = dt.datetime(2024, 3, 2, 9, tzinfo=dt.UTC)
    who = {"id": user, "name": user}
    return {"chosen_options": [option], "params_input": typed, "responded_at": at, "responded_by_user": who}


def test_airflow_is_told_who_may_answer_and_what_to_show(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, _, asked, kept = put(shop, monkeypatch)
    assert {user.id: user.name for user in asked.assigned_users} == shop.policy.schedule.approvers
    assert asked.options == ["Approve", "Refuse"]
    assert not asked.defaults
    assert asked.subject.startswith("Shop of 2024-03-02: above its caps")
    report = asked.body.split("`")[-2]
    assert Path(report).is_relative_to(shop.settings.reports)
    assert Path(report).exists()
    assert kept == {"run_id": run_id, "plan_digest": shop.digest(run_id)}


@pytest.mark.parametrize(("option", "kind"), [("Approve", "approval_given"), ("Refuse", "approval_refused")])
def test_an_approvers_answer_is_recorded_by_the_task_that_receives_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, option: str, kind: str
) -> None:
    run_id, task, _, kept = put(shop, monkeypatch)
    if option == "Approve":
        assert task.execute_complete({}, event(option, "anna"), **kept) == {"decision": "approved"}
    else:
        with pytest.raises(AirflowFailException, match="was refused; nothing is deleted"):
            task.execute_complete({}, event(option, "anna"), **kept)
    assert [one["plan"] for one in shop.entries(kind)] == [shop.digest(run_id)]


@pytest.mark.parametrize("user", ["engineer", "admin"])
def test_what_airflow_lets_somebody_else_answer_counts_for_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    run_id, task, _, kept = put(shop, monkeypatch)
    with pytest.raises(AirflowFailException, match=r"ApprovalRefused: p1:.* is no approver by the policy"):
        task.execute_complete({}, event("Approve", user), **kept)
    assert [one["plan"] for one in shop.entries("approval_unauthorised")] == [shop.digest(run_id)]
    assert shop.entries("approval_given") == []


def test_nobody_can_type_in_that_another_one_answered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task, _, kept = put(shop, monkeypatch)
    with pytest.raises(AirflowFailException, match="is no approver by the policy"):
        task.execute_complete({}, event("Approve", "engineer", decided_by="anna", decision="approved"), **kept)
    assert shop.entries("approval_given") == []


def test_an_answer_is_for_the_plan_that_was_asked_about_even_if_another_was_made_since(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task, _, kept = put(shop, monkeypatch)
    shop.purchases([4])
    shop.plan()
    with pytest.raises(AirflowFailException, match="PlanChanged: The answer is about the plan"):
        task.execute_complete({}, event("Approve", "anna"), **kept)
    assert shop.entries("approval_given") == []


def test_silence_fails_the_task_and_records_no_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task, _, kept = put(shop, monkeypatch)
    with pytest.raises(HITLTimeoutError):
        task.execute_complete({}, {"error": "nobody answered", "error_type": "timeout"}, **kept)
    assert shop.entries("approval_given", "approval_refused", "approval_unauthorised") == []
