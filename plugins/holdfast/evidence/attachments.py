"""What goes into a pack beside the ledger: of each run its plan, approvals and reports, the policy, and what ran it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Iterator, Set
from pathlib import Path

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import PolicyError
from holdfast.evidence import offline
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
runs/           of each run its row, plan, counts and approvals; who approved is a pseudonym, in the entries
reports/        the reports of these runs, with SHA256SUMS
airflow/        what Airflow says of these runs, as it was copied: attempts, answers, and who triggered, cleared and
                marked what; a file's SHA-256 is in the entry of its number, and people are the entries' pseudonyms
policy/         the policy, if it still says what one of the runs enforced; run_started has the digest
software.json   versions and migrations at the time of packing

Nothing in here names a customer. Entries have record numbers, codes, counts, digests and keyed pseudonyms.
"""


def of_runs(
    connection: sa.Connection, settings: Settings, run_ids: Set[int], copies: Set[int]
) -> Iterator[tuple[str, bytes]]:
    """The files by name, in order. `copies` are the entries with digests of what Airflow said of runs."""
    yield "README.txt", _README.encode()
    digests = set()
    for run_id in sorted(run_ids):
        for row in queries.run(connection, "evidence/pack_run", {"run_id": run_id}):
            digests.add(row.run["run"]["policy_digest"])
            yield f"runs/{run_id}.json", _json(row.run)
            yield from _report(settings.reports, run_facts.run(connection, run_id))
    for row in queries.run(connection, "evidence/pack_sheets", {"seqs": sorted(copies)}):
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


def _report(root: AnyPath, run: run_facts.Run) -> Iterator[tuple[str, bytes]]:
    """A finished report: one without its sums is being written, or was killed."""
    folder = root / run.job / run.folder_name
    if (folder / SUMS).exists():
        for path in files(folder):
            yield f"reports/{run.job}/{run.folder_name}/{path.name}", path.read_bytes()


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
