"""Small shards share a task, and lose nothing by it: each is worked through, fenced and counted as if it were alone."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.shop import FAT, OLD, Shop

from holdfast.enforcement import execute, groups, plan, runs
from holdfast.enforcement.groups import SHARDS_PER_TASK, WORK_PER_TASK, RuleWork
from holdfast.enforcement.shards import Shard
from holdfast.errors import Fenced, PlanChanged

pytestmark = pytest.mark.usefixtures("small_batches")


def shard(number: int, rule_id: str = "calls-12m", kind: str = "blocks") -> Shard:
    return Shard(number, 1, rule_id, 1, f"{rule_id} {number}/9", kind, "p", "t", 0, 10, 0, 0)


# --- who works with whom ----------------------------------------------------------------------------------------


def test_small_rules_share_a_task_and_a_large_shard_has_one_of_its_own() -> None:
    found = [shard(1, "accounts-6y"), shard(2), shard(3), shard(4, "logins-12m"), shard(5, "tickets-24m")]
    work = {
        "accounts-6y": RuleWork(2_000, 40),
        "calls-12m": RuleWork(10 * WORK_PER_TASK, 0),
        "logins-12m": RuleWork(10_000, 5),
        "tickets-24m": RuleWork(300, 3),
    }
    shared = [(group.label, [one.shard_id for one in group.shards]) for group in groups.share_out(found, work)]
    assert shared == [
        ("calls-12m 2/9", [2]),
        ("calls-12m 3/9", [3]),
        ("accounts-6y and 2 more small rules", [1, 4, 5]),
    ]


@pytest.mark.parametrize(
    ("found", "label"),
    [
        ([shard(4)], "calls-12m 4/9"),
        ([shard(4), shard(5)], "calls-12m, 2 shards"),
        ([shard(4), shard(5), shard(6, "z-1y")], "calls-12m and 1 more small rule"),
    ],
)
def test_a_group_is_named_for_its_rules(found: list[Shard], label: str) -> None:
    work = {one.rule_id: RuleWork(10, 1) for one in found}
    assert [group.label for group in groups.share_out(found, work)] == [label]


def test_what_costs_more_than_to_look_at_counts_for_more() -> None:
    rows = WORK_PER_TASK // 100
    two = [shard(1, "a-1y"), shard(2, "b-1y")]
    assert len(groups.share_out(two, {"a-1y": RuleWork(rows, 0), "b-1y": RuleWork(rows, 0)})) == 1
    assert len(groups.share_out(two, {"a-1y": RuleWork(rows, 0), "b-1y": RuleWork(10 * rows, 10 * rows)})) == 2
    files = [shard(1, "a-1y"), shard(2, "b-1y", "files")]
    assert len(groups.share_out(files, {"a-1y": RuleWork(rows, 0), "b-1y": RuleWork(rows, 2_000)})) == 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 200)), max_size=200), st.data())
def test_each_shard_is_in_one_group_and_no_group_is_large(found: list[tuple[str, int]], data: st.DataObject) -> None:
    made = [shard(number, rule) for number, (rule, _) in enumerate(found)]
    amounts = st.integers(0, 3 * WORK_PER_TASK)
    work = {rule: RuleWork(data.draw(amounts), data.draw(amounts) // 20) for rule in "abc"}
    shared = groups.share_out(made, work)
    assert sorted(one.shard_id for group in shared for one in group.shards) == [one.shard_id for one in made]
    for group in shared:
        assert 1 <= len(group.shards) <= SHARDS_PER_TASK
        assert len(group.label) < 250, "Airflow cuts it there"


# --- working together -------------------------------------------------------------------------------------------


def fill_visits(shop: Shop) -> None:
    """Two partitions, each with three due rows."""
    for month in ("10", "11"):
        shop.add("visit", *({"visit_id": n, "customer_no": 1, "seen_at": f"2023-{month}-05"} for n in range(3)))


def fill_three_rules(shop: Shop) -> None:
    """Visits, a photo and an item are due in the first wave."""
    shop.purchases([1])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    fill_visits(shop)
    shop.add("photo", {"photo_id": "0" * 32, "customer_no": 1, "taken_on": OLD})


def test_one_task_works_through_the_small_rules_of_a_wave_and_its_log_tells_of_each(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    fill_three_rules(shop)
    run_id = shop.plan()
    (group,) = shop.groups(run_id, 1)
    assert group["label"].endswith("and 2 more small rules")
    assert len(group["shard_ids"]) == 4
    with caplog.at_level(logging.INFO, "holdfast"):
        assert shop.enforce(run_id, 1) == 8
    assert sorted(caplog.messages) == [
        "items-2y 1/1: 1 rows in 1 batches",
        "photos-90d 1/1: 1 rows in 1 batches",
        "visits-90d 1/2: 3 rows in 1 batches",
        "visits-90d 2/2: 3 rows in 1 batches",
    ]
    shop.enforce(run_id)
    shop.close(run_id)


def test_a_rule_that_fails_keeps_no_other_from_being_worked_through_and_is_told(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    fill_three_rules(shop)
    run_id = shop.plan()
    (group,) = shop.groups(run_id, 1)
    shop.execute("UPDATE holdfast.plan_rule SET limit_rows = 0 WHERE rule_id IN ('items-2y', 'visits-90d')")
    with (
        caplog.at_level(logging.INFO, "holdfast"),
        pytest.raises(PlanChanged, match="items-2y would change 1 rows; its plan allows 0"),
    ):
        shop.enforce(run_id, 1)
    assert len([line for line in caplog.messages if "failed: PlanChanged: " in line]) == 3
    assert shop.contents("photo") == []
    assert len(shop.contents("visit")) == 6
    shop.execute("UPDATE holdfast.plan_rule SET limit_rows = 9")
    assert shop.enforce(run_id, 1) == 7, "the photo is counted once"
    shop.enforce(run_id)
    shop.close(run_id)
    assert [shop.rows_in_ledger(rule) for rule in ("items-2y", "photos-90d", "visits-90d")] == [1, 1, 6]
    assert len(group["shard_ids"]) == 4


def test_a_failure_that_may_pass_is_raised_before_one_that_will_not_so_that_the_task_is_tried_again(
    shop: Shop,
) -> None:
    fill_three_rules(shop)
    run_id = shop.plan()
    shop.groups(run_id, 1)
    shop.execute("UPDATE holdfast.plan_rule SET limit_rows = 0 WHERE rule_id = 'items-2y'")
    shop.execute(_LOSE_THE_SERVER)
    with pytest.raises(sa.exc.OperationalError):
        shop.enforce(run_id, 1)
    assert len(shop.contents("visit")) == 0
    assert len(shop.contents("photo")) == 1


_LOSE_THE_SERVER = """
CREATE FUNCTION shop.lose() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION USING ERRCODE = ''57P01''; END';
CREATE TRIGGER lose BEFORE DELETE ON shop.photo FOR EACH ROW EXECUTE FUNCTION shop.lose()
"""


def test_of_two_attempts_at_a_group_the_older_is_fenced_from_all_of_it(shop: Shop) -> None:
    shop.purchases(range(5), note=FAT)
    fill_visits(shop)
    run_id = shop.plan()
    (group,) = shop.groups(run_id, 1)
    with shop.engine.connect() as connection:
        setting = plan.setting_of(connection, shop.policy, runs.get(connection, run_id))
    key = shop.settings.pseudonym_key()
    older = execute.take(shop.engine, group["shard_ids"])
    execute.work_through(shop.engine, setting, older[0], key)
    newer = execute.take(shop.engine, group["shard_ids"][::-1])
    for taken in older:
        with pytest.raises(Fenced):
            execute.work_through(shop.engine, setting, taken, key)
    for taken in newer:
        execute.work_through(shop.engine, setting, taken, key)
    assert shop.enforce(run_id) == 5
    shop.close(run_id)
    assert shop.rows_in_ledger("visits-90d") == 6
