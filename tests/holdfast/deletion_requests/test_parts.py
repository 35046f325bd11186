"""Requests for a category of information: its columns are emptied, wherever they are, and the records stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.desk import policy
from tests.holdfast.deletion_requests.two_worlds import HIDDEN, NAMED, Hold, Person, World, at, world
from tests.holdfast.retention.shop import NEW

from holdfast.deletion_requests.scope import Part
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.requests import ErasureSetting
from holdfast.policy import parts
from holdfast.policy.load import load_policy
from holdfast.policy.problems import PolicyRefused
from holdfast.synthetic import provider

Fresh = Callable[[], AbstractContextManager[sa.Engine]]
NOTES = (Part(category="note"),)
DAY = dt.date(2026, 11, 24)


@pytest.fixture
def shop(fresh_database: Fresh, tmp_path: Path) -> Iterator[World]:
    with world(fresh_database, tmp_path) as one, at(one):
        yield one


def notes(one: World) -> dict[object, object]:
    return dict(one.rows("SELECT purchase_id, note FROM shop.purchase"))


def phones(one: World) -> dict[object, object]:
    return dict(one.rows("SELECT customer_no, phone FROM shop.customer WHERE full_name IS NOT NULL"))


def decisions(one: World, table: str = "request_decision") -> set[tuple[object, ...]]:
    return set(
        one.rows(
            f"SELECT request_id, dataset, decision, rows_acted, rows_held FROM holdfast.{table}"
            f" WHERE run_id = (SELECT max(run_id) FROM holdfast.{table}) AND decision <> 'not_held'"
        )
    )


def test_the_columns_of_the_category_are_emptied_and_the_rest_stays(shop: World) -> None:
    for number in (1, 2):
        shop.add(Person(((NEW, 1), (NEW, 0)), (NEW,)), number)
    shop.request(1, "DR-1", NOTES)
    shop.night()
    assert notes(shop) == {100: None, 101: None, 200: "n", 201: "n"}
    assert phones(shop) == {1: None, 2: "07700 900001"}
    kept = "SELECT customer_no, bought_on, (SELECT count(*) FROM shop.item i WHERE i.purchase_id = p.purchase_id)"
    assert shop.rows(f"{kept} FROM shop.purchase p WHERE purchase_id < 200 ORDER BY purchase_id") == [
        (1, dt.date(2024, 2, 20), 1),
        (1, dt.date(2024, 2, 20), 0),
    ]
    assert decisions(shop) == {(1, "customers", "anonymise", 1, 0), (1, "purchases", "anonymise", 2, 0)}
    assert decisions(shop, "request_after") == set()
    assert shop.rows("SELECT state FROM holdfast.deletion_request") == [("completed",)]
    assert shop.rows("SELECT dataset, categories FROM holdfast.erasure ORDER BY dataset") == [
        ("customers", ["note"]),
        ("purchases", ["note"]),
    ]
    shop.night()
    assert notes(shop)[200] == "n"


def test_a_hold_keeps_the_columns_of_the_records_that_it_reaches(shop: World) -> None:
    shop.add(Person(((NEW, 0), (NEW, 0))), 1)
    hold = Hold(NAMED, "purchase")
    shop.hold(hold, "h", 1)
    shop.request(1, "DR-1", NOTES)
    shop.night()
    assert notes(shop) == {100: "n", 101: None}
    assert (1, "purchases", "held", 0, 1) in decisions(shop, "request_after")
    letter = (shop.home / "letters" / "1" / "outcome" / "letter.html").read_text(encoding="utf-8")
    assert "<td>purchases (in part), you as a customer</td>" in letter or "purchases (in part)" in letter
    shop.release(hold, "h")
    shop.night()
    assert notes(shop) == {100: None, 101: None}
    assert shop.rows("SELECT state FROM holdfast.deletion_request") == [("completed",)]


def test_requests_for_different_categories_do_not_mix(shop: World) -> None:
    """Of one record two people's requests cannot ask; two requests of one person can."""
    shop.add(Person(((NEW, 0),)), 1)
    shop.add(Person(((NEW, 0),)), 2)
    shop.request(1, "DR-1", NOTES)
    shop.request(2, "DR-2", (Part("purchases"), *NOTES))
    shop.request(1, "DR-3", (Part("purchases", record_key="100"), *NOTES))
    shop.night()
    assert notes(shop) == {}
    assert phones(shop) == {1: None, 2: None}
    assert shop.rows("SELECT DISTINCT state FROM holdfast.deletion_request") == [("completed",)]


def test_a_record_and_a_category_of_one_dataset_make_one_decision(shop: World) -> None:
    shop.add(Person(((NEW, 0), (NEW, 0), (NEW, 0))), 1)
    shop.hold(Hold(HIDDEN, "purchase"), "h", 1)
    shop.request(1, "DR-1", (Part("purchases", record_key="101"), *NOTES))
    shop.night()
    assert notes(shop) == {100: "n", 102: None}
    assert (1, "purchases", "erase", 2, 1) in decisions(shop)


def test_a_record_that_is_asked_for_with_all_others_is_counted_once(shop: World) -> None:
    shop.add(Person(((NEW, 0), (NEW, 0))), 1)
    shop.request(1, "DR-1", (Part("purchases"), Part("purchases", record_key="101")))
    shop.night()
    assert decisions(shop) == {(1, "purchases", "erase", 2, 0)}
    assert shop.rows("SELECT erased_rows FROM holdfast.erasure") == [(2,)]


def test_a_record_of_somebody_else_is_not_reached_though_it_is_named(shop: World) -> None:
    """It is refused when it comes in; a record can change hands after that."""
    for number in (1, 2):
        shop.add(Person(((NEW, 0),)), number)
    shop.request(1, "DR-1", (Part("purchases", record_key="100"), Part("purchases", record_key="200")))
    shop.night()
    assert notes(shop) == {200: "n"}
    assert decisions(shop) == {(1, "purchases", "erase", 1, 0)}


def test_recipients_are_told_of_what_they_were_given_of_the_category(shop: World) -> None:
    shop.add(Person(((NEW, 0),), (NEW,)), 1)
    shop.request(1, "DR-1", NOTES)
    shop.night()
    assert shop.rows("SELECT recipient, kind, datasets, categories FROM holdfast.recipient_notice ORDER BY 1") == [
        ("adviser", "erased", ["customers"], ["note"]),
        ("printer", "erased", ["purchases"], ["note"]),
    ]


def test_every_category_of_the_shipped_policy_can_be_emptied(database: sa.Engine, home: Path) -> None:
    """No constraint of the provider's tables is in the way, and what was emptied is seen to be."""
    provider.make(
        database, accounts=30, seed=1, as_of=dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC), objects=home / "objects",
        calls_per_account=3,
    )  # fmt: skip
    with database.connect() as connection:
        request = "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, received_at, state)"
        connection.execute(
            sa.text(
                f"{request} SELECT 'r-' || account_id, 'form', account_id, now(), 'executing' FROM provider.account"
            )
        )
        emptied = {name: _empty(connection, name) for name in parts.with_subject(policy())}
    assert {name for name, rows in emptied.items() if rows} > {
        "contacts",
        "messages",
        "call_detail_records",
        "complaints",
    }


def _empty(connection: sa.Connection, name: str) -> int:
    dataset = policy().data_map.datasets[name]
    categories = [one for one in parts.categories(dataset) if parts.cut_out(dataset, one)]
    if not categories:
        return 0
    line = (
        "INSERT INTO holdfast.erasure_scope (request_id, dataset, subject_key, categories, is_ready)"
        " SELECT request_id, :name, subject_key, :categories, TRUE FROM holdfast.deletion_request"
    )
    connection.execute(sa.text(line), {"name": name, "categories": categories})
    tables = catalogue.read(connection, policy().data_map.schemas)
    setting = ErasureSetting(policy(), tables, DAY, dt.datetime.combine(DAY, dt.time(), dt.UTC)).tonight(connection)
    predicate = setting.predicate(f"empty:{name}")
    change = sa.update(predicate.rows.table).values(predicate.new_values(b"k" * 32)).where(~predicate.done())  # type: ignore[arg-type]
    changed: int = connection.execute(change).rowcount
    left = sa.select(sa.func.count()).select_from(predicate.rows.table).where(~predicate.done())
    assert connection.execute(left).scalar_one() == 0, name
    return changed


def test_where_a_record_goes_whole() -> None:
    datasets = policy().data_map.datasets
    whole = {
        (name, one) for name, each in datasets.items() for one in parts.categories(each) if parts.goes_whole(each, one)
    }
    assert ("fraud_signals", "fraud") in whole, "nothing else in it says anything"
    assert ("call_recordings", "content") in whole, "the file holds it"
    assert ("disputes", "correspondence") not in whole, "the day it was opened says something as well"
    assert ("contacts", "account") not in whole


def test_a_column_that_a_row_cannot_be_without_is_not_emptied(shop: World) -> None:
    def edit(documents: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
        columns = documents["data_map"]["datasets"]["visits"]["columns"]
        columns["customer_no"]["in_part"] = {"to": "null"}  # type: ignore[index]

    shop.shop.set_policy(edit)
    with pytest.raises(PolicyRefused, match="P110"):
        load_policy(shop.shop.settings.policy)
