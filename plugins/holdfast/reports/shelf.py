"""The reports on the shelf: every finished folder below `reports/`, found by the digest that seals it.

A request never brings a path. It brings the digest of a folder's SHA256SUMS, and a file's name that must be one of
those listed there; what is then read must still have the digest that it was written with.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.errors import ReportAltered
from holdfast.reports.files import SUMS
from holdfast.store import AnyPath

if TYPE_CHECKING:
    from upath import UPath

PAGE = "index.html"
_DATA = ("report.json", "statistics.json")
_PERIOD, _EDITION = 2, 3
"""How deep below the root the folder of a period lies, and that of an edition of it."""
_INTERNAL = (("suspension_safeguards", ""), ("suspension_statistics", "internal"))
"""What tells of cases, or of so few that somebody could be told: not for publication."""


@dataclass(frozen=True)
class Report:
    """One finished folder. `id` is the digest of its SHA256SUMS, `files` has one for each name; `edition` may be ''."""

    id: str
    job: str
    period: str
    edition: str
    folder: AnyPath
    files: Mapping[str, str]
    entry: int | None = None
    """The ledger's last entry about it; None: it has none, or was not asked (`evidence.reported`)."""
    is_altered: bool = False
    """That entry has another digest."""

    @property
    def path(self) -> str:
        """Its name in the ledger, such as retention_nightly/2026-11-28."""
        return "/".join(one for one in (self.job, self.period, self.edition) if one)

    @property
    def is_internal(self) -> bool:
        return (self.job, self.edition) in _INTERNAL

    @property
    def is_dry(self) -> bool:
        return "-dry-run" in self.period

    @property
    def name(self) -> str:
        """For example: 2026-11-28, or 2026-10, published."""
        return f"{self.period}, {self.edition}" if self.edition else self.period

    def data(self) -> dict[str, Any]:
        """The report as data; nothing where it has no such file. Raises ReportAltered."""
        self._refuse_altered()
        for name in _DATA:
            if name in self.files:
                found: dict[str, Any] = json.loads(self.read(name))
                return found
        return {}

    def read(self, name: str) -> bytes:
        """A file of the report. Raises KeyError for a name it does not list, ReportAltered for what was changed."""
        self._refuse_altered()
        digest = self.files[name]
        try:
            content = (self.folder / name).read_bytes()
        except (OSError, ValueError):  # ValueError: no file can have such a name
            content = b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._altered(f"{name} of the report {self.job} {self.name} is not what was written.")
        return content

    def read_all(self) -> None:
        """Raises ReportAltered unless every file is what was written."""
        self._refuse_altered()
        for name in self.files:
            self.read(name)

    def is_as_found(self) -> bool:
        """Whether it is not being written again just now."""
        try:
            return hashlib.sha256((self.folder / SUMS).read_bytes()).hexdigest() == self.id
        except OSError:
            return False

    def _refuse_altered(self) -> None:
        if self.is_altered:
            raise self._altered(f"The report {self.job} {self.name} is not that of the ledger's entry {self.entry}.")

    def _altered(self, what: str) -> ReportAltered:
        fix = "restore it from its backup or an evidence pack, and find out who changed it."
        return ReportAltered(what, fix=fix, report=self.id)


def reports(root: AnyPath) -> list[Report]:
    """Every finished report, the latest period of each job first."""
    if isinstance(root, Path):
        found = [one for folder in _periods(root) for one in _finished(folder, root)]
    else:
        found = list(_stored(root))
    return sorted(found, key=lambda one: (one.job, one.period, one.edition), reverse=True)


def _periods(root: Path) -> Iterator[str]:
    for job in _folders(str(root)):
        yield from _folders(job)


def _finished(period: str, root: Path) -> Iterator[Report]:
    """The report of a period or, if it has none of its own, those of its editions."""
    if found := _read(period, root):
        yield found
        return
    for edition in _folders(period):
        if found := _read(edition, root):
            yield found


def _folders(parent: str) -> list[str]:
    """Never through a link, which might lead anywhere."""
    try:
        with os.scandir(parent) as entries:
            return [one.path for one in entries if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []  # nothing was written yet, or it is a folder of yesterday's that somebody removed


def _stored(root: UPath) -> Iterator[Report]:
    """The same of an object store, which is asked once for all that it has."""
    top = root.path.rstrip("/") + "/"
    listed = root.fs.find(root.path, detail=True)
    sums = {path.removeprefix(top): state for path, state in listed.items() if path.endswith(f"/{SUMS}")}
    for path, state in sorted(sums.items()):
        parts = path.split("/")[:-1]
        is_edition = len(parts) == _EDITION and "/".join((*parts[:-1], SUMS)) not in sums
        if not any(one.startswith(".") for one in parts) and (len(parts) == _PERIOD or is_edition):
            with contextlib.suppress(FileNotFoundError):  # it is being written again just now
                version = str(state.get("ETag") or state.get("mtime") or state.get("created"))
                yield _parsed("/".join(parts), root, version, state["size"])


def _read(folder: str, root: Path) -> Report | None:
    try:
        state = os.stat(f"{folder}/{SUMS}")  # noqa: PTH116 # a thousand times for a page; a Path takes as long again
        return _parsed(folder[len(str(root)) + 1 :], root, str(state.st_mtime_ns), state.st_size)
    except OSError:
        return None  # unfinished, or being written again just now


@functools.lru_cache(maxsize=20_000)
def _parsed(path: str, root: AnyPath, _version: str, _size: int) -> Report:
    job, period, *edition = path.split("/")
    folder = root.joinpath(job, period, *edition)
    text = (folder / SUMS).read_bytes()
    lines = (line.partition("  ") for line in text.decode(errors="replace").splitlines())
    files = {name: digest for digest, _, name in lines if Path(name).name == name}
    return Report(hashlib.sha256(text).hexdigest(), job, period, "".join(edition), folder, files)
