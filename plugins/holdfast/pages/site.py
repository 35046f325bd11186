"""What all pages of one process share: settings, the database, the policy as it is now, and the clock."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import sqlalchemy as sa

from holdfast.errors import PolicyError
from holdfast.pages.access import FILE, Access, load_access
from holdfast.pages.gate import Door
from holdfast.pages.limits import Limit
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.settings import MAIN, Settings
from holdfast.suspension_statistics.terms import Rules, load_rules

_Made = TypeVar("_Made")


class Fresh(Generic[_Made]):
    """A value made from files, and made again when one of them has changed: reading the policy takes half a second."""

    def __init__(self, make: Callable[[], _Made], files: Callable[[], Iterable[Path]]) -> None:
        self._make = make
        self._files = files
        self._lock = threading.Lock()
        self._made: tuple[object, _Made] | None = None

    def __call__(self) -> _Made:
        with self._lock:
            state = tuple((str(file), *_state_of(file)) for file in self._files())
            if self._made is None or self._made[0] != state:
                self._made = (state, self._make())
            return self._made[1]


def _state_of(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


@dataclass
class Site:
    """`connect` makes the engine when the first page needs it, and those of further databases by their names.

    `secret` signs forms; `seconds` never go back.
    """

    settings: Settings
    door: Door
    secret: str
    connect: Callable[..., sa.Engine]
    now: Callable[[], dt.datetime]
    seconds: Callable[[], float]
    access: Fresh[Access] = field(init=False)
    policy: Fresh[Policy | None] = field(init=False)
    statistics: Fresh[Rules | None] = field(init=False)
    costly: Limit = field(init=False)
    _engines: dict[str, sa.Engine] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        folder = self.settings.policy
        self.access = Fresh(lambda: load_access(folder), lambda: [folder / FILE])
        self.policy = Fresh(lambda: _unless_broken(load_policy, folder), lambda: sorted(folder.glob("*.yaml")))
        self.statistics = Fresh(lambda: _unless_broken(load_rules, folder), lambda: sorted(folder.glob("*.yaml")))
        self.costly = Limit(burst=5, rate=0.1, clock=self.seconds)

    def engine(self) -> sa.Engine:
        """The engine of this process. Raises DatabaseUnreachable or MigrationError, and tries again the next time."""
        return self._engine(MAIN)

    def engines(self, policy: Policy) -> dict[str, sa.Engine]:
        """One for each database of the policy, as `engine`."""
        return {name: self._engine(name) for name in policy.data_map.databases}

    def _engine(self, name: str) -> sa.Engine:
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self.connect() if name == MAIN else self.connect(name)
            return self._engines[name]

    def zone(self) -> str:
        """The controller's time zone; UTC while the policy cannot be read."""
        policy = self.policy()
        return policy.schedule.time_zone if policy else "UTC"


def _unless_broken(load: Callable[[Path], _Made], folder: Path) -> _Made | None:
    """What is in force, or None: pages must open on the very day on which it is the policy that is broken."""
    try:
        return load(folder)
    except PolicyError:
        return None
