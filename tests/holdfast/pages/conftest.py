"""The pages over a real database, as each role sees them; who asks is said by a door that believes a bearer token."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, HTTPException, Request
from starlette.testclient import TestClient

from holdfast import database as hf_database
from holdfast import settings
from holdfast.pages import app as pages
from holdfast.pages.access import Identity
from holdfast.pages.gate import AirflowRun

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
MOUNTED = "/holdfast"
BEARER = "Bearer "
ROLES = {"auditor": "viewer", "engineer": "op", "dpo": "user", "admin": "admin", "stranger": "guest"}
"""User -> the role in Airflow's simple log-in."""
RUNS = {"scheduled__2026-11-24": AirflowRun(NOW.replace(hour=1, minute=30), None), "manual": AirflowRun(NOW, "2026-10")}
Client = Callable[[str], TestClient]


class Door:
    """Whoever names a user of ROLES is that user; everybody else is not logged in."""

    async def identify(self, request: Request) -> Identity:
        name = request.headers.get("authorization", "").removeprefix(BEARER)
        if name not in ROLES:
            raise HTTPException(401)
        return Identity(name, name, "simple", (ROLES[name],))

    async def may_read_dag(self, request: Request, dag_id: str) -> bool:
        return dag_id != "somebody_elses"

    def run(self, dag_id: str, run_id: str) -> AirflowRun | None:
        return RUNS.get(run_id)


def as_pages(engine: sa.Engine) -> sa.Engine:
    """The database as the pages see it: with the rights of their role and no others."""
    return hf_database.engine_for(engine.url.render_as_string(hide_password=False), "holdfast_pages")


@pytest.fixture
def pages_app(database: sa.Engine, home: Path) -> FastAPI:
    """The pages of an installation of this test's own, on the morning of 24 November 2026."""
    return pages.build(
        settings=settings.load(),
        door=Door(),
        secret="a secret of these tests",
        connect=lambda: as_pages(database),
        now=lambda: NOW,
        burst=100_000,
    )


@pytest.fixture
def as_user(pages_app: FastAPI) -> Client:
    """A browser of a user; `as_user('')` is not logged in. The pages are mounted below another application."""
    airflow = FastAPI()
    airflow.mount(MOUNTED, pages_app)

    def client(user: str) -> TestClient:
        headers = {"Authorization": f"{BEARER}{user}"} if user else {}
        return TestClient(
            airflow, base_url=f"http://testserver{MOUNTED}", headers=headers, raise_server_exceptions=False
        )

    return client


@pytest.fixture
def as_auditor(as_user: Client) -> TestClient:
    return as_user("auditor")


@pytest.fixture
def as_compliance(as_user: Client) -> TestClient:
    return as_user("dpo")


@pytest.fixture
def form_of() -> Callable[[str], dict[str, str]]:
    """The hidden fields of the first form of a page that is a POST: what a browser would send."""
    import re

    def fields(page: str) -> dict[str, str]:
        form = page[page.index('method="post"') :]
        return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))

    return fields
