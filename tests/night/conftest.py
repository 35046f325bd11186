"""What a process and its descendants are doing, for tests that start and stop many."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest


def processes_naming(text: str) -> list[str]:
    """Command lines of the living processes that have `text` in their command line or environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = folder.joinpath("cmdline").read_bytes()
            environment = folder.joinpath("environ").read_bytes()
        except OSError:
            continue  # it ended while we looked
        if command and text.encode() in command + environment:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], float], bool]:
    """Wait until something holds; False if it does not within so many seconds."""

    def wait(holds: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    return wait
