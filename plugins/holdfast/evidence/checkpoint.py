"""Checkpoints: a signed root over all entries so far, in the database and in the second place.

Whoever may do anything in the database can make it agree with itself, and cannot sign. A checkpoint costs what was
added since the one before: the tree goes on from the peaks that are stored with that one, which are believed only if
they give the root that was signed. The order is: commit the row, then write the copy. A process killed in between
leaves a checkpoint without its copy; the next one writes it, since a signature needs no trust in where it comes from.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.errors import LedgerError
from holdfast.evidence import copies, signing
from holdfast.evidence.copies import Copies
from holdfast.evidence.ledger import READ_AT_ONCE
from holdfast.evidence.offline import (
    HASH_BYTES,
    Checkpoint,
    Keyring,
    Note,
    PublicKey,
    RootBuilder,
    checkpoint_text,
    leaf_hash,
)
from holdfast.settings import Settings

_FIX = "keep database and copies as they are, run `holdfast ledger verify`, and find out who changed which."


@dataclass(frozen=True)
class Log:
    """What signs, and where copies go."""

    key: signing.SigningKey
    copies: Copies

    @property
    def origin(self) -> str:
        return self.key.public.name


def open_log(settings: Settings) -> Log:
    """The log of this installation; its key is made if there is none. Raises SettingsError for what is no key."""
    return Log(signing.key_or_made(settings), Copies(settings.checkpoints))


def make(connection: sa.Connection, log: Log, now: dt.datetime) -> Checkpoint | None:
    """Sign what the ledger has gained, in the caller's transaction; call `publish` once that has committed.

    The last checkpoint if there is nothing new; None if the ledger is empty. Raises LedgerError rather than sign what
    does not continue the last checkpoint: one that the database has lost, or has otherwise than it was signed.
    """
    queries.run(connection, "evidence/lock_checkpoints")
    ring = keyring(connection, log.key.public)
    row = queries.run(connection, "evidence/last_checkpoint").one_or_none()
    last = None if row is None else _believed(row.note, ring)
    _compare_with_copies(last, log, ring)
    tree = RootBuilder() if last is None or row is None else _continued(last, bytes(row.peaks))
    statement = queries.query("evidence/entries_after").execution_options(yield_per=READ_AT_ONCE)
    with connection.execute(statement, {"seq": tree.size}) as entries:
        for seq, entry in entries:
            if seq != tree.size + 1:
                raise LedgerError(f"The ledger has no entry {tree.size + 1}, and it has {seq}.", fix=_FIX)
            tree.add(leaf_hash(entry.encode()))
    if tree.size == (last.size if last else 0):
        return last
    if ring.ranges[log.key.public][1] < tree.size:
        raise LedgerError(
            "The signing key was replaced by another one.",
            fix="run `holdfast evidence key rotate` again, which ends it.",
        )
    note = log.key.sign(checkpoint_text(log.origin, tree.size, tree.root()))
    values = {"size": tree.size, "peaks": b"".join(tree.peaks), "note": str(note), "made_at": now}
    queries.run(connection, "evidence/record_checkpoint", values)
    return Checkpoint.parse(str(note))


def sign(engine: sa.Engine, log: Log, now: dt.datetime) -> Checkpoint | None:
    """Make a checkpoint and its copy; None if the ledger is empty."""
    with database.transaction(engine) as connection:
        made = make(connection, log, now)
    return None if made is None else publish(log, made)


def publish(log: Log, checkpoint: Checkpoint) -> Checkpoint:
    """Write the copy of a checkpoint, and of the key that anybody needs to check it; that checkpoint."""
    log.copies.put(f"{copies.KEY}{log.key.public.id.hex()}.txt", f"{log.key.public}\n")
    log.copies.put(copies.name_of(copies.CHECKPOINT, checkpoint.size), str(checkpoint.note))
    return checkpoint


def keyring(connection: sa.Connection, trusted: PublicKey) -> Keyring:
    """The keys that may have signed, from the one that signs now. Raises LedgerError if a rotation was altered."""
    rotations = [row.note for row in queries.run(connection, "evidence/rotations")]
    try:
        return Keyring([trusted], map(Note.parse, rotations))
    except ValueError as error:
        raise LedgerError(
            f"The keys of the ledger do not follow one another: {error}.",
            fix="see that `keys/ledger.key` is this ledger's; else find out who changed the database.",
        ) from None


def _believed(text: str, ring: Keyring) -> Checkpoint:
    try:
        found = Checkpoint.parse(text)
        ring.check(found)
    except ValueError as error:
        raise LedgerError(f"The last checkpoint was altered: {error}.", fix=_FIX) from None
    return found


def _compare_with_copies(last: Checkpoint | None, log: Log, ring: Keyring) -> None:
    """The second place must have nothing later, and nothing else. A copy that was never written is written now."""
    names = log.copies.names(copies.CHECKPOINT)
    newest = _believed(log.copies.read(names[-1]), ring) if names else None
    if newest is not None and (last is None or newest.size > last.size):
        raise LedgerError(
            f"The database has no checkpoint of {newest.size} entries, which was signed: older, or rewritten.",
            fix="if it was restored, enter what was lost again (docs/engineers.md, After a restore), then"
            " `holdfast ledger restored`; else find out who changed it.",
            size=newest.size,
        )
    if last is not None:
        publish(log, last)


def _continued(last: Checkpoint, peaks: bytes) -> RootBuilder:
    try:
        tree = RootBuilder(last.size, [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)])
    except ValueError:
        tree = RootBuilder()
    if tree.root() != last.root:
        raise LedgerError("The peaks of the last checkpoint do not give the root that was signed.", fix=_FIX)
    return tree
