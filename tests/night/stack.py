"""Airflow's components as a real installation runs them: each kept up by a watcher that starts it again when it dies.

`holdfast run` ends with the first component that ends; a service manager goes on. Nights follow one another by their
logical dates, a day apart, so that many can be run in an hour.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from tests.night.installation import Installation, installed

from holdfast import database, roles
from holdfast.evidence import verify
from holdfast.evidence.copies import Copies
from holdfast.night import configuration, postgres, processes, supervisor
from holdfast.night.api import Api
from holdfast.policy.load import load_policy
from holdfast.run_history.client import AirflowRefused, AirflowSilent
from holdfast.settings import Settings
from holdfast.synthetic import provider

DAG = "retention_nightly"
ACCOUNTS = 400
_RUN_SECONDS = 900
_POLL_SECONDS = 1.0


@dataclass
class Component:
    """One process and its successors."""

    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0


@dataclass
class Stack:
    """An installation whose components are up."""

    installation: Installation
    engine: sa.Engine
    airflow: configuration.Airflow
    api: Api
    dag: str
    first_night: dt.datetime
    components: dict[str, Component] = field(default_factory=dict)
    nights: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)

    # --- components -----------------------------------------------------------------------------------------------

    def start(self, name: str, command: list[str]) -> None:
        """Start a component, and start it again whenever it ends."""
        self.components[name] = Component(command)
        threading.Thread(target=self._keep, args=(name,), daemon=True).start()

    def _keep(self, name: str) -> None:
        component = self.components[name]
        with (self.installation.home / "logs" / f"{name}.log").open("ab") as log:
            while not self._stopping.is_set():
                component.process = subprocess.Popen(
                    component.command,
                    env=dict(self.airflow.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
                component.starts += 1
                component.process.wait()
                time.sleep(_POLL_SECONDS)

    def pid(self, name: str) -> int:
        process = self.components[name].process
        assert process is not None
        return process.pid

    def at_work(self) -> tuple[int, int]:
        """The supervisor of a task, and the task, as processes. Waits until there is one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for worker in processes.descendants(self.pid("scheduler")):
                if below := processes.descendants(worker):
                    return worker, below[0]
            time.sleep(0.05)
        raise AssertionError("no task is at work")

    def stop(self) -> None:
        """End the components and whatever they left behind; the database goes on."""
        self._stopping.set()
        database_server = int((self.settings.postgres_data / "postmaster.pid").read_text().split()[0])
        while left := set(processes.descendants(os.getpid())) - {
            database_server,
            *processes.descendants(database_server),
        }:
            processes.send(left, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)

    # --- nights ---------------------------------------------------------------------------------------------------

    def begin_night(self) -> tuple[dt.datetime, str]:
        """Trigger the next night, with sources that have just delivered; its date and the run's id."""
        self.nights += 1
        night = self.first_night + dt.timedelta(days=self.nights)
        provider.deliver_feeds(self.engine, dt.datetime.now(dt.UTC))
        return night, str(self.patiently(lambda: self.api.trigger(self.dag, night)))

    def end_of(self, run: str) -> str:
        """The state in which the run ends; whatever Airflow says meanwhile is only that."""
        deadline = time.monotonic() + _RUN_SECONDS
        while time.monotonic() < deadline:
            state = self.patiently(lambda: self.api.run_state(self.dag, run))
            if state in ("success", "failed"):
                return str(state)
            time.sleep(_POLL_SECONDS)
        raise AssertionError(f"{run} did not end within {_RUN_SECONDS} s")

    def attempts(self, run: str) -> int:
        """How often the tasks of a run were tried beyond their first time."""
        return sum(max(0, task.attempt - 1) for task in self.patiently(lambda: self.api.tasks(self.dag, run)))

    def patiently(self, ask: Callable[[], Any]) -> Any:
        """An answer of the API, once it answers again."""
        deadline = time.monotonic() + 300
        while True:
            try:
                return ask()
            except (AirflowSilent, AirflowRefused) as error:
                if time.monotonic() > deadline or (isinstance(error, AirflowRefused) and error.facts["status"] < 500):
                    raise
                time.sleep(_POLL_SECONDS)

    @contextlib.contextmanager
    def deletions_wait(self) -> Iterator[sa.Connection]:
        """While the block lasts nobody can delete a call: the worker tries, steps back and tries again."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("LOCK TABLE provider.call_detail_record IN SHARE MODE")
            yield connection
            connection.rollback()

    def wait_for_a_deletion(self) -> None:
        """Return once a worker has asked for the lock that `deletions_wait` keeps."""
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IN"
            " (SELECT relid FROM pg_partition_tree('provider.call_detail_record'))"
        )
        deadline = time.monotonic() + 480
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not connection.exec_driver_sql(waiting).scalar_one():
                assert time.monotonic() < deadline, "no worker came to the deletion"
                time.sleep(0.02)

    # --- what is true, whatever Airflow says --------------------------------------------------------------------------

    def run_of(self, night: dt.datetime) -> sa.Row[Any]:
        """Our run of a night: state, and rows as planned, as worked and as entered into the ledger."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(RUN_OF_A_NIGHT), {"day": night.date()}).one()

    def held(self) -> str:
        """A checksum of all rows of the people under a hold."""
        with self.engine.connect() as connection:
            return str(connection.execute(sa.text(_HELD)).scalar_one())

    def verdict(self) -> verify.Verdict:
        given = self.settings
        with self.engine.connect() as connection:
            return verify.verify(connection, given.seals, Copies(given.checkpoints)).verdict

    @property
    def settings(self) -> Settings:
        return self.installation.settings


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    """An installation of a provider that is some months old, with holds, and Airflow up on it."""
    first = dt.datetime.now(dt.UTC).replace(hour=1, minute=30, second=0, microsecond=0) - dt.timedelta(days=120)
    with installed() as made, up_on(made, DAG, accounts=ACCOUNTS, first=first) as up:
        _hold(up.engine, up.settings)
        yield up


@contextlib.contextmanager
def up_on(made: Installation, dag: str, *, accounts: int, first: dt.datetime) -> Iterator[Stack]:
    """Airflow up on an installation of a provider as it is at `first`, and one of its DAGs at work."""
    processes.adopt_orphans()
    made.home.mkdir(exist_ok=True)
    (made.home / "logs").mkdir()
    engine = database.connect(made.settings)
    metadata = postgres.metadata_url(made.settings)
    airflow = configuration.configure(
        made.settings,
        metadata_url=metadata,
        database_url=engine.url.render_as_string(hide_password=False),
        port=configuration.free_port(8480 + os.getpid() % 1000),  # others may be looking for one at this moment
    )
    migration = supervisor.migrate_metadata(airflow.environment, made.home / "logs" / "db-migrate.log")
    database.migrate(engine, made.settings.sql / "migrations")
    provider.make(engine, accounts=accounts, seed=42, as_of=first, objects=made.settings.objects)
    roles.renew(engine, made.settings)
    supervisor.finished(migration, made.home / "logs" / "db-migrate.log")
    api = Api(airflow.address)
    up = Stack(made, engine, airflow, api, dag, first)
    try:
        for name, command in supervisor.components().items():
            up.start(name, command)
        up.patiently(lambda: _known(api, airflow, dag))
        up.patiently(lambda: api.unpause(dag))
        yield up
    finally:
        up.stop()
        engine.dispose()
        postgres.stop(made.settings.postgres_data)


def _known(api: Api, airflow: configuration.Airflow, dag: str) -> None:
    """Log in, and see that the DAG is there. Raises AirflowSilent until then."""
    health = api.health()
    api.log_in("admin", airflow.passwords["admin"])
    if health.get("scheduler") != "healthy" or not api.has_dag(dag):
        raise AirflowSilent("Airflow is not ready.", fix="wait.")


def _hold(engine: sa.Engine, settings: Settings) -> None:
    from holdfast.holds import register

    policy = load_policy(settings.policy)
    with database.transaction(engine) as connection:
        for account in range(1001, 1041):
            names = {"hold_type": "LITIGATION", "reference": f"drill-{account}", "placed_by": "anna"}
            register.place(connection, policy, **names, subject_key=str(account))


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


RUN_OF_A_NIGHT = """
    SELECT
        run.run_id, run.state,
        (SELECT sum(due_rows + coalesce(late_rows, 0)) FROM holdfast.plan_rule WHERE plan_rule.run_id = run.run_id)
            AS planned,
        (SELECT coalesce(sum(done_rows), 0) FROM holdfast.shard WHERE shard.run_id = run.run_id) AS worked,
        (SELECT coalesce(sum(cast(cast(entry AS jsonb) -> 'facts' ->> 'rows' AS bigint)), 0)
            FROM holdfast.ledger_entry WHERE ledger_entry.run_id = run.run_id
            AND kind IN ('batch_deleted', 'batch_anonymised', 'partition_dropped')) AS entered
    FROM holdfast.run
    WHERE job = 'retention_nightly' AND mode = 'enforce' AND as_of_date = :day
"""
_HELD = """
    SELECT md5(string_agg(one, '' ORDER BY one)) FROM (
        SELECT cast(t AS text) AS one FROM provider.login_event AS t WHERE account_id BETWEEN 1001 AND 1040
        UNION ALL
        SELECT cast(t AS text) FROM provider.call_detail_record AS t WHERE account_id BETWEEN 1001 AND 1040
        UNION ALL
        SELECT cast(t AS text) FROM provider.message AS t WHERE account_id BETWEEN 1001 AND 1040
        UNION ALL
        SELECT cast(t AS text) FROM provider.api_request_log AS t WHERE account_id BETWEEN 1001 AND 1040
        UNION ALL
        SELECT cast(t AS text) FROM provider.call_recording AS t WHERE account_id BETWEEN 1001 AND 1040
        UNION ALL
        SELECT cast(t AS text) FROM provider.contact AS t WHERE account_id BETWEEN 1001 AND 1040
    ) AS held
"""
