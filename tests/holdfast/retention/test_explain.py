"""Why is this record still here, and until when? That the decision is `decide`'s is proven beside the equivalence."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.holdfast.retention.shop import NEW, OLD, TODAY, Shop

from holdfast.errors import CoverageError
from holdfast.holds.decide import Outcome
from holdfast.retention.explain import Explanation, explain

FAR = dt.date(2099, 12, 31)


def of(shop: Shop, dataset: str, key: str, untrusted: tuple[str, ...] = ()) -> Explanation | None:
    with shop.engine.connect() as connection:
        return explain(connection, shop.policy, dataset, key, as_of=TODAY, untrusted=frozenset(untrusted))


def known(shop: Shop, dataset: str, key: str, untrusted: tuple[str, ...] = ()) -> Explanation:
    found = of(shop, dataset, key, untrusted)
    assert found is not None
    return found


def test_a_record_that_is_not_due_has_a_last_day_and_a_next_one(shop: Shop) -> None:
    shop.purchases([1], bought_on=NEW)
    found = known(shop, "purchases", "1")
    (rule,) = found.rules
    assert found.decision.outcome is Outcome.NOT_DUE
    assert (rule.rule.start, rule.last_day) == (dt.date(2024, 2, 20), dt.date(2026, 2, 20))
    assert found.next_look == dt.date(2026, 2, 21)


def test_a_due_record_goes_with_the_next_run(shop: Shop) -> None:
    shop.purchases([1])
    found = known(shop, "purchases", "1")
    assert found.decision.acts
    assert found.next_look == TODAY


def test_a_held_record_names_its_holds_and_the_day_after_the_last(shop: Shop) -> None:
    shop.purchases([1])
    shop.hold("matter-1", subject_key="1", ends_on=FAR)
    shop.hold("matter-2", datasets=["purchases"], record_key="1", ends_on=FAR - dt.timedelta(days=9))
    shop.hold("matter-3", subject_key="2")
    found = known(shop, "purchases", "1")
    assert [one.reference for one in found.holds] == ["matter-1", "matter-2"]
    assert found.decision.hold_types == ("COURT",)
    assert found.next_look == FAR + dt.timedelta(days=1)
    shop.hold("matter-4", subject_key="1")  # without an end
    assert known(shop, "purchases", "1").next_look is None


def test_a_line_of_a_purchase_is_named_by_both_parts_of_its_key(shop: Shop) -> None:
    shop.purchases([1])
    shop.add("item", {"purchase_id": 1, "line_no": 2})
    shop.hold("matter-1", subject_key="1")
    assert known(shop, "items", "1|2").decision.outcome is Outcome.HELD
    assert of(shop, "items", "1|3") is None


def test_a_parent_of_a_line_that_stays_waits(shop: Shop) -> None:
    shop.purchases([1])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    assert known(shop, "purchases", "1").decision.outcome is Outcome.DUE
    shop.hold("matter-1", datasets=["items"], record_key="1|1")
    assert known(shop, "purchases", "1").decision.outcome is Outcome.WAITING


def test_a_source_that_is_not_believed_keeps_what_it_could_hold(shop: Shop) -> None:
    shop.purchases([1])
    assert known(shop, "purchases", "1", ("UNPAID",)).decision.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("day", "outcome"), [("infinity", Outcome.UNKNOWN), ("-infinity", Outcome.UNKNOWN), (None, Outcome.UNKNOWN)]
)
def test_a_start_that_no_calendar_has_is_explained_as_unknown(shop: Shop, day: str | None, outcome: Outcome) -> None:
    shop.purchases([1])
    shop.execute("UPDATE shop.purchase SET bought_on = cast(:day AS date)", day=day)
    assert known(shop, "purchases", "1").decision.outcome is outcome


def test_what_cannot_be_looked_up_is_refused_without_quoting_it(shop: Shop) -> None:
    with pytest.raises(CoverageError, match="There is no dataset 'invoices'"):
        of(shop, "invoices", "1")
    with pytest.raises(CoverageError, match="A key of items has 2 columns, and this one 1"):
        of(shop, "items", "1")
    with pytest.raises(CoverageError, match="This is no key of purchases") as caught:
        of(shop, "purchases", "Ann Example")
    assert "Example" not in str(caught.value)
    assert caught.value.__context__ is None
    assert OLD not in str(caught.value)
