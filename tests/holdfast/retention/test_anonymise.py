"""Each strategy gives the value that it promises, and leaves nothing to change a second time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.holdfast.retention.shop import NEW, OLD, TOMORROW, Document, Shop

from holdfast.evidence.pseudonyms import pseudonym


def after_a_night(shop: Shop, given: list[tuple[str, str]]) -> list[Any]:
    """What each value has become, given as column and value, one customer each.

    A second night must find nothing left to do.
    """
    for number, (column, value) in enumerate(given):
        shop.add("customer", {"customer_no": number, "left_on": OLD, column: value})
    run_id = shop.night()
    after = shop.contents("customer")
    later = shop.night(TOMORROW)
    assert shop.contents("customer") == after
    assert shop.planned(later, "customers-2y").done_rows == len(given)
    assert shop.rows_in_ledger("customers-2y") == shop.planned(run_id, "customers-2y").due_rows
    found = [
        shop.one(f"SELECT {column} FROM shop.customer WHERE customer_no = :n", n=n)
        for n, (column, _) in enumerate(given)
    ]
    return [str(one) if column == "signup_ip" else one for one, (column, _) in zip(found, given, strict=True)]


CASES = [
    ("email", "ann@shop.example", "gone"),
    ("email", "", "gone"),
    ("phone", "+44 20 7946 0958", None),
    ("signup_ip", "198.51.100.77", "198.51.100.0/24"),
    ("signup_ip", "198.51.100.0/24", "198.51.100.0/24"),
    ("signup_ip", "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
    ("signup_ip", "::ffff:198.51.100.7", "::/48"),
    ("postcode", "SW1A 1AA", "SW1A"),
    ("postcode", "SW1A1AA", "SW1A"),
    ("postcode", "m1 1ae", "m1"),
    ("postcode", "m11ae", "m1"),
    ("postcode", " EC1A 1BB", "EC1A"),
    ("postcode", "B33  8TH ", "B33"),
    ("postcode", "W1A", "W1A"),
    ("postcode", "BF1 0AX", "BF1"),
    ("postcode", "GIR0AA", "GIR"),
    ("postcode", "A1AA1AA", "A"),
    ("postcode", "", ""),
    ("birthday", "1984-02-29", dt.date(1984, 1, 1)),
    ("joined_at", "2019-06-30T23:30:00Z", dt.datetime(2019, 6, 30, 23, tzinfo=dt.UTC)),  # 1 July in London
    ("joined_at", "2019-01-31T23:59:59Z", dt.datetime(2019, 1, 1, tzinfo=dt.UTC)),
]


def test_a_strategy_gives_the_value_that_it_promises_and_never_another(shop: Shop) -> None:
    found = after_a_night(shop, [(column, before) for column, before, _ in CASES])
    assert [(*case[:2], one) for case, one in zip(CASES, found, strict=True)] == CASES


def test_how_much_of_an_address_stays_is_said_by_the_policy(shop: Shop) -> None:
    def edit(documents: dict[str, Document]) -> None:
        columns = documents["retention_schedule"]["rules"]["customers-2y"]["action"]["columns"]
        columns["signup_ip"] = {"to": "ip_network", "ipv4_bits": 0, "ipv6_bits": 32}

    shop.set_policy(edit)
    found = after_a_night(shop, [("signup_ip", "198.51.100.77"), ("signup_ip", "2001:db8:1:2::1")])
    assert found == ["0.0.0.0/0", "2001:db8::/32"]


def test_a_pseudonym_is_the_one_that_the_ledger_would_write(shop: Shop) -> None:
    names = ["Ann", "Zoë Łukasz-O'Neill", "", "p1:short", "P1:" + "0" * 32, "x" * 3000]
    key = shop.settings.pseudonym_key()
    expected = [pseudonym(key, "name", name) for name in names]
    assert after_a_night(shop, [("full_name", name) for name in names]) == expected


def test_equal_values_get_equal_pseudonyms_and_others_do_not(shop: Shop) -> None:
    rows = ({"customer_no": n, "left_on": OLD, "full_name": name} for n, name in enumerate(("Ann", "Bob", "Ann")))
    shop.add("customer", *rows)
    shop.night()
    first, second, third = shop.scalars("SELECT full_name FROM shop.customer ORDER BY customer_no")
    assert first == third != second


def test_a_row_with_nothing_left_to_change_is_done_and_not_touched(shop: Shop) -> None:
    shop.add("customer", {"customer_no": 1, "left_on": OLD})
    version = "SELECT cast(xmin AS text) FROM shop.customer"
    before = shop.one(version)
    run_id = shop.night()
    assert shop.one(version) == before
    assert shop.planned(run_id, "customers-2y").done_rows == 1


def test_only_due_and_free_customers_are_anonymised(shop: Shop) -> None:
    shop.add(
        "customer", {"customer_no": 1, "left_on": OLD, "phone": "1"}, {"customer_no": 2, "left_on": NEW, "phone": "2"}
    )
    shop.add("customer", {"customer_no": 3, "phone": "3"}, {"customer_no": 4, "left_on": OLD, "phone": "4"})
    shop.hold("matter-4", subject_key="4")
    shop.night()
    assert shop.scalars("SELECT phone FROM shop.customer ORDER BY customer_no") == [None, "2", "3", "4"]
    assert shop.rows_in_ledger("customers-2y") == 1


def test_a_value_that_comes_back_is_anonymised_again(shop: Shop) -> None:
    shop.add("customer", {"customer_no": 1, "left_on": OLD, "phone": "1"})
    shop.night()
    shop.execute("UPDATE shop.customer SET phone = '2'")
    shop.night(TOMORROW)
    assert shop.scalars("SELECT phone FROM shop.customer") == [None]
