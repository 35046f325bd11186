"""Rows that statistics need facts of stay until those are taken, whatever the order of the night."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.shop import TODAY, Document, Shop, once

from holdfast import database, queries
from holdfast.holds.decide import Outcome
from holdfast.retention.explain import explain

NOTE = "suspension_facts/note_taking"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """One in which nothing of a purchase goes before its facts are taken."""

    def edit(documents: dict[str, Document]) -> None:
        for name in ("purchases", "items"):
            documents["data_map"]["datasets"][name]["facts_first"] = True

    shop.set_policy(edit)
    return shop


def take(shop: Shop) -> None:
    """As the nightly run notes it, before it reads anything."""
    with database.transaction(shop.engine) as connection:
        note(connection)


def note(connection: sa.Connection) -> None:
    queries.run(connection, NOTE, {"now": dt.datetime.now(dt.UTC)})


def outcome(shop: Shop, key: str) -> Outcome:
    with shop.engine.connect() as connection:
        found = explain(connection, shop.policy, "purchases", key, as_of=TODAY, untrusted=frozenset())
    assert found is not None
    return found.decision.outcome


def test_where_facts_were_never_taken_nothing_is_due(shop: Shop) -> None:
    shop.purchases([1, 2])
    run = shop.night()
    planned = shop.planned(run, "purchases-2y")
    assert (planned.due_rows, planned.waiting_rows) == (0, 2)
    assert shop.ids("purchase", "purchase_id") == {1, 2}
    assert outcome(shop, "1") is Outcome.WAITING


def test_once_they_are_taken_the_rows_go(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    take(shop)
    assert outcome(shop, "2") is Outcome.DUE
    shop.night()
    assert shop.ids("purchase", "purchase_id") == shop.ids("item", "line_no") == set()


def test_a_row_that_came_or_changed_since_stays_until_the_next_taking(shop: Shop) -> None:
    shop.purchases([1, 2])
    take(shop)
    shop.purchases([3])
    shop.execute("UPDATE shop.purchase SET note = 'put right' WHERE purchase_id = 2")
    run = shop.night()
    assert shop.planned(run, "purchases-2y").waiting_rows == 2
    assert shop.ids("purchase", "purchase_id") == {2, 3}


def test_a_row_that_refers_to_another_keeps_it_while_its_own_facts_are_not_taken(shop: Shop) -> None:
    shop.purchases([1])
    take(shop)
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    shop.night()
    assert shop.ids("purchase", "purchase_id") == {1}


def test_a_row_that_changes_after_the_plan_is_not_deleted(shop: Shop) -> None:
    """Asked in the statement itself: what is planned as due is looked at again."""
    shop.purchases([1, 2])
    take(shop)
    run = shop.plan()
    shop.execute("UPDATE shop.purchase SET note = 'put right' WHERE purchase_id = 2")
    shop.enforce(run)
    assert shop.ids("purchase", "purchase_id") == {2}


def test_a_row_that_changes_while_it_is_about_to_be_deleted_stays(shop: Shop) -> None:
    shop.purchases([1, 2])
    take(shop)
    run = shop.plan()
    for wave in (1, 2):
        for shard in shop.shards(run, wave):
            change = once("batch.fenced", lambda: shop.execute("UPDATE shop.purchase SET note = 'put right'"))
            shop.attempt(run, shard["shard_id"], change)
    assert shop.ids("purchase", "purchase_id") == {1, 2}


def test_what_is_taken_after_the_plan_lets_nothing_go_that_was_planned_to_stay(shop: Shop) -> None:
    shop.purchases([1])
    run = shop.plan()
    take(shop)
    shop.enforce(run)
    shop.close(run)
    assert shop.ids("purchase", "purchase_id") == {1}


def test_a_taking_that_failed_counts_for_nothing(shop: Shop) -> None:
    shop.purchases([1])
    with shop.engine.connect() as connection:
        note(connection)
        connection.rollback()
    assert outcome(shop, "1") is Outcome.WAITING


def test_a_database_restored_into_a_younger_server_knows_of_no_taking(shop: Shop) -> None:
    """Its numbers of transactions are those of another server, and later than any here."""
    shop.purchases([1])
    take(shop)
    shop.execute("UPDATE statistics.taking SET seen_in = '4000000:4000000:'")
    assert outcome(shop, "1") is Outcome.WAITING


def test_other_datasets_wait_for_no_facts(shop: Shop) -> None:
    shop.add("visit", {"visit_id": 1, "customer_no": 1, "seen_at": "2023-10-05"})
    shop.night()
    assert shop.ids("visit", "visit_id") == set()
