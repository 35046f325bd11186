"""A store of many objects: they go with their rows, exactly once, and those without a row are found; in bounded memory.

`HOLDFAST_DRILL_OBJECTS` is how many; `make drill-objects` does a million.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import resource
import time
from pathlib import Path

import pytest
from tests.holdfast.retention.shop import NIGHT, OLD, Crash, Shop, crash, once

from holdfast.enforcement import objects
from holdfast.enforcement.objects import Counted
from holdfast.evidence.verify import Verdict

OBJECTS = int(os.environ.get("HOLDFAST_DRILL_OBJECTS", "20000"))
FOLDERS = 1_000
HELD_EVERY = 50
MOST_MEGABYTES = 100
"""By which memory may grow, whatever the number."""


def test_as_many_objects_go_as_are_due_and_memory_does_not_grow_with_them(shop: Shop, tmp_path: Path) -> None:
    _fill(shop, tmp_path)
    run_id = shop.plan(NIGHT)
    (shard,) = shop.shards(run_id, 1)
    before = _megabytes_now()
    began = time.monotonic()
    with pytest.raises(Crash):
        shop.attempt(run_id, shard["shard_id"], once("files.removed", crash, after=OBJECTS // 2_000))
    left = _objects(tmp_path)
    assert 0 < left < OBJECTS
    assert shop.one("SELECT count(*) FROM shop.photo") >= left, "no object is without a row"
    done = shop.attempt(run_id, shard["shard_id"], lambda _: None)
    seconds = time.monotonic() - began
    grown = _megabytes() - before
    shop.close(run_id)
    held = OBJECTS // HELD_EVERY
    print(
        f"\n{OBJECTS - held} of {OBJECTS} objects in {seconds:.0f} s ({(OBJECTS - held) / seconds:.0f} a second),"
        f" memory grew by {grown:.0f} MB; {done.batches} batches after the crash"
    )
    assert _objects(tmp_path) == shop.one("SELECT count(*) FROM shop.photo") == held
    assert shop.one("SELECT count(*) FROM shop.photo WHERE customer_no <> 7") == 0
    assert shop.rows_in_ledger("photos-90d") == OBJECTS - held
    assert shop.verify_ledger().verdict is Verdict.OK
    assert grown < MOST_MEGABYTES


def test_as_many_objects_are_looked_through_and_memory_does_not_grow_with_them(shop: Shop, tmp_path: Path) -> None:
    _fill(shop, tmp_path)
    shop.set_policy(lambda documents: documents["data_map"]["datasets"]["photos"]["files"].update(folders=["objects"]))
    shop.execute("DELETE FROM shop.photo WHERE customer_no = 7")
    in_store = dataclasses.replace(shop.settings, store_url=str(tmp_path))
    tomorrow = dt.datetime.now(tz=dt.UTC) + 2 * objects.LEAST_AGE
    before = _megabytes_now()
    began = time.monotonic()
    found = objects.count(shop.engine, in_store, shop.policy, now=tomorrow)
    seconds = time.monotonic() - began
    grown = _megabytes() - before
    print(f"\n{OBJECTS} objects looked through in {seconds:.0f} s, memory grew by {grown:.0f} MB")
    assert found == [Counted("photos", OBJECTS, OBJECTS // HELD_EVERY)]
    assert grown < MOST_MEGABYTES


def _fill(shop: Shop, folder: Path) -> None:
    """Objects in a thousand folders, each of a row that is due; one row in fifty is of somebody who is held."""
    for number in range(FOLDERS):
        (folder / "objects" / str(number)).mkdir(parents=True)
    for number in range(1, OBJECTS + 1):
        os.close(os.open(folder / "objects" / str(number % FOLDERS) / f"{number}.jpg", os.O_CREAT | os.O_WRONLY))
    shop.execute(
        "INSERT INTO shop.photo SELECT cast(lpad(cast(i AS text), 32, '0') AS uuid),"
        " CASE WHEN i % :every = 0 THEN 7 ELSE 8 END, cast(:day AS date),"
        " :root || (i % :folders) || '/' || i || '.jpg' FROM generate_series(1, :objects) AS i",
        every=HELD_EVERY,
        day=OLD,
        root=(folder / "objects").as_uri() + "/",
        folders=FOLDERS,
        objects=OBJECTS,
    )
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE shop.photo")
    shop.hold("matter-7", subject_key="7")


def _objects(folder: Path) -> int:
    """Counted folder by folder, never listed whole."""
    return sum(1 for one in os.scandir(folder / "objects") for _ in os.scandir(one.path))


def _megabytes_now() -> float:
    """This process's memory, from which on its highest counts anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _megabytes()


def _megabytes() -> float:
    """This process's memory at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
