"""What a rule with a window deletes is kept encrypted, in the same transaction, until its day and no longer."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.enforcement.undo.window import (
    DAYS,
    GONE_BY,
    LATE,
    NOT_YET,
    TAKEN,
    kept,
    key_files,
    night,
    with_window,
)
from tests.holdfast.retention.shop import FAT, Crash, Document, Shop, crash, once

from holdfast.clock import Period, is_due
from holdfast.enforcement import rules
from holdfast.errors import ConservationError, UndoRefused
from holdfast.evidence.verify import Verdict
from holdfast.holds.decide import Outcome, Record, RecordRule, decide
from holdfast.policy.model import Strength
from holdfast.policy.problems import PolicyRefused
from holdfast.retention import steps

SECRET = "secret words of a customer"


def test_rows_are_taken_so_many_days_earlier_and_kept_until_their_day(shop: Shop) -> None:
    shop.purchases([1, 2], bought_on=TAKEN)
    shop.purchases([3], bought_on="2022-03-05")
    shop.purchases([4], bought_on=NOT_YET)
    run_id = shop.night()
    assert shop.ids("purchase", "purchase_id") == {4}
    assert kept(shop) == {"2024-03-09": 2, "2024-03-06": 1}
    assert key_files(shop) == [f"{run_id}-2024-03-06.key", f"{run_id}-2024-03-09.key"]
    (entry,) = shop.entries("batch_deleted")
    assert entry["rows"] == 3
    assert entry["kept"] == {"2024-03-06": 1, "2024-03-09": 2}
    assert shop.verify_ledger().verdict is Verdict.OK


def test_what_is_late_already_is_deleted_for_good(shop: Shop) -> None:
    """The window never delays the day by which the schedule wants a row gone."""
    shop.purchases([1], bought_on=LATE)
    shop.purchases([2], bought_on="2022-03-02")
    shop.night()
    assert shop.ids("purchase", "purchase_id") == set()
    assert kept(shop) == {"2024-03-03": 1}


def test_without_a_window_nothing_is_kept(shop: Shop) -> None:
    shop.set_policy()
    shop.purchases([1], bought_on=LATE)
    shop.purchases([2], bought_on=TAKEN)
    shop.night()
    assert shop.ids("purchase", "purchase_id") == {2}
    assert kept(shop) == {}
    assert key_files(shop) == []


def test_rows_that_are_taken_early_are_not_overdue(shop: Shop) -> None:
    shop.purchases([1], bought_on=TAKEN)
    run_id = shop.plan()
    assert shop.planned(run_id, "purchases-2y").oldest_overdue_days == 0


def test_what_is_kept_has_no_word_of_the_rows_and_neither_has_the_ledger(shop: Shop) -> None:
    shop.purchases(range(20), bought_on=TAKEN, note=SECRET)
    shop.night()
    sealed = b"".join(shop.scalars("SELECT sealed FROM holdfast.undo_batch"))
    assert SECRET.encode() not in sealed
    assert SECRET.encode().hex() not in shop.one("SELECT string_agg(entry, '') FROM holdfast.ledger_entry")
    key = (shop.settings.undo_keys / key_files(shop)[0]).read_bytes()
    assert key not in sealed
    assert (shop.settings.undo_keys / key_files(shop)[0]).stat().st_mode & 0o077 == 0


def test_the_dates_are_those_of_the_calendar(shop: Shop) -> None:
    """For every day of start around the end of a short month, by the clock's own arithmetic."""
    first = dt.date(2022, 2, 20)
    days = [first + dt.timedelta(days=n) for n in range(30)]
    for number, day in enumerate(days):
        shop.purchases([number], bought_on=day.isoformat())
    as_of, period = night(0).date(), Period(24, 0)
    shop.night()
    ends = [period.after(day) + dt.timedelta(days=1) for day in days]
    window = dt.timedelta(days=DAYS)
    assert shop.ids("purchase", "purchase_id") == {n for n, end in enumerate(ends) if end - window > as_of}
    wanted: dict[str, int] = {}
    for end in ends:
        if as_of < end <= as_of + window:
            wanted[end.isoformat()] = wanted.get(end.isoformat(), 0) + 1
    assert kept(shop) == wanted


@given(
    st.dates(dt.date(2015, 1, 1), dt.date(2024, 3, 2)),
    st.builds(Period, st.integers(0, 90), st.integers(0, 90)),
    st.integers(1, 28),
)
def test_a_row_goes_exactly_so_many_days_before_it_would_without_a_window(
    start: dt.date, period: Period, undo_days: int
) -> None:
    as_of = dt.date(2024, 3, 2)
    rule = RecordRule("r", period, Strength.MAXIMUM, start, undo_days=undo_days)
    record = Record("calls", "1", "7", None)
    found = decide(record, [rule], [], as_of).outcome
    assert (found is Outcome.DUE) == is_due(start, period, as_of + dt.timedelta(days=undo_days))


# --- crashes and rivals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["batch.fenced", "batch.unchecked", "batch.changed", "batch.recorded"])
def test_a_crash_before_the_commit_leaves_each_row_in_its_table_alone(shop: Shop, point: str) -> None:
    shop.purchases(range(10), bought_on=TAKEN, note=FAT)
    run_id = shop.plan()
    (shard,) = shop.shards(run_id, 2)
    with pytest.raises(Crash):
        shop.attempt(run_id, shard["shard_id"], once(point, crash, after=1))
    there, away = len(shop.ids("purchase", "purchase_id")), sum(kept(shop).values())
    assert (there, away) == (5, 5)
    shop.enforce(run_id)
    shop.close(run_id)
    assert shop.ids("purchase", "purchase_id") == set()
    assert kept(shop) == {"2024-03-09": 10}


def test_a_hold_that_overtakes_a_batch_keeps_its_rows_out_of_the_store_as_well(shop: Shop) -> None:
    shop.purchases(range(5), bought_on=TAKEN, note=FAT)
    shop.purchases([9], bought_on=TAKEN, note=FAT, customer_no=2)
    run_id = shop.plan()
    (shard,) = shop.shards(run_id, 2)
    shop.attempt(run_id, shard["shard_id"], once("batch.unchecked", lambda: shop.hold("matter-2", subject_key="2")))
    assert shop.ids("purchase", "purchase_id") == {9}
    assert kept(shop) == {"2024-03-09": 5}
    shop.close(run_id)


def test_a_store_that_lost_rows_fails_the_verification(shop: Shop) -> None:
    shop.purchases(range(10), bought_on=TAKEN, note=FAT)
    run_id = shop.plan()
    shop.enforce(run_id)
    shop.execute("DELETE FROM holdfast.undo_batch WHERE batch_id = (SELECT min(batch_id) FROM holdfast.undo_batch)")
    with pytest.raises(ConservationError, match="kept"):
        shop.verify(run_id)


def test_a_key_that_is_gone_before_its_day_fails_the_verification(shop: Shop) -> None:
    shop.purchases([1], bought_on=TAKEN)
    run_id = shop.plan()
    shop.enforce(run_id)
    (shop.settings.undo_keys / f"{run_id}-{GONE_BY}.key").unlink()
    with pytest.raises(UndoRefused, match="is not there"):
        shop.verify(run_id)


# --- policy -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "change", "why"),
    [
        ("purchases-2y", {"strength": "statutory"}, "the law says keep until the period is over"),
        ("customers-2y", {}, "it keeps rows that are deleted, and this rule changes them"),
        ("photos-90d", {}, "each row stands for a file"),
        ("visits-90d", {"deletion_class": "week"}, "it is as long as the period"),
    ],
)
def test_a_rule_that_may_have_no_window_is_refused_by_name(shop: Shop, rule: str, change: Document, why: str) -> None:
    def edit(documents: dict[str, Document]) -> None:
        with_window(documents)
        documents["retention_schedule"]["classes"]["week"] = {"period": "P7D", "starts": "creation"}
        documents["retention_schedule"]["rules"][rule].update(undo_days=DAYS, **change)
        if "deletion_class" not in change:
            del documents["retention_schedule"]["classes"]["week"]

    shop.set_policy(edit)
    with pytest.raises(PolicyRefused) as caught:
        steps.open_run(shop.engine, shop.settings, as_of=night(0), dry_run=False)
    assert f"rules.{rule}.undo_days" in str(caught.value)
    assert why in str(caught.value)


def test_a_statutory_rule_of_the_same_dataset_keeps_its_rows_to_the_last_day(shop: Shop) -> None:
    """The window of one rule takes no day from another's minimum."""

    def edit(documents: dict[str, Document]) -> None:
        with_window(documents)
        rules_ = documents["retention_schedule"]["rules"]
        rules_["purchases-law"] = {**rules_["purchases-2y"], "strength": "statutory"}
        del rules_["purchases-law"]["undo_days"]
        rules_["purchases-2y"]["strength"] = "maximum"

    shop.set_policy(edit)
    shop.purchases([1], bought_on=TAKEN)
    run_id = shop.plan()
    assert shop.planned(run_id, "purchases-2y").due_rows == 0
    assert shop.planned(run_id, "purchases-law").not_due_rows == 1


def test_overdue_days_count_from_the_end_of_the_period(shop: Shop) -> None:
    assert rules.overdue_days(shop.policy, "purchases-2y", dt.date(2022, 2, 28), dt.date(2024, 3, 2)) == 2
