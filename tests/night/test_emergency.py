"""A 999 extract that is expected and comes later, in the real Airflow: a task waits for it, then it is taken in."""

from __future__ import annotations

import datetime as dt
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.night.installation import (
    HOLDFAST,
    NIGHT_SECONDS,
    PROJECT,
    Installation,
    installed,
    said_until,
    staying,
)

from holdfast import clock
from holdfast.emergency_data import layout_files
from holdfast.emergency_data.taking_in import ZONE
from holdfast.emergency_data.writing import Head
from holdfast.synthetic import emergency as synthetic

DAG = "emergency_data_999"
RESELLER = "RSL"
WAITS = "It waits for a file"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One that expects a reseller's extract besides its own."""
    project = tmp_path_factory.mktemp("project")
    for name in ("dags", "plugins", "policy", "sql"):
        (project / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "expectations", project / "expectations")
    bounds = project / "expectations" / "emergency_data" / "bounds.yaml"
    bounds.write_text(bounds.read_text().replace("expected: [HFT]", f"expected: [HFT, {RESELLER}]"))
    with installed(project) as made:
        command = [HOLDFAST, "data", "make", "--accounts", "20"]
        subprocess.run(command, env=made.environment, check=True, capture_output=True, timeout=NIGHT_SECONDS)
        yield made


def send(installation: Installation) -> Path:
    """Put the reseller's extract of today into the inbox, as a sender would: under another name first."""
    now = dt.datetime.now(tz=dt.UTC).replace(microsecond=0)
    day = clock.local_date(now, ZONE)
    plain = layout_files.load_all(installation.project / "expectations" / "emergency_data")["ng999-v1"]
    inbox = installation.settings.emergency / "inbox"
    head = Head(RESELLER, 1, 0, "FULL", day, now)
    written = synthetic.write_extract(inbox.parent, plain, head, [synthetic.record(0, day)]).path
    return written.replace(inbox / written.name)


def test_a_run_waits_for_an_expected_extract_and_takes_it_in_once_it_has_come(installation: Installation) -> None:
    with staying(installation) as night:
        said = said_until(night, WAITS)
        assert WAITS in said, said
        sent = send(installation)
        said = said_until(night, "Press Ctrl-C")
        night.send_signal(signal.SIGINT)
        assert night.wait(60) == 0
    assert f"{DAG} success" in said
    assert not sent.exists()
    assert (installation.settings.emergency / "received" / sent.name).exists()
    log = (installation.home / "logs" / "triggerer.log").read_text()
    assert sent.name not in log
