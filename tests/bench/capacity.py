"""How a night grows with its rows: the same night over three sizes, against what the middle one predicts.

Figures are wall times, and beside them the server's processor time, which a busy machine changes less. The page
docs/capacity.md has the model; its section of that name is written by `make bench ARGS="--only capacity"`.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import sqlalchemy as sa
from tests.bench import carrier
from tests.bench.measure import Server, clock, planned, policy_in, work

from holdfast import settings
from holdfast.retention import steps

PHASES = ("plan", "delete", "verify")
HEADING = "Measured"
_MORE_INDEXES = ("calling", "called", "seconds, pence")


@dataclass(frozen=True)
class Phase:
    """What one part of a night took: seconds by the clock, and of the server's processors."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Night:
    """A night over `rows` rows of which `due` went; `indexes` the table has, `wal` bytes were written."""

    rows: int
    due: int
    indexes: int
    table_bytes: int
    wal_bytes: int
    phases: dict[str, Phase]
    load: float


def section(server: Server, rows: int, data: Path, folder: Path) -> str:
    """The section of docs/capacity.md: nights over a tenth of the rows, the rows, and five times as many."""
    carrier.project(folder / "capacity", "call_mixed")
    nights = []
    with policy_in(folder / "capacity"):
        for number, more in ((rows // 10, ()), (rows // 10, _MORE_INDEXES), (rows, ()), (5 * rows, ())):
            print(f"A night over {number:,} rows", flush=True)
            nights.append(_night(server, number, data, more))
    return _text(nights)


def write(path: Path, text: str) -> None:
    """Put the section into the page."""
    page = path.read_text(encoding="utf-8")
    changed = re.sub(rf"(^## {HEADING}\n).*?(?=^## |\Z)", lambda m: f"{m[1]}\n{text}\n\n", page, flags=re.M | re.S)
    path.write_text(changed.rstrip() + "\n", encoding="utf-8")


def _night(server: Server, rows: int, data: Path, more: Sequence[str]) -> Night:
    server.make("capacity", partial(carrier.make_held_calls, name="call_mixed", rows=rows, mixed=True))
    engine = server.engine("capacity")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for columns in more:
            connection.exec_driver_sql(f"CREATE INDEX ON carrier.call_mixed ({columns})")
        connection.exec_driver_sql("CHECKPOINT")
    phases: dict[str, Phase] = {}
    size = int(_one(engine, "SELECT pg_total_relation_size('carrier.call_mixed')"))
    try:
        began = _one(engine, "SELECT pg_current_wal_lsn()")
        runs: list[int] = []
        phases["plan"] = _timed(data, lambda: runs.append(planned(engine)))
        (run_id,) = runs
        before = _processor(data)
        wall, told = work(engine, run_id, 2)
        phases["delete"] = Phase(wall, _processor(data) - before)
        phases["verify"] = _timed(data, lambda: steps.verify_run(engine, settings.load(), run_id=run_id))
        wal = int(_one(engine, f"SELECT pg_current_wal_lsn() - cast('{began}' AS pg_lsn)"))
    finally:
        engine.dispose()
        server.drop("capacity")
    for name, one in phases.items():
        print(f"  {name}: {one.wall:.1f} s, {one.processor:.1f} s of processor", flush=True)
    return Night(rows, sum(one["rows"] for one in told), 3 + len(more), size, wal, phases, os.getloadavg()[0])


def _timed(data: Path, do: Callable[[], object]) -> Phase:
    before = _processor(data)
    wall = clock(do)
    return Phase(wall, _processor(data) - before)


def _processor(data: Path) -> float:
    """Seconds that all of the server's processes have worked so far, those that have ended included."""
    postmaster = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    times = postmaster.cpu_times()
    seconds = times.user + times.system + times.children_user + times.children_system
    for child in postmaster.children(recursive=True):
        try:
            of_child = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += of_child.user + of_child.system
    return seconds


def _one(engine: sa.Engine, statement: str) -> object:
    with engine.connect() as connection:
        return connection.execute(sa.text(statement)).scalar_one()


def _text(nights: Sequence[Night]) -> str:
    first, indexed, middle, last = nights
    per = {
        "plan": middle.phases["plan"].processor / middle.rows,
        "delete": middle.phases["delete"].processor / middle.due,
        "verify": middle.phases["verify"].processor / middle.rows,
    }
    lines = [
        f"{dt.datetime.now(dt.UTC):%d %B %Y}, {os.cpu_count()} cores that other work kept busy (load"
        f" {min(one.load for one in nights):.0f} to {max(one.load for one in nights):.0f}), PostgreSQL 18, two workers;"
        " three in ten rows due, spread over the whole table, 3% of accounts held. One night of each size.",
        "",
        "| rows | due | indexes | table | plan | delete | verify | WAL |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.rows:,} | {one.due:,} | {one.indexes} | {one.table_bytes / 1e9:.2f} GB | "
            + " | ".join(f"{p.wall:.1f} s ({p.processor:.1f})" for p in (one.phases[name] for name in PHASES))
            + f" | {one.wal_bytes / 1e9:.2f} GB |"
            for one in nights
        ),
        "",
        "In brackets: seconds of the server's processors, which other work on the machine stretches less.",
        "",
        f"Constants of the night over {middle.rows:,} rows, in seconds of processor: plan"
        f" {per['plan'] * 1e6:.2f} a million rows, deletion {per['delete'] * 1e6:.2f} a million rows due, verification"
        f" {per['verify'] * 1e6:.2f} a million rows. They predict for the others:",
        "",
        "| rows | part | predicted | measured | measured / predicted |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in (first, last):
        for name in PHASES:
            predicted = per[name] * (one.due if name == "delete" else one.rows)
            found = one.phases[name].processor
            lines.append(f"| {one.rows:,} | {name} | {predicted:.1f} s | {found:.1f} s | {found / predicted:.2f} |")
    whole = sum(p.wall for p in last.phases.values())
    more = indexed.phases["delete"].processor / first.phases["delete"].processor
    lines += [
        "",
        f"With three more indexes deletion cost {more:.2f} times as much: PostgreSQL leaves their entries to VACUUM,"
        f" which is not in these figures. The whole night over {last.rows:,} rows took {whole / 60:.1f} minutes by the"
        f" clock, {whole / last.due * 1e6:.1f} s for each million rows due.",
    ]
    return "\n".join(lines)
