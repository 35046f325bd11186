"""The synthetic provider: a telephone company that does not exist, in a schema of its own, of any size.

Rows are made by statements in `sql/provider/generate/`, each for a whole table, and every choice is a hash of the row
and the seed: the same arguments give the same data. A few rows of each dataset are made so that what must happen to
them is known beforehand (`provider.synthetic_cohort`); the others look as if retention had kept up until lately, or,
with a backlog, as if it had never run. All dates are relative to `as_of`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries, store
from holdfast.errors import HoldfastError
from holdfast.store import AnyPath

SCHEMA_FILE = "provider/schema"
CALLS_PER_ACCOUNT = 40

# Parents before children; a few read what an earlier one made.
TABLES = (
    "account",
    "contact",
    "identity_evidence",
    "consent",
    "marketing_suppression",
    "payment_method",
    "accounting_period",
    "invoice",
    "payment",
    "refund",
    "dispute",
    "number",
    "number_assignment",
    "emergency_address",
    "login_event",
    "api_request_log",
    "call_detail_record",
    "message",
    "call_recording",
    "fraud_signal",
    "suspension",
    "suspension_notice",
    "review_request",
    "review_outcome",
    "suspension_day",
    "support_ticket",
    "complaint",
    "law_enforcement_request",
    "service_provider",
    "disclosure",
    "audit_engagement",
    "audit_scope",
    "legal_matter",
    "preservation_order",
    "regulator_notice",
    "synthetic_cohort",
)

_SAMPLE_RATE = 8000  # telephone quality, one byte a sample
_SAMPLES = 400


def make(
    engine: sa.Engine,
    *,
    accounts: int,
    seed: int,
    as_of: dt.datetime,
    objects: AnyPath,
    backlog: bool = False,
    calls_per_account: int = CALLS_PER_ACCOUNT,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, int]:
    """Make the provider in one transaction, and its recording files below `objects`; rows made for each table.

    `accounts` is the number of customers besides some forty that carry the known answers. `progress` is told each
    table when it is done. Raises HoldfastError if there are customers already: two providers in one would be neither.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone: it is an instant")
    if not is_empty(engine):
        raise HoldfastError(
            "There is a provider in this database already.",
            fix="drop it first, or use another database.",
        )
    base = (objects.resolve() if isinstance(objects, Path) else objects).as_uri()
    values = {
        "accounts": accounts,
        "as_of": as_of,
        "backlog": backlog,
        "calls": accounts * calls_per_account,
        "objects": base,
        "seed": seed,
    }
    made: dict[str, int] = {}
    with database.transaction(engine) as connection:
        if not _schema_exists(connection):
            database.run_script(connection, queries.path_of(SCHEMA_FILE).read_text(encoding="utf-8"))
        for step in ("windows", "cases", "partitions"):
            _generate(connection, step, values)
        for table in TABLES:
            made[table] = _generate(connection, table, values).rowcount
            if progress is not None:
                progress(table, made[table])
        _generate(connection, "number_status", values)
        _generate(connection, "suspension_restored", values)
        made["feed"] = _deliver(connection, as_of)
        _generate(connection, "sequences", values)
        _write_recordings(connection, objects, base)
        _generate(connection, "analyze", values)
    return made


def deliver_feeds(engine: sa.Engine, at: dt.datetime) -> None:
    """Pretend that each source system has just delivered a complete extract: without it, hold sources grow stale."""
    with database.transaction(engine) as connection:
        _deliver(connection, at)


def is_empty(engine: sa.Engine) -> bool:
    """True where there is no synthetic provider, or one without a customer."""
    with database.transaction(engine) as connection:
        return not (
            _schema_exists(connection) and queries.run(connection, "provider/generate/account_exists").scalar_one()
        )


def drop(engine: sa.Engine, objects: AnyPath) -> None:
    """Remove the schema with all its data, and the recording files, of which no row would know any more."""
    with database.transaction(engine) as connection:
        queries.run(connection, "provider/generate/drop")
    store.remove(objects / "recordings")


def _schema_exists(connection: sa.Connection) -> bool:
    return bool(queries.run(connection, "provider/generate/schema_exists").scalar_one())


def _generate(connection: sa.Connection, step: str, values: dict[str, object]) -> sa.CursorResult[*tuple[Any, ...]]:
    name = f"provider/generate/{step}"
    declared = queries.declared_parameters(queries.path_of(name).read_text(encoding="utf-8"))
    return queries.run(connection, name, {key: value for key, value in values.items() if key in declared})


def _deliver(connection: sa.Connection, at: dt.datetime) -> int:
    return queries.run(connection, "provider/generate/feed", {"at": at}).rowcount


def _write_recordings(connection: sa.Connection, objects: AnyPath, base: str) -> None:
    for row in queries.run(connection, "provider/generate/recordings"):
        path = objects / row.file_url.removeprefix(f"{base}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_recording(row.recording_id))


def _recording(recording_id: uuid.UUID) -> bytes:
    """A playable WAV file of a twentieth of a second of noise, always the same for one recording."""
    samples = hashlib.shake_128(recording_id.bytes).digest(_SAMPLES)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _SAMPLE_RATE, _SAMPLE_RATE, 1, 8)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body
