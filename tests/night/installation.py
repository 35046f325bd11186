"""An installation as a user has it: a home of its own, and the API of its Airflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.night import postgres
from holdfast.settings import Settings

HOLDFAST = Path(sys.executable).with_name("holdfast")
PROJECT = Path(__file__).parents[2]
NIGHT_SECONDS = 600  # a minute and a half on two idle cores

_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Installation:
    """A home, and how it is after a night."""

    home: Path
    project: Path = PROJECT

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, project=self.project, database_url=None)

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
            settings.HOME: str(self.home),
            settings.PROJECT: str(self.project),
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


@contextmanager
def installed(project: Path = PROJECT) -> Iterator[Installation]:
    """An empty home, removed afterwards."""
    # Not below pytest's own folder: as root the server runs as another user, and pytest keeps that folder shut.
    home = Path(tempfile.mkdtemp(prefix="holdfast-night-")).resolve()
    yield Installation(home, project)
    shutil.rmtree(home, ignore_errors=True)


@contextmanager
def staying(installation: Installation) -> Iterator[subprocess.Popen[str]]:
    """`holdfast run` that stays up after the night; ended with the block, or when that takes too long."""
    with subprocess.Popen(
        [HOLDFAST, "run", "--stay"],
        env=installation.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watchdog = threading.Timer(NIGHT_SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """Everything that a process says up to the line with these words, or to its end."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if words in line:
            break
    return "".join(said)


def token(installation: Installation, address: str, user: str) -> str:
    """What shows Airflow that it is this user who asks."""
    password = json.loads((installation.home / "airflow" / "passwords.json").read_text())[user]
    with _NO_PROXY.open(_request(f"{address}/auth/token", {"username": user, "password": password})) as answer:
        return str(json.load(answer)["access_token"])


def status(url: str, *, body: dict[str, object] | None = None, token: str | None = None, method: str = "") -> int:
    """Airflow's answer, as a number."""
    try:
        with _NO_PROXY.open(_request(url, body, token, method)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def read(url: str, *, token: str) -> Any:
    """What Airflow tells."""
    with _NO_PROXY.open(_request(url, token=token)) as answer:
        return json.load(answer)


def _request(
    url: str, body: dict[str, object] | None = None, token: str | None = None, method: str = ""
) -> urllib.request.Request:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method or None)
    request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    return request
