"""A database whose clock can be set: every statement of ours that asks for the time asks this clock.

`clock_timestamp()` and `now()` of a schema of its own come before PostgreSQL's in the search path of every session.
Only functions with a fixed search path, such as the ledger's, go on by the real clock: as from another machine.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast import database

# No table: the policy would have to cover it.
_CLOCK = """
CREATE OR REPLACE FUNCTION virtual.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
AS $$ SELECT pg_catalog.clock_timestamp() + interval '{ahead} seconds' $$;
CREATE OR REPLACE FUNCTION virtual.now() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT pg_catalog.now() + interval '{ahead} seconds' $$;
"""


def install(engine: sa.Engine) -> None:
    """Give a database a clock of its own, which is right until it is set."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA virtual")
        database.run_script(connection, _CLOCK.format(ahead=0))
        name = connection.dialect.identifier_preparer.quote(str(engine.url.database))
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET search_path = virtual, pg_catalog, public")
    engine.dispose()  # sessions that are open keep the path they began with


def set_to(engine: sa.Engine, moment: dt.datetime) -> None:
    """Let it be this moment now; the clock goes on from there."""
    ahead = (moment - dt.datetime.now(dt.UTC)).total_seconds()
    with engine.begin() as connection:
        database.run_script(connection, _CLOCK.format(ahead=ahead))
