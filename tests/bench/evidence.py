"""The ledger: what it adds to enforcement, and how long a million entries take to verify, here and by an outsider."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from tests.bench import carrier, page
from tests.bench.measure import Figures, Server, clock, enforce, policy_in

from holdfast import database
from holdfast.evidence import checkpoint, offline, pack, verify

ENTRIES_OF_A_CHECKPOINT = 1_000
WITHOUT = """
CREATE OR REPLACE FUNCTION holdfast.ledger_append(kind text, facts text, run_id bigint) RETURNS bigint
LANGUAGE sql AS 'SELECT 1::bigint'
"""
"""No ledger: what asks for an entry is answered at once. Only ever in a copy that is thrown away."""
GROW = """
SELECT count(holdfast.ledger_append('batch_deleted',
    '{"batch":' || n || ',"dataset":"contacts","epoch":1,"from_block":0,"rows":35,"rule":"contacts-6y","shard":8,'
    || '"to_block":51}', NULL)) FROM generate_series(1, %s) AS n
"""
HERE, AWAY, PACKED, DONE = "verify, in the database", "verify, from a pack", "write the pack", "enforcement"


def section(server: Server, rows: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure enforcement of so many rows with the ledger and without, and a ledger of a tenth as many entries."""
    figures = Figures()
    batches = _enforcement(server, figures, rows, rounds, folder)
    entries = rows // 10
    size = _verification(server, figures, entries, rounds, folder)
    return _text(figures, rows, batches, entries, size) + "\n" + page.conditions(conditions, os.getloadavg())


def _enforcement(server: Server, figures: Figures, rows: int, rounds: int, folder: Path) -> int:
    """How many batches there were."""
    carrier.project(folder / "ledger", "call_mixed")
    print(f"Making {rows:,} call records", flush=True)
    server.make("ledger", partial(carrier.make_held_calls, name="call_mixed", rows=rows, mixed=True))
    batches = 0
    with policy_in(folder / "ledger"):
        for _ in range(rounds):
            for workers in (1, 2):
                for suffix in ("", " without"):
                    with server.copy("ledger") as engine:
                        if suffix:
                            _without_ledger(engine)
                        seconds, told = enforce(engine, workers)
                        figures.note(f"{DONE}, {workers} shards{suffix}", seconds)
                        batches = sum(one["batches"] for one in told)
    server.drop("ledger")
    return batches


def _without_ledger(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(WITHOUT)


def _verification(server: Server, figures: Figures, entries: int, rounds: int, folder: Path) -> int:
    """The pack's bytes."""
    print(f"Making {entries:,} entries", flush=True)
    server.make("entries", lambda _connection: None)
    engine = server.engine("entries")
    log = checkpoint.open_log(folder / "ledger.key", (folder / "copies").as_uri())
    for first in range(0, entries, ENTRIES_OF_A_CHECKPOINT):
        some = min(ENTRIES_OF_A_CHECKPOINT, entries - first)
        with engine.begin() as connection:
            connection.exec_driver_sql(GROW, (some,))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM holdfast.ledger_head")  # as autovacuum would, which is off here
        checkpoint.sign(engine, log, dt.datetime.now(dt.UTC))
    file = folder / "pack.zip"
    for _ in range(rounds):
        figures.note(HERE, clock(lambda: _verified(engine, folder, log, entries)))
        figures.note(PACKED, clock(lambda: _pack(engine, log, file)))
        figures.note(AWAY, clock(lambda: _verified_away(file, log, entries)))
    engine.dispose()
    server.drop("entries")
    return file.stat().st_size


def _verified(engine: sa.Engine, folder: Path, log: checkpoint.Log, entries: int) -> None:
    with engine.connect() as connection:
        found = verify.verify(connection, folder / "seals", log.copies)
    assert (found.verdict, found.entries) == (verify.Verdict.OK, entries), found


def _pack(engine: sa.Engine, log: checkpoint.Log, file: Path) -> None:
    with database.snapshot(engine) as connection:
        found = pack.read(connection, log.copies)
        pack.make(found, log.key, pack.of_period(connection, None, None), file, lambda _about: [])


def _verified_away(file: Path, log: checkpoint.Log, entries: int) -> None:
    """By the module alone, as an auditor has it: no database, no Airflow, nothing of ours beside it."""
    command = [sys.executable, "-I", offline.__file__, str(file), "--key", str(log.key.public)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(f"OK: {entries} entries"), done.stdout


def _text(figures: Figures, rows: int, batches: int, entries: int, size: int) -> str:
    compared = ((1, "one shard"), (2, "two shards"))
    return "\n".join(
        [
            f"What the ledger adds to enforcement: {rows:,} call records as under Retention, {batches} batches, against"
            " the same\nwith a `ledger_append` that does nothing, in turns on fresh copies.",
            "",
            "| what | seconds | without a ledger | ratio | goal |",
            "| --- | --- | --- | --- | --- |",
            *(_row(figures, f"{DONE}, {workers} shards", f"Enforcement, {name}") for workers, name in compared),
            "",
            f"A ledger of {entries:,} entries with a signed checkpoint each {ENTRIES_OF_A_CHECKPOINT:,}. The pack is"
            f" {size / 1e6:.1f} MB.",
            "",
            "| what | seconds | goal |",
            "| --- | --- | --- |",
            *(
                f"| {what} | {figures.best(what):.1f} ({statistics.median(figures.seconds[what]):.1f}) | {goal} |"
                for what, goal in ((HERE, "10 s"), (AWAY, "10 s"), (PACKED, ""))
            ),
            "",
            "Seconds are the shortest of the rounds and, in brackets, their median; ratios are of the shortest.",
            "",
        ]
    )


def _row(figures: Figures, ours: str, what: str) -> str:
    floor = f"{ours} without"
    ratio = figures.ratio(ours, floor)
    return f"| {what} | {figures.best(ours):.2f} | {figures.best(floor):.2f} | {ratio:.2f} | 1.1 |"
