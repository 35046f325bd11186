"""The pages as people open them: Debian's Chromium, Airflow's own API server, and a database of this session's own.

Only the API server runs; what nights leave behind is put there. Without a browser these tests are skipped, but never
where `CI` is set: there they fail.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.holdfast.pages import nights

from holdfast import settings
from holdfast.night import configuration
from holdfast.night.configuration import Airflow

AIRFLOW = Path(sys.executable).with_name("airflow")
START_SECONDS = 300  # on a busy machine; fifteen on an idle one
PATIENCE_MS = 60_000
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Served:
    """A running API server, the home behind it, and the engine of Holdfast's database."""

    airflow: Airflow
    home: Path
    engine: sa.Engine
    dag_run: str

    @property
    def address(self) -> str:
        return self.airflow.address

    @property
    def pages(self) -> str:
        return f"{self.address}/holdfast"


@pytest.fixture(scope="module")  # while it is up an event loop runs, beside which other tests could not run theirs
def chromium() -> Iterator[Browser]:
    """Debian's own browser."""
    found = shutil.which("chromium")
    if found is None:
        why = "there is no Chromium: `apt-get install chromium`, as .ci/run does"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(chromium: Browser, fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[Served]:
    """Airflow's API server over a night's leavings; asked for after the browser, so that nothing starts in vain."""
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-browser-") as folder,
        pytest.MonkeyPatch.context() as patch,
        fresh_database(migrated=False) as metadata,
        fresh_database() as engine,
    ):
        home = Path(folder).resolve()
        patch.setenv(settings.HOME, str(home))
        leave_a_night(engine, home)
        url = engine.url.render_as_string(hide_password=False)
        airflow = configuration.configure(
            settings.load(),
            metadata_url=metadata.url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False),
            database_url=url,
            port=configuration.free_port(20_000 + os.getpid() % 10_000),  # two sessions must not take the same
        )
        for command in (["db", "migrate"], ["dags", "reserialize"]):
            subprocess.run([AIRFLOW, *command], env=airflow.environment, check=True, capture_output=True)
        with running(airflow, home / "api-server.log"):
            yield Served(airflow, home, engine, queued_run(airflow))


def leave_a_night(engine: sa.Engine, home: Path) -> None:
    """Tonight's reports and runs, as far as the pages show them."""
    today = dt.datetime.now(dt.UTC).date()
    reports = home / "reports"
    run_id = nights.run(engine, "retention_nightly", today)
    nights.report(reports, "retention_nightly", today.isoformat(), **nights.retention(run_id, nights.PARTLY))
    yesterday = (today - dt.timedelta(days=1)).isoformat()
    nights.report(reports, "retention_nightly", yesterday, **nights.retention(0))
    nights.emergency(engine, reports, today)
    nights.suspensions(engine, today)
    for edition in ("internal", "published"):
        nights.report(reports, "suspension_statistics", "2026-10", edition, edition=edition)


@contextmanager
def running(airflow: Airflow, log: Path) -> Iterator[None]:
    """The API server, in a group of processes of its own, until the block ends."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [AIRFLOW, "api-server"], env=airflow.environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(airflow.address):
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.5)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def answers(address: str) -> bool:
    try:
        with _DIRECT.open(f"{address}/api/v2/version", timeout=5):
            return True
    except OSError:
        return False


def queued_run(airflow: Airflow) -> str:
    """A run of tonight's retention, as Airflow shows it; no scheduler is there to begin it."""
    token = ask(airflow, "/auth/token", {"username": "admin", "password": airflow.passwords["admin"]})["access_token"]
    body = {"logical_date": dt.datetime.now(dt.UTC).isoformat()}
    run: str = ask(airflow, "/api/v2/dags/retention_nightly/dagRuns", body, token)["dag_run_id"]
    return run


def ask(airflow: Airflow, path: str, body: dict[str, str], token: str | None = None) -> Any:
    request = urllib.request.Request(airflow.address + path, data=json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with _DIRECT.open(request) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, served: Served) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of a user who has logged in through Airflow's own form; `options` are Playwright's."""
    made: list[BrowserContext] = []
    cookies: dict[str, Any] = {}

    def context_of(user: str, **options: Any) -> BrowserContext:
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        made.append(context)
        if user not in cookies:
            cookies[user] = log_in(chromium, served, user)
        context.add_cookies(cookies[user])
        return context

    yield context_of
    for context in made:
        context.close()


def log_in(chromium: Browser, served: Served, user: str) -> Any:
    """The cookies that Airflow leaves after its form."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{served.address}/auth/login")
        page.fill("input[name=username]", user)
        page.fill("input[name=password]", served.airflow.passwords[user])
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/auth/login" not in url)
        return context.cookies()


@pytest.fixture
def as_auditor(signed_in: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A new tab of an auditor's browser."""
    with signed_in("auditor") as context:
        yield context.new_page()
