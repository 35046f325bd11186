"""A run's seal: the Merkle root over its entries, in the database and in a file that another owner can keep.

Only the file exposes somebody who may rewrite the database. It is a function of the row in `holdfast.ledger_seal` and
holds no personal data. The order is: commit the row, then write the file. A process killed in between leaves a row
without a file, which `verify` reports as incomplete; sealing that run again finds the row, proves it against the
entries and writes the file. Files of other runs are never written from the database: that could launder a rewritten
one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import LedgerError
from holdfast.evidence import ledger
from holdfast.evidence.offline import RootBuilder, leaf_hash
from holdfast.store import AnyPath, private_folder, write_whole

FORMAT = "holdfast-seal/1"


@dataclass(frozen=True)
class Seal:
    """What is known of a run's evidence once it is closed.

    `root` covers the `entries` entries of the run from `first_seq` to `last_seq`. `head_hash` is the hash of the entry
    run_sealed, number `sealed_seq`, and covers the whole chain up to there, other runs included.
    """

    run_id: int
    job: str
    as_of: dt.date
    first_seq: int
    last_seq: int
    entries: int
    root: bytes
    sealed_seq: int
    head_hash: bytes
    sealed_at: dt.datetime

    @property
    def file_name(self) -> str:
        return f"{self.job}-{self.as_of.isoformat()}-run{self.run_id}.json"

    def to_json(self) -> str:
        """The text of the file."""
        facts = {
            "format": FORMAT,
            "run": self.run_id,
            "job": self.job,
            "as_of": self.as_of.isoformat(),
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "entries": self.entries,
            "root": self.root.hex(),
            "sealed_seq": self.sealed_seq,
            "head_hash": self.head_hash.hex(),
            "sealed_at": self.sealed_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        }
        return json.dumps(facts, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Seal:
        """Read the text of a file. ValueError if it is not exactly what `to_json` writes."""
        try:
            facts: dict[str, Any] = json.loads(text)
            seal = cls(
                run_id=facts["run"],
                job=facts["job"],
                as_of=dt.date.fromisoformat(facts["as_of"]),
                first_seq=facts["first_seq"],
                last_seq=facts["last_seq"],
                entries=facts["entries"],
                root=bytes.fromhex(facts["root"]),
                sealed_seq=facts["sealed_seq"],
                head_hash=bytes.fromhex(facts["head_hash"]),
                sealed_at=dt.datetime.fromisoformat(facts["sealed_at"]),
            )
            numbers = (seal.run_id, seal.first_seq, seal.last_seq, seal.entries, seal.sealed_seq)
            if all(isinstance(one, int) for one in numbers) and seal.to_json() == text:
                return seal
        except (KeyError, TypeError) as error:
            raise ValueError("not the text of a seal") from error
        raise ValueError("not the text of a seal")


@dataclass(frozen=True)
class _Covered:
    """What a Merkle root covers."""

    first_seq: int
    last_seq: int
    entries: int
    root: bytes


def seals(connection: sa.Connection) -> list[Seal]:
    """The seals in the database, oldest first."""
    return [Seal(**row._mapping) for row in queries.run(connection, "evidence/seals")]


def seal(connection: sa.Connection, run_id: int, job: str, as_of: dt.date, at: dt.datetime) -> Seal:
    """Close a run's evidence in the caller's transaction; call `write` once that has committed.

    A run is sealed once: for a run that is sealed already its seal is returned, after proving it against the entries.
    Raises LedgerError if there is nothing to seal, if another writer added to the run meanwhile, or if the entries are
    not those that were sealed.
    """
    known = next((one for one in seals(connection) if one.run_id == run_id), None)
    if known is not None:
        if _covered(connection, run_id, known.sealed_seq) != (
            _Covered(known.first_seq, known.last_seq, known.entries, known.root)
        ):
            raise LedgerError(
                f"Run {run_id} is sealed, and its entries are not those that were sealed.",
                fix="run `holdfast ledger verify`, keep the database as it is, and find out who changed it.",
            )
        return known
    covered = _covered(connection, run_id)
    if not covered.entries:
        raise LedgerError(
            f"Run {run_id} has no entry in the ledger.", fix="seal a run that was started, in the database it ran in."
        )
    facts: dict[str, ledger.JSON] = {
        "root": f"sha256:{covered.root.hex()}",
        "entries": covered.entries,
        "first_seq": covered.first_seq,
        "last_seq": covered.last_seq,
    }
    sealed_seq = ledger.append(connection, "run_sealed", facts, run_id)
    row = {
        **dataclasses.asdict(covered),
        "run_id": run_id,
        "job": job,
        "as_of": as_of,
        "sealed_seq": sealed_seq,
        "sealed_at": at,
    }
    recorded = queries.run(connection, "evidence/record_seal", row).one_or_none()
    if recorded is None:
        raise LedgerError(
            f"Another writer added to run {run_id} while it was being sealed.",
            fix="let the other attempt end, then seal again.",
        )
    return Seal(**recorded._mapping)


def write(seal: Seal, folder: AnyPath) -> AnyPath:
    """Write the seal's file, readable by its owner alone, whole or not at all; its path.

    Writing the same seal again changes nothing. Raises LedgerError rather than replace a file that says something else.
    """
    path = folder / seal.file_name
    text = seal.to_json()
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise LedgerError(
                f"{path} is the seal of another ledger or was altered.",
                fix="keep it as it is, run `holdfast ledger verify`; move it aside only if the database is new.",
            )
        return path
    write_whole(private_folder(folder) / seal.file_name, text.encode())
    return path


def _covered(connection: sa.Connection, run_id: int, before_seq: int | None = None) -> _Covered:
    builder = RootBuilder()
    first_seq = last_seq = 0
    for entry in ledger.entries_of_run(connection, run_id):
        if before_seq is not None and entry.seq >= before_seq:
            break
        first_seq, last_seq = first_seq or entry.seq, entry.seq
        builder.add(leaf_hash(entry.text.encode()))
    return _Covered(first_seq, last_seq, builder.size, builder.root())
