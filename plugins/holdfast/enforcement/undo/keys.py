"""The keys of undo windows: a file for each run and each day on which what it encrypts must be gone.

They are in no database and in no backup, or the end of a window would not be the end. Destroying one destroys all that
was encrypted with it, wherever copies of that are.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import SettingsError, UndoRefused
from holdfast.store import private_folder, sync, write_whole

_BYTES = 32  # AES-256
_NAME = re.compile(r"[0-9]+-(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.key")


@dataclass(frozen=True)
class Keys:
    """The folder of keys; None where several machines work and none was named that they share."""

    folder: Path | None

    def require_folder(self) -> Path:
        """The folder. Raises SettingsError where none is named."""
        if self.folder is None:
            raise SettingsError(
                "A rule has an undo window, several machines work, and no folder for its keys is named.",
                fix="let HOLDFAST_UNDO_KEYS name one on a disk that all workers share, or take undo_days out.",
            )
        return self.folder

    def make_or_load(self, run_id: int, ends_on: dt.date) -> bytes:
        """The key, made if there is none. It is on the disk before anything is encrypted with it."""
        path = self._path(run_id, ends_on)
        if not path.exists():
            private_folder(path.parent)
            partial = path.with_name(f".{secrets.token_hex(8)}.partial")
            write_whole(partial, secrets.token_bytes(_BYTES))
            try:
                os.link(partial, path)
            except FileExistsError:  # another worker made one since; that is the key
                _destroy(partial)
            else:
                partial.unlink()
            sync(path.parent)
        return self.load(run_id, ends_on)

    def load(self, run_id: int, ends_on: dt.date) -> bytes:
        """The key. Raises UndoRefused if there is none, or if others than its owner may read it."""
        path = self._path(run_id, ends_on)
        if not path.exists():
            raise UndoRefused(
                f"The key of run {run_id} until {ends_on} is not there: what it encrypted can be read by nobody.",
                fix="nothing, if its window is over; otherwise let HOLDFAST_UNDO_KEYS name the folder that has it.",
            )
        key = path.read_bytes()
        if path.stat().st_mode & 0o077 or len(key) != _BYTES:
            raise UndoRefused(
                f"Others may read the key of run {run_id} until {ends_on}, or it is none.",
                fix="find out who did; then `chmod 600`, or restore the file.",
            )
        return key

    def destroy(self, run_id: int, ends_on: dt.date) -> None:
        """Overwrite the key and remove it, for good before this returns. One that is gone is destroyed already."""
        path = self._path(run_id, ends_on)
        if path.exists():
            _destroy(path)
            sync(path.parent)

    def strays(self, as_of: dt.date) -> list[Path]:
        """Files of keys whose day has come."""
        if self.folder is None or not self.folder.exists():
            return []
        found = ((path, _NAME.fullmatch(path.name)) for path in sorted(self.folder.iterdir()))
        return [path for path, name in found if name and dt.date.fromisoformat(name["day"]) <= as_of]

    def destroy_strays(self, as_of: dt.date, wanted: set[tuple[int, dt.date]]) -> int:
        """Destroy the keys whose day has come but for those `wanted`: of attempts that were taken back."""
        keep = {self._path(run_id, ends_on) for run_id, ends_on in wanted}
        strays = [path for path in self.strays(as_of) if path not in keep]
        for path in strays:
            _destroy(path)
            sync(path.parent)
        return len(strays)

    def _path(self, run_id: int, ends_on: dt.date) -> Path:
        return self.require_folder() / f"{run_id}-{ends_on.isoformat()}.key"


def _destroy(path: Path) -> None:
    """Overwrite, flush, unlink. Where a disk writes elsewhere (SSD, copy on write) only its own encryption helps."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, secrets.token_bytes(_BYTES))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
