"""Reading a provider's tables without naming their columns, for tests that are about every table."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa

AS_OF = dt.datetime(2026, 9, 21, 1, 30, tzinfo=ZoneInfo("Europe/London"))


def table_names(engine: sa.Engine) -> list[str]:
    """Every table of the provider, a partitioned one as a whole."""
    with engine.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'provider'::regnamespace"
                " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
            )
        )
        return list(found.scalars())


def fingerprint(engine: sa.Engine, table: str) -> tuple[int, str | None]:
    """The number of rows and a digest of all their text."""
    rows = sa.text(
        f"SELECT count(*), md5(string_agg(md5(one::text), '' ORDER BY md5(one::text))) FROM provider.{table} AS one"
    )
    with engine.connect() as connection:
        count, digest = connection.execute(rows).one()
        return count, digest


def found_in(engine: sa.Engine, table: str, pattern: str) -> set[str]:
    """Every piece of text in the rows that the (PostgreSQL) pattern finds."""
    rows = sa.text(
        f"SELECT DISTINCT found[1] FROM provider.{table} AS one, regexp_matches(one::text, :pattern, 'g') AS found"
    )
    with engine.connect() as connection:
        return set(connection.execute(rows, {"pattern": pattern}).scalars())
