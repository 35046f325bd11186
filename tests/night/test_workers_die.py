"""Three workers, Redis, PostgreSQL, an object store, nothing in common: a machine dies while rows are being deleted.

`make drill-workers` does it over 10,000,000 rows (`HOLDFAST_DRILL_WORKERS`). One worker is killed for good with all
that it was doing, then Redis is killed and started again, then the scheduler. Whatever Airflow says of the run, the
database's own account of it is what is compared.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.night import cluster
from tests.night.cluster import PROJECT, WORKERS, Cluster
from tests.night.stack import RUN_OF_A_NIGHT

from holdfast import database, roles, store
from holdfast.deletion_requests.intake import inbox_of
from holdfast.evidence import verify
from holdfast.evidence.copies import Copies
from holdfast.holds import register
from holdfast.night import processes
from holdfast.night.api import Api
from holdfast.policy.load import load_policy
from holdfast.reports import shelf
from holdfast.run_history.client import AirflowRefused, AirflowSilent
from holdfast.settings import Settings
from holdfast.synthetic import provider, requests

ROWS = int(os.environ.get("HOLDFAST_DRILL_WORKERS", "0"))
DAG = "retention_nightly"
OTHERS = ("suspension_facts_nightly", "deletion_requests_reconcile", "emergency_data_999")
ACCOUNTS = 400
HELD = (1001, 1040)
RUN_SECONDS = 7_200
OF_A_MACHINE_ALONE = {"matplotlib"}
"""What may lie in the home of one: caches."""

pytestmark = [
    pytest.mark.skipif(not ROWS, reason="make drill-workers"),
    pytest.mark.skipif(bool(cluster.missing()), reason=f"needs Debian's packages: {', '.join(cluster.missing())}"),
]


class Site:
    """The provider's database, and what is true of it whatever Airflow says."""

    def __init__(self, up: Cluster) -> None:
        self.up = up
        given = up.environment("auditor")
        self.checkpoints = given["HOLDFAST_CHECKPOINTS"]
        self.settings = Settings(
            home=up.root / "auditor" / "holdfast",
            project=up.project,
            database_url=up.url("telco"),
            store_url=given["HOLDFAST_STORE"],
            ledger_key_text=given["HOLDFAST_LEDGER_KEY"],
        )
        self.engine = database.connect(self.settings)
        self.api = Api(f"http://127.0.0.1:{up.ports['api']}")
        self.night = dt.datetime.now(dt.UTC).replace(microsecond=0)

    def fill(self) -> None:
        """A provider with holds, and ROWS log-ins that are past their period, a tenth of them held."""
        database.migrate(self.engine, self.settings.sql / "migrations")
        objects = self.settings.store / "objects"
        provider.make(self.engine, accounts=ACCOUNTS, seed=42, as_of=self.night, objects=objects)
        requests.make(self.engine, inbox_of(self.settings), as_of=self.night)
        roles.renew(self.engine, self.settings)
        given = {"rows": ROWS, "accounts": ACCOUNTS, "latest": self.night - dt.timedelta(days=400)}
        with self.engine.begin() as connection:
            connection.execute(sa.text(_LOGINS), given)
        policy = load_policy(self.settings.policy)
        with database.transaction(self.engine) as connection:
            for account in range(HELD[0], HELD[1] + 1):
                names = {"hold_type": "LITIGATION", "reference": f"drill-{account}", "placed_by": "anna"}
                register.place(connection, policy, **names, subject_key=str(account))
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")

    def begin_night(self, dag: str) -> str:
        provider.deliver_feeds(self.engine, dt.datetime.now(dt.UTC))
        self.patiently(lambda: self.api.unpause(dag))
        return str(self.patiently(lambda: self.api.trigger(dag, self.night)))

    def end_of(self, dag: str, run: str) -> str:
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            state = self.patiently(lambda: self.api.run_state(dag, run))
            if state in ("success", "failed"):
                return str(state)
            time.sleep(1)
        raise AssertionError(f"{run} did not end within {RUN_SECONDS} s")

    def patiently(self, ask: Any) -> Any:
        deadline = time.monotonic() + 300
        while True:
            try:
                return ask()
            except (AirflowSilent, AirflowRefused):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def log_in(self) -> None:
        self.api.log_in("admin", self.up.passwords["admin"])
        if not all(map(self.api.has_dag, (DAG, *OTHERS))):
            raise AirflowSilent("Not every DAG is there.", fix="wait.")

    def run(self) -> sa.Row[Any]:
        with self.engine.connect() as connection:
            return connection.execute(sa.text(RUN_OF_A_NIGHT), {"day": self.night.date()}).one()

    def share_done(self) -> float:
        """How much of what was planned is deleted by now."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.text(RUN_OF_A_NIGHT), {"day": self.night.date()}).one_or_none()
        return float(found.worked / found.planned) if found and found.planned else 0.0

    def held(self) -> list[Any]:
        """Number and checksum of the rows of people under a hold."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(_HELD), {"first": HELD[0], "last": HELD[1]})]

    def verdict(self) -> verify.Verdict:
        with self.engine.connect() as connection:
            return verify.verify(connection, self.settings.seals, Copies(self.checkpoints)).verdict

    def logins(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM provider.login_event")).scalar_one())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = tmp_path_factory.mktemp("project")
    with cluster.cluster(_with_wide_caps(project)) as up:
        made = Site(up)
        made.fill()
        up.once("db", "migrate")
        up.once("pools", "import", str(PROJECT / "deploy" / "pools.json"))
        for name in ("api-server", "scheduler", "dag-processor", "triggerer", *WORKERS):
            up.start_component(name)
        made.patiently(made.log_in)
        yield made
        made.engine.dispose()


def _with_wide_caps(project: Path) -> Path:
    """The project as it is, but for the caps: nobody is there to approve ten million rows."""
    (project / "policy").mkdir()
    for path in PROJECT.iterdir():
        if path.name in ("dags", "plugins", "sql", "expectations"):
            (project / path.name).symlink_to(path)
    for path in (PROJECT / "policy").iterdir():
        (project / "policy" / path.name).symlink_to(path)
    schedule = project / "policy" / "retention_schedule.yaml"
    text = schedule.read_text()
    schedule.unlink()
    caps = "caps: {rows: 500000, share: 0.05, overdue_days: 45}"
    assert caps in text
    schedule.write_text(text.replace(caps, "caps: {rows: 1000000000, share: 1, overdue_days: 100000}"))
    return project


def _at_work(up: Cluster) -> str:
    """A worker with a task: its only process for tasks has another below it."""
    found: list[str] = []

    def any_at_work() -> bool:
        for name in WORKERS:
            below = processes.descendants(up.running[name].pid)
            if any(processes.descendants(one) for one in below):
                found.append(name)
        return bool(found)

    up.wait_for("a worker at work", any_at_work)
    return found[0]


def test_a_run_ends_right_though_a_worker_dies_and_redis_and_the_scheduler_are_restarted(site: Site) -> None:
    up, held, logins = site.up, site.held(), site.logins()
    run = site.begin_night(DAG)
    up.wait_for("the deletions", lambda: site.share_done() > 0.1, RUN_SECONDS)
    began = time.monotonic()
    dead = _at_work(up)
    shares = [site.share_done()]
    up.kill(dead)
    up.wait_for("more deletions", lambda: site.share_done() > 0.25, RUN_SECONDS)
    shares.append(site.share_done())
    up.kill("redis")
    time.sleep(2)
    up.start_redis()
    up.wait_for("more deletions", lambda: site.share_done() > 0.4, RUN_SECONDS)
    shares.append(site.share_done())
    up.kill("scheduler")
    time.sleep(2)
    up.start_component("scheduler")
    state = site.end_of(DAG, run)
    seconds = time.monotonic() - began
    attempts = sum(max(0, task.attempt - 1) for task in site.patiently(lambda: site.api.tasks(DAG, run)))

    ours = site.run()
    assert max(shares) < 1, "the blows came after the work"
    assert state == "success"
    assert ours.state == "sealed"
    assert ours.worked == ours.entered >= ours.planned > 0.8 * ROWS
    assert site.held() == held
    assert logins - site.logins() > 0.8 * ROWS
    assert attempts >= 1, "the dead worker's task was not tried again"
    assert site.verdict() is verify.Verdict.OK
    [report] = shelf.reports(site.settings.reports)
    assert report.data()["run"]["state"] == "sealed"
    assert all(report.read(name) for name in report.files)
    assert_nothing_is_kept_at_home(up)
    assert all("received" in up.log(name) for name in WORKERS), "not every worker had a task"
    print(
        f"{ROWS:,} rows, {ours.worked:,} deleted; {dead} killed at {shares[0]:.0%}, Redis at {shares[1]:.0%}, the"
        f" scheduler at {shares[2]:.0%}; attempts more: {attempts}; {seconds:.0f} s from the first blow to the end",
        flush=True,
    )
    up.start_component(dead)


def test_requests_letters_and_999_data_find_one_another_in_the_store(site: Site) -> None:
    """The other jobs of a night, whose tasks run on whichever worker is free."""
    for dag in OTHERS:
        assert site.end_of(dag, site.begin_night(dag)) == "success", dag
    kept = site.settings
    assert store.files(kept.inbox / "deletion_requests") == []
    assert len(store.files(kept.inbox / "deletion_requests" / "done")) == 2  # the list, and what came of it
    assert len(list(kept.letters.glob("*/*/letter.pdf"))) > 0
    assert len(store.files(kept.erasures, ".jsonl")) == 1
    assert len(store.files(kept.emergency / "outbox", ".csv")) == 1
    assert {report.job for report in shelf.reports(kept.reports)} >= set(OTHERS[1:])
    assert site.verdict() is verify.Verdict.OK
    assert_nothing_is_kept_at_home(site.up)


def assert_nothing_is_kept_at_home(up: Cluster) -> None:
    for name in (*WORKERS, "api-server", "scheduler", "dag-processor", "triggerer"):
        home = up.root / name / "holdfast"
        assert {path.name for path in home.glob("*")} <= OF_A_MACHINE_ALONE, name


_LOGINS = """
    INSERT INTO provider.login_event (account_id, occurred_at, ip, user_agent, succeeded)
    SELECT 1001 + i % :accounts, cast(:latest AS timestamptz) - (i % 100) * interval '1 day', '192.0.2.1', 'drill', true
    FROM generate_series(1, :rows) AS i
"""
_HELD = """
    SELECT 'login_event', count(*), bit_xor(hashtextextended(cast(t AS text), 0))
        FROM provider.login_event AS t WHERE account_id BETWEEN :first AND :last
    UNION ALL
    SELECT 'call_detail_record', count(*), bit_xor(hashtextextended(cast(t AS text), 0))
        FROM provider.call_detail_record AS t WHERE account_id BETWEEN :first AND :last
    UNION ALL
    SELECT 'message', count(*), bit_xor(hashtextextended(cast(t AS text), 0))
        FROM provider.message AS t WHERE account_id BETWEEN :first AND :last
    UNION ALL
    SELECT 'api_request_log', count(*), bit_xor(hashtextextended(cast(t AS text), 0))
        FROM provider.api_request_log AS t WHERE account_id BETWEEN :first AND :last
    UNION ALL
    SELECT 'call_recording', count(*), bit_xor(hashtextextended(cast(t AS text), 0))
        FROM provider.call_recording AS t WHERE account_id BETWEEN :first AND :last
"""
