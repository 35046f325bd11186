"""The undo window: what it adds to enforcement, and how long a million rows take to come back, or to be ended."""

from __future__ import annotations

import datetime as dt
import os
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from tests.bench import carrier, page
from tests.bench.measure import Figures, Server, clock, enforce, policy_in, processor

from holdfast import database, settings
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rules import RetentionSetting
from holdfast.enforcement.undo import ending, restoring
from holdfast.enforcement.undo.keys import Keys

DAYS = 7
BOUNDARY = carrier.FIRST_NOT_DUE + dt.timedelta(days=DAYS)
SAME_ROWS = "P358D"
"""Without a window, the period under which the same rows are due on the same night."""
TABLE = "call_kept"
CHECKSUM = f"SELECT count(*), bit_xor(hashtextextended(t::text, 0)) FROM carrier.{TABLE} AS t"


def section(server: Server, rows: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure it over a table of so many rows, of which three in ten are due and not held."""
    figures, sizes = Figures(), {"kept": 0, "bytes": 0, "peak": 0.0}
    carrier.project(folder / "without", TABLE, period=SAME_ROWS)
    carrier.project(folder / "within", TABLE, undo_days=DAYS)
    print(f"Making {rows:,} call records", flush=True)
    fill = partial(_fill, rows=rows)
    server.make("undo", fill)
    for _ in range(rounds):
        for workers in (1, 2):
            with policy_in(folder / "without"), server.copy("undo") as engine:
                seconds, told = enforce(engine, workers)
                figures.note(f"{workers} shards without", seconds)
                figures.note(f"{workers} shards without, processor", sum(one["processor"] for one in told))
            with policy_in(folder / "within"), server.copy("undo") as engine:
                before = _checksum(engine)
                seconds, told = enforce(engine, workers)
                figures.note(f"{workers} shards", seconds)
                figures.note(f"{workers} shards, processor", sum(one["processor"] for one in told))
                sizes["peak"] = max([sizes["peak"], *(one["peak_mb"] for one in told)])
                _bring_back(engine, figures, sizes)
                assert _checksum(engine) == before
    for what in ("end", "end, all held"):
        with policy_in(folder / "within"), server.copy("undo") as engine:
            enforce(engine, 2)
            if what != "end":
                _hold_everything(engine)
            _end(engine, figures, what)
    server.drop("undo")
    return _text(figures, rows, sizes) + "\n" + page.conditions(conditions, os.getloadavg())


def _fill(connection: sa.Connection, rows: int) -> None:
    carrier.make_calls(connection, TABLE, rows, mixed=True, days=DAYS, boundary=BOUNDARY)
    carrier.place_holds(connection)


def _checksum(engine: sa.Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        row = connection.exec_driver_sql(CHECKSUM).one()
    return row[0], row[1]


def _bring_back(engine: sa.Engine, figures: Figures, sizes: dict[str, float]) -> None:
    found = settings.load()
    key, policy = found.pseudonym_key(), carrier.policy(found.project)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE holdfast.run SET state = 'sealed'")
        run_id = connection.exec_driver_sql("SELECT max(run_id) FROM holdfast.run").scalar_one()
        sealed = connection.exec_driver_sql("SELECT sum(length(sealed)) FROM holdfast.undo_batch").scalar_one()
        asked = restoring.ask(connection, run_id=run_id, by="engineer", key=key)
        for approver in policy.schedule.approvers:
            restoring.approve(connection, policy, run_id=run_id, by=approver, key=key)
    sizes["kept"], sizes["bytes"] = asked.wanted.total, int(sealed)
    values = {"run_id": run_id, "by": "engineer", "key": key, "as_of": carrier.AS_OF.date(), "even_unheld": True}
    started = time.monotonic()
    with database.transaction(engine) as connection:
        used = processor(connection)
        done = restoring.restore(connection, policy, Keys(found.undo_keys), **values)
        used = processor(connection) - used
    figures.note("restore", time.monotonic() - started)
    figures.note("restore, processor", used)
    assert sum(done.rows.values()) == asked.wanted.total


def _hold_everything(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, placed_at,"
            " placed_by) VALUES ('hand', 'ALL', 'COURT', 'legal', 'claim', false, clock_timestamp(), 'bench')"
        )


def _end(engine: sa.Engine, figures: Figures, what: str) -> None:
    found = settings.load()
    policy = carrier.policy(found.project)
    now = dt.datetime.now(dt.UTC)
    with engine.connect() as connection:
        run_id = connection.exec_driver_sql("SELECT max(run_id) FROM holdfast.run").scalar_one()
        tables = catalogue.read(connection, policy.data_map.schemas)
    setting = RetentionSetting(policy, tables, (carrier.AS_OF + dt.timedelta(days=DAYS)).date(), now)
    figures.note(what, clock(lambda: ending.end(engine, setting, Keys(found.undo_keys), run_id)))


def _text(figures: Figures, rows: int, sizes: dict[str, float]) -> str:
    kept = int(sizes["kept"])
    lines = [
        f"{rows:,} call records, of which {kept:,} are deleted in one night, without an undo window and with one of"
        f" {DAYS} days,\nwhich keeps all of them; the rest as for retention. Restoring begins when two people have"
        " approved, and ends with the\ncommit; the table's checksum is the same afterwards. Ending is a night in which"
        " all of them are to go.",
        "",
        "| what | seconds | against | seconds | ratio |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| Enforcement with a window, {shards}{told} | {figures.best(f'{n} shards{by}'):.2f} | without |"
            f" {figures.best(f'{n} shards without{by}'):.2f} |"
            f" {figures.ratio(f'{n} shards{by}', f'{n} shards without{by}'):.2f} |"
            for n, shards in ((1, "one shard"), (2, "two shards"))
            for by, told in (("", ""), (", processor", ", processor time"))
        ),
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        f"| {kept:,} rows restored | {figures.best('restore'):.1f} s | 60 s for 1,000,000 |",
        f"| the same, processor time of server and Python | {figures.best('restore, processor'):.1f} s | |",
        f"| windows ended, nothing held | {figures.best('end'):.1f} s | |",
        f"| windows ended, every row held and encrypted anew | {figures.best('end, all held'):.1f} s | |",
        f"| encrypted, a row | {sizes['bytes'] / kept:.0f} bytes | |",
        f"| a worker's memory at its highest | {sizes['peak']:.0f} MB | 300 MB |",
        "",
        "All times in seconds, in the order measured:",
        "",
        *(f"- {what}: {', '.join(f'{one:.2f}' for one in seconds)}" for what, seconds in figures.seconds.items()),
    ]
    return "\n".join(lines) + "\n"
