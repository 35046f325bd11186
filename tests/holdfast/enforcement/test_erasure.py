"""The engine carries out what requests ask for, with the same care as what a rule says is due.

The rows here are `NEW`: under no rule of the shop would any of them be due.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import FAT, NEW, NIGHT, TOMORROW, WAVES, Document, Shop, once

from holdfast.enforcement import kinds, night, shards
from holdfast.enforcement.execute import Done

_references = itertools.count(1)


def ask(shop: Shop, *datasets: str, subject: int = 1, record: str | None = None, waits_for: str | None = None) -> None:
    """A request that asks for all of a subject in these datasets, or for one record."""
    with shop.engine.begin() as connection:
        request = sa.text(
            "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at)"
            " VALUES (:reference, 'form', :subject, now()) RETURNING request_id"
        )
        named = {"reference": f"r-{next(_references)}", "subject": str(subject)}
        number = connection.execute(request, named).scalar_one()
        scope = sa.text(
            "INSERT INTO holdfast.erasure_scope (request_id, dataset, subject_key, record_key, is_ready, waits_for)"
            " VALUES (:number, :dataset, :subject, :record, :is_ready, :waits_for)"
        )
        given = {"number": number, "subject": str(subject), "record": record}
        for dataset in datasets:
            state = {"is_ready": waits_for is None, "waits_for": waits_for}
            connection.execute(scope, {**given, **state, "dataset": dataset})


def plan(shop: Shop, as_of: dt.datetime = NIGHT) -> int:
    opened = night.open_run(shop.engine, shop.settings, kinds.DELETION_REQUESTS, as_of=as_of, dry_run=False)
    run_id = int(str(opened["run_id"]))
    for step in (night.refresh_holds, night.check_policy, night.make_plan):
        step(shop.engine, shop.settings, run_id=run_id)
    return run_id


def carry_out(shop: Shop, as_of: dt.datetime = NIGHT) -> int:
    """A whole night of requests; the run's number."""
    run_id = plan(shop, as_of)
    shop.enforce(run_id)
    shop.close(run_id)
    return run_id


def only_shard(shop: Shop, run_id: int, work_id: str) -> int:
    listed = [shard for wave in WAVES for shard in shop.shards(run_id, wave)]
    [shard_id] = [one["shard_id"] for one in listed if one["label"].startswith(f"{work_id} ")]
    return int(shard_id)


def test_what_is_asked_for_goes_and_nothing_else(shop: Shop) -> None:
    shop.purchases(range(1, 8), bought_on=NEW, note=FAT)
    shop.purchases(range(11, 15), bought_on=NEW, customer_no=2, note=FAT)
    shop.add("item", {"purchase_id": 1, "line_no": 1}, {"purchase_id": 11, "line_no": 1})
    ask(shop, "purchases", "items")
    ask(shop, "purchases", subject=2, waits_for="approval")
    run_id = carry_out(shop)
    assert shop.ids("purchase", "purchase_id") == {11, 12, 13, 14}
    assert shop.ids("item", "purchase_id") == {11}
    assert shop.planned(run_id, "erase:purchases").due_rows == shop.rows_in_ledger("erase:purchases") == 7
    assert shop.rows_in_ledger("erase:items") == 1
    assert shop.verify_ledger().verdict == "ok"


def test_a_customer_is_anonymised_once_and_counted_as_done_after_that(shop: Shop) -> None:
    shop.add("customer", {"customer_no": 1, "full_name": "Ada Byte", "email": "ada@example.com", "left_on": NEW})
    ask(shop, "customers")
    first = carry_out(shop)
    assert shop.scalars("SELECT email FROM shop.customer") == ["gone"]
    second = carry_out(shop, TOMORROW)
    found = [shop.planned(run_id, "erase:customers") for run_id in (first, second)]
    assert [(one.due_rows, one.done_rows) for one in found] == [(1, 0), (0, 1)]


def test_a_hold_keeps_what_it_reaches(shop: Shop) -> None:
    shop.purchases([1, 2], bought_on=NEW)
    shop.purchases([3], bought_on=NEW, customer_no=2)
    ask(shop, "purchases")
    ask(shop, "purchases", subject=2)
    shop.hold("record", datasets=["purchases"], record_key="1")
    shop.hold("subject", subject_key="2")
    run_id = carry_out(shop)
    planned = shop.planned(run_id, "erase:purchases")
    assert (planned.due_rows, planned.held_rows, planned.not_due_rows) == (1, 2, 0)
    assert shop.ids("purchase", "purchase_id") == {1, 3}
    shop.release("record")
    carry_out(shop, TOMORROW)
    assert shop.ids("purchase", "purchase_id") == {3}


def test_a_row_that_a_kept_row_refers_to_waits(shop: Shop) -> None:
    shop.purchases([1, 2], bought_on=NEW)
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    ask(shop, "purchases")
    run_id = carry_out(shop)
    planned = shop.planned(run_id, "erase:purchases")
    assert (planned.due_rows, planned.waiting_rows) == (1, 1)
    assert shop.ids("purchase", "purchase_id") == {1}


def test_a_statutory_period_goes_on_and_the_unknown_stays_unknown(shop: Shop) -> None:
    def by_law(documents: dict[str, Document]) -> None:
        documents["retention_schedule"]["rules"]["purchases-2y"]["strength"] = "statutory"

    shop.set_policy(by_law)
    shop.purchases([1, 2], bought_on=NEW)
    shop.execute("UPDATE shop.purchase SET bought_on = NULL WHERE purchase_id = 2")
    ask(shop, "purchases")
    planned = shop.planned(carry_out(shop), "erase:purchases")
    assert (planned.due_rows, planned.not_due_rows, planned.unknown_rows) == (0, 1, 1)


def test_a_record_that_is_about_nobody_stays_since_no_hold_on_its_subject_could_be_seen(shop: Shop) -> None:
    shop.purchases([1, 2], bought_on=NEW)
    shop.execute("UPDATE shop.purchase SET customer_no = NULL WHERE purchase_id = 1")
    ask(shop, "purchases", record="1")
    ask(shop, "purchases", record="2")
    planned = shop.planned(carry_out(shop), "erase:purchases")
    assert (planned.due_rows, planned.unknown_rows) == (1, 1)
    assert shop.ids("purchase", "purchase_id") == {1}


def test_what_a_source_that_is_not_believed_could_hold_is_refused(shop: Shop) -> None:
    shop.purchases([1, 2], bought_on=NEW)
    shop.execute("DELETE FROM shop.feed")
    ask(shop, "purchases")
    planned = shop.planned(plan(shop), "erase:purchases")
    assert (planned.due_rows, planned.refused_rows) == (0, 2)


@pytest.mark.parametrize("point", ["batch.before", "batch.fenced", "batch.unchecked", "batch.committed"])
def test_a_hold_placed_at_any_moment_before_the_register_is_locked_keeps_its_rows(shop: Shop, point: str) -> None:
    shop.purchases(range(1, 26), bought_on=NEW, note=FAT)
    ask(shop, "purchases")
    run_id = plan(shop)
    held: set[int] = set()

    def place() -> None:
        held.update(shop.ids("purchase", "purchase_id"))
        shop.hold("matter-1", subject_key="1")

    done = attempt(shop, run_id, "erase:purchases", once(point, place, after=1))
    assert held
    assert shop.ids("purchase", "purchase_id") == held
    assert done.rows == 25 - len(held)


def attempt(shop: Shop, run_id: int, work_id: str, reached: Callable[[str], None]) -> Done:
    return shop.attempt(run_id, only_shard(shop, run_id, work_id), reached)


def test_workers_share_what_is_asked_for_and_not_the_table(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_WORTH_SPLITTING", 10)
    shop.purchases(range(1, 201), bought_on=NEW, note=FAT)
    shop.purchases(range(201, 801), bought_on=NEW, customer_no=2, note=FAT)
    ask(shop, "purchases")
    run_id = plan(shop)
    found = [shard for wave in WAVES for shard in shop.shards(run_id, wave)]
    rows = [shop.enforce_shard(**shard) for shard in found]
    assert sum(rows) == 200
    assert len(rows) == 2
    assert all(50 < one < 150 for one in rows)
    shop.close(run_id)


def test_an_erasure_and_the_retention_of_one_night_count_the_same_rows_once(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.purchases([3], bought_on=NEW)
    ask(shop, "purchases")
    retention = shop.night()
    requests = carry_out(shop, NIGHT)
    assert shop.planned(retention, "purchases-2y").due_rows == 2
    assert shop.planned(requests, "erase:purchases").due_rows == 1
    assert shop.verify_ledger().verdict == "ok"
