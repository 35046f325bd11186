"""Airflow's components as seen by whoever started them: up, ended by themselves, or stopped without remainder."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import HoldfastError
from holdfast.night import processes
from holdfast.night.keeper import Component, Orders

_STOP_SECONDS = 60  # the keeper kills whatever has not ended after 8 seconds for each component
_TAIL_LINES = 15


class ComponentEnded(HoldfastError):
    """A night with half of Airflow gone would wait in silence instead of ending red."""


class Kept:
    """The keeper process and what it said so far."""

    def __init__(self, process: subprocess.Popen[bytes], logs: Path) -> None:
        self._process = process
        self._logs = logs
        self._heard = b""

    def check(self) -> None:
        """Raise ComponentEnded, with the end of its log, if a component is no longer there."""
        assert self._process.stdout is not None
        while select.select([self._process.stdout], [], [], 0)[0]:
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise ComponentEnded("The keeper of Airflow's processes ended.", fix="start again; nothing was lost.")
            self._heard += chunk
        line, newline, self._heard = self._heard.partition(b"\n")
        if newline:
            said = json.loads(line)
            raise _ended(said["ended"], said["code"], log_of(self._logs, said["ended"]))

    def stop(self) -> None:
        """Close the keeper's input and wait until it has stopped everything below it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def components() -> dict[str, list[str]]:
    """The command of each component, in the order of starting; the first stops last.

    The triggerer watches for files that tasks wait for. No log servers of the scheduler's and the triggerer's: they
    would listen on every interface, and the API server reads the same files.
    """
    airflow = [sys.executable, "-m", "airflow"]
    return {
        "api-server": [*airflow, "api-server"],
        "dag-processor": [*airflow, "dag-processor"],
        "scheduler": [*airflow, "scheduler", "--skip-serve-logs"],
        "triggerer": [*airflow, "triggerer", "--skip-serve-logs"],
    }


def log_of(logs: Path, component: str) -> Path:
    """The file that takes a component's output; the one of the start before is kept beside it."""
    return logs / f"{component}.log"


def migrate_metadata(environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start bringing Airflow's own database up to date; `finished` waits for it."""
    with _fresh(log).open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finished(migration: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for `migrate_metadata`. Raises ComponentEnded if it failed."""
    if code := migration.wait():
        raise _ended("db migrate", code, log)


@contextmanager
def kept(environment: Mapping[str, str], logs: Path, postgres: Path | None) -> Iterator[Kept]:
    """Run Airflow's components for the length of the block; afterwards none of their processes is left.

    `postgres` is the data folder of the embedded server, which then stops as well.
    """
    kept_components = [
        Component(name, command, str(_fresh(log_of(logs, name)))) for name, command in components().items()
    ]
    orders = Orders(kept_components, str(postgres) if postgres else None)
    others = processes.descendants(os.getpid())
    processes.adopt_orphans()  # those of the keeper, should it be killed
    with _fresh(log_of(logs, "keeper")).open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.night.keeper"],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C in the terminal is for us alone
        )
    airflow = Kept(process, logs)
    try:
        assert process.stdin is not None
        process.stdin.write(orders.to_json().encode() + b"\n")
        process.stdin.flush()
        yield airflow
    finally:
        airflow.stop()
        processes.kill_descendants(os.getpid(), spare=others)


def _fresh(log: Path) -> Path:
    """Start a new log and keep one old one, so that logs neither grow for ever nor hide the last crash."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    return log


def _ended(component: str, code: int, log: Path) -> ComponentEnded:
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    tail = "".join(f"\n    {line}" for line in lines)
    return ComponentEnded(
        f"Airflow's {component} ended with code {code}. The end of its log:{tail}\n",
        fix=f"read {log}, then start again; work that was committed is not repeated.",
        component=component,
        code=code,
    )
