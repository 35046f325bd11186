"""Hand released files over, each once for its sequence number, in the order of these numbers.

A destination is a server that takes files over SFTP, or any folder that fsspec can write to. A file is put there under
a name of its own, that is noted, and then it is renamed; so nobody reads half of one. Where an attempt died, the name
that is still there tells how far it came: a file that was put but is there under neither name was renamed, and has
been fetched since. It is not sent again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.emergency_data import manifest, store
from holdfast.errors import DeliveryRefused
from holdfast.evidence import ledger
from holdfast.settings import Settings
from holdfast.store import AnyPath, here

Reached = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """A folder somewhere. `kind` is all that is recorded of it: its address may hold a password."""

    system: Any
    root: str

    @property
    def kind(self) -> str:
        protocol = self.system.protocol
        return str(protocol if isinstance(protocol, str) else protocol[0])

    def named(self, name: str) -> str:
        return f"{self.root}/{name}"


def place_of(settings: Settings) -> Place:
    """Where files go: the Airflow connection decides, if there is one; else HOLDFAST_EMERGENCY_OUTBOX or our outbox."""
    if settings.outbox_connection is not None:
        from holdfast.emergency_data import sftp

        return Place(*sftp.connect(settings.outbox_connection))
    import fsspec

    system, root = fsspec.core.url_to_fs(settings.emergency_outbox)
    return Place(system, root.rstrip("/"))


def deliver(
    engine: sa.Engine, folder: AnyPath, place: Place, now: dt.datetime, reached: Reached = lambda point: None
) -> int:
    """Deliver what waits in `folder`; how many files it was. `reached` hears of each point, for tests.

    Raises DeliveryRefused if another file of that name is there, or ours is not what was released.
    """
    done = 0
    for extract_id in _waiting(engine):
        _put(engine, extract_id, folder, place, now)
        reached("put")
        done += _rename(engine, extract_id, place, now, reached)
    return done


def _waiting(engine: sa.Engine) -> list[int]:
    with database.transaction(engine) as connection:
        return [int(row.extract_id) for row in queries.run(connection, "emergency/undelivered")]


def _put(engine: sa.Engine, extract_id: int, folder: AnyPath, place: Place, now: dt.datetime) -> None:
    """Send the file under a name of its own, and note that it is there, whole."""
    with database.transaction(engine) as connection:
        row = queries.run(connection, "emergency/lock_release", {"extract_id": extract_id}).one()
        if row.delivered_at is not None or row.put_at is not None:
            return
        path = folder / row.file_name
        if _digest(path) != row.sha256:
            raise DeliveryRefused(
                f"{row.file_name} is not the file that was released.",
                fix="restore it from the release; do not send it.",
            )
        place.system.makedirs(place.root, exist_ok=True)
        said = manifest.of_file(path)
        if said.exists() and not _is_there(place, said.name, _digest(said)):  # whoever finds the file finds it as well
            _send(place, said)
            place.system.mv(place.named(_partial(said.name)), place.named(said.name))
        if not _is_there(place, row.file_name, row.sha256):
            _send(place, path)
        queries.run(connection, "emergency/record_put", {"extract_id": extract_id, "at": now})


def _send(place: Place, path: AnyPath) -> None:
    """Put a file under a name of its own, for it to be renamed. Raises OSError if it did not arrive whole."""
    partial = place.named(_partial(path.name))
    with here(path) as copy:
        place.system.put_file(str(copy), partial)
    if place.system.size(partial) != path.stat().st_size:
        raise OSError("the destination has not as many bytes as were sent")


def _rename(engine: sa.Engine, extract_id: int, place: Place, now: dt.datetime, reached: Reached) -> int:
    """Give the file its name, unless an attempt that died has; 1 if it was not recorded as delivered before."""
    with database.transaction(engine) as connection:
        row = queries.run(connection, "emergency/lock_release", {"extract_id": extract_id}).one()
        if row.delivered_at is not None:
            return 0
        partial = place.named(_partial(row.file_name))
        if place.system.exists(partial) and not _is_there(place, row.file_name, row.sha256):
            place.system.mv(partial, place.named(row.file_name))
            reached("renamed")
        values = {"extract_id": extract_id, "destination": place.kind, "at": now}
        queries.run(connection, "emergency/record_delivery", values)
        store.move(connection, extract_id, "delivered", since=("released",))
        facts: dict[str, ledger.JSON] = {"extract": extract_id, "provider": row.provider, "sequence": row.sequence}
        ledger.append(connection, "extract_delivered", {**facts, "file": f"sha256:{row.sha256}"})
    return 1


def _is_there(place: Place, name: str, sha256: str) -> bool:
    """Whether the very file is at the destination. Raises DeliveryRefused if another one has its name."""
    if not place.system.exists(place.named(name)):
        return False
    with place.system.open(place.named(name), "rb") as there:
        if hashlib.file_digest(there, "sha256").hexdigest() == sha256:
            return True
    raise DeliveryRefused(
        f"The destination has another file called {name}.",
        fix="find out who put it there; this sequence number must be sent once.",
    )


def _partial(name: str) -> str:
    return f"{name}.partial"


def _digest(path: AnyPath) -> str:
    if not path.exists():
        raise DeliveryRefused(
            f"The released file {path.name} is gone.", fix="restore it, or release the extract again."
        )
    with here(path) as copy, copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
