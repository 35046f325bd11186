"""What the work stands on gives way: the connection, the disk, the register of holds."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drills import large_shop
from tests.drills.conftest import DONE, worker
from tests.holdfast.retention.shop import FAT, WAVES, Shop, once

from holdfast import database
from holdfast.enforcement import execute, locks
from holdfast.errors import RunRefused
from holdfast.evidence import ledger
from holdfast.evidence.verify import Verdict
from holdfast.retention import steps

ROWS = 30


@pytest.fixture
def filled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Six blocks of due purchases, and batches of a block."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
    shop.purchases(range(ROWS), note=FAT)
    return shop


def begun(shop: Shop) -> tuple[int, int]:
    """A run that has been planned and begun, and its shard of purchases."""
    run_id = shop.plan()
    (shard,) = [one["shard_id"] for wave in WAVES for one in shop.shards(run_id, wave)]
    return run_id, int(shard)


def assert_finished(shop: Shop, run_id: int) -> None:
    """Whatever came between, the work is done and counted once."""
    shop.enforce(run_id)
    shop.close(run_id)
    assert shop.contents("purchase") == []
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {"purchases-2y": ROWS}
    assert in_ledger["purchases-2y"] == ROWS
    assert shop.verify_ledger().verdict is Verdict.OK


# --- the connection ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["batch.fenced", "batch.unchecked", "batch.changed", "batch.recorded"])
def test_a_connection_that_is_lost_within_a_batch_takes_the_batch_with_it(filled: Shop, point: str) -> None:
    run_id, shard = begun(filled)

    def cut() -> None:
        filled.scalars(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
        )

    with pytest.raises(sa.exc.OperationalError):
        filled.attempt(run_id, shard, once(point, cut, after=2))
    assert len(filled.ids("purchase", "purchase_id")) == ROWS - filled.rows_in_ledger("purchases-2y") == ROWS - 10
    assert_finished(filled, run_id)


# --- the disk ---------------------------------------------------------------------------------------------------


@contextmanager
def tiny_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system with little room of its own; only root can make one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a file system of its own needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder: Path) -> Path:
    """Leave no room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return ballast


def test_a_ledger_without_room_lets_nothing_be_deleted(filled: Shop) -> None:
    data = Path(filled.one("SELECT setting FROM pg_settings WHERE name = 'data_directory'"))
    run_id, shard = begun(filled)
    with tiny_disk(data.parent / "tiny", "4m") as disk, ledger_on(filled, disk, data.owner()):
        ballast = fill_up(disk)
        with pytest.raises(sa.exc.OperationalError, match="No space left"):
            append_for_ever(filled)
        with pytest.raises(sa.exc.OperationalError, match="No space left"):
            filled.attempt(run_id, shard, lambda _: None)
        assert len(filled.ids("purchase", "purchase_id")) == ROWS
        ballast.unlink()
        assert_finished(filled, run_id)


@contextmanager
def ledger_on(shop: Shop, disk: Path, owner: str) -> Iterator[None]:
    """The ledger's entries on a disk of their own."""
    shutil.chown(disk, owner)
    outside = shop.engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLESPACE tiny LOCATION '{disk}'")
    shop.execute("ALTER TABLE holdfast.ledger_entry SET TABLESPACE tiny")
    yield
    shop.execute("ALTER TABLE holdfast.ledger_entry SET TABLESPACE pg_default")
    with outside.connect() as connection:
        connection.exec_driver_sql("DROP TABLESPACE tiny")


def append_for_ever(shop: Shop) -> None:
    """The smallest entries, until not even one fits."""
    while True:
        with database.transaction(shop.engine) as connection:
            ledger.append(connection, "hold_placed", {})


@pytest.mark.parametrize("step", [steps.seal_run, steps.write_report])
def test_a_seal_or_report_without_room_fails_and_is_written_the_next_time(
    filled: Shop, step: Callable[..., steps.Result]
) -> None:
    run_id, _ = begun(filled)
    filled.enforce(run_id)
    filled.verify(run_id)
    folder = filled.settings.seals if step is steps.seal_run else filled.settings.reports
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tiny_disk(folder, "1m") as disk:
        ballast = fill_up(disk)
        with pytest.raises(OSError, match="No space left"):
            step(filled.engine, filled.settings, run_id=run_id)
        ballast.unlink()
        left = [one for one in disk.rglob("*") if one.is_file()]
        assert left == [], "half a file is worse than none"
        step(filled.engine, filled.settings, run_id=run_id)
        assert [one for one in disk.rglob("*") if one.is_file()]
        filled.close(run_id)
        assert filled.verify_ledger().verdict is Verdict.OK


# --- locks that others keep -------------------------------------------------------------------------------------


def test_a_session_left_open_over_a_hold_stops_the_batch_but_no_other_hold(
    filled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 1.0)
    run_id, shard = begun(filled)
    with filled.engine.connect() as forgotten:
        forgotten.execute(sa.text(PLAIN_HOLD), {"reference": "forgotten"})
        ended: list[RunRefused] = []
        attempt = threading.Thread(target=lambda: ended.append(_refusal(filled, run_id, shard)))
        attempt.start()
        seconds = []
        while attempt.is_alive():
            started = time.monotonic()
            filled.execute(PLAIN_HOLD, reference=f"other-{len(seconds)}")
            seconds.append(time.monotonic() - started)
            time.sleep(0.02)
        attempt.join()
        assert "somebody has locked its rows, the register of holds or the ledger" in str(ended[0])
        assert len(seconds) > 3
        assert max(seconds) < 1.0  # at most the wait of one batch, and not until the forgotten session ends
        assert len(filled.ids("purchase", "purchase_id")) == ROWS
        forgotten.rollback()
    assert_finished(filled, run_id)


PLAIN_HOLD = """
INSERT INTO holdfast.hold (
    source_id, reference, hold_type, authority, ground, disclosable, subject_key, placed_at, placed_by
)
VALUES ('other', :reference, 'COURT', 'legal', 'claim', TRUE, '4711', clock_timestamp(), 'other')
"""


def _refusal(shop: Shop, run_id: int, shard: int) -> RunRefused:
    with pytest.raises(RunRefused) as caught:
        shop.attempt(run_id, shard, lambda _: None)
    return caught.value


@pytest.mark.parametrize(
    "lock",
    [
        "LOCK TABLE holdfast.hold IN ACCESS EXCLUSIVE MODE",
        "SELECT FROM shop.purchase WHERE purchase_id = 7 FOR UPDATE",
        "SELECT FROM holdfast.ledger_head FOR UPDATE",
    ],
)
def test_a_lock_that_somebody_keeps_for_a_while_delays_the_work_and_no_more(filled: Shop, lock: str) -> None:
    run_id, shard = begun(filled)
    worker_process = worker(filled, run_id, shard, lambda _: None)
    with filled.engine.connect() as keeper:
        keeper.execute(sa.text(lock))
        worker_process.start()
        time.sleep(1.0)
        assert len(filled.ids("purchase", "purchase_id")) >= ROWS - 5
        keeper.rollback()
    worker_process.join()
    assert worker_process.exitcode == DONE
    assert_finished(filled, run_id)


def test_a_holder_that_waits_for_a_row_of_the_batch_is_not_the_one_who_is_sent_away(filled: Shop) -> None:
    """It has the register, the batch has the row: whoever stood first would wait for ever."""
    run_id, shard = begun(filled)
    placed: list[bool] = []
    holder = threading.Thread(target=lambda: placed.append(_hold_and_touch(filled)))

    def let_it_come() -> None:
        holder.start()
        time.sleep(0.3)

    filled.attempt(run_id, shard, once("batch.unchecked", let_it_come))
    holder.join()
    assert placed == [True]
    assert filled.ids("purchase", "purchase_id") == set(range(ROWS)), "the hold is on the customer of them all"


def _hold_and_touch(shop: Shop) -> bool:
    """Place a hold and note it at the purchase, in one transaction; whether the purchase was still there."""
    with shop.engine.begin() as connection:
        connection.execute(sa.text(PLAIN_HOLD.replace("4711", "1")), {"reference": "both"})
        noted = connection.execute(sa.text("UPDATE shop.purchase SET note = 'held' WHERE purchase_id = 2"))
        return noted.rowcount == 1


def test_a_reader_of_the_table_is_not_kept_waiting_behind_the_drop_of_a_partition(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long report holds the partition; readers who come after it may not queue behind us. In the end: row by row."""
    monkeypatch.setattr(execute, "_TRIES_TO_DROP", 3)
    shop.add("visit", *({"visit_id": n, "customer_no": 1, "seen_at": "2023-10-05"} for n in range(5)))
    run_id, shard = begun(shop)
    worker_process = worker(shop, run_id, shard, lambda _: None)
    with shop.engine.connect() as report:
        report.execute(sa.text("SELECT count(*) FROM shop.visit"))
        worker_process.start()
        slowest = 0.0
        while worker_process.is_alive():
            started = time.monotonic()
            shop.contents("visit")
            slowest = max(slowest, time.monotonic() - started)
        worker_process.join()
    assert worker_process.exitcode == DONE
    assert slowest < 1.0
    assert shop.contents("visit") == []
    assert len(shop.entries("batch_deleted")) == 1
    assert shop.entries("partition_dropped") == []
    shop.close(run_id)
