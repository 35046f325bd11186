"""Holds placed while the rows they reach are being deleted.

A hold is lost if its placing was acknowledged, the row was still there for its holder to see, and is gone afterwards.
`HOLDFAST_DRILL_HOLDS` is how many acknowledged holds over rows still seen; `make drill-race` does 100,000.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from tests.drills.conftest import worker
from tests.holdfast.retention.shop import NIGHT, Shop

from holdfast import database as hf_database
from holdfast.enforcement import execute
from holdfast.evidence.verify import Verdict
from holdfast.holds import register

HOLDS = int(os.environ.get("HOLDFAST_DRILL_HOLDS", "2000"))
WRITERS = 4
ROWS_EACH_ROUND = 60_000
BATCH_STAYS_OPEN = 0.01  # seconds, to stand for more work in the batch; more of it loses more holds


@dataclass
class Holder:
    """What one writer saw: the purchases that it holds and still saw after the acknowledgement, and its waits."""

    seen: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def test_no_acknowledged_hold_is_overtaken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = lost = 0
    seconds: list[float] = []
    night = 0
    while seen < HOLDS:
        holders = _race(shop, monkeypatch, night)
        seconds += [one for holder in holders for one in holder.seconds]
        now_seen, now_lost = _outcome(shop, holders)
        seen, lost, night = seen + now_seen, lost + now_lost, night + 1
    waits = statistics.quantiles(seconds, n=100)
    print(f"\n{seen} acknowledged holds over rows still seen, {lost} lost;"
          f" a hold took {waits[49] * 1000:.1f} ms (median), {waits[98] * 1000:.1f} ms (99th percentile)")  # fmt: skip
    assert lost == 0
    assert shop.verify_ledger().verdict is Verdict.OK


def test_the_drill_can_fail_holds_are_lost_without_the_second_look(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "_lock_holds", lambda *_: False)
    lost = 0
    for night in range(5):
        lost += _outcome(shop, _race(shop, monkeypatch, night))[1]
        if lost:
            break
    assert lost > 0, "the race was not won once without the lock, so the drill proves nothing"


def _race(shop: Shop, monkeypatch: pytest.MonkeyPatch, night: int) -> list[Holder]:
    """One night over fresh rows, with writers that hold them one by one, in four ways, as fast as they can."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    first = 1 + night * ROWS_EACH_ROUND
    _fill(shop, first)
    run_id = _open(shop, night)
    shards = [one["shard_id"] for wave in (1, 2, 3, 4) for one in shop.shards(run_id, wave)]
    processes = [worker(shop, run_id, shard, _stay_open) for shard in shards]
    done = threading.Event()
    holders = [Holder() for _ in range(WRITERS)]
    threads = [
        threading.Thread(target=_hold, args=(shop, holder, first, number, night, done))
        for number, holder in enumerate(holders)
    ]
    for one in (*processes, *threads):
        one.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    done.set()
    for thread in threads:
        thread.join()
    return holders


def _stay_open(point: str) -> None:
    if point == "batch.unchecked":
        time.sleep(BATCH_STAYS_OPEN)


def _fill(shop: Shop, first: int) -> None:
    """Each purchase is another person's, so that a hold on the person is a hold on one row."""
    last = first + ROWS_EACH_ROUND - 1
    values = {"first": first, "last": last}
    shop.execute("TRUNCATE shop.item, shop.purchase")
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(:first, :last)", **values)
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, i, date '2021-05-05' FROM generate_series(:first, :last) AS i", **values
    )
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.purchase, shop.customer")


def _open(shop: Shop, night: int) -> int:
    return shop.plan(NIGHT + dt.timedelta(days=night))


def _hold(shop: Shop, holder: Holder, first: int, number: int, night: int, done: threading.Event) -> None:
    """Hold purchases from the far end on, so that deletion and holds meet; stop when the work is done."""
    engine = hf_database.engine_for(shop.engine.url.render_as_string(hide_password=False))
    policy = shop.policy
    with engine.connect() as connection:
        for purchase in range(first + ROWS_EACH_ROUND - 1 - number, first, -7 * WRITERS):
            if done.is_set():
                break
            started = time.monotonic()
            with connection.begin():
                names = {"hold_type": "COURT", "reference": f"case-{night}-{purchase}", "placed_by": "anna"}
                register.place(connection, policy, **names, **_scope(purchase))
            holder.seconds.append(time.monotonic() - started)
            with connection.begin():
                there = sa.text("SELECT 1 FROM shop.purchase WHERE purchase_id = :id")
                if connection.execute(there, {"id": purchase}).scalar():
                    holder.seen.append(purchase)
    engine.dispose()


def _scope(purchase: int) -> dict[str, object]:
    """On the person, or on the record itself."""
    scopes: tuple[Callable[[], dict[str, object]], ...] = (
        lambda: {"subject_key": str(purchase)},
        lambda: {"record_key": str(purchase), "datasets": ["purchases"]},
    )
    return scopes[purchase % 2]()


def _outcome(shop: Shop, holders: list[Holder]) -> tuple[int, int]:
    """How many held rows were seen, and how many of them are gone."""
    seen = [purchase for holder in holders for purchase in holder.seen]
    left = shop.ids("purchase", "purchase_id")
    return len(seen), sum(purchase not in left for purchase in seen)
