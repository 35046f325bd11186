"""A large shop for each drill, and worker processes that can be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Shop

from holdfast import database as hf_database
from holdfast import queries, settings
from holdfast.enforcement import execute, plan, runs

PEOPLE = 1_000
HELD_EVERY = 33  # of a thousand people thirty are held
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def shop(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop without a row; its policy has no caps that a drill could exceed."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    queries.query.cache_clear()
    built = shops.build(database, tmp_path / "project")
    wide = {"rows": 1_000_000_000, "share": 1, "overdue_days": 100_000}
    built.set_policy(lambda documents: documents["retention_schedule"].update(caps=wide))
    yield built
    queries.query.cache_clear()


def fill(shop: Shop, purchases: int) -> None:
    """People, and their purchases: eight in ten are due. Every thirty-third person is under a hold."""
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(1, :people)", people=PEOPLE)
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, 1 + i % :people,"
        " CASE WHEN i % 10 < 8 THEN date '2021-05-05' ELSE date '2024-02-20' END"
        " FROM generate_series(1, :purchases) AS i",
        people=PEOPLE,
        purchases=purchases,
    )
    shop.execute(
        "INSERT INTO shop.debt SELECT 'debt-' || n, n"
        " FROM generate_series(cast(:every AS bigint), cast(:people AS bigint), cast(:every AS bigint)) AS n",
        every=HELD_EVERY,
        people=PEOPLE,
    )
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.purchase")


def held_rows(shop: Shop) -> tuple[int, int]:
    """Number and checksum of the due purchases of people under a hold."""
    statement = (
        "SELECT count(*), coalesce(bit_xor(hashtextextended(cast(t AS text), 0)), 0) FROM shop.purchase AS t"
        f" WHERE customer_no % {HELD_EVERY} = 0 AND bought_on < '2022-01-01'"
    )
    with shop.engine.connect() as connection:
        row = connection.execute(sa.text(statement)).one()
    return row[0], row[1]


def worker(shop: Shop, run_id: int, shard_id: int, reached: Callable[[str], None]) -> Any:
    """A process that makes one attempt at a shard, with connections of its own; not yet started."""
    url = shop.engine.url.render_as_string(hide_password=False)

    def work() -> None:
        engine = hf_database.engine_for(url)
        with hf_database.transaction(engine) as connection:
            setting = plan.setting_of(connection, shop.policy, runs.get(connection, run_id))
        execute.enforce(engine, setting, shard_id, shop.settings.pseudonym_key(), reached)

    return FORK.Process(target=_quietly, args=(work,))


def _quietly(work: Callable[[], None]) -> None:
    """Run in the child and leave without any of the parent's clean-up."""
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def kill(process: Any) -> bool:
    """SIGKILL; whether it was still at work."""
    was_alive = bool(process.is_alive())
    if was_alive:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return was_alive
