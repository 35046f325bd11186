"""Fresh copies of a database, worker processes, and the seconds that work on them took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.bench import carrier

from holdfast import database, queries, settings
from holdfast.enforcement import night, runs
from holdfast.retention import steps

WORKER = Path(__file__).with_name("worker.py")
BY_HAND = {"first_not_due": carrier.FIRST_NOT_DUE, "today": carrier.AS_OF.date()}


@dataclass(frozen=True)
class Server:
    """The server that everything is measured on. `url` names any of its databases."""

    url: sa.URL

    def execute(self, *statements: str) -> None:
        """Outside any transaction, in the database that always exists."""
        engine = sa.create_engine(self.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def engine(self, name: str) -> sa.Engine:
        return database.engine_for(self.url.set(database=name).render_as_string(hide_password=False))

    def make(self, name: str, fill: Callable[[sa.Connection], None]) -> None:
        """A database with the registers, and whatever `fill` makes in the schema `carrier`."""
        self.execute(f"CREATE DATABASE {name}")
        engine = self.engine(name)
        database.migrate(engine, settings.load().sql / "migrations")
        with engine.begin() as connection:
            database.run_script(connection, "CREATE SCHEMA carrier")
            fill(connection)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        engine.dispose()

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def copy(self, template: str) -> Iterator[sa.Engine]:
        """A fresh copy of a database, all of it on disk before anything is measured."""
        self.execute(f"CREATE DATABASE work TEMPLATE {template} STRATEGY file_copy", "CHECKPOINT")
        engine = self.engine("work")
        try:
            yield engine
        finally:
            engine.dispose()
            self.drop("work")


@dataclass
class Figures:
    """Seconds by what took them, in the order measured."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, seconds: float) -> None:
        self.seconds.setdefault(what, []).append(seconds)
        print(f"  {what}: {seconds:.2f} s", flush=True)

    def best(self, what: str) -> float:
        return min(self.seconds[what])

    def ratio(self, what: str, against: str) -> float:
        """Of the shortest times."""
        return self.best(what) / self.best(against)


def clock(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def processor(connection: sa.Connection) -> float:
    """Seconds of processor time that the server's process behind this connection has used, and this process."""
    pid = connection.execute(sa.select(sa.func.pg_backend_pid())).scalar_one()
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


@contextmanager
def policy_in(folder: Path) -> Iterator[None]:
    """Let everything that is started meanwhile use this project folder."""
    before = os.environ.pop(settings.PROJECT, None)
    os.environ[settings.PROJECT] = str(folder)
    queries.query.cache_clear()
    try:
        yield
    finally:
        del os.environ[settings.PROJECT]
        if before is not None:
            os.environ[settings.PROJECT] = before
        queries.query.cache_clear()


def by_hand(engine: sa.Engine, name: str, *statements: str) -> float:
    """Seconds that hand-written statements take in one transaction."""

    def work() -> None:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(sa.text(statement.format(name=name)), BY_HAND)
                if result.returns_rows:
                    result.all()

    return clock(work)


def planned(engine: sa.Engine) -> int:
    """A run of the night, with its plan."""
    found = settings.load()
    run_id = int(str(steps.open_run(engine, found, as_of=carrier.AS_OF, dry_run=False)["run_id"]))
    steps.refresh_holds(engine, found, run_id=run_id)
    steps.make_plan(engine, found, run_id=run_id)
    return run_id


def enforce(engine: sa.Engine, workers: int) -> tuple[float, list[dict[str, Any]]]:
    """Plan, and then as `work`."""
    return work(engine, planned(engine), workers)


def work(engine: sa.Engine, run_id: int, workers: int) -> tuple[float, list[dict[str, Any]]]:
    """Seconds from the word go until the last worker process has done its shards, and what each told."""
    policy = carrier.policy(settings.load().project)
    with database.snapshot(engine) as connection:
        night.begin_execution(connection, policy, runs.get(connection, run_id), workers=workers)
    with engine.connect() as connection:
        shards = connection.execute(sa.text("SELECT shard_id FROM holdfast.shard ORDER BY shard_id")).scalars().all()
        due = connection.execute(sa.text("SELECT sum(due_rows) FROM holdfast.plan_rule")).scalar_one()
    seconds, told = at_once(engine, WORKER, [[run_id, *shards[n::workers]] for n in range(workers)])
    assert sum(one["rows"] for one in told) == due > 0
    return seconds, told


def at_once(
    engine: sa.Engine, script: Path, arguments: Sequence[Sequence[object]]
) -> tuple[float, list[dict[str, Any]]]:
    """Seconds until the last process of these has ended its work, from the word go, and what each told."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),  # they import what this process does
        settings.DATABASE_URL: engine.url.render_as_string(hide_password=False),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), *map(str, one)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for one in arguments
    ]
    pipes = [(process.stdin, process.stdout) for process in processes]
    for _, out in pipes:
        assert out is not None
        assert out.readline() == "ready\n"
    started = time.monotonic()
    for to, _ in pipes:
        assert to is not None
        to.write("\n")
        to.flush()
    told = [json.loads(out.readline()) for _, out in pipes if out is not None]
    seconds = time.monotonic() - started
    for process in processes:
        process.wait()
    return seconds, told
