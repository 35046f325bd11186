"""The reports on the shelf: every finished folder below `reports/`, found by the digest that seals it.

A request never brings a path. It brings the digest of a folder's SHA256SUMS, and a file's name that must be one of
those listed there; what is then read must still have the digest that it was written with.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import ReportAltered
from holdfast.reports.files import SUMS

PAGE = "index.html"
_DATA = ("report.json", "statistics.json")
_INTERNAL = (("suspension_safeguards", ""), ("suspension_statistics", "internal"))
"""What tells of cases, or of so few that somebody could be told: not for publication."""


@dataclass(frozen=True)
class Report:
    """One finished folder. `id` is the digest of its SHA256SUMS, `files` has one for each name; `edition` may be ''."""

    id: str
    job: str
    period: str
    edition: str
    folder: Path
    files: Mapping[str, str]

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
        for name in _DATA:
            if name in self.files:
                found: dict[str, Any] = json.loads(self.read(name))
                return found
        return {}

    def read(self, name: str) -> bytes:
        """A file of the report. Raises KeyError for a name it does not list, ReportAltered for what was changed."""
        digest = self.files[name]
        try:
            content = (self.folder / name).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise ReportAltered(
                f"{name} of the report {self.job} {self.name} is not what was written.",
                fix="restore it from its backup or an evidence pack, and find out who changed it.",
                report=self.id,
            )
        return content


def reports(root: Path) -> list[Report]:
    """Every finished report, the latest period of each job first."""
    read = (_read(folder, root) for folder in _finished(root))
    found = [one for one in read if one is not None]
    return sorted(found, key=lambda one: (one.job, one.period, one.edition), reverse=True)


def _finished(root: Path) -> Iterator[Path]:
    """Folders two or three levels deep, never through a link, which might lead anywhere."""
    for job in _folders(root):
        for period in _folders(job):
            for folder in (period, *_folders(period)):
                if (folder / SUMS).is_file():
                    yield folder


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [one for one in parent.iterdir() if one.is_dir() and not one.is_symlink() and not one.name.startswith(".")]


def _read(folder: Path, root: Path) -> Report | None:
    try:
        state = (folder / SUMS).stat()
        return _parsed(folder, root, state.st_mtime_ns, state.st_size)
    except OSError:
        return None  # it is being written again just now


@functools.lru_cache(maxsize=20_000)
def _parsed(folder: Path, root: Path, _changed: int, _size: int) -> Report:
    text = (folder / SUMS).read_bytes()
    lines = (line.partition("  ") for line in text.decode().splitlines())
    files = {name: digest for digest, _, name in lines if Path(name).name == name}
    job, period, *edition = folder.relative_to(root).parts
    return Report(hashlib.sha256(text).hexdigest(), job, period, "".join(edition), folder, files)
