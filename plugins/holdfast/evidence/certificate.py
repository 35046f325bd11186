"""A certificate of destruction for one run, after the sample in NIST SP 800-88 Rev. 1, Appendix G.

Everything on it is read from the sealed entries of the run. That standard is about media; rows are deleted from a
medium that stays in use, so the certificate says which fields do not apply instead of filling them in.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import LedgerError
from holdfast.evidence import ledger
from holdfast.evidence.ledger import Entry
from holdfast.evidence.offline import Checkpoint
from holdfast.evidence.seal import Seal, seals
from holdfast.reports import html

_METHODS = {
    "batch_deleted": "rows deleted (SQL DELETE)",
    "partition_dropped": "partition dropped (SQL DROP TABLE)",
    "batch_anonymised": "columns overwritten, row kept (SQL UPDATE)",
}


@dataclass(frozen=True)
class Destroyed:
    """What one rule did to one dataset in one way."""

    dataset: str
    rule: str
    method: str
    rows: int


@dataclass(frozen=True)
class Kept:
    """Rows that were deleted and kept encrypted until a day. `destroyed_at` None: their key is there.

    `gone_rows` went with the key; the others a hold kept on, or they were brought back. None: not yet known.
    """

    until: dt.date
    rows: int
    gone_rows: int | None
    destroyed_at: dt.datetime | None


@dataclass(frozen=True)
class Certificate:
    """What the entries of a sealed and verified run say. `approvals` are pairs of pseudonym and time."""

    seal: Seal
    policy: str
    plan: str
    approvals: tuple[tuple[str, dt.datetime], ...]
    destroyed: tuple[Destroyed, ...]
    kept: tuple[Kept, ...]
    started_at: dt.datetime
    verified: Entry
    checkpoint: Checkpoint | None
    version: str


def compose(connection: sa.Connection, run_id: int) -> Certificate:
    """Read the run. Raises LedgerError unless it was verified and sealed, or if it was never carried out."""
    seal = next((one for one in seals(connection) if one.run_id == run_id), None)
    if seal is None:
        raise LedgerError(
            f"Run {run_id} is not sealed: nobody can certify what may still change.",
            fix="let the run end; a dry run is never sealed.",
        )
    entries = [one for one in ledger.entries_of_run(connection, run_id) if one.seq <= seal.last_seq]
    verified = _last(entries, "run_verified", run_id)
    signed = [Checkpoint.parse(row.note) for row in queries.run(connection, "evidence/checkpoints")]
    return Certificate(
        seal=seal,
        policy=_last(entries, "run_started", run_id).facts["policy"],
        plan=_last(entries, "plan_made", run_id).facts["plan"],
        approvals=tuple((one.facts["by"], one.at) for one in entries if one.kind == "approval_given"),
        destroyed=_destroyed(entries),
        kept=tuple(_kept(connection, run_id, entries)),
        started_at=entries[0].at,
        verified=verified,
        checkpoint=next((one for one in signed if one.size >= seal.sealed_seq), None),
        version=importlib.metadata.version("holdfast"),
    )


def page_of(certificate: Certificate, zone: str) -> str:
    """The page to print and sign."""
    facts: dict[str, Any] = {"one": certificate, "facts": certificate.verified.facts}
    return html.render(Path(__file__).with_name("certificate.html.j2"), facts, zone=zone)


def _destroyed(entries: Sequence[Entry]) -> tuple[Destroyed, ...]:
    rows: Counter[tuple[str, str, str]] = Counter()
    for one in entries:
        if one.kind in _METHODS:
            facts = one.facts
            method, kept = _METHODS[one.kind], facts.get("kept", {})
            for day, number in kept.items():
                rows[facts["dataset"], facts["rule"], f"{method}, kept encrypted until {day}"] += number
            if facts["rows"] > sum(kept.values()):
                rows[facts["dataset"], facts["rule"], method] += facts["rows"] - sum(kept.values())
    return tuple(Destroyed(*key, count) for key, count in sorted(rows.items()))


def _kept(connection: sa.Connection, run_id: int, entries: Sequence[Entry]) -> Iterator[Kept]:
    """What was kept, by day, and what has become of it since the run was sealed."""
    rows: Counter[str] = Counter()
    for one in entries:
        rows.update(one.facts.get("kept", {}))
    over = {row.ends_on: row for row in queries.run(connection, "evidence/certificate_keys", {"run_id": run_id})}
    for day, number in sorted(rows.items()):
        until = dt.date.fromisoformat(day)
        ended = over.get(until)
        gone = ended.gone_rows if ended is not None else None
        yield Kept(until, number, gone, ended.destroyed_at if ended is not None else None)


def _last(entries: Sequence[Entry], kind: str, run_id: int) -> Entry:
    found = [one for one in entries if one.kind == kind]
    if not found:
        raise LedgerError(
            f"Run {run_id} has no entry {kind}: there is nothing to certify.",
            fix="look at the run's report; certify a run that was carried out and verified.",
        )
    return found[-1]
