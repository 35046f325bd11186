"""One night as a user runs it: the real scheduler, a real database, twice, and nothing left behind.

The tests of this module follow one another on one home, as the mornings of an installation do.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tests.night.conftest import processes_naming
from tests.night.installation import (
    HOLDFAST,
    NIGHT_SECONDS,
    Installation,
    installed,
    said_until,
    status,
    staying,
    token,
)

from holdfast.night.jobs import JOBS

ACCOUNTS = 60
OF_SUSPENSIONS = {"suspension_facts_nightly", "suspension_statistics_monthly"}
"""Their reports have names of their own."""


@dataclass(frozen=True)
class Night:
    """A night that ended."""

    exit_code: int
    output: str


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with installed() as made:
        yield made


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
def second(installation: Installation, rows_after_first: dict[str, int]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The second start, up and waiting for Ctrl-C, and what it said until then."""
    with staying(installation) as process:
        yield process, said_until(process, "Press Ctrl-C")


def test_the_first_night_succeeds(first: Night) -> None:
    assert first.exit_code == 0, first.output
    assert all(f"{job} success" in first.output for job in JOBS)
    assert "Nothing was left to do" not in first.output
    assert "Log in as admin" in first.output


def test_its_reports_are_there_and_are_what_their_checksums_say(installation: Installation, first: Night) -> None:
    nightly = {report.parents[1].name: report.parent for report in installation.reports()}
    monthly = {path.parent.name: path.parent for path in installation.home.glob("reports/*/*/*/index.html")}
    assert sorted(nightly) == sorted([*(set(JOBS) - OF_SUSPENSIONS), "suspension_safeguards"])
    assert sorted(monthly) == ["internal", "published"]
    shown = [*(folder for name, folder in nightly.items() if name in JOBS), monthly["internal"]]
    assert all(str(folder / "index.html") in first.output for folder in shown)
    for folder in (*nightly.values(), *monthly.values()):
        sums = (folder / "SHA256SUMS").read_text().splitlines()
        assert {line.split()[1].lstrip("*") for line in sums} == {
            file.name for file in folder.iterdir() if file.is_file() and file.name != "SHA256SUMS"
        }
        for line in sums:
            digest, name = line.split()
            assert hashlib.sha256((folder / name.lstrip("*")).read_bytes()).hexdigest() == digest


@pytest.mark.usefixtures("first")
def test_requests_were_carried_out(installation: Installation) -> None:
    (file,) = (installation.home / "reports" / "deletion_requests_reconcile").glob("*/report.json")
    report = json.loads(file.read_text())
    assert report["totals"]["adds_up"]
    assert report["totals"]["rows_erased"] > 0
    assert [one for one in report["breaks"] if one["is_incident"]] == []
    assert list((installation.home / "letters").glob("*/outcome/*.pdf"))


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
    second: tuple[subprocess.Popen[str], str],
    rows_after_first: dict[str, int],
    eventually: Callable[[Callable[[], bool], float], bool],
) -> None:
    """Also: log-in is required while it is up, a reader may not act, and Ctrl-C ends it with everything below it."""
    process, output = second
    assert all(f"{job} success" in output for job in JOBS)
    assert "Nothing was left to do" in output
    assert "Synthetic provider" not in output
    assert installation.password not in output, "it is shown once"

    address = next(word for word in output.split() if word.startswith("http://127.0.0.1:"))
    assert status(f"{address}/api/v2/dags") == 401
    assert status(f"{address}/auth/token", body={"username": "admin", "password": "guess"}) == 401
    assert status(f"{address}/api/v2/dags", token=token(installation, address, "admin")) == 200
    trigger = f"{address}/api/v2/dags/retention_nightly/dagRuns"
    auditor = token(installation, address, "auditor")
    assert status(trigger, token=auditor) == 200
    assert status(trigger, body={"logical_date": None}, token=auditor) == 403

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert eventually(lambda: not processes_naming(str(installation.home)), 1)
    assert installation.rows() == rows_after_first
