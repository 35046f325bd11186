"""A report's files reach its folder whole or not at all.

Each file is written under a hidden name, flushed to the disk and renamed. SHA256SUMS comes last and is the first to go
when a report is written again, so a folder that has one is complete, and `sha256sum -c SHA256SUMS` proves that nothing
in it was changed since. Whoever may not read the database may not read its reports: files are 0600, folders 0700.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

SUMS = "SHA256SUMS"
_PARTIAL_PREFIX, _PARTIAL_SUFFIX = ".", ".partial"


@dataclass(frozen=True)
class Written:
    """A folder of finished files. `sha256` is the digest of SHA256SUMS, and so of all of them."""

    folder: Path
    sha256: str


def write_set(root: Path, parts: tuple[str, ...], files: Mapping[str, str | bytes]) -> Written:
    """Write `files` (by file name; text as UTF-8) into the folder `parts` below `root`, in place of what was there.

    A folder takes one writer at a time. ValueError if a part or a name could lead out of `root`, or is hidden.
    """
    for name in (*parts, *files):
        if Path(name).name != name or not name or name.startswith(".") or name == SUMS:
            raise ValueError(f"{name!r} is no plain file name for a report")
    contents = {name: text.encode("utf-8") if isinstance(text, str) else text for name, text in sorted(files.items())}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()).encode()
    folder = private_folder(root, parts)
    with _only_writer(folder):
        outdated = _names_in(folder / SUMS) - contents.keys()
        (folder / SUMS).unlink(missing_ok=True)
        _sync(folder)  # the old sums must not come back after a power cut, next to new files
        for old in (*(folder / name for name in outdated), *folder.glob(f"{_PARTIAL_PREFIX}*{_PARTIAL_SUFFIX}")):
            old.unlink(missing_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content)
        write_whole(folder / SUMS, sums)
    return Written(folder, hashlib.sha256(sums).hexdigest())


def private_folder(root: Path, parts: tuple[str, ...] = ()) -> Path:
    """The folder, made where it is missing. `mkdir(parents=True)` would leave the upper ones open to others."""
    folder = root.joinpath(*parts)
    for one in (*reversed(root.parents), root, *(root.joinpath(*parts[:n]) for n in range(1, len(parts) + 1))):
        one.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # given up by the kernel if the process dies
        yield
    finally:
        os.close(descriptor)


def _names_in(sums: Path) -> set[str]:
    """The files that an earlier report listed. Whatever else lies there was put there by a person, and stays."""
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    return {Path(line.partition("  ")[2]).name for line in lines}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, readable by its owner alone, whole or not at all, and durable."""
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """The same for what is written bit by bit: the file is there, under its name, once the block has ended well."""
    descriptor, partial = tempfile.mkstemp(_PARTIAL_SUFFIX, _PARTIAL_PREFIX, path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
