"""After the work every due row is gone, every row accounted for, and what was kept is as it was; or the run is red."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import FAT, NEW, TOMORROW, Crash, Shop, crash, once

from holdfast.enforcement import runs, verify
from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.rules import RetentionSetting
from holdfast.errors import ConservationError, HeldRowsChanged, RunRefused, SurvivorsFound
from holdfast.policy.model import Policy
from holdfast.retention import steps

pytestmark = pytest.mark.usefixtures("small_batches")


def fill(shop: Shop) -> None:
    """Twenty due rows in four blocks, a held one and one that is not due."""
    shop.purchases(range(20), note=FAT)
    shop.purchases([30], customer_no=2, note=FAT)
    shop.purchases([40], bought_on=NEW, note=FAT)
    shop.hold("matter-2", subject_key="2")


def run_up_to_enforced(shop: Shop) -> int:
    fill(shop)
    run_id = shop.plan()
    shop.enforce(run_id)
    return run_id


def accounts(shop: Shop, run_id: int) -> tuple[int, ...]:
    """Rows before, deleted and after, as they are kept for purchases."""
    with shop.engine.connect() as connection:
        statement = "SELECT before_rows, deleted_rows, after_rows FROM holdfast.dataset_count WHERE run_id = :r"
        found = connection.execute(sa.text(statement + " AND dataset = 'purchases'"), {"r": run_id}).one()
        return tuple(found)


def outside_any_transaction(shop: Shop, statement: str) -> None:
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(statement))


def test_a_good_night_adds_up_and_says_so(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.verify(run_id)
    assert accounts(shop, run_id) == (22, 20, 2)
    planned = shop.planned(run_id, "purchases-2y")
    assert (planned.survivors, planned.late_rows, planned.held_unchanged) == (0, 0, True)
    assert shop.one("SELECT bool_and(sample_unchanged) FROM holdfast.dataset_count") is True
    assert shop.entries("run_verified") == [{"survivors": {}, "late": {}, "missing": {}, "altered": []}]
    assert shop.state(run_id) == "verified"


def test_rows_that_moved_behind_the_worker_are_swept_up(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    shop.shards(run_id, 1)
    (shard,) = shop.shards(run_id, 2)
    compact = once("batch.committed", lambda: outside_any_transaction(shop, "VACUUM FULL shop.purchase"), after=1)
    done = shop.attempt(run_id, shard["shard_id"], compact).rows
    assert 0 < done < 20
    shop.close(run_id)
    assert shop.entries("sweep_started") == [{"rule": "purchases-2y", "rows": 20 - done}]
    assert shop.rows_in_ledger("purchases-2y") == 20
    assert shop.ids("purchase", "purchase_id") == {30, 40}
    assert shop.verify_ledger().verdict == "ok"


def test_a_sweep_that_is_interrupted_is_taken_up_again(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    shop.shards(run_id, 1)
    (shard,) = shop.shards(run_id, 2)
    compact = once("batch.committed", lambda: outside_any_transaction(shop, "VACUUM FULL shop.purchase"), after=1)
    shop.attempt(run_id, shard["shard_id"], compact)
    with shop.while_running("DELETE FROM shop.purchase", crash), pytest.raises(Crash):
        shop.verify(run_id)
    with pytest.raises(RunRefused, match="is executing"):
        steps.conclude(shop.engine, shop.settings, run_id=run_id)
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == {30, 40}
    assert shop.rows_in_ledger("purchases-2y") == 20


def test_rows_that_arrive_late_are_reported_and_go_the_next_night(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.purchases([50, 51])
    assert shop.verify(run_id)["late"] == 2
    assert shop.planned(run_id, "purchases-2y").late_rows == 2
    assert accounts(shop, run_id) == (22, 20, 4)
    assert shop.entries("run_verified")[0]["late"] == {"purchases-2y": 2}
    steps.seal_run(shop.engine, shop.settings, run_id=run_id)
    shop.night(TOMORROW)
    assert shop.ids("purchase", "purchase_id") == {30, 40}


def test_rows_that_come_after_the_plan_and_go_the_same_night_are_accounted_for(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    shop.purchases(range(50, 56))
    shop.enforce(run_id)
    shop.close(run_id)
    assert accounts(shop, run_id) == (22, 26, 2)
    assert shop.ids("purchase", "purchase_id") == {30, 40}
    assert shop.entries("run_verified")[0]["missing"] == {}


def test_more_rows_than_anybody_wrote_are_a_discrepancy_too(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.execute("UPDATE holdfast.dataset_count SET before_rows = 1 WHERE dataset = 'purchases'")
    with pytest.raises(ConservationError, match="there that nobody wrote") as caught:
        shop.verify(run_id)
    assert caught.value.facts == {"missing": {"purchases": -1}}


def test_a_row_that_somebody_else_deleted_is_missed(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.execute("DELETE FROM shop.purchase WHERE purchase_id = 40")
    with pytest.raises(ConservationError, match="Rows are gone that no entry accounts for") as caught:
        shop.verify(run_id)
    assert caught.value.facts == {"missing": {"purchases": 1}}
    assert shop.state(run_id) == "executing"
    assert shop.entries("verification_failed")[0]["missing"] == {"purchases": 1}
    assert shop.entries("run_verified") == []


def test_a_due_row_that_somebody_else_deleted_first_is_missed_too(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    shop.execute("DELETE FROM shop.purchase WHERE purchase_id = 1")
    shop.enforce(run_id)
    with pytest.raises(ConservationError):
        shop.verify(run_id)
    assert accounts(shop, run_id) == (22, 19, 2)


def test_a_held_row_that_somebody_else_deleted_is_missed(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.execute("DELETE FROM shop.purchase WHERE purchase_id = 30")
    with pytest.raises(ConservationError):
        shop.verify(run_id)
    assert shop.planned(run_id, "purchases-2y").held_unchanged is False
    assert shop.entries("verification_failed")[0]["altered"] == ["purchases-2y"]


def test_kept_rows_that_read_differently_without_having_been_written_are_an_incident(shop: Shop) -> None:
    """What no transaction wrote: here a column with a default, which changes each row and writes none."""
    run_id = run_up_to_enforced(shop)
    shop.execute("ALTER TABLE shop.purchase ADD COLUMN shade text DEFAULT 'grey'")
    with pytest.raises(HeldRowsChanged, match=r"not what they were: purchases-2y, purchases\.") as caught:
        shop.verify(run_id)
    assert caught.value.facts == {"where": ("purchases-2y", "purchases")}
    assert shop.state(run_id) == "executing"


def test_a_held_row_that_others_wrote_to_meanwhile_can_not_be_compared_and_the_plan_says_so(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    shop.execute("UPDATE shop.purchase SET note = 'paid' WHERE purchase_id = 30")
    shop.verify(run_id)
    assert shop.planned(run_id, "purchases-2y").held_unchanged is None
    assert shop.one("SELECT sample_unchanged FROM holdfast.dataset_count WHERE dataset = 'purchases'") is True


def test_holds_placed_and_released_meanwhile_do_not_count_as_altered_rows(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    shop.hold("matter-1", datasets=["purchases"], record_key="3")
    shop.enforce(run_id)
    shop.verify(run_id)
    assert shop.planned(run_id, "purchases-2y").held_unchanged is True
    assert shop.ids("purchase", "purchase_id") == {3, 30, 40}


def test_others_may_write_to_the_ledger_while_a_run_is_verified(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    with shop.while_running("FROM holdfast.dataset_count", lambda: shop.hold("matter-late", subject_key="77")):
        shop.verify(run_id)
    assert shop.state(run_id) == "verified"


def test_a_run_is_not_verified_before_its_shards_are_done(shop: Shop) -> None:
    fill(shop)
    run_id = shop.plan()
    with pytest.raises(RunRefused, match="is planned; nothing was done"):
        shop.verify(run_id)
    shop.shards(run_id, 1)
    with pytest.raises(RunRefused, match="1 shards are not worked through"):
        shop.verify(run_id)
    with pytest.raises(RunRefused, match="is executing, not sealed"):
        steps.conclude(shop.engine, shop.settings, run_id=run_id)


def test_a_run_is_not_sealed_before_it_is_verified(shop: Shop) -> None:
    run_id = run_up_to_enforced(shop)
    with pytest.raises(RunRefused):
        steps.seal_run(shop.engine, shop.settings, run_id=run_id)
    assert shop.entries("run_sealed") == []
    assert not list(shop.settings.seals.glob("*.json"))


def test_the_three_findings_are_raised_in_the_order_of_their_weight() -> None:
    everything = verify.Verified({"a-rule": 2}, {}, {"things": 1}, ("a-rule",))
    with pytest.raises(SurvivorsFound, match="a-rule 2") as caught:
        everything.check()
    assert caught.value.facts == {"survivors": {"a-rule": 2}}
    with pytest.raises(ConservationError):
        verify.Verified({}, {}, {"things": 1}, ("a-rule",)).check()
    with pytest.raises(HeldRowsChanged):
        verify.Verified({}, {}, {}, ("a-rule",)).check()
    verify.Verified({}, {"a-rule": 5}, {}, ()).check()


def test_a_row_of_ages_ago_is_a_survivor_and_not_a_late_arrival(shop: Shop) -> None:
    """PostgreSQL keeps the number of the transaction that wrote a row for ever, and numbers come round.

    A view stands in for the table, because only a view may say which transaction wrote its rows.
    """
    shop.purchases([1])
    run_id = shop.plan()
    shop.execute(
        "CREATE VIEW shop.ancient AS SELECT purchase_id, customer_no, bought_on, note,"
        " cast('2000000000' AS xid) AS xmin, cast('(0,1)' AS tid) AS ctid FROM shop.purchase"
    )
    assert shop.one("SELECT age(xmin) < 0 FROM shop.ancient")

    def edit(policy: Policy) -> Policy:
        datasets = policy.data_map.datasets
        ancient = datasets["purchases"].model_copy(update={"table": "shop.ancient"})
        data_map = policy.data_map.model_copy(update={"datasets": {**datasets, "purchases": ancient}})
        return policy.model_copy(update={"data_map": data_map})

    columns = {"purchase_id": "bigint", "customer_no": "bigint", "bought_on": "date", "note": "text"}
    items = {"purchase_id": "bigint", "line_no": "integer"}
    known = Catalogue({"shop.ancient": columns, "shop.item": items})
    with shop.engine.connect() as connection:
        run = runs.get(connection, run_id)
        assert run.holds_as_of is not None
        setting = RetentionSetting(edit(shop.policy), known, run.as_of_date, run.holds_as_of)
        assert verify.survivors(connection, setting, run, ["purchases-2y"]) == {"purchases-2y": 1}
