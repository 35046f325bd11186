"""What may be told of what stays: why, and until when, for every reason that there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests.letters_library import TAX_END, case, policy, rules, terms
from tests.holdfast.deletion_requests.two_worlds import HIDDEN, NAMED, Hold, Person, World, at, world
from tests.holdfast.retention.shop import NEW

from holdfast import clock
from holdfast.clock import Period
from holdfast.deletion_requests.letters_facts import Kept, Kind, Told, facts_of
from holdfast.enforcement.predicate.starts import last_day_of
from holdfast.errors import HoldSourceUntrusted

Fresh = Callable[[], AbstractContextManager[sa.Engine]]
DAYS = st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31))
VISIT_END = dt.date(2024, 5, 20)
"""Ninety days after `NEW`."""


@pytest.fixture
def shop(fresh_database: Fresh, tmp_path: Path) -> Iterator[World]:
    with world(fresh_database, tmp_path) as one, at(one):
        yield one


def told(one: World) -> dict[object, tuple[object, ...]]:
    rows = one.rows(
        "SELECT dataset, action, reasons, until, review_on IS NOT NULL FROM holdfast.request_told"
        " WHERE run_id = (SELECT max(run_id) FROM holdfast.request_after)"
    )
    return {row[0]: row[1:] for row in rows}


def test_every_reason_is_told_with_its_end_or_its_next_review(shop: World) -> None:
    shop.add(Person(((NEW, 1), (NEW, 0)), (NEW, "2023-10-20"), has_left=False), 1)
    shop.hold(Hold(NAMED, "item"), "h", 1)
    shop.request(1, "DR-1")
    shop.night()
    assert told(shop) == {
        "customers": (None, ["needed"], None, False),
        "purchases": (None, ["dataset"], None, False),
        "items": (None, [NAMED], None, True),
        "visits": (None, ["visits-90d"], VISIT_END, False),
        "photos": (None, [], None, False),
    }
    letter = (shop.home / "letters" / "1" / "outcome" / "letter.html").read_text(encoding="utf-8")
    assert "After 20 May 2024" in letter
    assert "we check again by" in letter


def test_the_end_is_that_of_the_last_row_to_go(shop: World) -> None:
    shop.add(Person((), (NEW,)), 1)
    shop.shop.add("visit", {"visit_id": 5, "customer_no": 1, "seen_at": "2024-02-28", "page": "b"})
    shop.request(1, "DR-1")
    shop.night()
    assert told(shop)["visits"] == (None, ["visits-90d"], dt.date(2024, 5, 28), False), "the later of the two"


def test_a_request_is_not_decided_while_a_source_is_not_believed(shop: World) -> None:
    """Neither of somebody about whom a secret hold keeps everything, for whom there would be nothing to wait for."""
    for number in (1, 2):
        shop.add(Person(((NEW, 0),)), number)
        shop.request(number, f"DR-{number}")
    shop.hold(Hold(HIDDEN), "h", 1)
    shop.shop.execute("DELETE FROM shop.feed")
    with pytest.raises(HoldSourceUntrusted):
        shop.requests()
    assert shop.rows("SELECT DISTINCT state FROM holdfast.deletion_request") == [("executing",)]
    assert told(shop)["purchases"][1] == ["source"]
    assert shop.rows("SELECT DISTINCT kind FROM holdfast.request_letter") == [("acknowledgement",)]
    shop.shop.execute("INSERT INTO shop.feed VALUES (clock_timestamp())")
    shop.night()
    kinds = "SELECT request_id, kind FROM holdfast.request_letter WHERE kind <> 'acknowledgement' ORDER BY 1"
    assert shop.rows(kinds) == [(1, "outcome"), (2, "outcome")]


@hypothesis_settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=DAYS,
    months=st.integers(0, 90),
    days=st.integers(0, 800),
    year_end=st.none() | st.tuples(st.integers(1, 12), st.integers(1, 31)).filter(lambda one: _exists(*one)),
)
@example(day=dt.date(2024, 1, 31), months=1, days=0, year_end=None)
@example(day=dt.date(2023, 3, 1), months=72, days=0, year_end=(2, 29))
@example(day=dt.date(2023, 3, 31), months=72, days=0, year_end=(3, 31))
@example(day=dt.date(2023, 4, 1), months=72, days=0, year_end=(3, 31))
def test_the_database_counts_an_end_as_the_clock_does(
    empty_database: sa.Engine, day: dt.date, months: int, days: int, year_end: tuple[int, int] | None
) -> None:
    period = Period(months, days)
    with empty_database.connect() as connection:
        counted = connection.execute(sa.select(last_day_of(sa.literal(day, sa.Date), period, year_end))).scalar_one()
    start = clock.accounting_period_end(day, year_end) if year_end else day
    assert counted == period.after(start)


def _exists(month: int, day: int) -> bool:
    try:
        dt.date(2000, month, day)
    except ValueError:
        return False
    return True


# --- in letters --------------------------------------------------------------------------------------------------


def kept(*of: Told) -> dict[str, Kept]:
    return {one.dataset: one for one in facts_of(case(Kind.OUTCOME, *of), policy(), terms(), rules()).kept}


def test_what_others_refer_to_goes_with_the_last_of_them() -> None:
    made = kept(
        Told("invoices", None, ("dataset",), None),
        Told("payments", None, ("dataset", "payments-6y"), TAX_END),
        Told("refunds", None, ("refunds-6y",), dt.date(2032, 4, 5)),
    )
    assert {name: one.until for name, one in made.items()} == dict.fromkeys(
        ("invoices", "payments", "refunds"), dt.date(2032, 4, 5)
    )


def test_there_is_no_day_where_one_of_the_others_has_none() -> None:
    made = kept(
        Told("invoices", None, ("dataset",), None),
        Told("payments", None, ("LITIGATION",), None, dt.date(2027, 3, 3)),
    )
    assert (made["invoices"].until, made["invoices"].review_on) == (None, None)
    assert made["payments"].review_on == dt.date(2027, 3, 3)


def test_a_review_is_told_only_where_no_end_is() -> None:
    assert kept(Told("invoices", None, ("TAX_CT",), TAX_END, dt.date(2027, 3, 3)))["invoices"].review_on is None
