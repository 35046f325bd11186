"""Objects of a store that no row knows of: counted each night, and deleted by nobody here.

An object without a row is about nobody that could be told, so nobody can say whether a hold wants it: people decide. It
is one if no row of any dataset of the database has its address, in whichever spelling (sql/enforcement/
objects_without_row.sql), both before the store was listed and afterwards, since rows go with their objects meanwhile.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import catalogue, listing
from holdfast.errors import ObjectsWithoutRow, SettingsError, StoreUnlisted
from holdfast.evidence import ledger
from holdfast.policy.model import Policy
from holdfast.settings import Settings

LEAST_AGE = dt.timedelta(days=1)
"""The row of a younger object may still be on its way."""
MOST_SECONDS = 45 * 60
"""For all stores of a database together."""
NONE_FOUND = "no_object_of_a_row"
TOOK_TOO_LONG = "took_too_long"
_LISTED = "pg_temp.object_listed"
_URL = sa.table("object_url", sa.column("dataset", sa.Text), sa.column("url", sa.Text), schema="pg_temp")


@dataclass(frozen=True)
class Counted:
    """What a dataset's folders have. `unknown_because` is a code, and None where the counts are not."""

    dataset: str
    objects: int | None
    without_row: int | None
    unknown_because: str | None = None


def count(engine: sa.Engine, settings: Settings, policy: Policy, *, now: dt.datetime) -> list[Counted]:
    """Look for objects without a row in the folders of each dataset that names any. `policy` is one database's."""
    wanted = [name for name, one in policy.data_map.datasets.items() if one.files and one.files.folders]
    if not wanted:
        return []
    with _looked(engine, settings, policy, wanted) as look:
        return look.counted(before=now - LEAST_AGE)


@contextmanager
def names(
    engine: sa.Engine, settings: Settings, policy: Policy, dataset: str, *, now: dt.datetime
) -> Iterator[Iterator[sa.Row[Any]]]:
    """The objects without a row of one dataset, as (address, modified). Raises StoreUnlisted if nobody can say."""
    with _looked(engine, settings, policy, [dataset]) as look:
        (counted,) = look.counted(before=now - LEAST_AGE)
        if counted.unknown_because is not None:
            raise _unknown({dataset: counted.unknown_because})
        with look.connection.begin():
            yield look.names(before=now - LEAST_AGE)


def record(connection: sa.Connection, run_id: int, counted: list[Counted]) -> None:
    """Store what was counted, in place of what an earlier attempt did, and enter it."""
    for one in counted:
        values = {"dataset": one.dataset, "objects": one.objects, "without_row": one.without_row}
        values["unknown_because"] = one.unknown_because
        queries.run(connection, "enforcement/store_object_count", {"run_id": run_id, **values})
    for one in counted:
        facts: dict[str, ledger.JSON] = {"run": run_id, "dataset": one.dataset, "objects": one.objects}
        facts |= {"without_row": one.without_row, "unknown": one.unknown_because}
        ledger.append(connection, "objects_counted", facts)


def require_none(connection: sa.Connection, run_id: int) -> None:
    """Raise what a run counted, unless it is nothing: ObjectsWithoutRow, or StoreUnlisted where it is not known."""
    rows = queries.run(connection, "enforcement/object_counts", {"run_id": run_id}).all()
    unknown = {row.dataset: row.unknown_because for row in rows if row.unknown_because is not None}
    found = {row.dataset: row.without_row for row in rows if row.without_row}
    if unknown:
        raise _unknown(unknown)
    if found:
        listed = ", ".join(f"{dataset} {number}" for dataset, number in found.items())
        raise ObjectsWithoutRow(
            f"Objects in the folders of datasets have no row: {listed}. Nothing will ever delete them.",
            fix="list them with `holdfast retention objects-without-rows`; let their owner write the rows or delete"
            " them by hand.",
            objects=found,
        )


def _unknown(reasons: dict[str, str]) -> StoreUnlisted:
    listed = ", ".join(f"{dataset} ({reason})" for dataset, reason in reasons.items())
    return StoreUnlisted(
        f"Nobody can say which objects have no row: {listed}.",
        fix="make the folders that policy/data_map.yaml names readable for the jobs, or correct them; docs/engineers.md"
        " explains the reasons.",
        reasons=reasons,
    )


@dataclass(frozen=True)
class _Look:
    """A session whose temporary tables have addresses of rows and of objects; datasets listed, and why others not."""

    connection: sa.Connection
    listed: dict[str, int]
    unlisted: dict[str, str]

    def counted(self, *, before: dt.datetime) -> list[Counted]:
        """What was found for each dataset. A listing with no object of any row is of another place than the rows'."""
        left = _left()
        numbers = sa.select(left.c.dataset, sa.func.count(), sa.func.count().filter(left.c.modified < before))
        with self.connection.begin():
            found = {row[0]: (row[1], row[2]) for row in self.connection.execute(numbers.group_by(left.c.dataset))}
            have_files = set(self.connection.execute(sa.select(_URL.c.dataset).distinct()).scalars())
        counted = [Counted(name, None, None, reason) for name, reason in self.unlisted.items()]
        for name, objects in self.listed.items():
            without, old = found.get(name, (0, 0))
            is_elsewhere = name in have_files and without == objects
            counted.append(Counted(name, None, None, NONE_FOUND) if is_elsewhere else Counted(name, objects, old))
        return sorted(counted, key=lambda one: one.dataset)

    def names(self, *, before: dt.datetime) -> Iterator[sa.Row[Any]]:
        """In the order of their addresses, read as they are asked for, within a transaction."""
        left = _left()
        found = sa.select(left.c.address, left.c.modified).where(left.c.modified < before).order_by(left.c.address)
        return iter(self.connection.execute(found.execution_options(yield_per=listing.PAGE)))


@contextmanager
def _looked(engine: sa.Engine, settings: Settings, policy: Policy, datasets: list[str]) -> Iterator[_Look]:
    """List the folders of these datasets, and note the addresses of all rows before and after.

    No transaction is open while a store is asked: a snapshot that old would keep the database from tidying up.
    """
    until = time.monotonic() + MOST_SECONDS
    with engine.connect() as connection:
        try:
            with connection.begin():
                queries.run(connection, "enforcement/objects_listed")
                queries.run(connection, "enforcement/object_urls")
            look = _Look(connection, {}, {})
            _note_urls(connection, policy)
            for name in datasets:
                try:
                    look.listed[name] = _list(connection, settings, policy, name, until)
                except (StoreUnlisted, SettingsError) as error:
                    look.unlisted[name] = str(error.facts.get("reason", type(error).__name__))
            _note_urls(connection, policy)
            yield look
        finally:
            connection.invalidate()  # closed, instead of lent to the next with these tables


def _note_urls(connection: sa.Connection, policy: Policy) -> None:
    """Of every dataset, whether it names folders or not: it may share one."""
    with connection.begin():
        known = catalogue.read(connection, policy.data_map.schemas)
        for name, dataset in policy.data_map.datasets.items():
            if dataset.files is not None:
                table = known.table(dataset.table, [dataset.files.url])
                url = sa.cast(table.c[dataset.files.url], sa.Text)
                urls = sa.select(sa.literal(name), url).where(url != "")
                connection.execute(sa.insert(_URL).from_select(["dataset", "url"], urls))


def _list(connection: sa.Connection, settings: Settings, policy: Policy, name: str, until: float) -> int:
    """List the folders of a dataset; how many objects they have."""
    files = policy.data_map.datasets[name].files
    listed = 0
    for folder in files.folders if files else ():
        for page in listing.pages(settings.folder(folder)):
            if time.monotonic() > until:
                raise StoreUnlisted("The stores took too long.", fix="name fewer folders.", reason=TOOK_TOO_LONG)
            with connection.begin():
                database.fill(connection, _LISTED, ((name, *one) for one in page))
            listed += len(page)
    return listed


def _left() -> sa.Subquery:
    """The objects that were listed and have no row."""
    dataset, address = sa.column("dataset", sa.Text), sa.column("address", sa.LargeBinary)
    modified = sa.column("modified", sa.DateTime(timezone=True))
    return queries.query("enforcement/objects_without_row").columns(dataset, address, modified).subquery()
