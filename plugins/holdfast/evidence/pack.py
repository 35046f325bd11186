"""One file of evidence to take away: entries, proofs, checkpoints, and what belongs to the runs among them.

`offline` says what a pack must be; this makes one from the database and the second place, as both are: a pack of an
altered ledger is made without complaint, and does not verify. The same evidence gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import LedgerError
from holdfast.evidence import copies, offline
from holdfast.evidence.copies import Copies
from holdfast.evidence.ledger import READ_AT_ONCE
from holdfast.evidence.merkle import Tree
from holdfast.evidence.offline import Checkpoint, Note
from holdfast.evidence.signing import SigningKey

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that ZIP knows: a pack does not depend on when it is made
_ALWAYS = "restore_acknowledged"
Files = Iterable[tuple[str, bytes]]
REPORTED = {
    "emergency_reconciled": "emergency_data_999",
    "history_compared": "evidence_nightly",
    "safeguards_checked": "suspension_safeguards",
    "statistics_published": "suspension_statistics",
}
"""The entry with which a job that has no runs says that it is done -> the shelf of its reports."""


@dataclass(frozen=True)
class Selection:
    """Which entries go into a pack: those of a run, or all from `first` to `last`, whatever that range stands for."""

    facts: Mapping[str, str | int | None]
    first: int = 0
    last: int = 0
    also: Set[int] = frozenset()
    """Entries beyond: of a run, with the digests of what Airflow says of it; of a range, that one of its reports was
    written again."""

    def has(self, seq: int, run: int | None, kind: str) -> bool:
        """Whether the entry belongs to it. Where a restore is acknowledged is shown in every pack."""
        if kind == _ALWAYS or seq in self.also:
            return True
        return run == self.facts["run"] if "run" in self.facts else self.first <= seq <= self.last


def of_run(run_id: int, also: Set[int] = frozenset()) -> Selection:
    """All entries of a run, and those that tell what Airflow says of it (`attachments.copies_of_run`)."""
    return Selection({"run": run_id}, also=also)


def of_period(connection: sa.Connection, since: dt.datetime | None, until: dt.datetime | None) -> Selection:
    """All entries from one moment up to another; None for the ledger's beginning or end."""
    given = {"since": since or dt.datetime.min.replace(tzinfo=dt.UTC), "until": until or _LATEST}
    row = queries.run(connection, "evidence/range_of_period", given).one()
    return _range(connection, {"since": _instant(since), "until": _instant(until)}, row)


def of_request(connection: sa.Connection, request_id: int) -> Selection:
    """All entries from the first to the last that names a request. Raises LedgerError if none does."""
    row = queries.run(connection, "evidence/range_of_request", {"request_id": request_id}).one()
    if row.first_seq is None:
        raise LedgerError(f"The ledger does not name request {request_id}.", fix="look its number up in the register.")
    return _range(connection, {"request": request_id, "since": None, "until": None}, row)


def _range(connection: sa.Connection, facts: Mapping[str, str | int | None], row: sa.Row[Any]) -> Selection:
    first, last = row.first_seq or 0, row.last_seq or 0
    again = queries.run(connection, "evidence/reports_written_again", {"first_seq": first, "last_seq": last})
    return Selection(facts, first, last, frozenset(again.scalars()))


_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)


def _instant(at: dt.datetime | None) -> str | None:
    """As entries write it."""
    return None if at is None else at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Belongings:
    """What the entries of a pack are about, so that files can be put beside them.

    `requests` are those that were asked for, `copies` the entries with digests of what Airflow said of runs, `reported`
    those of the kinds in REPORTED: the kind, and the entry's text.
    """

    requests: Sequence[int] = ()
    runs: set[int] = field(default_factory=set)
    copies: set[int] = field(default_factory=set)
    reported: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Evidence:
    """What there is: entries as (seq, run, kind, text), in order, and the texts of signed notes, oldest first."""

    entries: Iterable[tuple[int, int | None, str, str]]
    checkpoints: Sequence[str]
    rotations: Sequence[str] = ()
    cosigned: Sequence[str] = ()
    lost: Sequence[str] = ()


def read(connection: sa.Connection, place: Copies) -> Evidence:
    """What the database and the second place have; entries are read as they are asked for, so call it in a snapshot."""
    return Evidence(
        entries=_entries(connection),
        checkpoints=[row.note for row in queries.run(connection, "evidence/checkpoints")],
        rotations=[row.note for row in queries.run(connection, "evidence/rotations")],
        cosigned=_notes(place, copies.COSIGNED),
        lost=_notes(place, copies.LOST),
    )


def _entries(connection: sa.Connection) -> Iterator[tuple[int, int | None, str, str]]:
    statement = queries.query("evidence/every_entry").execution_options(yield_per=READ_AT_ONCE)
    with connection.execute(statement) as rows:
        for row in rows:
            yield row.seq, row.run_id, row.kind, row.entry


def _notes(place: Copies, folder: str) -> list[str]:
    return [place.read(f"{folder}/{name}") for name in place.names(copies.CHECKPOINT, folder)]


def make(
    evidence: Evidence, key: SigningKey, selection: Selection, target: Path, more: Callable[[Belongings], Files]
) -> Path:
    """Write the pack, whole or not at all, readable by its owner alone.

    `more` is asked for the files that belong to its entries (`attachments.of_entries`).
    """
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            _Writer(archive, evidence, key, selection).write(more)
        return partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class _Writer:
    """Writes the members one by one and keeps their digests for the manifest, which comes last."""

    def __init__(self, archive: zipfile.ZipFile, evidence: Evidence, key: SigningKey, selection: Selection) -> None:
        self._archive = archive
        self._evidence = evidence
        self._key = key
        self._selection = selection
        self._files: dict[str, str] = {}
        self._tree = Tree()
        self._seqs: list[int] = []
        self._about = Belongings(requests=[int(one)] if (one := selection.facts.get("request")) else [])

    def write(self, more: Callable[[Belongings], Files]) -> None:
        self._entries()
        checkpoints = self._checkpoints()
        size = checkpoints[-1].size if checkpoints else 0
        self._add(offline.PROOF, _json(self._proof(checkpoints, size)))
        for beginning, notes in ((offline.ROTATIONS, self._evidence.rotations), (offline.LOST, self._evidence.lost)):
            for number, note in enumerate(notes, start=1):
                self._add(f"{beginning}{number:03}.note", note.encode())
        for name, content in more(self._about):
            self._add(name, content)
        manifest = {
            "format": offline.FORMAT,
            "origin": self._key.public.name,
            "selection": dict(self._selection.facts),
            "first": self._selection.first,
            "last": self._selection.last,
            "entries": len(self._seqs),
            "size": size,
            "files": self._files,
        }
        self._store(offline.MANIFEST, str(self._key.sign(_json(manifest).decode())).encode())

    def _entries(self) -> None:
        """One pass over the ledger: all of it into the tree, what was selected into the pack."""
        prefixes = bytearray()
        digest = sha256()
        with self._open(offline.ENTRIES) as file:
            for seq, run, kind, entry in self._evidence.entries:
                text = entry.encode()
                leaf = offline.leaf_hash(text)
                while self._tree.size < seq - 1:
                    self._tree.append(bytes(offline.HASH_BYTES))  # an entry that is gone; the root will not be right
                self._tree.append(leaf)
                if self._selection.has(seq, run, kind):
                    self._seqs.append(seq)
                    self._note(seq, run, kind, entry)
                    prefixes += leaf[: offline.PREFIX_BYTES]
                    file.write(text + b"\n")
                    digest.update(text + b"\n")
        self._files[offline.ENTRIES] = digest.hexdigest()
        self._add(offline.LEAVES, bytes(prefixes))

    def _note(self, seq: int, run: int | None, kind: str, entry: str) -> None:
        if run is not None:
            self._about.runs.add(run)
        if kind == offline.COPIED:
            self._about.copies.add(seq)
        if kind in REPORTED:
            self._about.reported.append((kind, entry))

    def _checkpoints(self) -> list[Checkpoint]:
        """All there are, each with the signatures of its witnesses."""
        cosigned: dict[str, list[tuple[str, bytes]]] = {}
        for note in map(Note.parse, self._evidence.cosigned):
            others = [one for one in note.signatures if one[0] != self._key.public.name]
            cosigned.setdefault(note.text, []).extend(others)
        found = []
        for note in map(Note.parse, self._evidence.checkpoints):
            one = Checkpoint.parse(str(replace(note, signatures=(*note.signatures, *cosigned.get(note.text, ())))))
            self._add(f"{offline.CHECKPOINTS}{one.size:015}.note", str(one.note).encode())
            found.append(one)
        return found

    def _proof(self, checkpoints: list[Checkpoint], size: int) -> dict[str, Any]:
        while self._tree.size < size:
            self._tree.append(bytes(offline.HASH_BYTES))
        kept = [seq - 1 for seq in self._seqs if seq <= size]
        return {
            "gaps": [[first + 1, level, offline.encoded(node)] for first, level, node in self._tree.gaps(kept, size)],
            "consistency": [
                [old.size, new.size, [offline.encoded(one) for one in self._tree.consistency_proof(old.size, new.size)]]
                for old, new in itertools.pairwise(checkpoints)
            ],
        }

    def _add(self, name: str, content: bytes) -> None:
        self._files[name] = sha256(content).hexdigest()
        self._store(name, content)

    def _store(self, name: str, content: bytes) -> None:
        with self._open(name) as file:
            file.write(content)

    def _open(self, name: str) -> IO[bytes]:
        member = zipfile.ZipInfo(name, _EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o600 << 16
        member.create_system = 3
        return self._archive.open(member, "w", force_zip64=True)


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
