"""Deletion requests: the matrix against hand-written SQL, the night against a loop, erasure against retention."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.bench import carrier, estate, matrix_by_hand, page
from tests.bench.measure import Figures, Server, at_once, clock, enforce, policy_in

from holdfast import database, queries, settings
from holdfast.deletion_requests import letters, matrix, steps
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.letters_facts import LetterRules
from holdfast.enforcement import plan, runs
from holdfast.policy.requests_model import load_requests_policy

NIGHTLY = Path(__file__).with_name("nightly.py")
REQUESTS_PER_ROW = 100
"""Rows for each request, of which every other row is about somebody who asks."""
_LOOPED = 200
_LETTERS = 200
_TODAY = carrier.AS_OF.date().isoformat()


@dataclass
class Found:
    """What was measured besides seconds."""

    size: estate.Size
    night: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    retention_rows: int = 0
    peak_mb: dict[str, float] = field(default_factory=dict)
    one_night: float = 0
    load: tuple[float, float, float] = (0, 0, 0)


def section(server: Server, rows: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure, and say what was found."""
    project = estate.project(folder / "estate")
    carrier.project(folder / "calls", "call_mixed")
    found, figures = Found(estate.Size(rows, rows // REQUESTS_PER_ROW)), Figures()
    small = estate.Size(rows // 10, rows // 10 // REQUESTS_PER_ROW)
    with policy_in(project):
        for name, size in (("small", small), ("whole", found.size)):
            print(f"Making {size.requests:,} requests over {size.rows:,} rows in 20 datasets", flush=True)
            server.make(name, partial(_fill, size=size))
            with _copy(server, name) as engine:
                told = _night(engine, figures, f"{name}: a night")
                found.peak_mb[f"{size.requests:,} requests, {size.rows:,} rows"] = told["peak_mb"]
        found.night, found.rows = told["seconds"], told["rows"]
        _assess(server, figures, rounds, project)
        _one_by_one(server, figures, found)
        _letters(server, figures, project)
        server.drop("small")
        server.drop("whole")
    found.retention_rows = _retention(server, figures, rows // 4, folder)
    found.load = os.getloadavg()
    return _text(figures, found, conditions)


@contextmanager
def _copy(server: Server, name: str) -> Iterator[sa.Engine]:
    """A fresh copy, without what a night in another copy left outside the database: seals, letters, erasures."""
    shutil.rmtree(settings.load().home, ignore_errors=True)
    with server.copy(name) as engine:
        yield engine


def _fill(connection: sa.Connection, *, size: estate.Size, state: str = "executing") -> None:
    estate.make(connection, size)
    estate.ask(connection, size, state=state)


def _night(engine: sa.Engine, figures: Figures, label: str) -> dict[str, Any]:
    """A whole night in a process of its own; without letters and notices, which are measured apart."""
    seconds, [told] = at_once(engine, NIGHTLY, [[0]])
    figures.note(label, seconds)
    return told


def _assess(server: Server, figures: Figures, rounds: int, project: Path) -> None:
    """The matrix, set-based and by hand, in turns in one database. Both must be the same to the last column."""
    policy = estate.policy(project)
    with _copy(server, "whole") as engine:
        opened = steps.open_run(engine, settings.load(), as_of=carrier.AS_OF, dry_run=False)
        run_id = int(str(opened["run_id"]))

        def assess() -> None:
            with database.transaction(engine) as connection:
                now = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
                matrix.fill_scope(connection, policy, carrier.AS_OF.date())
                setting = plan.setting_at(connection, policy, runs.get(connection, run_id), now)
                matrix.assess(connection, setting, run_id)

        def by_hand() -> None:
            with database.transaction(engine) as connection:
                matrix_by_hand.fill(connection, run_id, _TODAY)

        for _ in range(rounds):
            figures.note("the matrix by hand", clock(by_hand))
            figures.note("the matrix", clock(assess))
            with database.transaction(engine) as connection:
                assert matrix_by_hand.differences(connection, run_id) == 0
                matrix_by_hand.forget(connection)
                queries.run(connection, "deletion_requests/forget_decisions", {"run_id": run_id})
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM holdfast.request_decision")


def _one_by_one(server: Server, figures: Figures, found: Found) -> None:
    """A loop by hand over some requests, and the product's own night for a single one."""
    with _copy(server, "whole") as engine:
        opened = steps.open_run(engine, settings.load(), as_of=carrier.AS_OF, dry_run=False)
        number = min(_LOOPED, found.size.requests)
        seconds = matrix_by_hand.loop(engine, int(str(opened["run_id"])), _TODAY, number)
        figures.note("one request in a loop by hand", seconds / number)
    with _copy(server, "whole") as engine:
        with engine.begin() as connection:
            closed = "UPDATE holdfast.deletion_request SET closed_at = received_at WHERE request_id > 1"
            connection.exec_driver_sql(closed)
        told = _night(engine, figures, "the job for a single request")
        found.one_night = sum(told["seconds"].get(step, 0) for step in _WORK)


_WORK = ("assess", "make_plan", "list_shards", "deleted", "anonymised")
"""The steps of a night that assess and erase."""


def _letters(server: Server, figures: Figures, project: Path) -> None:
    """What is written to people whose request came in, and was carried out."""
    found, policy = settings.load(), estate.policy(project)
    requests = load_requests_policy(found.policy)
    rules = LetterRules.of(requests.rules.letters)
    stationery = letters.Stationery(found, policy, Terms.of(policy, requests), rules)
    server.make("letters", partial(_fill, size=estate.Size(_LETTERS * REQUESTS_PER_ROW, _LETTERS), state="approved"))
    with _copy(server, "letters") as engine:
        opened = steps.open_run(engine, found, as_of=carrier.AS_OF, dry_run=False)
        run_id = int(str(opened["run_id"]))
        write = partial(letters.write_owed, engine, stationery, run_id=run_id, now=carrier.AS_OF)
        figures.note("acknowledgements", clock(write))
        at_once(engine, NIGHTLY, [[0, "seal_run", "conclude"]])
        figures.note("outcome letters", clock(write))
        with engine.connect() as connection:
            written = "SELECT count(*) FROM holdfast.request_letter WHERE kind = 'outcome'"
            assert connection.exec_driver_sql(written).scalar_one() == _LETTERS
    server.drop("letters")


def _retention(server: Server, figures: Figures, rows: int, folder: Path) -> int:
    """Retention's engine over call records, three in ten of them due; how many it deleted."""
    server.make("calls", partial(carrier.make_held_calls, name="call_mixed", rows=rows, mixed=True))
    with policy_in(folder / "calls"), server.copy("calls") as engine:
        seconds, told = enforce(engine, 1)
        figures.note("retention: one shard", seconds)
    server.drop("calls")
    return sum(one["rows"] for one in told)


def _text(figures: Figures, found: Found, conditions: dict[str, str]) -> str:
    size, best = found.size, figures.best
    work = sum(found.night.get(step, 0) for step in _WORK)
    looped = best("one request in a loop by hand") * size.requests
    singly = found.one_night * size.requests
    rate = found.rows["deleted"] / found.night["deleted"]
    of_retention = found.retention_rows / best("retention: one shard")
    lines = [
        page.conditions(conditions, found.load),
        f"{size.requests:,} requests for the whole account, of {size.accounts:,} accounts that 20 datasets with"
        f" {size.rows:,} rows in\ntotal are about: plain ones, some that a law keeps, some that lead to the account"
        " through others, some that are\nanonymised; 7% of accounts are held. Fresh copies.",
        "",
        "| what | seconds | against | seconds | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| the matrix: {size.requests * 20:,} decisions | {best('the matrix'):.1f} | the same matrix by hand |"
        f" {best('the matrix by hand'):.1f} | {figures.ratio('the matrix', 'the matrix by hand'):.2f} | at most 1.3 |",
        f"| assess, plan and erase all | {work:.0f} | the job once for each request, extrapolated from one |"
        f" {singly:,.0f} | {singly / work:,.0f} times faster | 100 times |",
        f"| assess, plan and erase all | {work:.0f} | a loop by hand, extrapolated from {_LOOPED} requests |"
        f" {looped:,.0f} | {looped / work:,.0f} times faster | |",
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        f"| rows deleted for requests, one worker | {rate:,.0f} a second, over 18 datasets | that of retention |",
        f"| rows that retention deletes, one worker | {of_retention:,.0f} a second, over one table | |",
        *(f"| memory of the night's process, {what} | {mb:.0f} MB | the same |" for what, mb in found.peak_mb.items()),
        f"| a letter, as HTML and PDF | {1000 * best('outcome letters') / _LETTERS:.0f} ms | |",
        "",
        "The matrix by hand is one INSERT for each dataset by somebody who knows these tables. Decision, reason, rows,"
        " ends and\nreviews of all decisions are compared and the same; what a letter may tell is counted by ours"
        " alone. The loop by hand\nlooks everything up by indexes, assesses and deletes in one transaction for each"
        " request, and does nothing of what makes\nthe night safe: no plan, no ledger, no second look at the holds.",
        "",
        "The steps of the night in seconds: "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in found.night.items())
        + ".",
        "",
        "All times in seconds, in the order measured:",
        "",
        *(f"- {what}: {', '.join(f'{one:.3g}' for one in seconds)}" for what, seconds in figures.seconds.items()),
    ]
    return "\n".join(lines) + "\n"
