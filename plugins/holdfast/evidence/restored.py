"""Was the whole database restored to an earlier moment? Seals and checkpoints lie outside it, and tell what it lost.

Holds that people placed since are lost with it, and so are requests. Nothing may be deleted until somebody has entered
them again and says so: then the lost seals and checkpoints are named in the ledger and set aside. A log must never sign
two histories of itself; this is the one exception, and the entry that names it is what an auditor is shown.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import DatabaseRestored, LedgerError
from holdfast.evidence import copies, ledger
from holdfast.evidence.copies import Copies
from holdfast.evidence.offline import Checkpoint
from holdfast.evidence.seal import Seal, seals
from holdfast.store import AnyPath, files, move, private_folder

_NAMED_AT_MOST = 500


@dataclass(frozen=True)
class Lost:
    """What lies outside and the database does not know: seals, oldest first, and checkpoints, largest first."""

    seals: list[Seal]
    checkpoints: list[Checkpoint]

    @property
    def since(self) -> dt.datetime | None:
        """When the first lost run was sealed; None if none was."""
        return self.seals[0].sealed_at if self.seals else None


def lost(connection: sa.Connection, folder: AnyPath, place: Copies) -> Lost:
    """What the database has lost."""
    known = {one.file_name for one in seals(connection)}
    found = []
    for path in files(folder, ".json"):
        if path.name not in known:
            try:
                found.append(Seal.from_json(path.read_text(encoding="utf-8")))
            except ValueError:
                continue  # `verify` tells of it
    sizes = {copies.name_of(copies.CHECKPOINT, row.size) for row in queries.run(connection, "evidence/checkpoints")}
    names = sorted(set(place.names(copies.CHECKPOINT)) - sizes, reverse=True)
    return Lost(sorted(found, key=lambda one: one.sealed_at), list(_checkpoints(place, names)))


def _checkpoints(place: Copies, names: list[str]) -> list[Checkpoint]:
    found = []
    for name in names:
        try:
            found.append(Checkpoint.parse(place.read(name)))
        except ValueError:
            continue  # `verify` tells of it
    return found


def require_none_lost(connection: sa.Connection, folder: AnyPath, place: Copies) -> None:
    """Raises DatabaseRestored if the database lacks a run that was sealed, or a checkpoint that was signed."""
    found = lost(connection, folder, place)
    if found.seals or found.checkpoints:
        since = f", the first of them of {found.since.isoformat(timespec='minutes')}" if found.since else ""
        raise DatabaseRestored(
            f"The database is older than its evidence: it lacks {len(found.seals)} sealed runs{since}, and"
            f" {len(found.checkpoints)} checkpoints. Nothing is deleted: holds may be lost with them.",
            fix="if another database is meant, correct the settings. If this one was restored: enter again what people"
            " placed and took in since (docs/engineers.md, After a restore), then `holdfast ledger restored`.",
            lost=len(found.seals),
        )


def acknowledge(connection: sa.Connection, folder: AnyPath, place: Copies, *, by: str) -> Lost:
    """Name what was lost in the ledger; that. `by` is a pseudonym. Then `set_aside` it.

    Raises LedgerError if nothing is lost.
    """
    found = lost(connection, folder, place)
    if not found.seals and not found.checkpoints:
        raise LedgerError("The database knows every run that was sealed.", fix="nothing: no restore is to be seen.")
    facts: dict[str, ledger.JSON] = {
        "by": by,
        "lost": len(found.seals),
        "since": found.since.isoformat(timespec="seconds") if found.since else None,
        "seals": [one.file_name.removesuffix(".json") for one in found.seals[:_NAMED_AT_MOST]],
        "checkpoints": [
            {"size": one.size, "root": f"sha256:{one.root.hex()}"} for one in found.checkpoints[:_NAMED_AT_MOST]
        ],
    }
    ledger.append(connection, "restore_acknowledged", facts)
    return found


def set_aside(folder: AnyPath, place: Copies, found: Lost) -> AnyPath:
    """Move the files of all this out of the way, once the entry is committed; where the seals are now."""
    aside = private_folder(folder, (copies.LOST,))
    for one in found.seals:
        move(folder / one.file_name, aside / one.file_name)
    for signed in found.checkpoints:
        place.set_aside(copies.name_of(copies.CHECKPOINT, signed.size))
    return aside
