"""Holds placed while the rows they reach are being deleted.

A hold is lost if its placing was acknowledged, the row was still there for its holder to see, and is gone afterwards.
`HOLDFAST_DRILL_HOLDS` is how many acknowledged holds over rows still seen; `make drill-race` does 100,000.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from tests.drills.conftest import DONE, FORK, forget_holds, in_child, worker
from tests.holdfast.retention.shop import NIGHT, WAVES, Shop

from holdfast import database as hf_database
from holdfast.enforcement import execute, shards
from holdfast.evidence.verify import Verdict
from holdfast.holds import register

HOLDS = int(os.environ.get("HOLDFAST_DRILL_HOLDS", "2000"))
WRITERS = 4
ROWS_EACH_ROUND = 60_000
EVERY = 7  # of these rows one is held
BATCH_STAYS_OPEN = 0.01  # seconds, to stand for more work in the batch; more of it loses more holds
FIRST_DAY = dt.date(1905, 1, 1)
DAYS = 42_000  # all of them due


@dataclass(frozen=True)
class Placed:
    """An acknowledged hold on a purchase: how long it took, and whether its holder saw the purchase afterwards."""

    purchase: int
    seconds: float
    seen: bool


def test_no_acknowledged_hold_is_overtaken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, lost, night = 0, 0, 0
    seconds: list[float] = []
    while seen < HOLDS:
        placed = _race(shop, monkeypatch, night)
        now_seen, now_lost = _outcome(shop, placed)
        seconds += [one.seconds for one in placed]
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


def _race(shop: Shop, monkeypatch: pytest.MonkeyPatch, night: int) -> list[Placed]:
    """One night over fresh rows by two workers, with writers that hold them one by one as fast as they can."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    monkeypatch.setattr(shards, "_WORTH_SPLITTING", 50)
    first = 1 + night * ROWS_EACH_ROUND
    _fill(shop, first)
    run_id = shop.plan(NIGHT + dt.timedelta(days=night))
    at_work = [worker(shop, run_id, one["shard_id"], _stay_open) for wave in WAVES for one in shop.shards(run_id, wave)]
    assert len(at_work) == 2
    done, told = FORK.Event(), FORK.SimpleQueue()
    writers = [
        in_child(lambda number=number: told.put(_hold(shop, first + number, done.is_set)))  # type: ignore[misc]
        for number in range(WRITERS)
    ]
    for process in (*writers, *at_work):
        process.start()
    for process in at_work:
        process.join()
        assert process.exitcode == DONE
    done.set()
    placed = [one for _ in writers for one in told.get()]
    for process in writers:
        process.join()
        assert process.exitcode == DONE
    return placed


def _stay_open(point: str) -> None:
    if point == "batch.unchecked":
        time.sleep(BATCH_STAYS_OPEN)


def _fill(shop: Shop, first: int) -> None:
    """Each purchase is another person's, so that a hold on the person is a hold on one row."""
    values = {"first": first, "last": first + ROWS_EACH_ROUND - 1}
    shop.execute("TRUNCATE shop.item, shop.purchase")
    forget_holds(shop)
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(:first, :last)", **values)
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, i, cast(:day AS date) + cast(i % :days AS integer)"
        " FROM generate_series(:first, :last) AS i",
        **values,
        day=FIRST_DAY,
        days=DAYS,
    )
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.purchase, shop.customer")


def _hold(shop: Shop, first: int, is_done: Callable[[], bool]) -> list[Placed]:
    """Hold purchases from the far end on, so that deletion and holds meet, in each way in turn."""
    engine = hf_database.engine_for(shop.engine.url.render_as_string(hide_password=False))
    policy = shop.policy
    placed: list[Placed] = []
    with engine.connect() as connection:
        for number, purchase in enumerate(range(first + ROWS_EACH_ROUND - WRITERS, first, -EVERY * WRITERS)):
            if is_done():
                break
            started = time.monotonic()
            with connection.begin():
                if number % 4 == 3:
                    _insert(connection, purchase)
                else:
                    names = {"hold_type": "COURT", "reference": f"case-{purchase}", "placed_by": "anna"}
                    register.place(connection, policy, **names, **_scope(purchase, number % 4))
            seconds = time.monotonic() - started
            with connection.begin():
                there = sa.text("SELECT 1 FROM shop.purchase WHERE purchase_id = :id")
                seen = connection.execute(there, {"id": purchase}).scalar() is not None
            placed.append(Placed(purchase, seconds, seen))
    engine.dispose()
    return placed


def _scope(purchase: int, way: int) -> dict[str, object]:
    """On the person, on the record itself, or on the class of purchases of that day."""
    if way == 0:
        return {"subject_key": str(purchase)}
    if way == 1:
        return {"record_key": str(purchase), "datasets": ["purchases"]}
    day = FIRST_DAY + dt.timedelta(days=purchase % DAYS)
    return {"datasets": ["purchases"], "period_from": day, "period_to": day + dt.timedelta(days=1)}


def _insert(connection: sa.Connection, purchase: int) -> None:
    """What a source that knows nothing of us may do: a plain row in the register."""
    statement = (
        "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, subject_key,"
        " placed_at, placed_by) VALUES ('other', :reference, 'COURT', 'legal', 'claim', TRUE, :subject,"
        " clock_timestamp(), 'other')"
    )
    connection.execute(sa.text(statement), {"reference": f"plain-{purchase}", "subject": str(purchase)})


def _outcome(shop: Shop, placed: list[Placed]) -> tuple[int, int]:
    """How many held rows were seen, and how many of them are gone."""
    seen = [one.purchase for one in placed if one.seen]
    left = shop.ids("purchase", "purchase_id")
    return len(seen), sum(purchase not in left for purchase in seen)
