"""Another key takes over: both sign that it does, and from which size of the ledger on.

The order is: sign all there is with the old key, record the rotation, write its copy, put the new key into the old
one's place, which destroys the old one. A process killed in between leaves the new key under its waiting name; rotating
again ends it.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.evidence import checkpoint, copies, ledger, signing
from holdfast.evidence.checkpoint import Log
from holdfast.evidence.offline import Checkpoint, Note, PublicKey, rotation_text

_WAITING = ".next"


def rotate(engine: sa.Engine, path: Path, place: copies.Copies, now: dt.datetime) -> PublicKey:
    """Make another key for the ledger and let it sign from now on; its public half."""
    waiting = path.with_name(path.name + _WAITING)
    if not waiting.exists():
        signing.save(signing.SigningKey.generate(signing.load(path).public.name), waiting)
    new, log = signing.load(waiting), Log(signing.load(path), place)
    with database.transaction(engine) as connection:
        note = _recorded(connection, new.public) or _record(connection, log, new, now)
    last = next(one for one in _checkpoints(engine) if one.size == int(note.text.split("\n")[2]))
    checkpoint.publish(log, last)
    place.put(copies.name_of(copies.ROTATION, last.size), str(note))
    place.put(f"{copies.KEY}{new.public.id.hex()}.txt", f"{new.public}\n")
    waiting.replace(path)
    return new.public


def digest_of(key: PublicKey) -> str:
    """How entries name a key."""
    return f"sha256:{sha256(str(key).encode()).hexdigest()}"


def _recorded(connection: sa.Connection, new: PublicKey) -> Note | None:
    notes = [Note.parse(row.note) for row in queries.run(connection, "evidence/rotations")]
    return next((one for one in notes if str(new) == one.text.split("\n")[4]), None)


def _record(connection: sa.Connection, log: Log, new: signing.SigningKey, now: dt.datetime) -> Note:
    old = log.key.public
    ledger.append(connection, "key_rotated", {"old": digest_of(old), "new": digest_of(new.public)})
    last = checkpoint.make(connection, log, now)
    assert last is not None  # there is the entry above
    text = rotation_text(old, new.public, last.size)
    note = Note(text, log.key.sign(text).signatures + new.sign(text).signatures)
    queries.run(connection, "evidence/record_rotation", {"size": last.size, "note": str(note), "made_at": now})
    return note


def _checkpoints(engine: sa.Engine) -> list[Checkpoint]:
    with database.transaction(engine) as connection:
        return [Checkpoint.parse(row.note) for row in queries.run(connection, "evidence/checkpoints")]
