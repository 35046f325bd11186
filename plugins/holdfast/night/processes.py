"""Descendants of a process, and the two kernel switches that keep any of them from outliving us.

Airflow puts tasks into process groups of their own, so a signal to a group misses them; and a component that is killed
leaves its workers to whoever adopts them. So the keeper becomes that adopter (a subreaper), and stops whatever the
process table shows below it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")
_POLL_SECONDS = 0.1


def adopt_orphans() -> None:
    """From now on, orphaned descendants become our children (Linux; elsewhere they go to process 1)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent() -> None:
    """To be called in a child before it executes its program: SIGTERM for it when its parent dies (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def descendants(ancestor: int) -> list[int]:
    """All living processes below `ancestor`, children before grandchildren; zombies are left out."""
    children: dict[int, list[int]] = {}
    for pid, parent in _table():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = [ancestor]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def _table() -> list[tuple[int, int]]:
    """(process, parent) of everything that runs."""
    if _PROC.joinpath("self", "stat").exists():
        stats = (_stat(folder / "stat") for folder in _PROC.iterdir() if folder.name.isdigit())
        return [(pid, parent) for pid, parent, state in filter(None, stats) if state != "Z"]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,state="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in listed.stdout.splitlines())
    return [(int(pid), int(parent)) for pid, parent, state in rows if not state.startswith("Z")]


def _stat(path: Path) -> tuple[int, int, str] | None:
    try:
        text = path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended while we looked
    # pid (name) state ppid: the name may itself hold blanks and brackets, so read from its last bracket on
    state, parent = text[text.rindex(")") + 2 :].split()[:2]
    return int(text[: text.index(" ")]), int(parent), state


def kill_descendants(ancestor: int, spare: Collection[int] = ()) -> None:
    """SIGKILL, again and again, until the process table shows nothing below `ancestor` but `spare`."""
    while leftovers := [pid for pid in descendants(ancestor) if pid not in spare]:
        send(leftovers, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal each process that still exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
