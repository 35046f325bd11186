"""Workers killed with SIGKILL, at random moments of a large run and at every named point of a small one.

`HOLDFAST_DRILL_KILLS` is how many random kills; `make drill-kills` does 1,000.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.drills.conftest import fill, held_rows, kill, worker
from tests.holdfast.retention.shop import FAT, Shop

from holdfast.enforcement import execute, files
from holdfast.evidence.verify import Verdict

KILLS = int(os.environ.get("HOLDFAST_DRILL_KILLS", "50"))
ROWS = 1_000_000
LONGEST_LIFE = 0.06  # seconds that a worker lives once it is at work


def test_kills_at_random_moments_lose_nothing_and_count_nothing_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", max(200, ROWS // (KILLS * 8)))
    fill(shop, ROWS)
    run_id = shop.plan()
    due = shop.planned(run_id, "purchases-2y").due_rows
    before, total = held_rows(shop), shop.one("SELECT count(*) FROM shop.purchase")
    shards = [one["shard_id"] for wave in (1, 2, 3, 4) for one in shop.shards(run_id, wave)]
    assert due > ROWS // 2
    assert len(shards) >= 2, "two workers, or nothing could collide"

    chance = random.Random(20241124)
    kills = 0
    while kills < KILLS:
        at_work = [worker(shop, run_id, shard, lambda _: None) for shard in shards]
        for process in at_work:
            process.start()
        time.sleep(0.03 + chance.random() * LONGEST_LIFE)
        kills += sum(kill(process) for process in at_work)
        left = shop.one("SELECT count(*) FROM holdfast.shard WHERE finished_at IS NULL")
        assert left, f"all was done after {kills} kills: make the batches smaller"
    shop.enforce(run_id)
    shop.close(run_id)

    assert held_rows(shop) == before
    gone = total - shop.one("SELECT count(*) FROM shop.purchase")
    assert gone == due
    assert gone == shop.one("SELECT sum(done_rows) FROM holdfast.shard WHERE rule_id = 'purchases-2y'")
    assert gone == shop.rows_in_ledger("purchases-2y")
    assert shop.verify_ledger().verdict is Verdict.OK


POINTS = sorted(
    {
        point
        for module in (execute, files)
        for point in re.findall(r'reached\("([a-z.]+)"\)', Path(module.__file__).read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_each_named_point_is_healed_by_the_next_attempt(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
    shop.purchases(range(1, 31), note=FAT)
    shop.purchases([99], customer_no=7)
    shop.add("visit", *({"visit_id": n, "customer_no": 1, "seen_at": "2023-10-05"} for n in range(5)))
    picture = tmp_path / "1.jpg"
    picture.write_bytes(b"a picture")
    shop.add("photo", {"photo_id": f"{1:032d}", "customer_no": 1, "taken_on": "2021-05-05", "url": picture.as_uri()})
    shop.hold("matter-7", subject_key="7")
    run_id = shop.plan()
    planned = shop.one("SELECT sum(due_rows) FROM holdfast.plan_rule WHERE run_id = :run", run=run_id)

    killed = 0
    for wave in (1, 2, 3, 4):
        for shard in shop.shards(run_id, wave):
            process = worker(shop, run_id, shard["shard_id"], _suicide_at(point))
            process.start()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            if process.exitcode != 0:
                shop.attempt(run_id, shard["shard_id"], lambda _: None)
    shop.close(run_id)

    assert killed, f"no worker came to {point}"
    assert shop.ids("purchase", "purchase_id") == {99}
    assert shop.contents("visit") == shop.contents("photo") == []
    assert not picture.exists()
    done = shop.one("SELECT sum(done_rows) FROM holdfast.shard WHERE run_id = :run", run=run_id)
    in_ledger = sum(e["facts"]["rows"] for e in _changes(shop))
    assert planned == done == in_ledger
    assert shop.verify_ledger().verdict is Verdict.OK


def _suicide_at(point: str) -> Callable[[str], None]:
    def reached(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _changes(shop: Shop) -> list[dict[str, dict[str, int]]]:
    statement = (
        "SELECT cast(entry AS json) FROM holdfast.ledger_entry"
        " WHERE kind IN ('batch_deleted', 'batch_anonymised', 'partition_dropped')"
    )
    return shop.scalars(statement)
