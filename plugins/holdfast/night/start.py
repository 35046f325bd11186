"""`holdfast run`: everything up, one night, the table, then wait for Ctrl-C; and nothing left behind.

The order matters: whatever is started later stops earlier, and a person's database is asked before anything starts.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from holdfast import database, queries, roles
from holdfast.deletion_requests.intake import inbox_of
from holdfast.errors import HoldfastError
from holdfast.night import configuration, jobs, postgres, supervisor, table
from holdfast.night.api import Api
from holdfast.night.progress import Progress
from holdfast.policy.load import load_policy
from holdfast.settings import Settings
from holdfast.synthetic import provider, requests

SEED = 42
_USER = "admin"


class AlreadyRunning(HoldfastError):
    """Two nights in one home would stop each other's database."""


class Interrupted(BaseException):
    """A person or the system asked us to end; not an error, so nothing that handles errors may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run(settings: Settings, progress: Progress, *, port: int, accounts: int, leave: bool) -> int:
    """Run a night and return the exit code: 0 if every run succeeded, 1 if one did not, 128 + signal if interrupted.

    With `leave` it returns after the table, else at the first signal. Raises HoldfastError for what a person can mend.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with _alone(settings.home), _signals_interrupt():
        try:
            return _run(settings, progress, port, accounts, leave)
        except Interrupted as interrupted:
            return interrupted.exit_code
        finally:
            postgres.stop(settings.postgres_data)


def _run(settings: Settings, progress: Progress, port: int, accounts: int, leave: bool) -> int:
    began, logs = dt.datetime.now(dt.UTC), settings.home / "logs"
    with airflow(settings, progress, port) as (engine, configured, kept):
        _make_data_if_empty(engine, settings, progress, accounts)
        roles.renew(engine, settings)  # once more, for tables that are there only now
        engine.dispose()
        api = logged_in(configured, kept, progress)
        runs = _night(api, kept, progress, leave)
        table.show(progress.console, runs, began)
        _say_where(progress, configured, logs)
        succeeded = all(one.state == jobs.SUCCESS for one in runs)
        if not leave:
            _stay(kept, progress, succeeded)
    return 0 if succeeded else 1


@contextmanager
def airflow(
    settings: Settings, progress: Progress, port: int
) -> Iterator[tuple[sa.Engine, configuration.Airflow, supervisor.Kept]]:
    """Database and Airflow for the length of the block; Airflow is only starting when it begins."""
    logs = settings.home / "logs"
    with progress.stage("PostgreSQL"):
        engine = database.connect(settings)
        given = os.environ.get(configuration.METADATA_VARIABLE)
        metadata_url = given or postgres.metadata_url(settings)
    configured = configuration.configure(
        settings,
        metadata_url=metadata_url,
        database_url=engine.url.render_as_string(hide_password=False),
        port=configuration.free_port(port),
    )
    with progress.stage("Migrations"), _migrating(configured, logs):
        for name in load_policy(settings.policy).data_map.databases:
            here = settings.at(name)
            each = engine if here is settings else database.connect(here)
            database.migrate(each, settings.sql / "migrations")
            roles.renew(each, here)
    is_embedded = settings.database_url is None or given is None
    with supervisor.kept(configured.environment, logs, settings.postgres_data if is_embedded else None) as kept:
        yield engine, configured, kept


def logged_in(configured: configuration.Airflow, kept: supervisor.Kept, progress: Progress) -> Api:
    """Airflow's API once it answers and knows every job."""
    api = Api(configured.address)
    with progress.stage("Airflow"):
        jobs.log_in_when_ready(api, kept, _USER, configured.passwords[_USER])
    return api


def _night(api: Api, kept: supervisor.Kept, progress: Progress, leave: bool) -> list[jobs.Run]:
    now = dt.datetime.now(dt.UTC)
    return [one for dag in jobs.JOBS for one in jobs.carry_on(api, kept, progress, dag, now=now, leave=leave)]


def _make_data_if_empty(engine: sa.Engine, settings: Settings, progress: Progress, accounts: int) -> None:
    """A database with any table that is not ours belongs to somebody, and gets no invented customers."""
    with engine.connect() as connection:
        tables = queries.run(connection, "night/foreign_tables").scalar_one()
    if tables:
        return
    now = dt.datetime.now(dt.UTC)
    with progress.stage(f"Synthetic provider with {accounts:,} accounts") as detail:
        provider.make(
            engine,
            accounts=accounts,
            seed=SEED,
            as_of=now,
            objects=settings.objects,
            progress=lambda table, rows: detail(f"{rows:,} rows of {table}"),
        )
        requests.make(engine, inbox_of(settings), as_of=now)


def _say_where(progress: Progress, airflow: configuration.Airflow, logs: Path) -> None:
    """Address and log-in; the password only once."""
    progress.say(f"Airflow: [bold]{airflow.address}[/]   logs: {logs}")
    shown = airflow.passwords_file.with_suffix(".shown")
    if shown.exists():
        progress.say(f"Log in as {', '.join(configuration.ROLES)}; passwords: {airflow.passwords_file}")
        return
    for user, password in airflow.passwords.items():
        progress.say(f"Log in as [bold]{user}[/] ({configuration.ROLES[user]}), password [bold]{password}[/]")
    progress.say(f"Shown this once; kept in {airflow.passwords_file}")
    shown.touch(mode=0o600)


def _stay(kept: supervisor.Kept, progress: Progress, succeeded: bool) -> None:
    try:
        progress.say("Press Ctrl-C to stop everything.")
        while True:
            kept.check()
            time.sleep(1)
    except Interrupted as interrupted:
        interrupted.exit_code = 0 if succeeded else 1
        raise


@contextmanager
def _migrating(airflow: configuration.Airflow, logs: Path) -> Iterator[None]:
    """Bring Airflow's own database up to date beside the block: another database, and it takes five seconds."""
    log = supervisor.log_of(logs, "db-migrate")
    migration = supervisor.migrate_metadata(airflow.environment, log)
    try:
        yield
        supervisor.finished(migration, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(migration.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            migration.wait(5)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock of `home`. Raises AlreadyRunning if another process does."""
    with (home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"Holdfast already runs in {home}.", fix="stop the other one, or set HOLDFAST_HOME to another folder."
            ) from None
        yield


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """The first signal to end raises Interrupted wherever we are; later ones must not disturb the stopping."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
