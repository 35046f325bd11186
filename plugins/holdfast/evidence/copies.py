"""The second place: copies of every signed note, outside the database, where it can be kept from the database's owner.

Any folder that fsspec can write to: on this machine, on another one, or object storage. A file is put there once, under
a name that tells what it is, and never replaced by another.
"""

from __future__ import annotations

from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from holdfast.errors import LedgerError
from holdfast.store import private_folder, write_whole

CHECKPOINT = "checkpoint-"
ROTATION = "rotation-"
KEY = "key-"
LOST = "before-restore"
COSIGNED = "cosigned"


def name_of(kind: str, size: int) -> str:
    """The name of a note's file, so that names sort as sizes do."""
    return f"{kind}{size:015d}.txt"


class Copies:
    """The notes in the second place, by file name."""

    def __init__(self, url: str) -> None:
        self._system, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")

    def names(self, beginning: str, folder: str = "") -> list[str]:
        """The files whose name begins so, in order; none if there is no such folder."""
        place = f"{self._root}/{folder}".rstrip("/")
        if not self._system.isdir(place):
            return []
        found = (str(path).rpartition("/")[2] for path in self._system.ls(place, detail=False, refresh=True))
        return sorted(name for name in found if name.startswith(beginning) and name.endswith(".txt"))

    def read(self, name: str) -> str:
        """A file's text. Raises LedgerError if it is no text."""
        try:
            return bytes(self._system.cat_file(f"{self._root}/{name}")).decode()
        except UnicodeDecodeError:
            raise LedgerError(f"{name} is no text.", fix="keep it, and find out who changed it.") from None

    def put(self, name: str, text: str) -> None:
        """Write a file whole or not at all. Raises LedgerError rather than replace one that says something else."""
        target = f"{self._root}/{name}"
        if self._system.exists(target):
            if self.read(name) != text:
                raise LedgerError(
                    f"{name} in the second place is of another ledger or was altered.",
                    fix="keep it as it is, run `holdfast ledger verify`; move it aside only if the database is new.",
                )
            return
        if isinstance(self._system, LocalFileSystem):
            write_whole(private_folder(Path(target).parent) / Path(target).name, text.encode())
            return
        self._system.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._system.pipe_file(f"{target}.partial", text.encode())
        self._system.mv(f"{target}.partial", target)

    def set_aside(self, name: str) -> None:
        """Move a file to those that a restore lost."""
        self.put(f"{LOST}/{name}", self.read(name))
        self._system.rm_file(f"{self._root}/{name}")
