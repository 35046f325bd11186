"""The pages behind Airflow's own auth manager: the simple one, with its real tokens, in the real application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
USERS = {"auditor": "viewer", "engineer": "op", "dpo": "user", "admin": "admin"}
SHOWN = ("GET /", "GET /style.css", "GET /reports", "GET /evidence", "GET /nothing", "GET /docs")

_ASK = """
import json, logging, sys
logging.disable()
from airflow.api_fastapi.app import create_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from starlette.testclient import TestClient
app = create_app("core")
manager = app.state.auth_manager
answers = {}
def ask(name, **options):
    browser = TestClient(app, base_url="http://testserver", raise_server_exceptions=False)
    for one in json.loads(sys.argv[1]):
        method, path = one.split()
        answers[f"{name} {one}"] = browser.request(method, "/holdfast" + path, **options).status_code
ask("nobody")
ask("forged", cookies={"_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9."})
for name, role in json.loads(sys.argv[2]).items():
    token = manager.generate_jwt(SimpleAuthManagerUser(username=name, role=role))
    ask(name, headers={"Authorization": f"Bearer {token}"})
    ask(name + " by cookie", cookies={"_token": token})
token = manager.generate_jwt(SimpleAuthManagerUser(username="sam", role=None))
ask("without a role", headers={"Authorization": f"Bearer {token}"})
token = manager.generate_jwt(SimpleAuthManagerUser(username="dpo", role="user"), expiration_time_in_seconds=-60)
ask("expired", headers={"Authorization": f"Bearer {token}"})
from airflow import plugins_manager
views, _ = plugins_manager._get_ui_plugins()
print(json.dumps({"answers": answers, "views": views}))
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow's application answers for the pages, and what its UI is told to show."""
    home = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests, and long enough for a signature",
        "AIRFLOW__API__SECRET_KEY": "another",
        "HOLDFAST_HOME": str(home / "holdfast"),
        "HOLDFAST_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    }
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], env=environment, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", _ASK, json.dumps(SHOWN), json.dumps(USERS)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


@pytest.mark.parametrize("who", ["nobody", "forged", "expired"])
def test_without_a_good_token_nothing_answers(asked: dict[str, Any], who: str) -> None:
    assert {asked["answers"][f"{who} {one}"] for one in SHOWN} <= {401, 403}


def test_somebody_without_a_role_may_nothing(asked: dict[str, Any]) -> None:
    assert {asked["answers"][f"without a role {one}"] for one in SHOWN} == {403}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("way", ["", " by cookie"])
def test_every_role_is_let_in_with_a_token_of_airflow(asked: dict[str, Any], user: str, way: str) -> None:
    given = {one: asked["answers"][f"{user}{way} {one}"] for one in SHOWN}
    assert given == {
        "GET /": 503,  # let in; there is no database here
        "GET /style.css": 200,
        "GET /reports": 503,
        "GET /evidence": 503,
        "GET /nothing": 404,
        "GET /docs": 404,
    }


class User:
    """A user as FAB has them: with roles that have names."""

    def __init__(self, *names: str) -> None:
        self.roles = [SimpleNamespace(name=name) for name in names]


def test_the_roles_of_fab_are_told_by_their_names_and_those_of_others_are_unknown() -> None:
    from holdfast_door import roles_of

    assert roles_of(User("Compliance", "Viewer")) == ("fab", ("Compliance", "Viewer"))
    assert roles_of(User()) == ("fab", ())
    assert roles_of(SimpleNamespace(role="admin")) == ("unknown", ())


def test_airflow_shows_the_pages_in_its_navigation_and_on_every_dag_and_run(asked: dict[str, Any]) -> None:
    places = {view["destination"]: view["href"] for view in asked["views"]}
    assert places == {
        "nav": "/holdfast/",
        "dag": "/holdfast/jobs/{DAG_ID}",
        "dag_run": "/holdfast/jobs/{DAG_ID}/runs/{RUN_ID}",
    }
