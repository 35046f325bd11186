"""One night as a user runs it: the real scheduler, a real database, twice, and nothing left behind.

The tests of this module follow one another on one home, as the mornings of an installation do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.night.conftest import processes_naming

from holdfast import database, settings
from holdfast.night import postgres
from holdfast.night.jobs import JOBS
from holdfast.settings import Settings

HOLDFAST = Path(sys.executable).with_name("holdfast")
PROJECT = Path(__file__).parents[2]
ACCOUNTS = 60
NIGHT_SECONDS = 600  # a minute and a half on two idle cores

_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Installation:
    """A home, and how it is after a night."""

    home: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, project=PROJECT, database_url=None)

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
            settings.HOME: str(self.home)
        }

    @property
    def password(self) -> str:
        passwords = json.loads((self.home / "airflow" / "passwords.json").read_text())
        return str(passwords["admin"])

    def rows(self) -> dict[str, int]:
        """The number of rows in each table of the provider."""
        engine = database.connect(self.settings)
        try:
            tables = sa.inspect(engine).get_table_names("provider")
            with engine.connect() as connection:
                return {
                    name: connection.execute(sa.text(f"SELECT count(*) FROM provider.{name}")).scalar_one()
                    for name in tables
                }
        finally:
            engine.dispose()
            postgres.stop(self.settings.postgres_data)

    def reports(self) -> list[Path]:
        return sorted((self.home / "reports").glob("*/*/index.html"))


@dataclass(frozen=True)
class Night:
    """A night that ended."""

    exit_code: int
    output: str


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    # Not below pytest's own folder: as root the server runs as another user, and pytest keeps that folder shut.
    home = Path(tempfile.mkdtemp(prefix="holdfast-night-")).resolve()
    yield Installation(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def first(installation: Installation) -> Night:
    """The first night: an empty home, and the end right after the table."""
    done = subprocess.run(
        [HOLDFAST, "run", "--accounts", str(ACCOUNTS)],
        env=installation.environment | {"RUN_EXIT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=NIGHT_SECONDS,
    )
    return Night(done.returncode, done.stdout)


@pytest.fixture(scope="module")
def rows_after_first(installation: Installation, first: Night) -> dict[str, int]:
    return installation.rows()


@pytest.fixture(scope="module")
def second(
    installation: Installation, rows_after_first: dict[str, int]
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The second start, up and waiting for Ctrl-C, and what it said until then."""
    with subprocess.Popen(
        [HOLDFAST, "run", "--stay"],
        env=installation.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        watchdog = threading.Timer(NIGHT_SECONDS, process.kill)
        watchdog.start()
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if "Press Ctrl-C" in line:
                break
        watchdog.cancel()
        yield process, said
        process.kill()


def test_the_first_night_succeeds(first: Night) -> None:
    assert first.exit_code == 0, first.output
    assert all(f"{job} success" in first.output for job in JOBS)
    assert "Log in as admin" in first.output


def test_its_report_is_there_and_is_what_its_checksums_say(installation: Installation, first: Night) -> None:
    reports = {report.parents[1].name: report for report in installation.reports()}
    assert sorted(reports) == sorted(JOBS)
    for report in reports.values():
        assert str(report) in first.output
        sums = (report.parent / "SHA256SUMS").read_text().splitlines()
        assert len(sums) >= 3
        for line in sums:
            digest, name = line.split()
            assert hashlib.sha256((report.parent / name.lstrip("*")).read_bytes()).hexdigest() == digest


@pytest.mark.usefixtures("first")
def test_its_ledger_verifies(installation: Installation) -> None:
    verified = subprocess.run([HOLDFAST, "ledger", "verify"], env=installation.environment, capture_output=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.usefixtures("first")
def test_nothing_that_it_started_lives_on(installation: Installation) -> None:
    assert processes_naming(str(installation.home)) == []


@pytest.mark.usefixtures("first")
def test_no_secret_is_open_to_others_and_no_password_is_in_a_log(installation: Installation) -> None:
    for path in (installation.home / "airflow").iterdir():
        assert not path.stat().st_mode & 0o077, path
    logs = b"".join(path.read_bytes() for path in (installation.home / "logs").rglob("*.log"))
    assert logs
    assert installation.password.encode() not in logs


def test_a_second_start_makes_no_second_provider_and_changes_nothing(
    installation: Installation,
    second: tuple[subprocess.Popen[str], list[str]],
    rows_after_first: dict[str, int],
    eventually: Callable[[Callable[[], bool], float], bool],
) -> None:
    """Also: log-in is required while it is up, a reader may not act, and Ctrl-C ends it with everything below it."""
    process, said = second
    output = "".join(said)
    assert all(f"{job} success" in output for job in JOBS)
    assert "Synthetic provider" not in output
    assert installation.password not in output, "it is shown once"

    address = next(word for word in output.split() if word.startswith("http://127.0.0.1:"))
    assert _status(f"{address}/api/v2/dags") == 401
    assert _status(f"{address}/auth/token", body={"username": "admin", "password": "guess"}) == 401
    assert _status(f"{address}/api/v2/dags", token=_token(installation, address, "admin")) == 200
    trigger = f"{address}/api/v2/dags/retention_nightly/dagRuns"
    auditor = _token(installation, address, "auditor")
    assert _status(trigger, token=auditor) == 200
    assert _status(trigger, body={"logical_date": None}, token=auditor) == 403

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert eventually(lambda: not processes_naming(str(installation.home)), 1)
    assert installation.rows() == rows_after_first


def _token(installation: Installation, address: str, user: str) -> str:
    password = json.loads((installation.home / "airflow" / "passwords.json").read_text())[user]
    with _NO_PROXY.open(_request(f"{address}/auth/token", {"username": user, "password": password})) as answer:
        return str(json.load(answer)["access_token"])


def _status(url: str, *, body: dict[str, object] | None = None, token: str | None = None) -> int:
    try:
        with _NO_PROXY.open(_request(url, body, token)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def _request(url: str, body: dict[str, object] | None = None, token: str | None = None) -> urllib.request.Request:
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    return request
