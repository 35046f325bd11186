"""The database: the only module that opens a connection. It knows no table but its own migration record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from holdfast import embedded, remote
from holdfast.errors import DatabaseUnreachable, MigrationError, SettingsError, sqlstate
from holdfast.settings import DATABASE_URL, Settings

EMBEDDED_DATABASE = "holdfast"
_MIGRATION_LOCK = 4_201_030  # any constant of ours: two migrations must not run at once
_STOOD_STILL = ("25P03", "25P04")  # idle_in_transaction_session_timeout and transaction_timeout
_NETWORK = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""A connection whose other end vanished is given up after a minute (s, s, number, ms); Linux itself takes two hours."""

_CREATE_RECORD = """
CREATE SCHEMA IF NOT EXISTS holdfast;
CREATE TABLE IF NOT EXISTS holdfast.schema_migration (
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""


def url_of(settings: Settings) -> str:
    """The SQLAlchemy URL to use. Starts the embedded server only if no database is configured."""
    if settings.database_url is None:
        return embedded.start(settings.postgres_data, EMBEDDED_DATABASE)
    return settings.database_url


def connect(settings: Settings, role: str | None = None) -> sa.Engine:
    """An engine whose server answered just now. Raises DatabaseUnreachable, never falls back to another database.

    `role` is the role to work as (see `roles`); None means the rights of the login, as whoever migrates needs them.
    """
    engine = engine_for(url_of(settings), role)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.DBAPIError as error:
        raise DatabaseUnreachable(
            f"The database at {engine.url.render_as_string(hide_password=True)} does not answer, or not to us.",
            fix=f"start it, or correct {DATABASE_URL} or the Airflow connection 'holdfast'"
            + (f", or let our login work as {role}: `holdfast migrate` makes that role." if role else "."),
        ) from error
    return engine


def connect_migrated(settings: Settings, role: str | None = None) -> sa.Engine:
    """Like `connect`, for everything but migrating: raises MigrationError unless the schema is this version's."""
    engine = connect(settings, role)
    folder = settings.sql / "migrations"
    with engine.connect() as connection:
        recorded = connection.execute(sa.text("SELECT to_regclass('holdfast.schema_migration')")).scalar_one()
        known = _applied(connection) if recorded else {}
    files = sorted(folder.glob("*.sql"))
    _check_history(known, files)
    if len(known) < len(files):
        raise MigrationError("The database lacks migrations of this version.", fix="run `holdfast migrate`.")
    return engine


def engine_for(url: str, role: str | None = None) -> sa.Engine:
    """An engine for a PostgreSQL URL; sessions speak UTC, and JIT is off (its start-up costs more than it saves).

    Errors do not carry the values of a statement's parameters, which may be somebody's data. Raises SettingsError for
    what is no such URL, without quoting it: there may be a password in it; and for another machine's server without
    encryption (see `remote`).
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SettingsError(
            f"{DATABASE_URL} is not the URL of a PostgreSQL database.",
            fix="write it as postgresql://user:password@host:port/name, with reserved characters in percent notation.",
        )
    parsed = parsed.set(drivername="postgresql+psycopg")
    options = "-c timezone=UTC -c jit=off -c application_name=holdfast" + (f" -c role={role}" if role else "")
    # Never prepare: a plan made for no values in particular would not know how many rows a range of blocks has.
    given = {name: value for name, value in _NETWORK.items() if name not in parsed.query}
    arguments = {"options": options, "connect_timeout": 10, "prepare_threshold": None, **given, **remote.guard(parsed)}
    return sa.create_engine(parsed, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)


def migrate(engine: sa.Engine, folder: Path) -> list[str]:
    """Apply the migrations in `folder` that are not yet applied, all in one transaction; their names.

    Raises MigrationError if an applied file has changed since or is gone: history is only ever added to.
    """
    files = sorted(folder.glob("*.sql"))
    applied: list[str] = []
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        run_script(connection, _CREATE_RECORD)
        known = _applied(connection)
        _check_history(known, files)
        for file in files:
            if file.stem in known:
                continue
            run_script(connection, file.read_text(encoding="utf-8"))
            connection.execute(
                sa.text("INSERT INTO holdfast.schema_migration (name, sha256) VALUES (:name, :sha256)"),
                {"name": file.stem, "sha256": _sha256(file)},
            )
            applied.append(file.stem)
    return applied


def run_script(connection: sa.Connection, script: str) -> None:
    """Run several statements as they stand: nothing is bound, and `%` and `:` mean themselves."""
    _driver(connection).execute(script.encode())


def bring(source: sa.Connection, query: str, to: sa.Connection, table: str) -> None:
    """Bring the rows of a fixed query in one database into a table of another, a piece at a time.

    The query has no parameters. Raises psycopg.Error where one of the two is lost.
    """
    out, into = f"COPY ({query}) TO STDOUT", f"COPY {table} FROM STDIN"
    with (
        _driver(source).cursor() as there,
        _driver(to).cursor() as here,
        there.copy(out.encode()) as rows,
        here.copy(into.encode()) as taken,
    ):
        for piece in rows:
            taken.write(piece)


def fill(connection: sa.Connection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Put rows into a table, by COPY."""
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def may_pass(error: BaseException) -> bool:
    """Whether another attempt may succeed: connections, resources, locks and shutdowns, not data or programs.

    Also where PostgreSQL ended a session that said nothing for too long: a machine stood still.
    """
    passing = (DatabaseUnreachable, OSError, sa.exc.OperationalError, sa.exc.InterfaceError)
    return isinstance(error, passing) or sqlstate(error) in _STOOD_STILL


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One READ COMMITTED transaction: each statement sees what was committed before it began."""
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
        yield connection


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One REPEATABLE READ transaction: every statement sees the same moment."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A snapshot in which nothing can be changed, whatever is executed."""
    options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _driver(connection: sa.Connection) -> psycopg.Connection[tuple[object, ...]]:
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def _applied(connection: sa.Connection) -> dict[str, str]:
    """Migration -> the digest of the file that was applied."""
    found = connection.execute(sa.text("SELECT name, sha256 FROM holdfast.schema_migration"))
    return {row.name: row.sha256 for row in found}


def _check_history(known: dict[str, str], files: list[Path]) -> None:
    by_name = {file.stem: file for file in files}
    for name, digest in known.items():
        if name not in by_name:
            raise MigrationError(
                f"The database has the migration {name}, which this version does not know.",
                fix="run the version of Holdfast that made it, or a newer one.",
            )
        if _sha256(by_name[name]) != digest:
            raise MigrationError(
                f"The file of migration {name} is not the one that was applied.",
                fix="restore the file and put the change into a new migration.",
            )


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
