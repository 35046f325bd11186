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
from tests.drills import large_shop
from tests.drills.conftest import kill, worker
from tests.holdfast.enforcement.undo import window
from tests.holdfast.retention.shop import FAT, WAVES, Shop

from holdfast.enforcement import execute, files
from holdfast.evidence.verify import Verdict

KILLS = int(os.environ.get("HOLDFAST_DRILL_KILLS", "50"))
ROWS = 1_000_000


def test_kills_at_random_moments_lose_nothing_and_count_nothing_twice(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", max(500, ROWS // (KILLS * 8)))
    monkeypatch.setattr(files, "ROWS_PER_BATCH", 1)
    large_shop.fill(shop, ROWS, tmp_path / "pictures")
    run_id = shop.plan()
    kept = large_shop.kept(shop)

    kills = sum(_work_with_kills(shop, run_id, wave) for wave in WAVES)
    shop.close(run_id)

    assert kills >= KILLS
    assert large_shop.everything(shop) == kept
    planned, done, in_ledger = large_shop.accounts(shop, run_id)
    assert set(planned) == {"purchases-2y", "visits-90d", "photos-90d", "customers-2y"}
    assert planned == done == {rule: rows for rule, rows in in_ledger.items() if rows}
    assert {one.name for one in (tmp_path / "pictures").iterdir()} == {f"{n}.jpg" for n in range(7, 300, 20)}
    assert shop.entries("partition_dropped")
    assert shop.verify_ledger().verdict is Verdict.OK


def _work_with_kills(shop: Shop, run_id: int, wave: int) -> int:
    """Work a wave with two workers at a time, each killed at some moment until the share of kills is used up.

    How long a worker lives is adjusted as it goes, so that the kills are spread over the work on any machine.
    """
    waiting = [one["shard_id"] for one in shop.shards(run_id, wave)]
    total = _blocks_left(shop, run_id, wave)
    wanted = KILLS * total // max(1, sum(_blocks_left(shop, run_id, one) for one in range(wave, 5)))
    chance, kills, life = random.Random(wave), 0, 0.05
    while waiting:
        at_work = [worker(shop, run_id, shard, lambda _: None) for shard in waiting[:2]]
        for process in at_work:
            process.start()
        if kills < wanted:
            time.sleep(0.02 + chance.random() * life)
            kills += sum(kill(process) for process in at_work)
            is_ahead = 1 - _blocks_left(shop, run_id, wave) / max(1, total) > 0.9 * kills / wanted
            life = life * 0.7 if is_ahead else min(1.0, life * 1.3)
        for process in at_work:
            process.join()
        finished = set(shop.scalars("SELECT shard_id FROM holdfast.shard WHERE finished_at IS NOT NULL"))
        waiting = [shard for shard in waiting if shard not in finished]
        chance.shuffle(waiting)
    return kills


def _blocks_left(shop: Shop, run_id: int, wave: int) -> int:
    statement = """
        SELECT coalesce(sum(greatest(0, least(s.to_block, c.blocks) - s.next_block)), 0)
        FROM holdfast.shard AS s
        CROSS JOIN LATERAL (
            SELECT coalesce(pg_relation_size(to_regclass(s.table_schema || '.' || s.table_name)), 0) / 8192 AS blocks
        ) AS c
        WHERE s.run_id = :run AND s.wave = :wave"""
    return int(shop.one(statement, run=run_id, wave=wave))


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
    for wave in WAVES:
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
    _, done, in_ledger = large_shop.accounts(shop, run_id)
    assert planned == sum(done.values()) == sum(in_ledger.values())
    assert shop.verify_ledger().verdict is Verdict.OK


@pytest.mark.parametrize("point", [one for one in POINTS if one.startswith("batch.")])
def test_a_kill_while_rows_are_kept_leaves_each_row_in_one_place(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
    shop.set_policy(window.with_window)
    shop.purchases(range(30), bought_on=window.TAKEN, note=FAT)
    before = shop.contents("purchase")
    run_id = shop.plan()
    (shard,) = shop.shards(run_id, 2)
    process = worker(shop, run_id, shard["shard_id"], _suicide_at(point))
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert len(shop.contents("purchase")) + sum(window.kept(shop).values()) == 30
    shop.attempt(run_id, shard["shard_id"], lambda _: None)
    shop.close(run_id)
    assert shop.contents("purchase") == []
    assert window.kept(shop) == {window.GONE_BY.isoformat(): 30}
    window.bring_back(shop, run_id)
    assert shop.contents("purchase") == before


def _suicide_at(point: str) -> Callable[[str], None]:
    def reached(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached
