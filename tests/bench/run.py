"""Measure the nightly enforcement against hand-written statements on fresh copies, and write docs/benchmarks.md.

Figures are wall times of one machine and mean little alone; the ratios, of runs that take turns, are what is claimed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402
from tests.bench import carrier  # noqa: E402

from holdfast import database, embedded, queries, settings  # noqa: E402
from holdfast.retention import plan, runs, scan, steps  # noqa: E402
from holdfast.retention.predicate.rules import RulePredicate  # noqa: E402

TABLE = "call_timed"


@dataclass
class Bench:
    """One server, one project folder, and what was measured so far."""

    admin: sa.URL
    project: Path
    rows: int
    rounds: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peak_mb: list[float] = field(default_factory=list)

    def note(self, what: str, seconds: float) -> None:
        self.seconds.setdefault(what, []).append(seconds)
        print(f"  {what}: {seconds:.2f} s", flush=True)

    def best(self, what: str) -> float:
        return min(self.seconds[what])

    @contextmanager
    def copy(self, template: str) -> Iterator[sa.Engine]:
        """A fresh copy of a database, on disk before anything is measured."""
        with _administer(self.admin) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE work TEMPLATE {template} STRATEGY file_copy")
            connection.exec_driver_sql("CHECKPOINT")
        engine = database.engine_for(self.admin.set(database="work").render_as_string(hide_password=False))
        try:
            yield engine
        finally:
            engine.dispose()
            with _administer(self.admin) as connection:
                connection.exec_driver_sql("DROP DATABASE work WITH (FORCE)")


@contextmanager
def _administer(url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _template(bench: Bench, name: str, make: Callable[[sa.Connection], None]) -> None:
    with _administer(bench.admin) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = database.engine_for(bench.admin.set(database=name).render_as_string(hide_password=False))
    database.migrate(engine, settings.load().sql / "migrations")
    with engine.begin() as connection:
        database.run_script(connection, "CREATE SCHEMA carrier")
        make(connection)
        carrier.place_holds(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _by_hand(engine: sa.Engine, statement: str) -> float:
    values = {"first_not_due": carrier.FIRST_NOT_DUE, "today": carrier.AS_OF.date()}

    def work() -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(statement.format(name=TABLE)), values)

    return _seconds(work)


def _planned(engine: sa.Engine) -> int:
    found = settings.load()
    run_id = int(str(steps.open_run(engine, found, as_of=carrier.AS_OF, dry_run=False)["run_id"]))
    steps.refresh_holds(engine, found, run_id=run_id)
    steps.make_plan(engine, found, run_id=run_id)
    return run_id


def _enforce(bench: Bench, engine: sa.Engine, workers: int) -> float:
    """Seconds from the word go until the last of the worker processes has done its shards."""
    run_id = _planned(engine)
    policy = carrier.policy(bench.project)
    with database.snapshot(engine) as connection:
        steps.begin_execution(connection, policy, runs.get(connection, run_id), workers=workers)
    with engine.connect() as connection:
        shards = connection.execute(sa.text("SELECT shard_id FROM holdfast.shard ORDER BY shard_id")).scalars().all()
    environment = {**os.environ, settings.DATABASE_URL: engine.url.render_as_string(hide_password=False)}
    script = [sys.executable, str(ROOT / "tests" / "bench" / "worker.py"), str(run_id)]
    processes = [
        subprocess.Popen(
            [*script, *map(str, shards[n::workers])],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(workers)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    for process in processes:
        process.stdin.write("\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    told = [json.loads(process.stdout.readline()) for process in processes]  # type: ignore[union-attr]
    seconds = time.monotonic() - started
    for process in processes:
        process.wait()
    bench.peak_mb += [one["peak_mb"] for one in told]
    with engine.connect() as connection:
        due = connection.execute(sa.text("SELECT due_rows FROM holdfast.plan_rule")).scalar_one()
    assert sum(one["rows"] for one in told) == due > 0
    return seconds


def _count(bench: Bench, engine: sa.Engine) -> None:
    """The plan's counting against two hand-written ones: of the same answers, and of the due rows alone."""
    held = "(SELECT DISTINCT subject_key::bigint AS s FROM holdfast.hold WHERE released_at IS NULL)"
    due = "t.started_at < :first_not_due"
    same = (
        f"SELECT count(*), count(*) FILTER (WHERE {due} AND h.s IS NULL), count(*) FILTER (WHERE {due} AND h.s"
        f" IS NOT NULL) FROM carrier.{TABLE} AS t LEFT JOIN {held} AS h ON h.s = t.account_id"
    )
    alone = f"SELECT count(*) FROM carrier.{TABLE} AS t WHERE {due} AND t.account_id NOT IN (SELECT s FROM {held} AS x)"
    values = {"first_not_due": carrier.FIRST_NOT_DUE}
    run_id = _planned(engine)
    with database.snapshot(engine) as connection:
        setting = plan.setting_of(connection, carrier.policy(bench.project), runs.get(connection, run_id))
        predicate = RulePredicate(setting, f"{TABLE}-12m")
        for _ in range(3):
            bench.note(
                "count by hand: total, due, held", _seconds(lambda: connection.execute(sa.text(same), values).all())
            )
            bench.note("count by hand: due alone", _seconds(lambda: connection.execute(sa.text(alone), values).all()))
            bench.note("plan: all outcomes", _seconds(lambda: scan.count(connection, predicate)))


@contextmanager
def _project(folder: Path) -> Iterator[None]:
    before = os.environ.get(settings.PROJECT)
    os.environ[settings.PROJECT] = str(folder)
    queries.query.cache_clear()
    yield
    if before is not None:
        os.environ[settings.PROJECT] = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    folder.chmod(0o755)
    os.environ[settings.HOME] = str(folder / "home")
    carrier.project(folder / "delete", TABLE)
    carrier.project(folder / "anonymise", TABLE, anonymise=True)
    os.environ[settings.PROJECT] = str(folder / "delete")
    url = sa.make_url(embedded.start(folder / "postgres", "holdfast"))
    with _administer(url) as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET max_wal_size = '8GB'")
        connection.exec_driver_sql("ALTER SYSTEM SET autovacuum = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    bench = Bench(url, folder / "delete", given.rows, given.rounds)
    try:
        _measure(bench, folder)
        _write(bench)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(bench: Bench, folder: Path) -> None:
    print(f"Making {bench.rows:,} call records", flush=True)
    _template(bench, "calls", lambda c: carrier.make_calls(c, TABLE, bench.rows, mixed=False))
    for number in range(bench.rounds):
        print(f"Round {number + 1}", flush=True)
        with bench.copy("calls") as engine:
            bench.note("one DELETE by hand", _by_hand(engine, carrier.HAND_DELETE))
        for workers in (2, 1):
            with bench.copy("calls") as engine:
                bench.note(f"enforcement, {workers} shard(s)", _enforce(bench, engine, workers))
    with bench.copy("calls") as engine:
        _count(bench, engine)
    small = bench.rows // 5
    _template(bench, "small", lambda c: carrier.make_calls(c, TABLE, small, mixed=False))
    with _project(folder / "anonymise"):
        bench.project = folder / "anonymise"
        for _ in range(bench.rounds):
            with bench.copy("small") as engine:
                bench.note("one UPDATE by hand", _by_hand(engine, carrier.HAND_UPDATE))
            with bench.copy("small") as engine:
                bench.note("anonymising, 1 shard", _enforce(bench, engine, 1))
        bench.project = folder / "delete"


def _write(bench: Bench) -> None:
    rows = [
        ("enforcement, 2 shard(s)", "one DELETE by hand", 1.0),
        ("enforcement, 1 shard(s)", "one DELETE by hand", 1.25),
        ("anonymising, 1 shard", "one UPDATE by hand", 1.1),
        ("plan: all outcomes", "count by hand: total, due, held", 1.2),
    ]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {dt.datetime.now(dt.UTC):%Y-%m-%d}: {os.cpu_count()} cores, {platform.machine()},"
        f" Python {platform.python_version()}, embedded PostgreSQL 18 with its usual settings but for a",
        f"larger WAL and no autovacuum. {bench.rows:,} call records, three in ten due, 3% of accounts held, three"
        f" indexes; {bench.rounds} rounds that take turns,",
        "each on a fresh copy. A ratio is of the shortest times; load on the machine moves the seconds, and the ratio",
        "less.",
        "",
        "| what | shortest, s | against | shortest, s | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for what, floor, goal in rows:
        ratio = bench.best(what) / bench.best(floor)
        lines.append(f"| {what} | {bench.best(what):.2f} | {floor} | {bench.best(floor):.2f} | {ratio:.2f} | {goal} |")
    alone = bench.best("plan: all outcomes") / bench.best("count by hand: due alone")
    lines += [
        "",
        f"Against a hand-written count of the due rows alone the plan takes {alone:.2f} times as long: it also counts"
        " the whole dataset,",
        "what is unknown, held by type and due in 30, 60 and 90 days, and takes fingerprints.",
        "",
        f"A worker's memory at its highest: {max(bench.peak_mb):.0f} MB (goal: under 300).",
        "",
        "All times, in seconds, in the order measured:",
        "",
    ]
    for what, seconds in bench.seconds.items():
        spread = f"median {statistics.median(seconds):.2f}"
        lines.append(f"- {what}: {', '.join(f'{one:.2f}' for one in seconds)} ({spread})")
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
