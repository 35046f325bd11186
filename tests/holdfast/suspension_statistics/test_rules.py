"""Months, intervals, times to an end, completeness and control limits, without a database."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import settings
from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import definitions, rules, trend
from holdfast.suspension_statistics.rules import Figure


def test_a_month_is_written_as_year_and_month() -> None:
    assert rules.month_of("2026-05") == dt.date(2026, 5, 1)
    for text in ("2026-13", "May", "2026-05-01", ""):
        with pytest.raises(StatisticsError, match="is no month"):
            rules.month_of(text)


def test_the_wilson_interval_is_the_published_one() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for n, of_n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        found = rules.wilson(n, of_n)
        assert found is not None
        assert found == pytest.approx((low, high), abs=5e-5)
    assert rules.wilson(0, 0) is None


def test_by_when_half_had_ended_counts_those_still_open_for_as_long_as_they_were_watched() -> None:
    assert rules.kaplan_meier_median([(10, True, 1), (20, True, 1), (30, True, 1)]) == 20
    assert rules.kaplan_meier_median([(10, True, 1), (15, False, 2), (30, True, 1)]) == 30
    assert rules.kaplan_meier_median([(10, True, 1), (30, False, 3)]) is None, "fewer than half ended"
    assert rules.kaplan_meier_median([(10, False, 3)]) is None
    assert rules.kaplan_meier_median([]) is None


def test_a_figure_that_is_not_defined_is_refused_and_one_that_did_not_occur_is_nought() -> None:
    defined, _ = definitions.load(settings.load().policy)
    with pytest.raises(StatisticsError, match="M02/decision/automation/perhaps"):
        rules.complete([Figure("M02", "decision", "automation", "perhaps", 1, None)], defined)
    figures = rules.complete([], defined)
    assert next(one for one in figures if one.place == ("M01", "decision", "all", "all")).n == 0
    assert next(one for one in figures if one.metric == "M25").n is None, "nothing was measured"


def test_sums_that_do_not_hold_are_named() -> None:
    defined, _ = definitions.load(settings.load().policy)
    assert rules.broken_controls(rules.complete([], defined), defined) == []
    figures = rules.complete([Figure("M01", "decision", "all", "all", 1, None)], defined)
    assert "M01/decision/all is not the sum of M02/decision/automation" in rules.broken_controls(figures, defined)
    open_ones = rules.complete([Figure("M19", "event", "flow", "open_at_the_end", 1, None)], defined)
    assert rules.broken_controls(open_ones, defined) == ["the flow of reviews does not add up"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=6), st.data())
def test_differences_lead_from_one_version_to_the_other(some: list[tuple[str, int]], data: st.DataObject) -> None:
    before = [Figure("M04", "decision", "reason", name, n, None) for name, n in dict(some).items()]
    after = data.draw(st.lists(st.sampled_from(before), unique=True)) if before else []
    changed = {one.place for one in rules.differences(before, after)}
    assert changed == {one.place for one in before if one not in after}
    assert rules.differences(before, before) == []


def test_figures_survive_their_text() -> None:
    figures = [Figure("M25", "event", "minutes_wrongly_suspended", "median", None, 0)]
    assert rules.figures_of(rules.text_of(figures)) == figures


def test_a_value_outside_the_control_limits_is_a_real_change() -> None:
    usual = [100, 104, 98, 101, 99, 103, 100]
    low, high = trend.limits(usual)
    assert low is not None
    assert high is not None
    assert low < 97 < 106 < high < 125
    assert trend.limits(usual[:5]) == (None, None), "too few months"


def test_a_trend_has_twelve_months_and_the_same_month_a_year_ago() -> None:
    months = [rules.after(dt.date(2025, 3, 1), n) for n in range(15)]
    by_month = {month: {("M01", "decision", "all", "all"): 10 + n} for n, month in enumerate(months)}
    [one] = trend.trends(dt.date(2026, 5, 1), by_month)
    assert (len(one.months), one.months[0][0], one.now, one.year_before) == (13, dt.date(2025, 5, 1), 24, 12)
