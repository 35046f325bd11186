"""The line to the database is lost: at every point of a batch, while it commits, in silence, and again and again."""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from tests.drills import large_shop
from tests.drills.proxy import Proxy
from tests.holdfast.retention.shop import FAT, WAVES, Shop, once

from holdfast import database
from holdfast.enforcement import execute, locks
from holdfast.evidence.verify import Verdict

ROWS = 30
HELD = 99
LOSSES = 20


@pytest.fixture
def filled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Six blocks of due purchases, batches of a block, and one purchase under a hold."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
    shop.purchases(range(ROWS), note=FAT)
    shop.purchases([HELD], customer_no=7)
    shop.hold("matter-7", subject_key="7")
    return shop


@pytest.fixture
def line(filled: Shop) -> Iterator[Proxy]:
    proxy = Proxy(filled.engine.url)
    yield proxy
    proxy.close()


@pytest.fixture
def remote(filled: Shop, line: Proxy) -> Iterator[Shop]:
    """The same shop, at the other end of the line."""
    engine = database.engine_for(line.url.render_as_string(hide_password=False))
    yield dataclasses.replace(filled, engine=engine)
    engine.dispose()


def begun(shop: Shop) -> tuple[int, int]:
    run_id = shop.plan()
    (shard,) = [one["shard_id"] for wave in WAVES for one in shop.shards(run_id, wave)]
    return run_id, int(shard)


def assert_whole_batches(shop: Shop) -> None:
    """Whatever is gone is in the ledger, and nothing else is."""
    left = len(shop.ids("purchase", "purchase_id") - {HELD})
    assert ROWS - left == shop.rows_in_ledger("purchases-2y")
    assert left % 5 == 0


def assert_finished(shop: Shop, run_id: int) -> None:
    shop.enforce(run_id)
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == {HELD}
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == done == {"purchases-2y": ROWS}
    assert in_ledger["purchases-2y"] == ROWS
    assert shop.verify_ledger().verdict is Verdict.OK


@pytest.mark.parametrize("point", ["shard.taken", "batch.fenced", "batch.unchecked", "batch.changed", "batch.recorded"])
def test_a_line_that_is_cut_takes_the_batch_with_it(filled: Shop, remote: Shop, line: Proxy, point: str) -> None:
    run_id, shard = begun(filled)
    with pytest.raises(sa.exc.OperationalError):
        remote.attempt(run_id, shard, once(point, line.cut, after=0 if point == "shard.taken" else 2))
    assert_whole_batches(filled)
    with pytest.raises(sa.exc.OperationalError):
        remote.attempt(run_id, shard, lambda _: None)  # while the line is down
    line.mend()
    assert_finished(remote, run_id)


def test_a_commit_whose_answer_is_lost_is_counted_once(filled: Shop, remote: Shop, line: Proxy) -> None:
    """The worker cannot know whether it was done; whoever comes next can."""
    run_id, shard = begun(filled)
    cut = threading.Timer(1, line.mend)

    def lose_the_answer() -> None:
        line.swallow_answers()
        cut.start()

    with pytest.raises(sa.exc.OperationalError):
        remote.attempt(run_id, shard, once("batch.recorded", lose_the_answer, after=2))
    cut.join()
    assert filled.rows_in_ledger("purchases-2y") == 15, "two batches that were known to be done, and one that was not"
    assert_whole_batches(filled)
    assert_finished(remote, run_id)


def test_a_line_that_falls_silent_keeps_neither_holds_nor_the_next_worker_waiting(
    filled: Shop, remote: Shop, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "FROZEN", "500ms")
    run_id, shard = begun(filled)
    silent, ended = threading.Event(), []

    def fall_silent() -> None:
        line.be_silent()
        silent.set()

    def work() -> None:
        with pytest.raises(sa.exc.OperationalError) as caught:
            remote.attempt(run_id, shard, once("batch.unchecked", fall_silent, after=2))
        ended.append(caught.value)

    worker = threading.Thread(target=work)
    worker.start()
    silent.wait()
    started = time.monotonic()
    filled.hold("matter-8", subject_key="8")
    assert time.monotonic() - started < 5
    assert_finished(filled, run_id)
    assert worker.is_alive(), "it hears nothing, and waits until the line is given up"
    line.mend()
    worker.join(30)
    assert ended
    assert filled.verify_ledger().verdict is Verdict.OK


def test_a_line_that_is_lost_again_and_again_ends_in_the_same(filled: Shop, remote: Shop, line: Proxy) -> None:
    filled.purchases(range(1000, 1000 + 40 * ROWS), note=FAT)
    run_id, shard = begun(filled)
    chance, losses = random.Random(7), 0
    while losses < LOSSES:
        cut = threading.Timer(chance.uniform(0.005, 0.08), line.cut)
        cut.start()
        try:
            remote.attempt(run_id, shard, lambda _: None)
        except sa.exc.OperationalError:
            losses += 1
        else:
            break
        finally:
            cut.join()
            line.mend()
    assert losses > 3
    remote.enforce(run_id)
    remote.close(run_id)
    assert filled.ids("purchase", "purchase_id") == {HELD}
    planned, done, in_ledger = large_shop.accounts(filled, run_id)
    assert planned == done == {"purchases-2y": 41 * ROWS}
    assert in_ledger["purchases-2y"] == 41 * ROWS
    assert filled.verify_ledger().verdict is Verdict.OK
