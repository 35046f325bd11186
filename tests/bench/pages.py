"""The pages inside Airflow over millions of rows: how long each takes, one after another, for one user."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from fastapi import FastAPI, Request
from starlette.testclient import TestClient
from tests.bench import page
from tests.bench.measure import Server
from tests.holdfast.pages import nights

from holdfast import settings
from holdfast.pages import app as pages
from holdfast.pages.access import Identity
from holdfast.pages.gate import AirflowRun

NIGHTS = 365
ROUNDS = 100
SEED = "ab" * 32
FILL = (  # what grows behind the pages, each with its share of the rows
    (
        0.3,
        "INSERT INTO holdfast.ledger_entry SELECT n, now(), 1 + n % :nights, 'batch_deleted', repeat('x', 200),"
        " decode(:seed, 'hex'), decode(:seed, 'hex') FROM generate_series(1, :rows) AS n",
    ),
    (
        0.3,
        "INSERT INTO holdfast.request_decision (run_id, request_id, dataset, decision, reason, rows_found, rows_acted,"
        " rows_held, rows_exempt) SELECT 1 + n / 25 % :nights, 1 + n / 25, 'd' || n % 25, 'erase', 'r', 1, 1, 0, 0"
        " FROM generate_series(0, :rows - 1) AS n",
    ),
    (
        0.388,
        "INSERT INTO emergency.number_record (provider, number, state, sequence, line_no, submitted_at, filled)"
        " SELECT 'HFT', 'n' || n, 'registered', 1, n, now(), 7 FROM generate_series(1, :rows) AS n",
    ),
    (
        0.012,  # as many as the invented provider has for so many rows
        "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, subject_key,"
        " placed_at, placed_by) SELECT 'billing', 'r' || n, 'BILLING_OPEN_BALANCE', 'billing', 'g', TRUE, 's' || n,"
        " now(), 'source' FROM generate_series(1, :rows) AS n",
    ),
)


class Door:
    """One user, who may do all that compliance staff may."""

    async def identify(self, request: Request) -> Identity:
        return Identity("dpo", "dpo", "simple", ("user",))

    async def may_read_dag(self, request: Request, dag_id: str) -> bool:
        return True

    def run(self, dag_id: str, run_id: str) -> AirflowRun | None:
        return None


def section(server: Server, rows: int, conditions: dict[str, str]) -> str:
    """Measure every page of the navigation; say what was found."""
    print(f"Making {rows:,} rows behind the pages", flush=True)
    server.make("pages", partial(_fill, rows=rows))
    engine = server.engine("pages")
    _shelve(settings.load().reports)
    app = pages.build(
        settings=settings.load(),
        door=Door(),
        secret=SEED,
        connect=lambda: engine,
        now=lambda: dt.datetime.now(dt.UTC),
        burst=1_000_000,
    )
    lines = [_line(entry.title, _measure(app, app.url_path_for(entry.route))) for entry in app.state.entries]
    engine.dispose()
    server.drop("pages")
    return "\n".join(
        [
            f"Over {rows:,} rows of ledger, matrix of requests, 999 numbers and holds, and {NIGHTS * 3:,} reports: each"
            f" page {ROUNDS} times, one after another, in the process of the server. Airflow's own check of the log-in,"
            " some milliseconds, and the way to the browser are not in it. Goal: 300 ms at the 95th percentile.",
            "",
            "| page | median | 95th percentile | the first time |",
            "| --- | --- | --- | --- |",
            *lines,
            "",
            page.conditions(conditions, os.getloadavg()),
        ]
    )


def _fill(connection: sa.Connection, *, rows: int) -> None:
    policy = "sha256:" + "0" * 64
    connection.execute(
        sa.text(
            "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state)"
            " SELECT 'retention_nightly', now() - n * interval '1 day', current_date - n, 'enforce', :policy, 'sealed'"
            " FROM generate_series(:nights, 1, -1) AS n"
        ),
        {"policy": policy, "nights": NIGHTS},
    )
    connection.execute(
        sa.text(
            "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at)"
            " SELECT 'R' || n, 'form', 's' || n, now() - n * interval '1 minute' FROM generate_series(1, :rows) AS n"
        ),
        {"rows": int(rows * 0.3) // 25},
    )
    for share, statement in FILL:
        values = {"rows": int(rows * share), "nights": NIGHTS, "seed": SEED}
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        connection.execute(sa.text(statement), used)
    connection.execute(sa.text("UPDATE holdfast.ledger_head SET seq = :rows"), {"rows": int(rows * 0.3)})


def _shelve(reports: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    for number in range(NIGHTS):
        day = (today - dt.timedelta(days=number)).isoformat()
        for job in ("retention_nightly", "deletion_requests_reconcile", "emergency_data_999"):
            nights.report(reports, job, day, **nights.retention(number))


def _measure(app: FastAPI, path: str) -> list[float]:
    """Milliseconds of each request, the first one first."""
    browser = TestClient(app)
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        answer = browser.get(path)
        taken.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return taken


def _line(title: str, taken: list[float]) -> str:
    first, *rest = taken
    high = statistics.quantiles(rest, n=20)[-1]
    return f"| {title} | {statistics.median(rest):.0f} ms | {high:.0f} ms | {first:.0f} ms |"
