"""The pages behind Airflow's other auth manager, FAB: real users with real roles, in the real application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast_door import PAGES

PLUGINS = Path(__file__).parents[2] / "plugins"
USERS = {  # as docs/engineers.md says to make them: a role of ours beside one that shows Airflow itself
    "auditor": ("Viewer", "Auditor"),
    "engineer": ("Op", "Data engineer"),
    "dpo": ("Viewer", "Compliance"),
    "admin": ("Admin",),
    "viewer": ("Viewer",),
    "shut out": ("Auditor",),
}
READERS = ("auditor", "engineer", "dpo", "admin")
PATHS = ("/", "/style.css", "/reports", "/holds", "/nothing")
WAYS = ("token", "cookie")
LOGIN = """
DO $make$ BEGIN CREATE ROLE door_pages LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $make$;
GRANT holdfast_pages TO door_pages;
"""
"""A login of the pages' own, which may take their role and do nothing else."""

_ASK = """
import json, logging, sys
logging.disable()
from airflow.api_fastapi.app import create_app
from starlette.testclient import TestClient
app = create_app("core")
manager = app.state.auth_manager
answers = {}
with manager.flask_app.app_context():
    security = manager.security_manager
    for name, roles in json.loads(sys.argv[1]).items():
        given = [security.find_role(role) or security.add_role(role) for role in roles]
        user = security.add_user(name, name, "Example", f"{name}@example.com", given, password="invented")
        token = manager.generate_jwt(user)
        ways = {"token": {"headers": {"Authorization": f"Bearer {token}"}}, "cookie": {"cookies": {"_token": token}}}
        for way, options in ways.items():
            browser = TestClient(app, base_url="http://testserver", raise_server_exceptions=False)
            for path in json.loads(sys.argv[2]):
                answer = browser.get("/holdfast" + path, **options)
                answers[f"{name} {way} {path}"] = [answer.status_code, "/holds/place" in answer.text]
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory, fresh_database: Callable[..., AbstractContextManager[sa.Engine]]
) -> dict[str, tuple[int, bool]]:
    """For each user, way and path: the status, and whether the page offers to place a hold."""
    home = tmp_path_factory.mktemp("airflow")
    with fresh_database() as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql(LOGIN)
        environment = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
            "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests, and long enough for a signature",
            "AIRFLOW__API__SECRET_KEY": "another",
            "HOLDFAST_HOME": str(home / "holdfast"),
            "HOLDFAST_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            f"AIRFLOW_CONN_HOLDFAST{PAGES.upper()}": json.dumps(
                {
                    "conn_type": "postgres",
                    "login": "door_pages",
                    "schema": engine.url.database,
                    "extra": dict(engine.url.query),
                }
            ),
        }
        airflow = Path(sys.executable).with_name("airflow")
        subprocess.run([airflow, "db", "migrate"], env=environment, check=True, capture_output=True)
        done = subprocess.run(
            [sys.executable, "-c", _ASK, json.dumps(USERS), json.dumps(PATHS)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    return {key: (status, offers) for key, (status, offers) in json.loads(done.stdout.splitlines()[-1]).items()}


@pytest.mark.parametrize("user", READERS)
@pytest.mark.parametrize("way", WAYS)
def test_a_role_of_ours_beside_one_of_airflows_is_let_in(
    answers: dict[str, tuple[int, bool]], user: str, way: str
) -> None:
    given = {path: answers[f"{user} {way} {path}"][0] for path in PATHS}
    assert given == {"/": 200, "/style.css": 200, "/reports": 200, "/holds": 200, "/nothing": 404}


@pytest.mark.parametrize("user", READERS)
def test_who_may_place_a_hold_is_offered_to_and_nobody_else(answers: dict[str, tuple[int, bool]], user: str) -> None:
    assert answers[f"{user} token /holds"][1] == (user in {"dpo", "admin"})


@pytest.mark.parametrize("user", ["viewer", "shut out"])
@pytest.mark.parametrize("way", WAYS)
def test_airflows_role_or_ours_alone_is_not_enough(answers: dict[str, tuple[int, bool]], user: str, way: str) -> None:
    assert {answers[f"{user} {way} {path}"][0] for path in PATHS} == {403}
