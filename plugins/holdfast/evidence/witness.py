"""A witness signs checkpoints that continue what it saw, so that no two people can be shown two histories.

It needs packs and no database. What it saw last is a file beside its key, written before it signs (C2SP tlog-witness:
whoever signs first and is killed could sign another one afterwards).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from holdfast.errors import LedgerError, SettingsError
from holdfast.evidence import copies, offline, signing
from holdfast.evidence.copies import Copies
from holdfast.evidence.offline import Checkpoint, Note, PublicKey, Verdict
from holdfast.store import write_whole

_SEEN = ".seen"
_SIGNABLE = (Verdict.OK, Verdict.INCOMPLETE)


def cosign(pack: Path, key_file: Path, trusted: str, name: str, now: dt.datetime) -> tuple[Note, PublicKey]:
    """The last checkpoint of the pack with the witness's signature, and the witness's public key.

    Raises LedgerError if the pack does not verify, or does not continue what was seen. A restore of the database is not
    continued by itself: somebody who knows of it moves the file of what was seen away.
    """
    if not key_file.exists():
        signing.save(signing.SigningKey.generate(name, offline.COSIGNATURE), key_file)
    key = signing.load(key_file)
    if key.public.algorithm != offline.COSIGNATURE:
        raise SettingsError(f"{key_file} is not the key of a witness.", fix="name another file; one is made there.")
    seen_file = key_file.with_name(key_file.name + _SEEN)
    seen = [Checkpoint.parse(seen_file.read_text(encoding="utf-8"))] if seen_file.exists() else []
    try:
        report = offline.check(pack, [PublicKey.parse(trusted)], seen)
    except ValueError as error:
        raise SettingsError(f"{error}.", fix="give the ledger's public key as NAME+ID+KEY.") from None
    last = offline.last_checkpoint(pack) if report.verdict in _SIGNABLE else None
    if last is None:
        raise LedgerError(
            f"Nothing is signed. {report.findings[0] if report.findings else report}",
            fix="ask for a pack that continues what you saw; if there can be none, tell whom you witness for.",
        )
    write_whole(seen_file, str(last.note).encode())
    return key.cosign(last.note, now), key.public


def take_in(place: Copies, text: str) -> str:
    """Keep a cosigned checkpoint with the copies; its name there. Raises LedgerError if it is none of this ledger."""
    try:
        note = Note.parse(text)
        size = Checkpoint.parse(text).size
        ours = Note.parse(place.read(copies.name_of(copies.CHECKPOINT, size)))
    except (ValueError, OSError):
        raise LedgerError("It is not a checkpoint of this ledger.", fix="take in what the witness wrote.") from None
    added = [one for one in note.signatures if one not in ours.signatures]
    if note.text != ours.text or not added:
        raise LedgerError(
            "It is not one of this ledger's checkpoints, or nobody else signed it.",
            fix="take in what the witness wrote.",
        )
    witness = "".join(sign if sign.isalnum() else "-" for sign in added[0][0])
    name = copies.name_of(copies.CHECKPOINT, size).replace(".txt", f"-{witness}.txt")
    place.put(f"{copies.COSIGNED}/{name}", text)
    return name
