"""What every page may rely on: look-ups are recorded first, reading changes nothing, errors tell little."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Annotated

import pytest
import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Form
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient
from tests.holdfast.pages.conftest import Client

from holdfast.errors import HoldError
from holdfast.evidence import ledger
from holdfast.pages import forms
from holdfast.pages.access import Permission
from holdfast.pages.visit import FORM, Reason, Visitor, needs

NAME = "Jo Bloggs of 1 High Street"


@pytest.fixture(autouse=True)
def pages(pages_app: FastAPI) -> None:
    """Pages that somebody might add."""
    router = APIRouter()

    @router.post("/look", name="look", dependencies=[needs(Permission.LOOK_UP), FORM])
    def look(visit: Visitor, record: Annotated[int, Form()], reason: Annotated[Reason, Form()]) -> Response:
        visit.looked_up("quarantine", record=record, reason=reason)
        return PlainTextResponse(NAME)

    @router.get("/write", dependencies=[needs(Permission.READ)])
    def write(visit: Visitor) -> Response:
        with visit.reading() as connection:
            ledger.append(connection, "policy_changed", {"a": 1})
        return PlainTextResponse("written")

    @router.get("/fail", dependencies=[needs(Permission.READ)])
    def fail(visit: Visitor) -> Response:
        raise ValueError(NAME)

    @router.get("/refuse", dependencies=[needs(Permission.READ)])
    def refuse(visit: Visitor) -> Response:
        raise HoldError("The hold has no end.", fix="give it one.")

    @router.get("/form", dependencies=[needs(Permission.READ)])
    def form(visit: Visitor) -> Response:
        response = PlainTextResponse(forms.token(visit.request))
        forms.set_cookie(visit.request, response)
        return response

    pages_app.include_router(router)


def looked(browser: TestClient, **fields: str) -> Response:
    token = browser.get("/form").text
    return browser.post("/look", data={"form_token": token, "record": "17", "reason": "complaint"} | fields)  # type: ignore[return-value]


def entries(engine: sa.Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT kind, entry FROM holdfast.ledger_entry ORDER BY seq"))
        return [(row.kind, row.entry) for row in found]


def test_who_looks_at_what_and_why_is_in_the_ledger_without_their_name(
    database: sa.Engine, as_compliance: TestClient
) -> None:
    assert looked(as_compliance).status_code == 200
    ((kind, entry),) = entries(database)
    assert kind == "personal_data_looked_up"
    assert '"reason":"complaint"' in entry
    assert '"record":17' in entry
    assert '"by":"p1:' in entry
    assert "dpo" not in entry


@pytest.mark.parametrize("user", ["auditor", "engineer", "admin"])
def test_nobody_else_may_look(database: sa.Engine, as_user: Client, user: str) -> None:
    answer = looked(as_user(user))
    assert answer.status_code == 403
    assert NAME not in answer.text  # type: ignore[attr-defined]
    assert entries(database) == []


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "because"}, {"record": "x"}, {"form_token": "x"}])
def test_without_a_reason_a_record_and_a_form_nothing_is_shown(
    database: sa.Engine, as_compliance: TestClient, fields: dict[str, str]
) -> None:
    assert looked(as_compliance, **fields).status_code in (403, 422)
    assert entries(database) == []


def test_what_cannot_be_recorded_is_not_shown(database: sa.Engine, as_compliance: TestClient) -> None:
    with database.begin() as connection:
        connection.execute(sa.text("REVOKE ALL ON FUNCTION holdfast.ledger_append FROM PUBLIC"))
        connection.execute(sa.text("DROP FUNCTION holdfast.ledger_append"))
    answer = looked(as_compliance)
    assert answer.status_code == 500
    assert NAME not in answer.text  # type: ignore[attr-defined]


def test_a_page_that_reads_cannot_write(database: sa.Engine, as_auditor: TestClient) -> None:
    assert as_auditor.get("/write").status_code == 500
    assert entries(database) == []


def test_an_unknown_error_tells_its_type_to_the_log_and_nothing_to_anybody(
    as_auditor: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = as_auditor.get("/fail")
    assert answer.status_code == 500
    assert "builtins.ValueError" in caplog.text
    assert NAME not in caplog.text + answer.text


def test_an_error_of_ours_says_what_to_do(as_auditor: TestClient) -> None:
    answer = as_auditor.get("/refuse")
    assert answer.status_code == 409
    assert "The hold has no end. Fix: give it one." in answer.text


def test_a_database_that_does_not_answer_is_said_to_be_that(pages_app: FastAPI, as_auditor: TestClient) -> None:
    from holdfast.errors import DatabaseUnreachable

    def connect() -> sa.Engine:
        raise DatabaseUnreachable("The database at postgresql://db.internal does not answer.", fix="start it.")

    pages_app.state.site.connect = connect
    answer = as_auditor.get("/evidence")
    assert answer.status_code == 503
    assert "db.internal" not in answer.text


def test_times_are_told_in_the_controllers_zone(pages_app: FastAPI) -> None:
    assert pages_app.state.site.zone() == "Europe/London"
    assert pages_app.state.site.now().tzinfo is dt.UTC
