"""People are told by mail, of a run that failed and of one that has not ended by its hour, and no more than that."""

from __future__ import annotations

import asyncio
import email
import email.message
import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.triggers.callback import CallbackTrigger
from tests.mail_server import mailbox

from holdfast_airflow import tell
from holdfast_alerts import CONNECTION, FAILED, LATE, Alert, alerts

RUN = {"dag_id": "emergency_data_999", "run_id": "by hand, for somebody"}
VARIABLE = f"AIRFLOW_CONN_{CONNECTION.upper()}"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What arrives at the address of the connection."""
    with mailbox() as (port, received):
        plain = {"disable_tls": True, "disable_ssl": True}
        extra = {"from_email": "airflow@example.com", "to": "on-call@example.com", **plain}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv(VARIABLE, json.dumps(connection))
        yield received


def text_of(mail: str) -> str:
    part = email.message_from_string(mail).get_payload(0)
    assert isinstance(part, email.message.Message)
    return bytes(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]


def missed(context: dict[str, Any]) -> list[dict[str, Any]]:
    """What Airflow's triggerer does when the deadline has passed."""
    callback = alerts(hours=1.5)["deadline"].callback
    trigger = CallbackTrigger(callback.path, {**callback.kwargs, "context": context})

    async def events() -> list[dict[str, Any]]:
        return [event.payload async for event in trigger.run()]

    return asyncio.run(events())


def test_a_run_that_has_not_ended_by_its_hour_is_told_by_mail(mails: list[str]) -> None:
    states = [event["state"] for event in missed({"dag_run": RUN})]
    assert states == ["running", "success"]
    (mail,) = mails
    assert "To: on-call@example.com" in mail
    assert "Subject: Holdfast: emergency_data_999 needs somebody" in mail
    assert LATE in text_of(mail)


def test_a_run_that_failed_is_told_without_its_error_and_its_name(mails: list[str]) -> None:
    run = SimpleNamespace(**RUN)
    alerts(hours=1)["on_failure_callback"]({"dag_run": run, "exception": ValueError("+441632960001")})
    (mail,) = mails
    assert FAILED in text_of(mail)
    assert "441632960001" not in mail + text_of(mail)
    assert "by hand" not in mail + text_of(mail)


def test_a_task_tells_what_its_job_has_found_and_nothing_where_there_is_nothing(mails: list[str]) -> None:
    context = {"dag_run": SimpleNamespace(dag_id="suspension_facts_nightly")}
    assert not tell("", **context)
    assert tell("2 safeguards of suspensions are broken: not_told 2.", **context)
    (mail,) = mails
    assert "Subject: Holdfast: suspension_facts_nightly needs somebody" in mail
    assert "not_told 2" in text_of(mail)


def test_a_job_that_starts_when_its_data_has_come_has_no_hour_to_end_by() -> None:
    assert set(alerts()) == {"on_failure_callback"}


def test_without_a_connection_the_log_says_that_nobody_was_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        Alert(FAILED)({"dag_run": SimpleNamespace(**RUN)})
        missed({"dag_run": RUN})
    said = [record.getMessage() for record in caplog.records]
    assert [text.startswith("emergency_data_999: A run has") for text in said] == [True, True]
    assert all("there is no connection holdfast_alerts" in text for text in said)
