"""However a night ends, nothing below its keeper lives on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.night.conftest import processes_naming

from holdfast.night import supervisor
from holdfast.night.keeper import Component, Orders

Wait = Callable[[Callable[[], bool], float], bool]

# As Airflow does it: a worker below the component, a task in a process group of its own below that, deaf to SIGTERM.
_COMPONENT = """
import os, signal, sys, time
worker = os.fork()
if worker == 0:
    task = os.fork()
    if task == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    time.sleep(600)
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A word in the environment of every process of this test, and of no other."""
    return f"keeper-test-{os.getpid()}-{tmp_path.name}"


@pytest.fixture
def keeper(tmp_path: Path, mark: str) -> Iterator[subprocess.Popen[str]]:
    """A keeper of two components, each with a worker and a task."""
    components = [
        Component(name, [sys.executable, "-c", _COMPONENT], str(tmp_path / f"{name}.log")) for name in ("one", "two")
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast.night.keeper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"MARK": mark},
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(Orders(components, postgres=None).to_json() + "\n")
    process.stdin.flush()
    yield process
    with process:
        process.stdin.close()


@pytest.fixture
def everything_up(keeper: subprocess.Popen[str], mark: str, eventually: Wait) -> None:
    assert eventually(lambda: len(processes_naming(mark)) == 7, 20), "a keeper and two trees of three"


@pytest.mark.usefixtures("everything_up")
def test_closing_its_input_ends_it_with_all_descendants(
    keeper: subprocess.Popen[str], mark: str, eventually: Wait
) -> None:
    assert keeper.stdin is not None
    keeper.stdin.close()
    assert keeper.wait(30) == 0
    assert eventually(lambda: not processes_naming(mark), 1)


@pytest.mark.usefixtures("everything_up")
def test_a_component_that_ends_is_named_with_its_code(keeper: subprocess.Popen[str], mark: str) -> None:
    assert keeper.stdout is not None
    first = min(_children(keeper.pid))
    os.kill(first, signal.SIGKILL)
    assert json.loads(keeper.stdout.readline()) == {"ended": "one", "code": -signal.SIGKILL}


@pytest.mark.usefixtures("everything_up")
def test_a_terminal_s_ctrl_c_is_left_to_the_front(keeper: subprocess.Popen[str], mark: str) -> None:
    os.killpg(keeper.pid, signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        keeper.wait(1)


def test_a_component_that_ends_stops_the_night_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Wait
) -> None:
    ending = [sys.executable, "-c", "print('port in use', flush=True); raise SystemExit(3)"]
    monkeypatch.setattr(supervisor, "components", lambda: {"scheduler": ending})

    with (
        pytest.raises(supervisor.ComponentEnded, match=r"(?s)scheduler ended with code 3\..*port in use") as caught,
        supervisor.kept(os.environ, tmp_path, None) as kept,
    ):
        eventually(lambda: bool(kept.check()), 10)
    assert str(tmp_path / "scheduler.log") in str(caught.value)


def test_nothing_lives_on_when_the_keeper_itself_is_killed(tmp_path: Path, mark: str, eventually: Wait) -> None:
    """The front adopts what a killed keeper leaves behind, and ends it."""
    front = textwrap.dedent(
        f"""
        import os, sys
        from pathlib import Path
        from holdfast.night import supervisor
        supervisor.components = lambda: {{"one": [sys.executable, "-c", {_COMPONENT!r}]}}
        with supervisor.kept(os.environ, Path({str(tmp_path)!r}), None) as kept:
            print("up", flush=True)
            sys.stdin.read()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", front],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"MARK": mark},
        text=True,
    )
    assert eventually(lambda: len(processes_naming(mark)) == 5, 20), "a front, a keeper and a tree of three"
    (keeper,) = _children(process.pid)
    os.kill(keeper, signal.SIGKILL)
    process.communicate("")
    assert process.returncode == 0
    assert eventually(lambda: not processes_naming(mark), 1)


def _children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in listed.split()]
