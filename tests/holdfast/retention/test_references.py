"""A row stays as long as another needs it: by a foreign key, as the way to its subject, or for its start event."""

from __future__ import annotations

import pytest
from tests.holdfast.retention.shop import OLD, TOMORROW, Document, Shop

from holdfast.enforcement import catalogue, references
from holdfast.errors import PlanChanged, PolicyError
from holdfast.retention import steps

LAST_PURCHASE = {"dataset": "purchases", "link": "subject", "column": "bought_on"}


def photos_count_from_the_last_purchase(documents: dict[str, Document]) -> None:
    rule = documents["retention_schedule"]["rules"]["photos-90d"]
    rule.update(start=LAST_PURCHASE, deletion_class="two-years")


def customers_count_from_the_last_purchase(documents: dict[str, Document]) -> None:
    documents["retention_schedule"]["rules"]["customers-2y"]["start"] = LAST_PURCHASE


def waves(shop: Shop) -> dict[str, int]:
    policy = shop.policy
    with shop.engine.connect() as connection:
        return references.waves(policy, catalogue.read(connection, policy.data_map.schemas))


def photo(number: int, customer_no: int) -> Document:
    return {"photo_id": f"{number:032d}", "customer_no": customer_no, "taken_on": OLD}


# --- order ------------------------------------------------------------------------------------------------------


def test_whatever_refers_to_a_row_is_worked_off_before_it(shop: Shop) -> None:
    assert waves(shop) == {"customers": 1, "purchases": 2, "items": 1, "visits": 1, "photos": 1}


def test_a_row_whose_subject_counts_from_another_goes_before_it(shop: Shop) -> None:
    shop.set_policy(photos_count_from_the_last_purchase)
    shop.execute("ALTER TABLE shop.item DROP CONSTRAINT item_purchase_id_fkey")
    assert waves(shop)["photos"] < waves(shop)["purchases"]


def test_a_circle_of_references_is_refused_by_name(shop: Shop) -> None:
    def edit(documents: dict[str, Document]) -> None:
        rules = documents["retention_schedule"]["rules"]
        rules["photos-90d"]["start"] = {"dataset": "visits", "link": "subject", "column": "seen_at"}
        rules["visits-90d"]["start"] = {"dataset": "photos", "link": "subject", "column": "taken_on"}

    shop.set_policy(edit)
    with pytest.raises(PolicyError, match=r"photos -> visits -> photos|visits -> photos -> visits") as caught:
        waves(shop)
    assert "exempt one of them" in caught.value.fix


def test_a_chain_that_is_longer_than_the_night_is_refused(shop: Shop) -> None:
    """Five tables, each of which refers to the one before."""

    def edit(documents: dict[str, Document]) -> None:
        rules = documents["retention_schedule"]["rules"]
        rules["visits-90d"]["start"] = {"dataset": "photos", "link": "subject", "column": "taken_on"}
        rules["photos-90d"]["start"] = LAST_PURCHASE

    shop.set_policy(edit)
    assert waves(shop) == {"customers": 1, "purchases": 3, "items": 1, "visits": 1, "photos": 2}

    def deeper(documents: dict[str, Document]) -> None:
        edit(documents)
        documents["retention_schedule"]["rules"]["customers-2y"]["action"] = {"do": "delete"}
        start = {"dataset": "visits", "link": "subject", "column": "seen_at"}
        documents["retention_schedule"]["rules"]["items-2y"]["start"] = start

    shop.set_policy(deeper)
    with pytest.raises(PolicyError, match="chain of references is 5 datasets long; a night has 4 waves"):
        waves(shop)


# --- start events -----------------------------------------------------------------------------------------------


def test_the_event_that_a_row_counts_from_goes_after_it_in_the_same_night(shop: Shop) -> None:
    shop.set_policy(photos_count_from_the_last_purchase)
    shop.purchases([1])
    shop.add("photo", photo(1, 1))
    shop.night()
    assert shop.contents("photo") == shop.contents("purchase") == []


def test_the_events_of_a_subject_stay_while_a_row_that_counts_from_them_stays(shop: Shop) -> None:
    shop.set_policy(photos_count_from_the_last_purchase)
    shop.purchases([1, 2])
    shop.purchases([3], customer_no=2)
    shop.add("photo", photo(1, 1), photo(2, 2))
    shop.hold("matter-1", datasets=["photos"], record_key="00000000-0000-0000-0000-000000000001")
    run_id = shop.night()
    assert shop.planned(run_id, "purchases-2y").waiting_rows == 2
    assert shop.ids("purchase", "purchase_id") == {1, 2}
    assert shop.ids("photo", "customer_no") == {1}

    shop.release("matter-1")
    shop.night(TOMORROW)
    assert shop.contents("photo") == shop.contents("purchase") == []


def test_only_the_latest_event_of_a_subject_is_needed(shop: Shop) -> None:
    shop.set_policy(photos_count_from_the_last_purchase)
    shop.purchases([1])
    shop.purchases([2], bought_on="2024-01-01")
    shop.add("photo", photo(1, 1))
    run_id = shop.night()
    assert shop.planned(run_id, "photos-90d").not_due_rows == 1
    assert shop.ids("purchase", "purchase_id") == {2}


def test_a_row_that_is_anonymised_needs_its_event_until_then_and_no_longer(shop: Shop) -> None:
    shop.set_policy(customers_count_from_the_last_purchase)
    shop.purchases([1])
    shop.execute("UPDATE shop.customer SET full_name = 'Ann'")
    shop.purchases([2], customer_no=2)
    shop.execute("UPDATE shop.customer SET full_name = 'Bob' WHERE customer_no = 2")
    shop.hold("matter-2", datasets=["customers"], subject_key="2")
    shop.night()
    assert shop.ids("purchase", "purchase_id") == {2}
    assert sorted(name.startswith("p1:") for name in shop.ids("customer", "full_name")) == [False, True]


# --- references within one table --------------------------------------------------------------------------------


def chain_of_purchases(shop: Shop, **caps: int) -> None:
    """Four purchases, each of which returns the one before it."""

    def edit(documents: dict[str, Document]) -> None:
        documents["data_map"]["datasets"]["purchases"]["not_personal"].append("returns")
        documents["retention_schedule"]["caps"].update(caps)

    shop.execute("ALTER TABLE shop.purchase ADD COLUMN returns bigint REFERENCES shop.purchase")
    shop.set_policy(edit)
    shop.purchases([1, 2, 3, 4])
    shop.execute("UPDATE shop.purchase SET returns = purchase_id - 1 WHERE purchase_id > 1")


def test_an_approved_plan_takes_a_whole_chain(shop: Shop) -> None:
    """Nothing changed in between, so it is the plan that was approved."""
    chain_of_purchases(shop, rows=0)
    run_id = shop.plan()
    shop.approve(run_id)
    assert shop.enforce(run_id) == 1
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == set()


def test_an_approved_plan_over_a_chain_still_has_a_limit(shop: Shop) -> None:
    chain_of_purchases(shop, rows=0)
    run_id = shop.plan()
    shop.approve(run_id)
    shop.shards(run_id, 2)
    shop.purchases(range(5, 9))
    with pytest.raises(PlanChanged, match="would change 5 rows; its plan allows 4"):
        shop.enforce(run_id)


def test_a_row_that_another_of_its_table_refers_to_goes_once_that_one_is_gone(shop: Shop) -> None:
    """Each night takes the rows that nothing refers to any more; a sweep takes the next ones in the same night."""
    chain_of_purchases(shop)
    run_id = shop.plan()
    assert shop.planned(run_id, "purchases-2y").due_rows == 1
    assert shop.planned(run_id, "purchases-2y").waiting_rows == 3
    shop.enforce(run_id)
    shop.verify(run_id)
    steps.seal_run(shop.engine, shop.settings, run_id=run_id)
    assert shop.ids("purchase", "purchase_id") == set()
    assert shop.rows_in_ledger("purchases-2y") == 4
