"""Batches delete what was planned and nothing else, exactly once, whoever interferes and wherever they are stopped."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import FAT, NEW, OLD, TOMORROW, Crash, Document, Shop, crash, once

from holdfast.enforcement import locks, shards
from holdfast.errors import Fenced, HoldSourceUntrusted, LedgerError, PlanChanged, RunRefused
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.retention import steps

pytestmark = pytest.mark.usefixtures("small_batches")


def planned_shard(shop: Shop, wave: int, rule_id: str) -> tuple[int, int]:
    """Plan a night, begin it, and give the run and the one shard of a rule."""
    run_id = shop.plan()
    (shard_id,) = (one["shard_id"] for one in shop.shards(run_id, wave) if one["label"].startswith(rule_id))
    return run_id, shard_id


def fill_with_25_due(shop: Shop) -> None:
    """Five blocks of due purchases and, among them, ten that are not due."""
    for n in range(5):
        shop.purchases(range(n * 5, n * 5 + 5), note=FAT)
        shop.purchases(range(100 + n * 2, 102 + n * 2), bought_on=NEW, note=FAT)


# --- what is done -----------------------------------------------------------------------------------------------


def test_a_night_deletes_what_was_planned_and_the_ledger_says_so(shop: Shop) -> None:
    fill_with_25_due(shop)
    shop.purchases([200, 201], customer_no=2, note=FAT)
    shop.hold("matter-2", subject_key="2")
    kept = shop.scalars("SELECT cast(p AS text) FROM shop.purchase AS p WHERE purchase_id >= 100 ORDER BY 1")
    run_id = shop.night()
    assert shop.ids("purchase", "purchase_id") == {*range(100, 110), 200, 201}
    assert shop.contents("purchase") == kept
    assert shop.planned(run_id, "purchases-2y").due_rows == shop.rows_in_ledger("purchases-2y") == 25
    entries = shop.entries("batch_deleted")
    assert [one["batch"] for one in entries] == sorted(one["batch"] for one in entries)
    assert len(entries) > 4
    assert shop.state(run_id) == "sealed"
    assert shop.verify_ledger().verdict == "ok"


def test_children_go_before_their_parents(shop: Shop) -> None:
    shop.purchases([1, 2, 3])
    shop.add(
        "item", {"purchase_id": 1, "line_no": 1}, {"purchase_id": 2, "line_no": 1}, {"purchase_id": 2, "line_no": 2}
    )
    run_id = shop.plan()
    assert shop.enforce(run_id, 1) == 3
    assert shop.ids("purchase", "purchase_id") == {1, 2, 3}
    assert shop.enforce(run_id, 2) == 3
    assert shop.ids("purchase", "purchase_id") == set()
    shop.close(run_id)


@pytest.mark.parametrize("foreign_key", [True, False])
def test_a_child_that_arrives_after_the_others_have_gone_keeps_its_parent(shop: Shop, foreign_key: bool) -> None:
    if not foreign_key:
        shop.execute("ALTER TABLE shop.item DROP CONSTRAINT item_purchase_id_fkey")
    shop.purchases([1, 2])
    run_id = shop.plan()
    shop.enforce(run_id, 1)
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    shop.purchases([3])
    shop.add("item", {"purchase_id": 3, "line_no": 1})
    shop.enforce(run_id)
    assert shop.ids("purchase", "purchase_id") == {1, 3}
    assert shop.close(run_id)["done"] == 1
    assert shop.planned(run_id, "items-2y").late_rows == 2
    shop.night(TOMORROW)
    assert shop.contents("purchase") == shop.contents("item") == []


@pytest.mark.parametrize("foreign_key", [True, False])
def test_a_parent_may_not_begin_before_its_children_are_done(shop: Shop, foreign_key: bool) -> None:
    if not foreign_key:
        shop.execute("ALTER TABLE shop.item DROP CONSTRAINT item_purchase_id_fkey")
    shop.purchases([1])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    run_id = shop.plan()
    with pytest.raises(RunRefused, match="1 shards of earlier waves are not worked through") as caught:
        shop.enforce(run_id, 2)
    assert caught.value.facts == {"unfinished": 1}
    assert shop.ids("purchase", "purchase_id") == {1}
    shop.enforce(run_id)
    shop.close(run_id)


def test_a_large_table_is_cut_into_a_shard_for_each_worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_WORTH_SPLITTING", 4)
    fill_with_25_due(shop)
    run_id = shop.plan()
    first, second = shop.shards(run_id, 2)
    assert (first["label"], second["label"]) == ("purchases-2y 1/2", "purchases-2y 2/2")
    counts = [shop.enforce_shard(**one) for one in (second, first)]
    assert sum(counts) == 25
    assert all(counts)
    shop.close(run_id)


def test_running_a_night_again_changes_nothing(shop: Shop) -> None:
    fill_with_25_due(shop)
    first = shop.night()
    rows, deleted, seals = shop.contents("purchase"), shop.entries("batch_deleted"), shop.entries("run_sealed")
    assert shop.night() == first
    assert shop.contents("purchase") == rows
    assert shop.entries("batch_deleted") == deleted
    assert shop.entries("run_sealed") == seals
    assert shop.verify_ledger().verdict == "ok"


def test_a_night_without_anything_due_is_sealed_too(shop: Shop) -> None:
    shop.purchases([1], bought_on=NEW)
    run_id = shop.plan()
    assert [shop.shards(run_id, wave) for wave in (1, 2, 3, 4)] == [[], [], [], []]
    assert shop.close(run_id)["done"] == 0


# --- holds that come and go -------------------------------------------------------------------------------------


def test_a_hold_placed_after_the_plan_keeps_its_rows(shop: Shop) -> None:
    fill_with_25_due(shop)
    shop.purchases([200, 201], customer_no=2, note=FAT)
    run_id = shop.plan()
    shop.hold("matter-2", subject_key="2")
    assert shop.enforce(run_id) == 25
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") >= {200, 201}


@pytest.mark.parametrize("point", ["batch.before", "batch.fenced", "batch.unchecked", "batch.committed"])
def test_a_hold_placed_at_any_moment_before_the_register_is_locked_keeps_its_rows(shop: Shop, point: str) -> None:
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    held: set[int] = set()

    def place() -> None:
        held.update(shop.scalars("SELECT purchase_id FROM shop.purchase WHERE purchase_id < 100"))
        shop.hold("matter-1", subject_key="1")

    done = shop.attempt(run_id, shard_id, once(point, place, after=2))
    assert 5 <= done.rows <= 20
    assert done.rows == 25 - len(held) == shop.rows_in_ledger("purchases-2y")
    assert shop.ids("purchase", "purchase_id") >= held
    shop.close(run_id)


@pytest.mark.parametrize("again", [False, True])
def test_no_hold_can_be_placed_between_the_last_look_and_the_commit(shop: Shop, again: bool) -> None:
    """Whether the batch changed its rows once, or took its change back for a hold and did it again."""
    fill_with_25_due(shop)
    shop.purchases([200], customer_no=2, note=FAT)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    impatient = sa.create_engine(shop.engine.url, connect_args={"options": "-c timezone=UTC -c lock_timeout=100"})
    refused: list[str] = []

    def place() -> None:
        try:
            with impatient.begin() as connection:
                connection.execute(sa.text("LOCK TABLE holdfast.hold IN ROW EXCLUSIVE MODE"))
        except sa.exc.OperationalError as error:
            refused.append(str(error.orig))

    first = once("batch.unchecked", lambda: shop.hold("matter-2", subject_key="2") if again else None)
    then = once("batch.changed", place)
    assert shop.attempt(run_id, shard_id, lambda point: (first(point), then(point))[0]).rows == 26 - again
    impatient.dispose()
    assert "lock timeout" in refused[0]


@pytest.mark.parametrize(
    "lock", ["LOCK TABLE holdfast.hold IN ROW EXCLUSIVE MODE", "SELECT * FROM shop.purchase FOR UPDATE"]
)
def test_a_session_left_open_in_the_way_is_waited_for_and_then_named(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.5)
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    with shop.engine.connect() as other:
        other.execute(sa.text(lock))
        with pytest.raises(RunRefused, match="somebody has locked its rows") as caught:
            shop.attempt(run_id, shard_id, lambda _: None)
        other.rollback()
    assert "pg_stat_activity" in caught.value.fix
    assert shop.rows_in_ledger("purchases-2y") == 0
    assert shop.attempt(run_id, shard_id, lambda _: None).rows == 25


def test_a_lock_that_is_given_back_in_time_stops_nothing(shop: Shop) -> None:
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    with shop.engine.connect() as other:
        other.execute(sa.text("LOCK TABLE holdfast.hold IN ROW EXCLUSIVE MODE"))
        giving_back = threading.Timer(1.0, other.rollback)
        giving_back.start()
        assert shop.attempt(run_id, shard_id, lambda _: None).rows == 25
        giving_back.join()


def test_a_hold_on_another_dataset_does_not_disturb_a_batch(shop: Shop) -> None:
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    place = once("batch.unchecked", lambda: shop.hold("photos", datasets=["photos"]))
    assert shop.attempt(run_id, shard_id, place).rows == 25


def test_a_hold_released_after_the_plan_still_holds_in_that_run(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.purchases([3], customer_no=2)
    shop.hold("matter-2", subject_key="2")
    run_id = shop.plan()
    shop.release("matter-2")
    assert shop.enforce(run_id) == 2
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == {3}
    shop.night(TOMORROW)
    assert shop.ids("purchase", "purchase_id") == set()


def test_a_release_written_before_the_plan_and_committed_after_it_does_not_count_either(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.purchases([3], customer_no=2)
    shop.hold("matter-2", subject_key="2")
    with shop.engine.connect() as other:
        other.execute(sa.text("UPDATE holdfast.hold SET released_at = clock_timestamp(), released_by = 'x'"))
        run_id = shop.plan()
        other.commit()
    assert shop.planned(run_id, "purchases-2y").held_rows == 1
    assert shop.enforce(run_id) == 2
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == {3}


# --- fences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["batch.before", "batch.committed"])
def test_an_older_attempt_commits_nothing_once_a_newer_one_has_the_shard(shop: Shop, point: str) -> None:
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    newer: list[int] = []

    def take_over() -> None:
        newer.append(shop.attempt(run_id, shard_id, lambda _: None).rows)

    with pytest.raises(Fenced, match="Attempt 1 at purchases-2y 1/1 may not go on"):
        shop.attempt(run_id, shard_id, once(point, take_over, after=1))
    entries = shop.entries("batch_deleted")
    assert {one["epoch"] for one in entries} == {1, 2}
    assert sum(one["rows"] for one in entries if one["epoch"] == 2) == newer[0]
    assert shop.rows_in_ledger("purchases-2y") == 25
    shop.close(run_id)


def test_an_attempt_that_is_overtaken_at_its_end_does_not_finish_the_shard(shop: Shop) -> None:
    shop.purchases([1, 2])
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")

    def take_over() -> None:
        with pytest.raises(Crash):
            shop.attempt(run_id, shard_id, once("shard.taken", crash))

    with pytest.raises(Fenced):
        shop.attempt(run_id, shard_id, once("batch.before", take_over, after=1))
    with pytest.raises(RunRefused, match="1 shards are not worked through"):
        shop.verify(run_id)


def test_a_worker_of_a_superseded_run_commits_nothing_more(shop: Shop) -> None:
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    later = once("batch.committed", lambda: shop.plan(TOMORROW), after=1)
    with pytest.raises(Fenced):
        shop.attempt(run_id, shard_id, later)
    done = shop.rows_in_ledger("purchases-2y")
    assert 0 < done < 25
    with pytest.raises(Fenced):
        shop.attempt(run_id, shard_id, lambda _: None)
    assert shop.state(run_id) == "superseded"
    shop.night(TOMORROW)
    assert shop.rows_in_ledger("purchases-2y") == 25
    assert shop.verify_ledger().verdict == "ok"


# --- crashes ----------------------------------------------------------------------------------------------------

EVERYWHERE = ["shard.taken", "batch.before", "batch.fenced", "batch.changed", "batch.recorded", "batch.committed",
              "shard.finished"]  # fmt: skip


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("point", [*EVERYWHERE, "batch.unchecked"])
def test_a_crash_at_any_point_leaves_nothing_half_done(shop: Shop, point: str, after: int) -> None:
    after = 0 if point.startswith("shard") else after
    fill_with_25_due(shop)
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    with pytest.raises(Crash):
        shop.attempt(run_id, shard_id, once(point, crash, after=after))
    left = len([one for one in shop.ids("purchase", "purchase_id") if one < 100])
    assert 25 - left == shop.rows_in_ledger("purchases-2y")
    assert shop.attempt(run_id, shard_id, lambda _: None).rows == left
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == set(range(100, 110))
    assert shop.rows_in_ledger("purchases-2y") == 25


# --- limits -----------------------------------------------------------------------------------------------------


def test_more_rows_than_the_plan_allows_are_rolled_back(shop: Shop) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=8))
    shop.purchases(range(5), note=FAT)
    run_id = shop.plan()
    shop.purchases(range(5, 12), note=FAT)
    with pytest.raises(PlanChanged, match="purchases-2y would change 10 rows; its plan allows 8") as caught:
        shop.enforce(run_id)
    assert caught.value.facts == {"rule": "purchases-2y"}
    assert len(shop.ids("purchase", "purchase_id")) == 7
    assert shop.rows_in_ledger("purchases-2y") == 5


def test_what_a_person_approved_is_the_limit_exactly(shop: Shop) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=3))
    shop.purchases(range(5), note=FAT)
    run_id = shop.plan()
    shop.approve(run_id)
    shop.shards(run_id, 2)
    shop.purchases([5], note=FAT)
    with pytest.raises(PlanChanged, match="would change 6 rows; its plan allows 5"):
        shop.enforce(run_id)
    assert shop.ids("purchase", "purchase_id") == {5}


# --- no audit, no delete ----------------------------------------------------------------------------------------

_BREAK_LEDGER = """
CREATE OR REPLACE FUNCTION holdfast.ledger_append(kind text, facts text, run_id bigint) RETURNS bigint
LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the ledger is out of order''; END'
"""


def fill_every_kind(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    shop.add("customer", {"customer_no": 9, "full_name": "Ann", "left_on": OLD})
    shop.add("visit", *({"visit_id": n, "customer_no": 1, "seen_at": "2023-10-05"} for n in range(3)))
    shop.add("visit", {"visit_id": 9, "customer_no": 1, "seen_at": "2023-12-01"})
    photo = shop.settings.home / "photo.jpg"
    photo.parent.mkdir(parents=True, exist_ok=True)
    photo.write_bytes(b"a picture")
    row = {"photo_id": "0" * 32, "customer_no": 1, "taken_on": OLD, "url": photo.as_uri()}
    shop.add("photo", row)


EVERY_TABLE = ("customer", "purchase", "item", "visit", "photo")


def test_without_a_ledger_nothing_is_deleted_anonymised_or_dropped(shop: Shop) -> None:
    fill_every_kind(shop)
    before = {table: shop.contents(table) for table in EVERY_TABLE}
    run_id = shop.plan()
    begun = [*shop.shards(run_id, 1), *shop.shards(run_id, 2)]
    assert set(shop.scalars("SELECT kind FROM holdfast.shard")) == {"blocks", "files", "partition"}
    shop.execute(_BREAK_LEDGER)
    for shard in begun:
        if shard["label"].startswith("purchases"):  # let wave 2 be tried as well
            shop.execute("DELETE FROM shop.item")
            shop.execute("UPDATE holdfast.shard SET finished_at = clock_timestamp() WHERE wave = 1")
            before["item"] = []
        with pytest.raises(sa.exc.DBAPIError, match="the ledger is out of order"):
            shop.enforce_shard(**shard)
    assert {table: shop.contents(table) for table in EVERY_TABLE} == before
    assert (shop.settings.home / "photo.jpg").exists()
    assert shop.scalars("SELECT done_rows FROM holdfast.shard") == [0] * len(begun)


def engine_of(shop: Shop, role: str) -> sa.Engine:
    """The same database, as another role."""
    return sa.create_engine(shop.engine.url, connect_args={"options": f"-c role={role} -c timezone=UTC"})


def test_a_role_that_may_not_write_to_the_ledger_can_not_delete(shop: Shop) -> None:
    shop.purchases([1])
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    shop.execute("CREATE ROLE clerk")
    try:
        for schema in ("holdfast", "shop"):
            shop.execute(f"GRANT USAGE ON SCHEMA {schema} TO clerk")
            shop.execute(f"GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO clerk")
        as_clerk = dataclasses.replace(shop, engine=engine_of(shop, "clerk"))
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied for function ledger_append"):
            as_clerk.attempt(run_id, shard_id, lambda _: None)
        as_clerk.engine.dispose()
        assert shop.ids("purchase", "purchase_id") == {1}
    finally:
        shop.execute("DROP OWNED BY clerk")
        shop.execute("DROP ROLE clerk")


def test_an_entry_that_the_ledger_refuses_takes_the_deletion_back(shop: Shop) -> None:
    shop.purchases([1])
    run_id, shard_id = planned_shard(shop, 2, "purchases-2y")
    shop.execute("ALTER TABLE holdfast.ledger_kind DISABLE TRIGGER ALL")
    shop.execute("DELETE FROM holdfast.ledger_kind WHERE kind = 'batch_deleted'")
    with pytest.raises(LedgerError, match="no kind of entry named 'batch_deleted'"):
        shop.attempt(run_id, shard_id, lambda _: None)
    assert shop.ids("purchase", "purchase_id") == {1}


# --- sources that are not believed ------------------------------------------------------------------------------


def test_a_stale_source_keeps_all_that_it_could_protect_and_nothing_else(shop: Shop) -> None:
    fill_every_kind(shop)
    shop.execute("UPDATE shop.feed SET loaded_at = loaded_at - interval '31 hours'")
    kept = {table: shop.contents(table) for table in ("customer", "purchase", "item")}
    run_id = shop.plan()
    assert shop.enforce(run_id) == 5
    shop.verify(run_id)
    steps.seal_run(shop.engine, shop.settings, run_id=run_id)
    with pytest.raises(HoldSourceUntrusted, match="till are not believed; 4 rows that are past") as caught:
        steps.conclude(shop.engine, shop.settings, run_id=run_id)
    assert caught.value.facts == {"sources": ["till"], "rows": 4}
    assert {table: shop.contents(table) for table in kept} == kept
    assert shop.contents("visit") == shop.contents("photo") == []
    assert shop.verify_ledger().verdict == "ok"

    shop.execute("UPDATE shop.feed SET loaded_at = clock_timestamp()")
    shop.night(TOMORROW)
    assert shop.contents("purchase") == shop.contents("item") == []


# --- partitions -------------------------------------------------------------------------------------------------


@pytest.fixture
def visits(shop: Shop) -> Shop:
    """Visits of October that are all due, of December that are due in part, and of this month."""
    for number, day in enumerate(("2023-10-01", "2023-10-31", "2023-12-01", "2023-12-31", "2024-02-01")):
        rows = ({"visit_id": number * 10 + n, "customer_no": n, "seen_at": f"{day}T12:00:00Z"} for n in range(3))
        shop.add("visit", *rows)
    return shop


def partitions(shop: Shop) -> set[str]:
    return set(shop.scalars("SELECT cast(relid AS text) FROM pg_partition_tree('shop.visit') WHERE isleaf"))


ALL_PARTITIONS = {f"shop.visit_{month}" for month in ("2023_10", "2023_11", "2023_12", "2024_02")}


def test_a_partition_that_is_wholly_due_is_dropped(visits: Shop) -> None:
    visits.night()
    assert partitions(visits) == ALL_PARTITIONS - {"shop.visit_2023_10"}
    assert visits.entries("partition_dropped") == [
        {"rule": "visits-90d", "dataset": "visits", "shard": 1, "epoch": 1, "rows": 6, "partition": "visit_2023_10"}
    ]
    assert visits.ids("visit", "visit_id") == {30, 31, 32, 40, 41, 42}
    assert visits.rows_in_ledger("visits-90d") == 9


@pytest.mark.parametrize("name", ["visit_2023100100", "_hyper_1_chunk", "Visits of October"])
def test_a_partition_whose_name_is_no_code_is_entered_by_its_pseudonym(visits: Shop, name: str) -> None:
    visits.execute(f'ALTER TABLE shop.visit_2023_10 RENAME TO "{name}"')
    run_id = visits.night()
    assert len(partitions(visits)) == len(ALL_PARTITIONS) - 1
    (entry,) = visits.entries("partition_dropped")
    assert entry["partition"] == pseudonym(visits.settings.pseudonym_key(), "partition", name)
    assert visits.scalars("SELECT table_name FROM holdfast.shard WHERE shard_id = :id", id=entry["shard"]) == [name]
    assert visits.state(run_id) == "sealed"


def test_a_partition_with_a_held_row_is_worked_through_row_by_row(visits: Shop) -> None:
    visits.hold("matter-1", subject_key="1", period_from=dt.date(2023, 10, 31), period_to=dt.date(2023, 11, 1))
    visits.night()
    assert partitions(visits) == ALL_PARTITIONS
    assert visits.entries("partition_dropped") == []
    assert visits.ids("visit", "visit_id") == {11, 30, 31, 32, 40, 41, 42}


@pytest.mark.parametrize("when", ["after the plan", "while its rows are counted"])
def test_a_hold_placed_after_the_plan_keeps_a_partition(visits: Shop, when: str) -> None:
    run_id, shard_id = visits.plan(), 1
    visits.shards(run_id, 1)
    if when == "after the plan":
        visits.hold("matter-1", subject_key="1")
        visits.attempt(run_id, shard_id, lambda _: None)
    else:
        with visits.while_running("count(*)", lambda: visits.hold("matter-1", subject_key="1")):
            visits.attempt(run_id, shard_id, lambda _: None)
    assert partitions(visits) == ALL_PARTITIONS
    assert visits.ids("visit", "visit_id") >= {1, 11}


@pytest.mark.parametrize("point", ["partition.counted", "partition.dropped", "partition.recorded", "shard.finished"])
def test_a_crash_while_a_partition_is_dropped_drops_it_once_or_not_at_all(visits: Shop, point: str) -> None:
    run_id = visits.plan()
    visits.shards(run_id, 1)
    with pytest.raises(Crash):
        visits.attempt(run_id, 1, once(point, crash))
    is_dropped = "shop.visit_2023_10" not in partitions(visits)
    assert is_dropped is (point == "shard.finished")
    assert len(visits.entries("partition_dropped")) == is_dropped
    visits.enforce(run_id)
    visits.close(run_id)
    assert "shop.visit_2023_10" not in partitions(visits)
    assert visits.rows_in_ledger("visits-90d") == 9


def test_a_partition_that_others_refer_to_is_not_dropped(visits: Shop) -> None:
    def edit(documents: dict[str, Document]) -> None:
        documents["data_map"]["datasets"]["photos"]["subject"] = {
            "through": {"columns": ["photo_id", "taken_on"], "dataset": "visits"}
        }

    visits.execute("ALTER TABLE shop.photo DROP COLUMN photo_id, DROP COLUMN taken_on")
    visits.execute("ALTER TABLE shop.photo ADD COLUMN photo_id bigint PRIMARY KEY, ADD COLUMN taken_on timestamptz")
    visits.set_policy(edit)
    visits.night()
    assert partitions(visits) == ALL_PARTITIONS
    assert visits.rows_in_ledger("visits-90d") == 9
