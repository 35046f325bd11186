"""What passes between a step and Airflow: small counts one way, and of an error only what may be read by anyone."""

from __future__ import annotations

import traceback

import pytest
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ErrorResponse
from tests.dags import sample_steps

import holdfast_calls
from holdfast import roles, settings
from holdfast.errors import SettingsError

STEPS = sample_steps.__name__


@pytest.fixture(autouse=True)
def configured(database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database that the settings name."""
    url = database.url.render_as_string(hide_password=False)
    monkeypatch.setenv(settings.DATABASE_URL, url)
    monkeypatch.setattr(roles.Matrix, "of_step", lambda *_: "holdfast_reader")  # these steps are in no matrix
    assert database.url.database is not None
    return database.url.database


def test_a_step_gets_an_engine_and_its_own_arguments_and_gives_back_its_counts(configured: str) -> None:
    result = holdfast_calls.call_step(STEPS, "count", {"run_id": 7, "ti": object(), "dag_run": object()})
    assert result == {"run_id": 7, "database": configured, "labels": ["a", "b"], "exceeded": False}


def test_a_step_works_as_its_role_and_not_as_our_login(configured: str) -> None:
    assert holdfast_calls.call_step(STEPS, "who", {}) == "holdfast_reader"


def test_a_database_error_is_told_by_type_code_and_line_and_never_quotes_the_row() -> None:
    with pytest.raises(AirflowFailException) as caught:
        holdfast_calls.call_step(STEPS, "quote_a_row", {})
    told = "".join(traceback.format_exception(caught.value))
    assert "sqlalchemy.exc.DataError (SQLSTATE 22P02) at holdfast_calls.py:" in told
    assert sample_steps.SECRET not in told
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_what_may_pass_is_tried_again() -> None:
    for function in ("lose_the_server", "find_no_database"):
        with pytest.raises(holdfast_calls.StepFailed):
            holdfast_calls.call_step(STEPS, function, {})


def test_a_refusal_is_final_and_says_what_to_do() -> None:
    with pytest.raises(AirflowFailException, match=r"PlanChanged: .* Fix: approve the new plan\."):
        holdfast_calls.call_step(STEPS, "refuse", {})


@pytest.mark.parametrize("function", ["return_a_sum", "return_rows"])
def test_a_result_that_is_not_small_and_plain_is_refused(function: str) -> None:
    with pytest.raises(AirflowFailException, match=r"builtins\.(Type|Value)Error"):
        holdfast_calls.call_step(STEPS, function, {})


def test_without_a_run_there_is_nothing_to_do() -> None:
    with pytest.raises(AirflowFailException, match="open_run"):
        holdfast_calls.call_step(STEPS, "count", {"run_id": None})


def test_the_airflow_connection_decides_on_the_database(
    postgres_url_for: object, configured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sa.make_url(settings.load().database_url or "")
    monkeypatch.setenv("AIRFLOW_CONN_HOLDFAST", f"postgres://postgres@/{configured}?host={url.query['host']}")
    monkeypatch.setenv(settings.DATABASE_URL, "postgresql://nobody@localhost:1/nowhere")
    result = holdfast_calls.call_step(STEPS, "count", {"run_id": 7})
    assert isinstance(result, dict)
    assert result["database"] == configured


def test_a_connection_that_does_not_answer_is_never_replaced_by_another_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HOLDFAST", "postgres://nobody:unsaid@localhost:1/nowhere")
    with pytest.raises(holdfast_calls.StepFailed, match="does not answer") as caught:
        holdfast_calls.call_step(STEPS, "count", {"run_id": 7})
    assert "unsaid" not in str(caught.value)


def test_a_connection_to_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HOLDFAST", "mysql://somebody@localhost/nowhere")
    with pytest.raises(SettingsError, match="mysql"):
        holdfast_calls.database_settings()


def test_an_airflow_that_cannot_say_whether_there_is_a_connection_stops_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Airflow's own look-up would answer 'not defined', and the step would go on with the database of the settings."""
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", _Supervisor(ErrorType.API_SERVER_ERROR), raising=False)
    with pytest.raises(holdfast_calls.StepFailed, match="API_SERVER_ERROR"):
        holdfast_calls.call_step(STEPS, "count", {"run_id": 7})


def test_an_airflow_that_knows_of_no_connection_leaves_the_settings(
    configured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", _Supervisor(ErrorType.CONNECTION_NOT_FOUND), raising=False)
    result = holdfast_calls.call_step(STEPS, "count", {"run_id": 7})
    assert isinstance(result, dict)
    assert result["database"] == configured


class _Supervisor:
    """The other end of a task's line to Airflow, which answers everything with one error."""

    def __init__(self, error: ErrorType) -> None:
        self._error = error

    def send(self, _message: object) -> object:
        raise AirflowRuntimeError(ErrorResponse(error=self._error))
