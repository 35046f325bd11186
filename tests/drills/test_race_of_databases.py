"""Holds that are placed in two databases at once, while the rows they reach are being deleted in both.

A hold is lost if its placing was acknowledged, its holder saw the row in a database afterwards, and it is gone there.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from tests.drills.conftest import DONE, FORK, forget_holds, in_child, worker
from tests.drills.large_shop import WIDE_CAPS
from tests.holdfast.retention import chain as chains
from tests.holdfast.retention.chain import ARCHIVE, Chain, url_of
from tests.holdfast.retention.shop import NIGHT, WAVES, Document, Shop

from holdfast import database as hf_database
from holdfast import settings
from holdfast.enforcement import execute, shards
from holdfast.evidence.verify import Verdict
from holdfast.holds import everywhere, register

HOLDS = int(os.environ.get("HOLDFAST_DRILL_HOLDS", "2000")) // 4
WRITERS = 2
ROWS = 40_000
EVERY = 7  # of these rows one is held
BATCH_STAYS_OPEN = 0.01  # seconds

Placed = list[tuple[int, dict[str, bool]]]
"""The purchase, and in which databases its holder saw it once the hold was acknowledged."""


@pytest.fixture
def chain(chain: Chain) -> Chain:
    """With caps that no plan of the drill exceeds."""

    def edit(documents: dict[str, Document]) -> None:
        chains.add_archive(documents)
        documents["retention_schedule"].update(caps=WIDE_CAPS)

    chain.shop.set_policy(edit)
    return chain


def test_no_acknowledged_hold_is_overtaken_in_any_database(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, lost, night = 0, 0, 0
    while seen < HOLDS:
        more_seen, more_lost = _race(chain, monkeypatch, night)
        seen, lost, night = seen + more_seen, lost + more_lost, night + 1
    print(f"\n{seen} times an acknowledged hold was over a row still seen, in one of two databases; {lost} lost")
    assert lost == 0
    assert [one.verify_ledger().verdict for one in (chain.shop, chain.archive)] == [Verdict.OK, Verdict.OK]


def test_the_drill_can_fail_holds_are_lost_without_the_second_look(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_lock_holds", lambda *_: False)
    assert any(_race(chain, monkeypatch, night)[1] for night in range(5)), "the race was not won once without the lock"


def _race(chain: Chain, monkeypatch: pytest.MonkeyPatch, night: int) -> tuple[int, int]:
    """One night in both databases over fresh rows; how often a held row was seen, and how many of those are gone."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 500)
    monkeypatch.setattr(shards, "_WORTH_SPLITTING", 50)
    at_work = []
    for shop in (chain.shop, chain.archive):
        _fill(shop, 1 + night * ROWS)
        run_id = shop.plan(NIGHT + dt.timedelta(days=night))
        at_work += [worker(shop, run_id, s["shard_id"], _stay_open) for w in WAVES for s in shop.shards(run_id, w)]
    done, told = FORK.Event(), FORK.SimpleQueue()
    writers = [
        in_child(lambda number=number: told.put(_hold(chain, night * ROWS + number, done.is_set)))  # type: ignore[misc]
        for number in range(WRITERS)
    ]
    for process in (*writers, *at_work):
        process.start()
    for process in at_work:
        process.join()
        assert process.exitcode == DONE
    done.set()
    placed: Placed = [one for _ in writers for one in told.get()]
    for process in writers:
        process.join()
        assert process.exitcode == DONE
    left = {settings.MAIN: chain.shop.ids("purchase", "purchase_id"),
            ARCHIVE: chain.archive.ids("purchase", "purchase_id")}  # fmt: skip
    held = [(purchase, name) for purchase, there in placed for name, seen in there.items() if seen]
    return len(held), sum(purchase not in left[name] for purchase, name in held)


def _stay_open(point: str) -> None:
    if point == "batch.unchecked":
        time.sleep(BATCH_STAYS_OPEN)


def _fill(shop: Shop, first: int) -> None:
    values = {"first": first, "last": first + ROWS - 1}
    shop.execute("TRUNCATE shop.item, shop.purchase")
    forget_holds(shop)
    if shop.settings.database == settings.MAIN:
        shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(:first, :last)", **values)
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, i, '1999-01-01' FROM generate_series(:first, :last) AS i", **values
    )
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.purchase")


def _hold(chain: Chain, first: int, is_done: Callable[[], bool]) -> Placed:
    """Hold purchases by their buyers from the far end on, in both databases, as the command does."""
    engines = {name: hf_database.engine_for(url_of(engine)) for name, engine in chain.engines.items()}
    policy = chain.policy
    placed: Placed = []
    for purchase in range(first + ROWS - WRITERS, first, -EVERY * WRITERS):
        if is_done():
            break
        names = {"hold_type": "COURT", "reference": f"case-{purchase}", "placed_by": "anna"}

        def place_in(connection: sa.Connection, name: str, *, key: str = str(purchase), given: object = names) -> int:
            return register.place(connection, policy, **given, subject_key=key, database=name)  # type: ignore[arg-type]

        everywhere.place(engines, place_in)
        placed.append((purchase, {name: _is_there(engine, purchase) for name, engine in engines.items()}))
    return placed


def _is_there(engine: sa.Engine, purchase: int) -> bool:
    with engine.connect() as connection:
        there = sa.text("SELECT 1 FROM shop.purchase WHERE purchase_id = :id")
        return connection.execute(there, {"id": purchase}).scalar() is not None
