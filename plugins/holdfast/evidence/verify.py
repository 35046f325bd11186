"""Is the ledger what was written? Reads every entry once, in one snapshot, with memory that does not grow.

Four things are compared: the chain (each entry's text, number and hash), the end that the database says it has, the
seals, in the database and in their files, and the signed checkpoints, in the database and in the second place. The
chain finds whatever was altered without recomputing the rest. Somebody who may do anything in the database can
recompute it all; only what lies outside shows that, so the result says how many entries nothing outside covers yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from holdfast import queries
from holdfast.evidence import copies as places
from holdfast.evidence.chain import ChainCheck
from holdfast.evidence.checkpointed import CheckpointCheck
from holdfast.evidence.copies import Copies
from holdfast.evidence.findings import Finding, Findings, Flaw
from holdfast.evidence.ledger import READ_AT_ONCE
from holdfast.evidence.offline import PublicKey
from holdfast.evidence.seal import Seal, seals
from holdfast.evidence.sealed import SealCheck
from holdfast.store import AnyPath, files


class Verdict(StrEnum):
    """OK: nothing is amiss. INCOMPLETE: nothing is altered, but a seal or checkpoint has no copy. INVALID: altered."""

    OK = "ok"
    INCOMPLETE = "incomplete"
    INVALID = "invalid"


@dataclass(frozen=True)
class VerifyResult:
    """What was read and what is wrong with it, by number of entry; `left_out` counts findings beyond those listed."""

    verdict: Verdict
    entries: int
    head_seq: int
    head_hash: bytes
    sealed_runs: int
    checkpoints: int
    uncovered: int
    findings: tuple[Finding, ...]
    left_out: int


def verify(connection: sa.Connection, seals_folder: AnyPath, copies: Copies) -> VerifyResult:
    """Check the whole ledger against itself, the files in `seals_folder`, and the checkpoints in the second place.

    Takes a connection with no transaction open and leaves it at REPEATABLE READ: entries, end and seals must be of one
    moment, while runs go on writing. One million entries take some seconds.
    """
    findings = Findings()
    written = _read_files(seals_folder, findings)
    signed = {_size_of(name): copies.read(name) for name in copies.names(places.CHECKPOINT)}
    keys = [PublicKey.parse(copies.read(name)) for name in copies.names(places.KEY)]
    connection = connection.execution_options(isolation_level="REPEATABLE READ")
    with connection.begin():
        rows = {one.run_id: one for one in seals(connection)}
        head = queries.run(connection, "evidence/head").one_or_none()
        chain = ChainCheck(findings)
        sealed = SealCheck(findings, rows, written)
        recorded = {row.size: row.note for row in queries.run(connection, "evidence/checkpoints")}
        rotations = [row.note for row in queries.run(connection, "evidence/rotations")]
        checkpoints = CheckpointCheck(findings, recorded, signed, keys, rotations)
        statement = queries.query("evidence/every_entry").execution_options(yield_per=READ_AT_ONCE)
        with connection.execute(statement) as entries:
            for seq, at, run_id, kind, entry, prev_hash, hash_ in entries:
                chain.feed(seq, at, run_id, kind, entry, prev_hash, hash_)
                sealed.feed(seq, run_id, kind, entry, hash_)
                checkpoints.feed(seq, entry)
    chain.finish(None if head is None else (head.seq, head.hash))
    sealed.finish()
    checkpoints.finish()
    sealed_until = max((one.sealed_seq for one in written.values()), default=0)
    return VerifyResult(
        verdict=_verdict(findings),
        entries=chain.entries,
        head_seq=chain.seq,
        head_hash=chain.hash,
        sealed_runs=len(rows),
        checkpoints=len(recorded),
        uncovered=max(0, chain.seq - max(checkpoints.covered, sealed_until)),
        findings=findings.listed(),
        left_out=findings.left_out,
    )


def _read_files(folder: AnyPath, findings: Findings) -> dict[int, Seal]:
    """The seals in files, by run. Hidden files are what a killed process left of a seal it was writing."""
    found: dict[int, Seal] = {}
    for path in files(folder, ".json"):
        try:
            one = Seal.from_json(path.read_text(encoding="utf-8"))
        except ValueError:
            findings.add(Flaw.SEAL_FILE, 0, 0, f"{path.name} is not the text of a seal")
            continue
        if one.file_name != path.name or one.run_id in found:
            findings.add(
                Flaw.SEAL_FILE, one.first_seq, one.sealed_seq, f"{path.name} holds the seal of run {one.run_id}"
            )
        found.setdefault(one.run_id, one)
    return found


def _size_of(name: str) -> int:
    digits = name.removeprefix(places.CHECKPOINT).removesuffix(".txt")
    return int(digits) if digits.isdecimal() else 0


def _verdict(findings: Findings) -> Verdict:
    if findings.altered:
        return Verdict.INVALID
    return Verdict.INCOMPLETE if findings.listed() else Verdict.OK
