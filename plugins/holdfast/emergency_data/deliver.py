"""Hand released files over, each once, in the order of their sequence numbers.

A destination is any folder that fsspec can write to. A file is put there under a name of its own and then renamed, so
nobody reads half of one. What was put there before a crash is recognised by its digest, and not sent again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import DeliveryRefused


def deliver(connection: sa.Connection, folder: Path, destination: str, now: dt.datetime) -> list[dict[str, Any]]:
    """Deliver what waits, in the caller's transaction; what was delivered, as facts for the ledger.

    Raises DeliveryRefused if another file of that name is there, or ours is not what was released.
    """
    import fsspec

    system, root = fsspec.core.url_to_fs(destination)
    done = []
    for row in queries.run(connection, "emergency/undelivered").all():
        path = folder / row.file_name
        if _digest(path) != row.sha256:
            raise DeliveryRefused(
                f"{row.file_name} is not the file that was released.",
                fix="restore it from the release; do not send it.",
            )
        _put(system, path, f"{root.rstrip('/')}/{row.file_name}", row.sha256)
        values = {"extract_id": row.extract_id, "destination": _protocol(system), "at": now}
        queries.run(connection, "emergency/record_delivery", values)
        done.append(
            {"extract_id": row.extract_id, "provider": row.provider, "sequence": row.sequence, "file": row.sha256}
        )
    return done


def _put(system: Any, path: Path, target: str, sha256: str) -> None:
    if system.exists(target):
        with system.open(target, "rb") as there:
            if hashlib.file_digest(there, "sha256").hexdigest() == sha256:
                return
        raise DeliveryRefused(
            f"The destination has another file called {path.name}.",
            fix="find out who put it there; this sequence number must be sent once.",
        )
    system.makedirs(target.rpartition("/")[0], exist_ok=True)
    partial = f"{target}.partial"
    system.put_file(str(path), partial)
    system.mv(partial, target)


def _digest(path: Path) -> str:
    if not path.exists():
        raise DeliveryRefused(
            f"The released file {path.name} is gone.", fix="restore it, or release the extract again."
        )
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _protocol(system: Any) -> str:
    """What kind of place it is. Its address may hold a password, and is not recorded."""
    return system.protocol if isinstance(system.protocol, str) else str(system.protocol[0])
