"""What goes into a pack beside the ledger: of each run its plan, approvals and reports, the policy, and what ran it."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import platform
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.clock import NIGHTS_ZONE, local_date
from holdfast.errors import PolicyError
from holdfast.evidence import offline
from holdfast.evidence.pack import REPORTED, Belongings
from holdfast.policy.load import load_policy
from holdfast.reports import runs as run_facts
from holdfast.reports.files import SUMS
from holdfast.settings import Settings
from holdfast.store import AnyPath, files

_PACKAGES = ("apache-airflow", "cryptography", "great-expectations", "holdfast", "pandas", "psycopg", "sqlalchemy")
_README = """Evidence of a Holdfast ledger.

Check it with the program holdfast-verify, or with its one file, offline.py, Python 3.11 and `cryptography`:

    python offline.py THIS.zip --key KEY

KEY is the ledger's public key (NAME+ID+KEY). Have it given to you on another way than this file. Add --kept FILE for a
checkpoint that you kept from before: then nobody, not even the owner of the key, can show you another history.

manifest.note   what is in here, with digests, signed (C2SP signed-note)
entries.jsonl   entries of the ledger, each line as it was hashed
leaves.bin      4 bytes of each entry's leaf hash: which entry was changed, if one was
proof.json      roots of what lies between the entries, and RFC 9162 consistency proofs between checkpoints
checkpoints/    every checkpoint of the ledger (C2SP tlog-checkpoint); keep the last one
keys/           changes of key, signed by both
lost/           checkpoints that a restore of the database lost; an entry restore_acknowledged names each
kinds.json      what each kind of entry means
runs/           of each run its row, plan by rule, rows of each dataset before and after, and approvals; who approved is
                a pseudonym, in the entries
requests/       of the request that was asked for: its moments and moves, what is gone, letters by digest, notices
reports/        the reports of these runs, and of the days and months of jobs that have no runs, with SHA256SUMS
airflow/        what Airflow says of these runs, as it was copied: attempts, answers, and who triggered, cleared and
                marked what; a file's SHA-256 is in the entry of its number, and people are the entries' pseudonyms
policy/         the policy, if it still says what one of the runs enforced; run_started has the digest
software.json   versions and migrations at the time of packing

What holds of which file: entries.jsonl is under the signed checkpoints, as it was on the day. Every other file is what
database and folders said when this was packed; the manifest, signed then, fixes it from then on. Compare with entries:
sums of batch_* with the plan, plan_made with its counts, history_copied with the files of airflow/, report_written (the
last of each report) with SHA256SUMS in reports/. The program does the last two.

Nothing in here names a customer. Entries have record numbers, codes, counts, digests and keyed pseudonyms.
"""


def of_entries(connection: sa.Connection, settings: Settings, about: Belongings) -> Iterator[tuple[str, bytes]]:
    """The files by name, in order."""
    yield "README.txt", _README.encode()
    yield "kinds.json", _json({row.kind: row.meaning for row in queries.run(connection, "evidence/kinds")})
    digests = set()
    for run_id in sorted(about.runs):
        for row in queries.run(connection, "evidence/pack_run", {"run_id": run_id}):
            digests.add(row.run["run"]["policy_digest"])
            yield f"runs/{run_id}.json", _json(row.run)
            run = run_facts.run(connection, run_id)
            yield from _report(settings.reports, run.job, run.folder_name)
    for folder in sorted({_folder(kind, json.loads(entry)) for kind, entry in about.reported}):
        yield from _report(settings.reports, *folder)
    for request in about.requests:
        for row in queries.run(connection, "evidence/pack_request", {"request_id": request}):
            yield f"requests/{request}.json", _json(row.request)
    for row in queries.run(connection, "evidence/pack_sheets", {"seqs": sorted(about.copies)}):
        yield f"{offline.AIRFLOW}{row.ledger_seq:015}.json", row.sheet.encode()
    yield from _policy(settings.policy, digests)
    history = queries.run(connection, "evidence/schema_history").all()
    software = {
        "python": platform.python_version(),
        "postgresql": history[0].server,
        "packages": dict(_installed()),
        "migrations": {row.name: row.sha256 for row in history},
    }
    yield "software.json", _json(software)


def copies_of_run(connection: sa.Connection, run_id: int) -> Set[int]:
    """The entries with digests of what Airflow said of a run, each time that it said something new."""
    return frozenset(queries.run(connection, "evidence/pack_sheets_of_run", {"run_id": run_id}).scalars())


def _folder(kind: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the report of a job without runs stands: by its night, or of a month the edition that is for everybody."""
    if month := entry["facts"].get("month"):
        return REPORTED[kind], month[:7], "published"
    return REPORTED[kind], local_date(dt.datetime.fromisoformat(entry["at"]), NIGHTS_ZONE).isoformat()


def _report(root: AnyPath, *parts: str) -> Iterator[tuple[str, bytes]]:
    """A finished report: one without its sums is being written, or was killed."""
    folder = root.joinpath(*parts)
    if (folder / SUMS).exists():
        for path in files(folder):
            yield "/".join(("reports", *parts, path.name)), path.read_bytes()


def _policy(folder: Path, digests: Set[str]) -> Iterator[tuple[str, bytes]]:
    try:
        digest = load_policy(folder).digest
    except PolicyError:
        return  # it is not what any run enforced
    if digest in digests:
        for path in sorted(folder.glob("*.yaml")):
            yield f"policy/{path.name}", path.read_bytes()


def _installed() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
