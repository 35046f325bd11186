"""Which days have arrived whole: the provider says so, and a month is computed only once all of its days have."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.suspension_facts.shapes import SCHEMA

_COUNTS = ("individuals", "businesses", "missed_looked_at", "missed_found")
_DAY = sa.table("day", *map(sa.column, ("day", "known_at", "superseded_at", *_COUNTS)), schema=SCHEMA)


def arrive(connection: sa.Connection, *, since: dt.date, until: dt.date, now: dt.datetime) -> int:
    """Note the complete days from `since` up to but not including `until`; how many are new or differ from before."""
    days = {"since": since, "until": until}
    types: dict[str, sa.types.TypeEngine[Any]] = {"day": sa.Date(), **{name: sa.BigInteger() for name in _COUNTS}}
    bound = [sa.bindparam(name, value, sa.Date) for name, value in days.items()]
    found = queries.query("provider/suspension/days").bindparams(*bound).columns(**types).cte("found")
    content = [found.c[name] for name in _COUNTS]
    differs = sa.tuple_(*(_DAY.c[name] for name in _COUNTS)).is_distinct_from(sa.tuple_(*content))
    stands = sa.and_(_DAY.c.day == found.c.day, _DAY.c.superseded_at.is_(None))
    connection.execute(sa.update(_DAY).where(stands, differs).values(superseded_at=now))
    columns = [found.c.day, sa.literal(now, sa.DateTime(timezone=True)), *content]
    new = sa.select(*columns).where(~sa.exists().where(stands))
    insert = sa.insert(_DAY).from_select(["day", "known_at", *_COUNTS], new)
    return connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount


def missing(connection: sa.Connection, *, since: dt.date, until: dt.date, known_until: dt.datetime) -> list[dt.date]:
    """The days from `since` up to but not including `until` that had not arrived by then, in order."""
    values = {"since": since, "until": until, "known_until": known_until}
    return list(queries.run(connection, "suspension_facts/missing_days", values).scalars())


def first(connection: sa.Connection) -> dt.date | None:
    """The first day that ever arrived."""
    found: dt.date | None = queries.run(connection, "suspension_facts/first_day").scalar_one()
    return found
