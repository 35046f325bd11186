"""Every order of the steps of two sessions: a batch, and somebody who places or releases a hold.

One shard is worked through in batches of one block, and each batch meets the other session in the next order. A step
whose turn it is may have to wait for a lock of the other session; after a moment the next step then goes first, as in
PostgreSQL's own isolation tests. What must come out is the same in every order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import FAT, WAVES, Shop

from holdfast.enforcement import execute, locks
from holdfast.evidence.verify import Verdict
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason

BATCH = ("batch.before", "batch.fenced", "batch.unchecked", "batch.changed", "batch.recorded", "batch.committed")
OTHER = 3  # steps of the other session: write, commit, look
IS_BLOCKED = 0.1  # seconds, after which a step is taken to wait for the other session
ROWS_IN_A_BLOCK = 5


def orders() -> Iterator[str]:
    """Every way to merge the batch's steps (B) and the other session's (O)."""
    length = len(BATCH) + OTHER
    for places in combinations(range(length), OTHER):
        yield "".join("O" if place in places else "B" for place in range(length))


class Turns:
    """Who may take the next step. A turn that is not taken for a moment passes: its session waits for a lock."""

    def __init__(self, order: str) -> None:
        self._left = list(order)
        self._changed = threading.Condition()

    def take(self, who: str) -> None:
        with self._changed:
            while who in self._left and self._left[0] != who:
                if not self._changed.wait(IS_BLOCKED) and self._left and self._left[0] != who:
                    self._left.append(self._left.pop(0))  # whoever is blocked takes its step when it can
                    self._changed.notify_all()
            if who in self._left:
                self._left.remove(who)
                self._changed.notify_all()

    def leave(self, who: str) -> None:
        """This session has no further step."""
        with self._changed:
            self._left = [one for one in self._left if one != who]
            self._changed.notify_all()


@dataclass
class Meeting:
    """One batch and the other session over it."""

    order: str
    block: int
    seen: set[int] = field(default_factory=set)
    """Purchases of the block that the other session saw after its commit was acknowledged."""


Write = Callable[[sa.Connection, int], object]


@pytest.fixture
def blocks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> int:
    """As many blocks of due purchases as there are orders: each block one customer's, and one day's."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 1)  # a block each, whether or not the table has been analysed
    monkeypatch.setattr(execute, "BARREN", 1)  # or a batch after one that found only held rows takes several blocks
    monkeypatch.setattr(locks, "PAUSE", 0.01)
    number = len(list(orders()))
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(0, :last)", last=number - 1)
    shop.execute(
        "INSERT INTO shop.purchase SELECT i, i / :rows, date '2020-01-01' + cast(i / :rows AS integer), :note"
        " FROM generate_series(0, :last) AS i",
        rows=ROWS_IN_A_BLOCK,
        last=number * ROWS_IN_A_BLOCK - 1,
        note=FAT,
    )
    assert shop.one("SELECT pg_relation_size('shop.purchase') / 8192") == number
    return number


def _scopes(shop: Shop) -> dict[str, Write]:
    def day(block: int) -> dict[str, object]:
        first = shop.one("SELECT date '2020-01-01' + cast(:block AS integer)", block=block)
        last = shop.one("SELECT date '2020-01-01' + cast(:block AS integer) + 1", block=block)
        return {"datasets": ["purchases"], "period_from": first, "period_to": last}

    def place(connection: sa.Connection, block: int, **scope: object) -> None:
        names = {"hold_type": "COURT", "reference": f"case-{block}", "placed_by": "anna"}
        register.place(connection, shop.policy, **names, **scope)

    def record(block: int) -> dict[str, object]:
        return {"record_key": str(block * ROWS_IN_A_BLOCK), "datasets": ["purchases"]}

    return {
        "subject": lambda connection, block: place(connection, block, subject_key=str(block)),
        "record": lambda connection, block: place(connection, block, **record(block)),
        "class": lambda connection, block: place(connection, block, **day(block)),
    }


@pytest.mark.parametrize("scope", ["subject", "record", "class"])
def test_a_hold_that_is_acknowledged_over_a_row_keeps_it_in_every_order(shop: Shop, blocks: int, scope: str) -> None:
    run_id, meetings = _let_them_meet(shop, _scopes(shop)[scope])
    left = shop.ids("purchase", "purchase_id")
    reached = 1 if scope == "record" else ROWS_IN_A_BLOCK
    for meeting in meetings:
        first = meeting.block * ROWS_IN_A_BLOCK
        may_stay = {*range(first, first + reached)}
        block = {*range(first, first + ROWS_IN_A_BLOCK)}
        assert meeting.seen & may_stay == left & block, meeting.order
    assert {bool(meeting.seen) for meeting in meetings} == {True, False}
    assert shop.one("SELECT count(*) FROM holdfast.hold") == blocks
    _assert_accounts(shop, run_id, blocks, left)


def test_a_hold_that_is_released_meanwhile_still_holds_in_that_run_in_every_order(shop: Shop, blocks: int) -> None:
    for block in range(blocks):
        shop.hold(f"case-{block}", subject_key=str(block))

    def release(connection: sa.Connection, block: int) -> None:
        register.release(connection, shop.policy, f"case-{block}", released_by="anna", reason=ReleaseReason.ENDED)

    shop.purchases([10**6], customer_no=10**6)  # or nothing would be due and no shard made
    run_id, meetings = _let_them_meet(shop, release)
    left = shop.ids("purchase", "purchase_id")
    assert left == set(range(blocks * ROWS_IN_A_BLOCK))
    assert all(len(meeting.seen) == ROWS_IN_A_BLOCK for meeting in meetings)
    shop.close(run_id)
    assert shop.verify_ledger().verdict is Verdict.OK


def _let_them_meet(shop: Shop, write: Write) -> tuple[int, list[Meeting]]:
    """Plan a night and work through its one shard of purchases; each batch meets the other session in a new order."""
    run_id = shop.plan()
    (shard,) = [one for wave in WAVES for one in shop.shards(run_id, wave)]
    meetings = [Meeting(order, block) for block, order in enumerate(orders())]
    turns: list[Turns] = []
    others: list[threading.Thread] = []

    def reached(point: str) -> None:
        done = shop.one("SELECT next_block FROM holdfast.shard WHERE shard_id = :id", id=shard["shard_id"])
        if point == "batch.before" and done == len(turns) and done < len(meetings):
            _end(turns, others)
            turns.append(Turns(meetings[done].order))
            others.append(threading.Thread(target=_other, args=(shop, write, meetings[done], turns[-1])))
            others[-1].start()
        if point in BATCH:
            turns[-1].take("B")

    shop.attempt(run_id, shard["shard_id"], reached)
    _end(turns, others)
    assert len(others) == len(meetings)
    return run_id, meetings


def _end(turns: list[Turns], others: list[threading.Thread]) -> None:
    if others:
        turns[-1].leave("B")
        others[-1].join()


def _other(shop: Shop, write: Write, meeting: Meeting, turns: Turns) -> None:
    with shop.engine.connect() as connection:
        turns.take("O")
        write(connection, meeting.block)
        turns.take("O")
        connection.commit()
        turns.take("O")
        statement = sa.text("SELECT purchase_id FROM shop.purchase WHERE purchase_id / :rows = :block")
        bound = {"rows": ROWS_IN_A_BLOCK, "block": meeting.block}
        meeting.seen.update(connection.execute(statement, bound).scalars())
    turns.leave("O")


def _assert_accounts(shop: Shop, run_id: int, blocks: int, left: set[int]) -> None:
    shop.close(run_id)
    gone = blocks * ROWS_IN_A_BLOCK - len(left)
    assert shop.rows_in_ledger("purchases-2y") == gone
    assert shop.one("SELECT sum(done_rows) FROM holdfast.shard WHERE run_id = :run", run=run_id) == gone
    assert shop.verify_ledger().verdict is Verdict.OK
