"""A report's files reach its folder whole or not at all.

Each file appears whole, under its name or not at all (`holdfast.store`). SHA256SUMS comes last and is the first to go
when a report is written again, so a folder that has one is complete, and `sha256sum -c SHA256SUMS` tells whether its
files are those of its sums. Whether the sums are those of the night, the ledger knows (`evidence.reported`). Whoever
may not read the database may not read its reports: files are 0600, folders 0700.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from holdfast.store import PARTIAL_SUFFIX, AnyPath, private_folder, sync, write_whole
from holdfast.store import files as stored

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Written:
    """A folder of finished files. `sha256` is the digest of SHA256SUMS, and so of all of them."""

    folder: AnyPath
    sha256: str


def write_set(
    root: AnyPath,
    parts: tuple[str, ...],
    files: Mapping[str, str | bytes],
    enter: Callable[[str], object] = lambda sha256: None,
) -> Written:
    """Write `files` (by file name; text as UTF-8) into the folder `parts` below `root`, in place of what was there.

    A folder of a disk takes one writer at a time. `enter` is given the digest of SHA256SUMS before that file is there:
    what it raises leaves the folder unfinished. ValueError if a part or a name could lead out of `root` or is hidden.
    """
    for name in (*parts, *files):
        if Path(name).name != name or not name or name.startswith(".") or name == SUMS:
            raise ValueError(f"{name!r} is no plain file name for a report")
    contents = {name: text.encode("utf-8") if isinstance(text, str) else text for name, text in sorted(files.items())}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()).encode()
    digest = hashlib.sha256(sums).hexdigest()
    folder = private_folder(root, parts)
    with _only_writer(folder):
        outdated = _names_in(folder / SUMS) - contents.keys()
        (folder / SUMS).unlink(missing_ok=True)
        sync(folder)  # the old sums must not come back after a power cut, next to new files
        left = {path.name for path in stored(folder, PARTIAL_SUFFIX, hidden=True)}
        for old in sorted(outdated | left):
            (folder / old).unlink(missing_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content)
        enter(digest)
        write_whole(folder / SUMS, sums)
    return Written(folder, digest)


@contextmanager
def _only_writer(folder: AnyPath) -> Iterator[None]:
    if not isinstance(folder, Path):  # of two at once in an object store, whose digests do not fit is not believed
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # given up by the kernel if the process dies
        yield
    finally:
        os.close(descriptor)


def _names_in(sums: AnyPath) -> set[str]:
    """The files that an earlier report listed. Whatever else lies there was put there by a person, and stays."""
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.exists() else []
    return {Path(line.partition("  ")[2]).name for line in lines}
