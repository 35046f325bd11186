"""What `holdfast run` refuses before it starts anything."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import settings

HOLDFAST = Path(sys.executable).with_name("holdfast")


def run(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOLDFAST, "run", "--exit"],
        env=os.environ | {settings.HOME: str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("variable", [settings.DATABASE_URL, settings.AIRFLOW_CONNECTION])
def test_a_configured_database_that_does_not_answer_is_never_replaced_by_the_embedded_one(
    home: Path, variable: str
) -> None:
    refused = run(home, **{variable: "postgresql://nobody:unsaid@127.0.0.1:1/nowhere"})
    assert refused.returncode == 1
    assert "DatabaseUnreachable" in refused.stderr
    assert "unsaid" not in refused.stderr + refused.stdout
    assert not (home / "postgres").exists()


def test_two_nights_never_share_a_home(home: Path) -> None:
    home.mkdir()
    with (home / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run(home)
    assert refused.returncode == 1
    assert "AlreadyRunning" in refused.stderr
    assert not (home / "postgres").exists()
