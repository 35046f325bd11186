"""The keeper: the one process below which all of Airflow runs. `python -m holdfast.night.keeper`, started by `airflow`.

It reads its orders as one line of JSON, starts the components, and says on its standard output which of them ended.
When its standard input closes, whoever started it is gone or wants to stop: in either case it stops everything below
it, then the embedded PostgreSQL if that was in its orders, and ends. It holds no secret and writes no log of its own.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from holdfast.night import postgres, processes

_TASK_SECONDS = 3.0  # for tasks in progress to end by themselves; one that is killed resumes at its last commit
_COMPONENT_SECONDS = 8.0  # an Airflow component ends in about one second once nothing below it is at work
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Component:
    """One process to keep: its name, its command and the file that takes its output."""

    name: str
    command: list[str]
    log: str


@dataclass(frozen=True)
class Orders:
    """What to run. `postgres` is the data folder of an embedded server to stop at the end, or None."""

    components: list[Component]
    postgres: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Orders:
        read = json.loads(text)
        return cls([Component(**component) for component in read["components"]], read["postgres"])


def main() -> None:
    """Keep the components until standard input closes."""
    # A terminal's Ctrl-C goes to the whole foreground group; only the front may decide what it means.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    processes.adopt_orphans()
    orders = Orders.from_json(sys.stdin.readline())
    names = {_start(component): component.name for component in orders.components}
    while not _input_closed():
        for pid, code in _reap():
            if pid in names:
                _say(names.pop(pid), code)
    _stop_everything(list(names))
    if orders.postgres is not None:
        postgres.stop(Path(orders.postgres))


def _start(component: Component) -> int:
    with Path(component.log).open("ab") as log:
        child = subprocess.Popen(
            component.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_before_exec,  # safe: the keeper has one thread
        )
    return child.pid


def _before_exec() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    processes.end_with_parent()


def _input_closed() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
    return bool(readable) and not sys.stdin.read(1)


def _reap() -> list[tuple[int, int]]:
    """(process, exit code) of all children that ended, adopted ones among them."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, os.waitstatus_to_exitcode(status)))


def _say(name: str, code: int) -> None:
    with suppress(BrokenPipeError):  # nobody listens any more; the closed input says the same
        print(json.dumps({"ended": name, "code": code}), flush=True)


def _stop_everything(components: list[int]) -> None:
    """Stop all but the first component, then the first, to which the others' tasks report; then whatever is left."""
    _stop(components[1:])
    _stop(components[:1])
    processes.kill_descendants(os.getpid())


def _stop(components: list[int]) -> None:
    """Ask, then kill what is below them, then themselves.

    In this order the scheduler still closes its job record, so that the next one takes over unfinished tasks at once
    instead of waiting for a heartbeat to grow old.
    """
    processes.send(components, signal.SIGTERM)
    asked_at = time.monotonic()
    while left := set(components).intersection(processes.descendants(os.getpid())):
        _reap()
        waited = time.monotonic() - asked_at
        if waited > _TASK_SECONDS:
            processes.send([pid for component in left for pid in processes.descendants(component)], signal.SIGKILL)
        if waited > _COMPONENT_SECONDS:
            processes.send(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main()
