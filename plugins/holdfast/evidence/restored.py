"""Was the whole database restored to an earlier moment? Seals lie outside it, so they tell of runs that it lost.

Holds that people placed since are lost with it, and so are requests. Nothing may be deleted until somebody has entered
them again and says so: then the seals of the lost runs are named in the ledger and set aside.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from holdfast.errors import DatabaseRestored, LedgerError
from holdfast.evidence import ledger
from holdfast.evidence.seal import Seal, seals

SET_ASIDE = "before-restore"
_NAMED_AT_MOST = 500


def lost(connection: sa.Connection, folder: Path) -> list[Seal]:
    """The seals in files of runs that the database does not know, oldest first."""
    known = {one.file_name for one in seals(connection)}
    found = []
    for path in folder.glob("[!.]*.json"):
        if path.name not in known:
            try:
                found.append(Seal.from_json(path.read_text(encoding="utf-8")))
            except ValueError:
                continue  # `verify` tells of it
    return sorted(found, key=lambda one: one.sealed_at)


def require_none_lost(connection: sa.Connection, folder: Path) -> None:
    """Raises DatabaseRestored if the database lacks a run that was sealed."""
    found = lost(connection, folder)
    if found:
        raise DatabaseRestored(
            f"The database is older than its evidence: it lacks {len(found)} sealed runs, the first of them of"
            f" {found[0].sealed_at.isoformat(timespec='minutes')}. Nothing is deleted: holds may be lost with them.",
            fix="if another database is meant, correct the settings. If this one was restored: enter again what people"
            " placed and took in since (docs/engineers.md, After a restore), then `holdfast ledger restored`.",
            lost=len(found),
        )


def acknowledge(connection: sa.Connection, folder: Path, *, by: str) -> list[Seal]:
    """Name the seals of the lost runs in the ledger; those seals. `by` is a pseudonym. Then `set_aside` them.

    Raises LedgerError if none is lost.
    """
    found = lost(connection, folder)
    if not found:
        raise LedgerError("The database knows every run that was sealed.", fix="nothing: no restore is to be seen.")
    facts: dict[str, ledger.JSON] = {
        "by": by,
        "lost": len(found),
        "since": found[0].sealed_at.isoformat(timespec="seconds"),
        "seals": [one.file_name.removesuffix(".json") for one in found[:_NAMED_AT_MOST]],
    }
    ledger.append(connection, "restore_acknowledged", facts)
    return found


def set_aside(folder: Path, found: list[Seal]) -> Path:
    """Move the files of these seals out of the way, once the entry is committed; where they are now."""
    aside = folder / SET_ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    for one in found:
        (folder / one.file_name).rename(aside / one.file_name)
    return aside
