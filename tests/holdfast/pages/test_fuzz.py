"""Whatever is sent to any route, right or wrong by its own description: no failure, and no answer without a log-in."""

from __future__ import annotations

import datetime as dt

import hypothesis
import pytest
import schemathesis
import sqlalchemy as sa
from fastapi import FastAPI
from schemathesis.generation import GenerationMode
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import BEARER, Client

DAY = dt.date(2026, 11, 24)
EXAMPLES = 15
FUZZ = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_input_makes_a_route_fail_or_answer_unasked(
    mode: GenerationMode, pages_app: FastAPI, as_user: Client, database: sa.Engine
) -> None:
    run_id = nights.run(database, "retention_nightly", DAY)
    nights.report(pages_app.state.site.settings.reports, "retention_nightly", "2026-11-24", **nights.retention(run_id))
    browser = as_user("dpo")
    token = form_token(browser.get("/evidence").text)
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies.jar)
    schema = schemathesis.openapi.from_dict(pages_app.openapi())
    schema.app = pages_app
    tried = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @FUZZ
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def fuzz(case: schemathesis.Case) -> None:
            assert case.call().status_code == 401, "nobody is logged in"
            if isinstance(case.body, dict) and "form_token" in case.body:
                case.body["form_token"] = token  # else nothing behind the form would ever be tried
            answer = case.call(headers={"Authorization": f"{BEARER}dpo", "Cookie": cookie})
            assert answer.status_code < 500, f"{case.method} {case.formatted_path}"

        try:
            fuzz()
        except hypothesis.errors.Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "a route without a parameter has no wrong ones"
        tried.add((operation.method.upper(), operation.path))
    assert tried == {(method, route.path) for route in pages_app.routes for method in route.methods}  # type: ignore[attr-defined]


def form_token(page: str) -> str:
    return page.partition('name="form_token" value="')[2].partition('"')[0]
