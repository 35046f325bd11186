"""A run belongs to one day and one policy: a retry is the same run, a past day is refused, a missed night is said."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import NEW, NIGHT, TODAY, TOMORROW, Document, Shop

from holdfast.enforcement import rules
from holdfast.errors import Fenced, RunRefused
from holdfast.retention import steps


def open_run(shop: Shop, as_of: dt.datetime, *, dry_run: bool = False) -> steps.Result:
    return steps.open_run(shop.engine, shop.settings, as_of=as_of, dry_run=dry_run)


def other_policy(documents: dict[str, Document]) -> None:
    documents["retention_schedule"]["caps"]["rows"] = 999


# --- which day --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-03-02T01:30:00+00:00", "2024-03-02"),
        ("2024-07-01T23:30:00+00:00", "2024-07-02"),  # half past midnight in London
        ("2024-07-02T00:30:00+01:00", "2024-07-02"),
        ("2024-12-31T23:59:59+00:00", "2024-12-31"),
        ("2024-12-31T20:00:00-05:00", "2025-01-01"),
    ],
)
def test_the_day_of_a_run_is_the_one_in_london(shop: Shop, moment: str, day: str) -> None:
    assert open_run(shop, dt.datetime.fromisoformat(moment))["as_of"] == day


def test_a_run_for_the_future_is_refused(shop: Shop) -> None:
    now = shop.one("SELECT clock_timestamp()")
    with pytest.raises(RunRefused, match="is in the future"):
        open_run(shop, now + dt.timedelta(minutes=6))
    with pytest.raises(RunRefused, match="is in the future"):
        open_run(shop, now + dt.timedelta(days=1), dry_run=True)
    assert shop.scalars("SELECT run_id FROM holdfast.run") == []
    assert open_run(shop, now + dt.timedelta(minutes=4))["state"] == "open"  # clocks differ a little


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_for_a_past_day_is_refused(shop: Shop, dry_run: bool) -> None:
    shop.night(TOMORROW)
    with pytest.raises(RunRefused, match="The run is for 2024-03-02, but 2024-03-03 has been enforced or tried"):
        open_run(shop, NIGHT, dry_run=dry_run)


def test_the_retry_of_a_past_night_is_that_night(shop: Shop) -> None:
    shop.purchases([1])
    first = shop.night(NIGHT)
    shop.night(TOMORROW)
    assert open_run(shop, NIGHT) == {
        "run_id": first,
        "as_of": "2024-03-02",
        "mode": "enforce",
        "state": "sealed",
        "policy": shop.policy.digest,
        "nights_missed": 0,
    }
    assert shop.night(NIGHT) == first


def test_a_rehearsal_does_not_stand_in_the_way_of_an_earlier_night(shop: Shop) -> None:
    open_run(shop, TOMORROW, dry_run=True)
    assert open_run(shop, NIGHT)["state"] == "open"


# --- the same run, or another -----------------------------------------------------------------------------------


def test_a_retry_on_the_same_day_is_the_same_run_and_is_recorded(shop: Shop) -> None:
    first = open_run(shop, NIGHT)
    again = open_run(shop, NIGHT + dt.timedelta(hours=9))
    assert again["run_id"] == first["run_id"]
    assert [one["state"] for one in shop.entries("run_resumed")] == ["open"]
    assert len(shop.entries("run_started")) == 1


def test_a_rehearsal_and_the_night_are_two_runs(shop: Shop) -> None:
    assert open_run(shop, NIGHT, dry_run=True)["run_id"] != open_run(shop, NIGHT)["run_id"]


def test_a_changed_policy_on_the_same_day_supersedes_the_unfinished_run(shop: Shop) -> None:
    shop.purchases([1, 2])
    first = shop.plan()
    (shard,) = shop.shards(first, 2)
    shop.set_policy(other_policy)
    second = shop.plan()
    assert shop.state(first) == "superseded"
    assert [one["superseded"] for one in shop.entries("run_started")] == [[], [first]]
    with pytest.raises(Fenced):
        shop.attempt(first, shard["shard_id"], lambda _: None)
    assert shop.enforce(second) == 2
    shop.close(second)
    shop.set_policy()
    with pytest.raises(RunRefused, match=f"Run {first} of 2024-03-02 was superseded"):
        open_run(shop, NIGHT)


def test_a_finished_run_is_not_superseded(shop: Shop) -> None:
    first = shop.night()
    shop.set_policy(other_policy)
    second = shop.night()
    assert second != first
    assert [shop.state(one) for one in (first, second)] == ["sealed", "sealed"]


def test_a_later_night_supersedes_whatever_is_unfinished_before_it(shop: Shop) -> None:
    shop.purchases([1])
    left_over = shop.plan()
    shop.shards(left_over, 1)
    later = shop.night(TOMORROW)
    assert shop.state(left_over) == "superseded"
    assert shop.state(later) == "sealed"
    assert shop.ids("purchase", "purchase_id") == set()


def test_opening_a_run_waits_for_a_batch_in_flight(shop: Shop) -> None:
    shop.purchases([1])
    run_id = shop.plan()
    (shard,) = shop.shards(run_id, 2)
    impatient = sa.create_engine(shop.engine.url, connect_args={"options": "-c timezone=UTC -c lock_timeout=100"})
    refused: list[str] = []

    def supersede(point: str) -> None:
        if point == "batch.changed":
            try:
                steps.open_run(impatient, shop.settings, as_of=TOMORROW, dry_run=False)
            except sa.exc.OperationalError as error:
                refused.append(str(error.orig))

    assert shop.attempt(run_id, shard["shard_id"], supersede).rows == 1
    impatient.dispose()
    assert "lock timeout" in refused[0]


def test_a_run_that_does_not_exist_is_refused(shop: Shop) -> None:
    with pytest.raises(RunRefused, match="There is no run 4711"):
        steps.make_plan(shop.engine, shop.settings, run_id=4711)


def test_a_plan_that_was_carried_out_is_not_made_again(shop: Shop) -> None:
    shop.purchases([1])
    run_id = shop.plan()
    digest = shop.digest(run_id)
    shop.enforce(run_id)
    shop.purchases([2])
    steps.make_plan(shop.engine, shop.settings, run_id=run_id)
    assert steps.refresh_holds(shop.engine, shop.settings, run_id=run_id) == {"refused_sources": []}
    assert shop.digest(run_id) == digest
    assert shop.planned(run_id, "purchases-2y").due_rows == 1


# --- missed nights ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nights", [0, 1, 3, 30])
def test_missed_nights_are_said_and_the_next_run_clears_them(shop: Shop, nights: int) -> None:
    day = dt.timedelta(days=1)
    shop.night(NIGHT)
    for n in range(nights + 1):  # one photo falls due on each of the nights
        taken_on = TODAY + (n + 1) * day - dt.timedelta(days=91)
        shop.add("photo", {"photo_id": f"{n:032d}", "customer_no": 1, "taken_on": str(taken_on)})
    next_night = NIGHT + (nights + 1) * day
    assert open_run(shop, next_night)["nights_missed"] == nights
    run_id = shop.night(next_night)
    assert shop.planned(run_id, "photos-90d").due_rows == nights + 1
    assert shop.planned(run_id, "photos-90d").oldest_overdue_days == nights
    assert shop.ids("photo", "photo_id") == set()
    first, last = str(TODAY + day), str(TODAY + nights * day)
    expected = [{"first": first, "last": last, "nights": nights}] if nights else []
    assert shop.entries("nights_missed") == expected
    assert open_run(shop, next_night + day)["nights_missed"] == 0


def test_a_night_that_was_not_finished_counts_as_missed(shop: Shop) -> None:
    shop.purchases([1], bought_on=NEW)
    shop.night(NIGHT)
    shop.plan(TOMORROW)
    assert open_run(shop, TOMORROW + dt.timedelta(days=1))["nights_missed"] == 1


def test_before_the_first_night_none_was_missed() -> None:
    assert rules.nights_between(None, TODAY) == []
    assert rules.nights_between(TODAY, TODAY) == []


# --- evidence ---------------------------------------------------------------------------------------------------


def test_each_night_tells_its_story_in_the_ledger(shop: Shop) -> None:
    shop.purchases([1])
    shop.night()
    kinds = shop.scalars("SELECT kind FROM holdfast.ledger_entry ORDER BY seq")
    assert kinds == ["run_started", "holds_refreshed", "plan_made", "batch_deleted", "run_verified", "run_sealed"]
    assert [file.name for file in shop.settings.seals.iterdir()]
    assert shop.verify_ledger().uncovered == 0


def test_a_person_s_data_is_nowhere_in_ledger_and_registers(shop: Shop) -> None:
    name = "Zebedee Quillfeather"
    shop.add("customer", {"customer_no": 4711471147, "full_name": name, "left_on": "2020-01-01"})
    shop.hold("matter-1", subject_key="4711471147")
    shop.night()
    shop.release("matter-1")
    shop.night(TOMORROW)
    everything = "\n".join(shop.scalars("SELECT entry FROM holdfast.ledger_entry"))
    for table in ("run", "plan_rule", "plan_held", "dataset_count", "shard"):
        everything += "\n".join(shop.scalars(f"SELECT cast(t AS text) FROM holdfast.{table} AS t"))
    assert "4711471147" not in everything
    assert "Quillfeather" not in everything
