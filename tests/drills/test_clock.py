"""The clock of the database jumps, and Airflow's with it: what a hold may protect stays, and a right clock heals."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.drills import virtual_clock
from tests.holdfast.retention.shop import NEW, NIGHT, OLD, TOMORROW, Shop

from holdfast.errors import HoldSourceUntrusted, RunRefused
from holdfast.evidence.verify import Verdict

YEAR = dt.timedelta(days=366)


@pytest.fixture
def ticking(shop: Shop) -> Shop:
    """A shop on its first night by a clock that can be set: one purchase is due, one is not, one is held."""
    virtual_clock.install(shop.engine)
    shop.purchases([1], bought_on=OLD)
    shop.purchases([2], bought_on="2022-06-01")
    shop.purchases([3], bought_on=OLD, customer_no=7)
    shop.purchases([4], bought_on=NEW)
    shop.hold("matter-7", subject_key="7")
    at(shop, NIGHT)
    return shop


def at(shop: Shop, moment: dt.datetime, *, delivered: bool = True) -> None:
    virtual_clock.set_to(shop.engine, moment)
    if delivered:
        shop.execute("UPDATE shop.feed SET loaded_at = :at", at=moment - dt.timedelta(hours=2))


def left(shop: Shop) -> set[int]:
    return shop.ids("purchase", "purchase_id")


def test_a_clock_that_jumps_ahead_makes_every_source_old_and_nothing_goes(ticking: Shop) -> None:
    ticking.night(NIGHT)
    assert left(ticking) == {2, 3, 4}
    at(ticking, NIGHT + YEAR, delivered=False)
    with pytest.raises(HoldSourceUntrusted, match="Hold sources till are not believed; 1 rows"):
        ticking.night(NIGHT + YEAR)
    assert left(ticking) == {2, 3, 4}
    at(ticking, TOMORROW)
    assert ticking.state(ticking.night(TOMORROW)) == "sealed"
    assert ticking.verify_ledger().verdict is Verdict.OK


def test_a_jump_that_came_to_nothing_stands_in_the_way_of_no_night(ticking: Shop) -> None:
    at(ticking, NIGHT + YEAR, delivered=False)
    jumped = ticking.plan(NIGHT + YEAR)
    at(ticking, NIGHT)
    ticking.night(NIGHT)
    assert ticking.state(jumped) == "superseded"
    assert left(ticking) == {2, 3, 4}
    at(ticking, TOMORROW)
    ticking.night(TOMORROW)
    assert ticking.verify_ledger().verdict is Verdict.OK


def test_a_jump_by_which_rows_went_is_for_people_to_look_at(ticking: Shop) -> None:
    """The sources delivered as if nothing were wrong: no rule can tell such a clock from a right one."""
    at(ticking, NIGHT + YEAR)
    ticking.night(NIGHT + YEAR)
    assert left(ticking) == {3, 4}
    at(ticking, TOMORROW)
    with pytest.raises(RunRefused, match="but 2025-03-03 has been enforced or tried"):
        ticking.plan(TOMORROW)


def test_a_clock_that_jumps_back_deletes_nothing(ticking: Shop) -> None:
    ticking.night(NIGHT)
    at(ticking, NIGHT - YEAR, delivered=False)
    with pytest.raises(RunRefused, match="has been enforced or tried already"):
        ticking.plan(NIGHT - YEAR)
    with pytest.raises(RunRefused, match="is in the future"):
        ticking.plan(TOMORROW)
    at(ticking, TOMORROW)
    assert ticking.state(ticking.night(TOMORROW)) == "sealed"


def test_a_clock_that_jumps_back_before_the_first_night_finds_its_sources_in_the_future(ticking: Shop) -> None:
    virtual_clock.set_to(ticking.engine, NIGHT - YEAR)
    ticking.purchases([5], bought_on="2019-01-01")
    with pytest.raises(HoldSourceUntrusted, match="are not believed"):
        ticking.night(NIGHT - YEAR)
    assert 5 in left(ticking)
    assert ticking.entries("hold_source_untrusted")[-1]["reason"] == "loaded_in_future"


@pytest.mark.parametrize("step", [-YEAR, YEAR])
def test_a_clock_that_jumps_within_a_run_changes_nothing_of_it(ticking: Shop, step: dt.timedelta) -> None:
    """The day of a run is fixed when it is opened."""
    run_id = ticking.plan(NIGHT)
    at(ticking, NIGHT + step, delivered=False)
    assert ticking.enforce(run_id) == 1
    ticking.close(run_id)
    assert left(ticking) == {2, 3, 4}
    at(ticking, TOMORROW)
    assert ticking.state(ticking.night(TOMORROW)) == "sealed"
    assert ticking.verify_ledger().verdict is Verdict.OK


def test_a_hold_that_is_placed_by_a_wrong_clock_holds(ticking: Shop) -> None:
    for moment, customer in ((NIGHT - YEAR, "1"), (NIGHT + YEAR, "2")):
        at(ticking, moment, delivered=False)
        ticking.hold(f"matter-{customer}", subject_key=customer)
    at(ticking, NIGHT)
    ticking.night(NIGHT)
    assert left(ticking) == {1, 2, 3, 4}
