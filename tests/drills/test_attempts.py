"""The same work attempted more than once at a time, as a scheduler that lost sight of a worker does."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.drills import large_shop
from tests.drills.conftest import DONE, FAILED, FENCED, FORK, in_child, kill, worker
from tests.holdfast.retention.shop import NIGHT, WAVES, Shop

from holdfast import settings
from holdfast.enforcement import execute, locks, shards
from holdfast.errors import Fenced, RunRefused
from holdfast.evidence.verify import Verdict
from holdfast.retention import steps

ATTEMPTS = 8
ROWS = 60_000


def nothing(_: str) -> None:
    return None


def fill(shop: Shop) -> None:
    """Purchases of a thousand people, all due but those of customer 7, who is under a hold."""
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(1, 1000)")
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, 1 + i % 1000, date '2021-05-05' FROM generate_series(1, :rows) AS i",
        rows=ROWS,
    )
    shop.hold("matter-7", subject_key="7")
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.purchase")


def shard_of(shop: Shop, run_id: int) -> int:
    (found,) = [one["shard_id"] for wave in WAVES for one in shop.shards(run_id, wave)]
    return int(found)


def assert_exact(shop: Shop, run_id: int) -> None:
    """Whatever happened: what was due is gone, once, and the accounts agree."""
    left = shop.one("SELECT count(*) FROM shop.purchase")
    assert left == shop.one("SELECT count(*) FROM shop.purchase WHERE customer_no = 7") == ROWS // 1000
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {"purchases-2y": ROWS - left}
    assert in_ledger["purchases-2y"] == ROWS - left
    assert shop.verify_ledger().verdict is Verdict.OK


def assert_no_epoch_comes_back(shop: Shop) -> None:
    """Once a newer attempt has committed a batch, an older one commits none."""
    epochs = [one["epoch"] for one in shop.entries("batch_deleted")]
    assert all(earlier <= later for earlier, later in pairwise(epochs))


def test_eight_identical_attempts_at_once_do_the_work_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    fill(shop)
    run_id = shop.plan()
    shard = shard_of(shop, run_id)
    together = FORK.Barrier(ATTEMPTS)
    at_work = [worker(shop, run_id, shard, _wait_once(together)) for _ in range(ATTEMPTS)]
    for process in at_work:
        process.start()
    for process in at_work:
        process.join()
    ends = Counter(process.exitcode for process in at_work)
    assert ends == {DONE: 1, FENCED: ATTEMPTS - 1}
    assert_no_epoch_comes_back(shop)
    shop.close(run_id)
    assert_exact(shop, run_id)


def test_attempts_that_begin_one_after_another_fence_each_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is in the middle of its batches when the next takes over."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    fill(shop)
    run_id = shop.plan()
    shard = shard_of(shop, run_id)
    at_work = [worker(shop, run_id, shard, _slowly) for _ in range(ATTEMPTS - 1)]
    for process in at_work:
        process.start()
        time.sleep(0.1)
    last = worker(shop, run_id, shard, nothing)
    last.start()
    for process in (*at_work, last):
        process.join()
    assert last.exitcode == DONE
    assert {process.exitcode for process in at_work} == {FENCED}
    assert len({one["epoch"] for one in shop.entries("batch_deleted")}) > 1
    assert_no_epoch_comes_back(shop)
    shop.close(run_id)
    assert_exact(shop, run_id)


@pytest.mark.parametrize("point", ["shard.taken", "batch.before", "batch.committed"])
def test_a_zombie_commits_nothing_once_it_is_fenced(shop: Shop, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 5_000)
    fill(shop)
    run_id = shop.plan()
    shard = shard_of(shop, run_id)
    zombie = worker(shop, run_id, shard, _stop_at(point))
    zombie.start()
    _wait_until_stopped(zombie)
    newer = shop.attempt(run_id, shard, nothing)
    done = shop.rows_in_ledger("purchases-2y")
    assert newer.rows > 0
    _go_on(zombie)
    zombie.join()
    assert zombie.exitcode == FENCED
    assert shop.rows_in_ledger("purchases-2y") == done
    assert_no_epoch_comes_back(shop)
    shop.close(run_id)
    assert_exact(shop, run_id)


@pytest.mark.parametrize("point", ["batch.fenced", "batch.unchecked", "batch.recorded"])
def test_a_worker_that_is_frozen_within_its_batch_does_not_stop_the_next_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 5_000)
    monkeypatch.setattr(locks, "FROZEN", "500ms")
    fill(shop)
    run_id = shop.plan()
    shard = shard_of(shop, run_id)
    zombie = worker(shop, run_id, shard, _stop_at(point))
    zombie.start()
    _wait_until_stopped(zombie)
    shop.hold("matter-8", subject_key="8")  # waits for the register until PostgreSQL has ended the zombie's batch
    held = shop.ids("purchase", "purchase_id")
    shop.attempt(run_id, shard, nothing)
    _go_on(zombie)
    zombie.join()
    assert zombie.exitcode == FAILED
    left = shop.ids("purchase", "purchase_id")
    assert {one for one in held if 1 + one % 1000 in (7, 8)} == left
    shop.close(run_id)
    assert shop.verify_ledger().verdict is Verdict.OK


def test_two_whole_runs_of_a_night_at_once_do_the_work_of_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    monkeypatch.setattr(shards, "_WORTH_SPLITTING", 50)
    fill(shop)
    ends: list[object] = []

    def whole_night() -> None:
        try:
            ends.append(shop.night())
        except (Fenced, RunRefused, sa.exc.DBAPIError) as refusal:  # two plans stored at once: one is not unique
            ends.append(refusal)

    both = [threading.Thread(target=whole_night) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(ends) == 2, "a whole night ended in a way that nobody meant"
    run_id = shop.night()  # a third, afterwards, ends whatever the two got in each other's way over
    assert shop.state(run_id) == "sealed"
    assert shop.one("SELECT count(*) FROM holdfast.run") == 1
    assert steps.open_run(shop.engine, shop.settings, as_of=NIGHT, dry_run=False)["run_id"] == run_id
    assert_exact(shop, run_id)


def test_workers_that_start_together_agree_on_one_key(home: Path) -> None:
    """The first night of an installation: nobody has made the key of pseudonyms yet."""
    found = settings.load()
    for _ in range(20):
        together, keys = FORK.Barrier(ATTEMPTS), FORK.SimpleQueue()

        def ask(together: threading.Barrier = together, keys: Any = keys) -> None:
            together.wait()
            keys.put(found.pseudonym_key())

        asking = [in_child(ask) for _ in range(ATTEMPTS)]
        for process in asking:
            process.start()
        for process in asking:
            process.join()
            assert process.exitcode == DONE
        assert len({keys.get() for _ in asking}) == 1
        assert [one.name for one in (home / "keys").iterdir()] == ["pseudonym.key"]
        shutil.rmtree(home / "keys")


def _wait_once(together: threading.Barrier) -> Callable[[str], None]:
    def reached(here: str) -> None:
        if here == "shard.taken":
            together.wait()

    return reached


def _slowly(here: str) -> None:
    if here == "batch.committed":
        time.sleep(0.01)


def _stop_at(point: str) -> Callable[[str], None]:
    """Stop the process as SIGSTOP or a frozen machine does; the point is passed once before."""
    passed = [0]

    def reached(here: str) -> None:
        passed[0] += here == point
        if here == point and passed[0] == (1 if point == "shard.taken" else 2):
            os.kill(os.getpid(), signal.SIGSTOP)

    return reached


def _wait_until_stopped(process: BaseProcess) -> None:
    assert process.pid is not None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        pid, status = os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG)
        if pid and os.WIFSTOPPED(status):
            return
        assert not pid, "the worker ended before it came to the point"
        time.sleep(0.01)
    kill(process)
    raise AssertionError("the worker did not come to the point")


def _go_on(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)
