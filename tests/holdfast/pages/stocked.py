"""The pages of an installation with the invented provider: holds read, retention planned, requests assessed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.holdfast.pages.conftest import BEARER, MOUNTED, Door, as_pages

from holdfast import roles, settings
from holdfast.deletion_requests import intake
from holdfast.deletion_requests import steps as request_steps
from holdfast.pages import app as pages
from holdfast.retention import steps
from holdfast.settings import Settings
from holdfast.synthetic import provider, requests

ACCOUNTS = 40


@dataclass(frozen=True)
class Stocked:
    """An installation and its pages."""

    engine: sa.Engine
    settings: Settings
    app: FastAPI
    now: dt.datetime

    def browser(self, user: str) -> TestClient:
        """A browser of one of the users of `conftest.ROLES`."""
        airflow = FastAPI()
        airflow.mount(MOUNTED, self.app)
        base = f"http://testserver{MOUNTED}"
        return TestClient(
            airflow, base_url=base, headers={"Authorization": BEARER + user}, raise_server_exceptions=False
        )

    def plan(self) -> int:
        return plan_tonight(self.engine, self.settings, self.now)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def scalar(self, statement: str, **values: Any) -> Any:
        ((found,),) = self.rows(statement, **values)
        return found


def plan_tonight(engine: sa.Engine, settings: Settings, now: dt.datetime) -> int:
    """What tonight's retention would do, by the steps of its DAG; the number of the dry run."""
    run = steps.open_run(engine, settings, as_of=now, dry_run=True)
    run_id = int(str(run["run_id"]))
    for step in (steps.refresh_holds, steps.check_policy, steps.make_plan):
        step(engine, settings, run_id=run_id)
    return run_id


@contextmanager
def stocked(engine: sa.Engine, home: Path) -> Iterator[Stocked]:
    """Made once for a module of tests, which takes some seconds."""
    now = dt.datetime.now(dt.UTC)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.HOME, str(home))
        environment.setenv(settings.DATABASE_URL, engine.url.render_as_string(hide_password=False))
        loaded = dataclasses.replace(settings.load(), home=home)
        provider.make(engine, accounts=ACCOUNTS, seed=7, as_of=now, objects=loaded.objects)
        requests.make(engine, intake.inbox_of(loaded), as_of=now)
        roles.renew(engine, loaded)
        app = pages.build(
            settings=loaded,
            door=Door(),
            secret="a secret",
            connect=lambda: as_pages(engine),
            now=lambda: now,
            burst=100_000,
        )
        made = Stocked(engine, loaded, app, now)
        made.plan()
        run = request_steps.open_run(engine, loaded, as_of=now, dry_run=False, replay_since=None)
        run_id = int(str(run["run_id"]))
        for step in ("refresh_holds", "check_policy", "take_in_requests", "assess", "make_plan"):
            getattr(request_steps, step)(engine, loaded, run_id=run_id)
        yield made


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action: what a browser sends beside what is typed."""
    form = page[page.index(f'action="{MOUNTED}{action}"') :]
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[: form.index("</form>")]))


def text(page: str) -> str:
    """What a reader sees, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
