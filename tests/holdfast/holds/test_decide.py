"""Properties of `decide` for any number of rules and holds, and the days on which periods end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.holdfast.holds.records import LONG_AGO, OTHER_TYPE, TODAY, TYPE, YESTERDAY, hold, record, rule

from holdfast.clock import Period
from holdfast.holds.decide import (
    EARLIEST_START,
    Decision,
    Outcome,
    Record,
    RecordHold,
    RecordRule,
    covers,
    decide,
    decide_erasure,
    period_order,
)
from holdfast.policy.model import Strength

DAY = dt.timedelta(days=1)
DAYS = st.sampled_from([LONG_AGO, YESTERDAY - DAY, YESTERDAY, TODAY, TODAY + DAY])
TYPES = st.sampled_from([TYPE, OTHER_TYPE, "FRAUD"])
PERIODS = [Period(0, 0), Period(0, 1), Period(0, 2), Period(1, 0), Period(12, 0)]
DATASETS = st.frozensets(st.sampled_from(["calls", "bills"]))

records = st.builds(
    Record,
    dataset=st.just("calls"),
    key=st.just("k1"),
    subject=st.sampled_from(["7", None]),
    event=st.none() | DAYS,
    needs_subject=st.booleans(),
    needed_by_others=st.booleans(),
)
holds = st.builds(
    RecordHold,
    hold_type=TYPES,
    subject=st.sampled_from([None, "7", "8"]),
    record=st.sampled_from([None, None, "k1", "k2"]),
    period_from=st.none() | DAYS,
    period_to=st.none() | DAYS,
    datasets=st.none() | DATASETS,
    ends_on=st.none() | DAYS,
)
some_rules = st.lists(
    st.builds(
        RecordRule,
        rule_id=st.sampled_from("abcdef"),
        period=st.sampled_from(PERIODS),
        strength=st.sampled_from(Strength),
        start=st.none() | DAYS,
        applies=st.booleans() | st.just(True),
        explicit=st.booleans(),
        missing_is_normal=st.booleans(),
        hold_types=st.frozensets(TYPES),
        deletes=st.booleans(),
        already_done=st.booleans(),
        counted_from=st.none() | DAYS,
        undo_days=st.sampled_from([0, 0, 1, 2]),
    ),
    max_size=4,
    unique_by=lambda one: one.rule_id,
)


@st.composite
def situations(draw: st.DrawFn, max_holds: int = 4) -> dict[str, Any]:
    """Everything that `decide` is given, by the names of its parameters."""
    return {
        "record": draw(records),
        "rules": draw(some_rules),
        "holds": draw(st.lists(holds, max_size=max_holds)),
        "as_of": TODAY,
        "untrusted_types": draw(st.frozensets(TYPES, max_size=1)),
    }


def stops(situation: dict[str, Any], one: RecordHold) -> bool:
    """The hold reaches the record and some rule of the dataset lists its type."""
    return any(one.hold_type in rule.hold_types for rule in situation["rules"]) and covers(
        one, situation["record"], situation["as_of"]
    )


# --- properties -------------------------------------------------------------------------------------------------


@given(situations(), holds)
def test_adding_a_hold_never_turns_keeping_into_deleting(situation: dict[str, Any], added: RecordHold) -> None:
    before = decide(**situation)
    after = decide(**{**situation, "holds": [*situation["holds"], added]})
    assert before.acts or not after.acts
    assert after.rule_id == before.rule_id  # the rule that decides is a matter of time alone
    if before.outcome in (Outcome.HELD, Outcome.REFUSED, Outcome.WAITING, Outcome.DUE):
        expected = {*before.hold_types, added.hold_type} if stops(situation, added) else set(before.hold_types)
        assert set(after.hold_types) == expected
        assert after.outcome is (Outcome.HELD if expected else before.outcome)
    else:
        assert after == before


@given(situations(max_holds=5), st.integers(0, 4))
def test_a_release_reopens_only_what_that_hold_alone_covered(situation: dict[str, Any], which: int) -> None:
    given_holds = situation["holds"]
    assume(which < len(given_holds))
    released, left = given_holds[which], given_holds[:which] + given_holds[which + 1 :]
    before = decide(**situation)
    after = decide(**{**situation, "holds": left})
    if before.outcome is Outcome.HELD and after.outcome is not Outcome.HELD:
        assert stops(situation, released)
        assert not any(stops(situation, one) for one in left)
    elif before.outcome is Outcome.HELD:
        assert any(stops(situation, one) for one in left)
    else:
        assert after == before


@given(situations(), st.randoms())
def test_the_order_of_rules_and_holds_is_irrelevant(situation: dict[str, Any], random: Any) -> None:
    shuffled = {
        name: random.sample(situation[name], len(situation[name])) + situation[name] * (name == "holds")
        for name in ("rules", "holds")
    }  # holds twice over as well: one of the same says nothing new
    assert decide(**{**situation, **shuffled}) == decide(**situation)


@given(situations())
def test_every_decision_names_its_rule_unless_there_is_none(situation: dict[str, Any]) -> None:
    decision = decide(**situation)
    applicable = {one.rule_id for one in situation["rules"] if one.applies}
    assert decision.rule_id in applicable if applicable else decision == Decision(Outcome.NO_RULE, None)
    assert (decision.outcome is Outcome.HELD) == bool(decision.hold_types)
    assert list(decision.hold_types) == sorted(set(decision.hold_types))


@given(situations())
def test_erasure_never_beats_a_hold(situation: dict[str, Any]) -> None:
    listing = rule(rule_id="lists", applies=False, hold_types=frozenset({TYPE}))
    asked = {**situation, "rules": [*situation["rules"], listing]}
    assert not decide_erasure(**{**asked, "holds": [*situation["holds"], hold()]}).acts


@given(situations(), st.sampled_from(PERIODS), st.none() | DAYS, st.booleans())
@example({"record": record(), "rules": [], "holds": [], "as_of": TODAY}, Period(12, 0), YESTERDAY, False)
def test_erasure_never_beats_a_period_that_a_law_prescribes(
    situation: dict[str, Any], period: Period, start: dt.date | None, normal: bool
) -> None:
    by_law = rule(
        rule_id="law", strength=Strength.STATUTORY, period=period, start=start, missing_is_normal=normal,
    )  # fmt: skip
    assume(start is None or period.after(start) >= TODAY)
    asked = {**situation, "rules": [*situation["rules"], by_law]}
    assert decide_erasure(**asked).outcome in (Outcome.UNKNOWN, Outcome.NOT_STARTED, Outcome.NOT_DUE)


@given(situations(), st.sampled_from(PERIODS), st.none() | DAYS)
def test_without_erasure_no_business_period_is_cut_short(
    situation: dict[str, Any], period: Period, start: dt.date | None
) -> None:
    business = rule(rule_id="desk", strength=Strength.BUSINESS, period=period, start=start)
    assume(start is None or period.after(start) >= TODAY)
    decision = decide(**{**situation, "rules": [*situation["rules"], business]})
    assert not decision.acts


@given(situations())
def test_a_rule_that_does_not_apply_counts_for_nothing_but_its_hold_types(situation: dict[str, Any]) -> None:
    bare = [
        one if one.applies else rule(rule_id=one.rule_id, applies=False, hold_types=one.hold_types)
        for one in situation["rules"]
    ]
    assert decide(**{**situation, "rules": bare}) == decide(**situation)


@given(situations())
def test_an_untrusted_source_only_ever_keeps(situation: dict[str, Any]) -> None:
    trusted = decide(**{**situation, "untrusted_types": frozenset()})
    untrusted = decide(**{**situation, "untrusted_types": frozenset({TYPE, OTHER_TYPE, "FRAUD"})})
    assert not untrusted.acts or not any(one.hold_types for one in situation["rules"])
    assert untrusted.rule_id == trusted.rule_id
    if trusted.outcome not in (Outcome.DUE, Outcome.WAITING):
        assert untrusted == trusted


@given(situations())
def test_nothing_that_is_unknown_is_ever_acted_on(situation: dict[str, Any]) -> None:
    """Neither a rule's start nor, where it matters, whom the record is about."""
    decision = decide(**situation)
    if not decision.acts:
        return
    assert situation["record"].subject is not None or not situation["record"].needs_subject
    acting = next(one for one in situation["rules"] if one.rule_id == decision.rule_id)
    starts = [one.start for one in situation["rules"] if one.applies and not one.missing_is_normal]
    assert all(start is not None and start <= TODAY for start in starts)
    assert acting.start is not None
    assert acting.period.after(acting.counted_from or acting.start) < TODAY


# --- days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "period", "first_day"),
    [
        ("2024-02-29", "P1Y", "2025-03-01"),  # its last day is 28 February
        ("2024-02-29", "P4Y", "2028-03-01"),  # and here 29 February
        ("2023-02-28", "P1Y", "2024-02-29"),
        ("2024-02-28", "P1Y", "2025-03-01"),
        ("2023-03-01", "P1Y", "2024-03-02"),
        ("2025-01-31", "P1M", "2025-03-01"),
        ("2024-01-31", "P1M", "2024-03-01"),
        ("2024-01-30", "P1M", "2024-03-01"),
        ("2025-03-31", "P1M", "2025-05-01"),
        ("2025-04-30", "P1M", "2025-05-31"),
        ("2025-12-31", "P6Y", "2032-01-01"),
        ("2025-08-31", "P18M", "2027-03-01"),
        ("2024-02-29", "P12M", "2025-03-01"),
        ("2024-02-28", "P1D", "2024-03-01"),
        ("2023-02-28", "P1D", "2023-03-02"),
        ("2025-03-29", "P1D", "2025-03-31"),  # the night in between is an hour short in London
        ("2025-10-25", "P1D", "2025-10-27"),
        ("2025-12-03", "P90D", "2026-03-04"),
        ("2026-03-01", "P0D", "2026-03-02"),
        ("2024-01-31", "P1M1D", "2024-03-02"),  # the months first, and then the days
        ("2025-01-31", "P2W", "2025-02-15"),
    ],
)
def test_the_first_day_on_which_a_record_is_due(start: str, period: str, first_day: str) -> None:
    day = dt.date.fromisoformat(first_day)
    one = rule(start=dt.date.fromisoformat(start), period=Period.parse(period))
    assert decide(record(), [one], [], day - DAY).outcome is Outcome.NOT_DUE
    assert decide(record(), [one], [], day).outcome is Outcome.DUE


@given(st.dates(dt.date(1996, 1, 1), dt.date(2060, 12, 31)), st.integers(0, 200), st.integers(0, 800))
@settings(max_examples=300)
def test_once_due_a_record_stays_due(start: dt.date, months: int, days: int) -> None:
    one = rule(start=start, period=Period(months, days))
    last = one.period.after(start)
    outcomes = [decide(record(), [one], [], last + n * DAY).outcome for n in (-1, 0, 1, 2, 400)]
    assert outcomes[1:] == [Outcome.NOT_DUE] + [Outcome.DUE] * 3
    assert outcomes[0] in (Outcome.NOT_DUE, Outcome.UNKNOWN)  # a start that is tomorrow


def test_a_period_counts_from_the_end_of_the_accounting_period_where_the_rule_says_so() -> None:
    one = rule(start=dt.date(2024, 4, 1), counted_from=dt.date(2025, 3, 31))
    assert decide(record(), [one], [], dt.date(2026, 3, 31)).outcome is Outcome.NOT_DUE
    assert decide(record(), [one], [], dt.date(2026, 4, 1)).outcome is Outcome.DUE
    # Whether the start is known is a matter of the event and not of where it is moved to.
    ahead = rule(start=TODAY, counted_from=dt.date(2026, 3, 31))
    assert decide(record(), [ahead], [], TODAY).outcome is Outcome.NOT_DUE


@pytest.mark.parametrize(
    ("start", "outcome"),
    [
        (EARLIEST_START, Outcome.DUE),
        (EARLIEST_START - DAY, Outcome.UNKNOWN),
        (dt.date.min, Outcome.UNKNOWN),
        (dt.date.max, Outcome.UNKNOWN),
        (TODAY + DAY, Outcome.UNKNOWN),
        (TODAY, Outcome.NOT_DUE),
    ],
)
def test_a_start_before_1900_or_after_today_is_not_believed(start: dt.date, outcome: Outcome) -> None:
    for normal in (True, False):  # a placeholder is no missing start
        assert decide(record(), [rule(start=start, missing_is_normal=normal)], [], TODAY).outcome is outcome


def test_a_hold_holds_to_the_end_of_its_last_day() -> None:
    one = hold(ends_on=TODAY)
    assert decide(record(), [rule()], [one], TODAY).outcome is Outcome.HELD
    assert decide(record(), [rule()], [one], TODAY + DAY).outcome is Outcome.DUE


def test_every_type_that_holds_is_named_once_in_order() -> None:
    types = [f"TYPE_{letter}" for letter in "HCAFBGED"]
    one = rule(hold_types=frozenset({*types, "TYPE_X"}))
    every = [hold(hold_type=name) for name in types * 2] + [hold(hold_type="TYPE_X", subject="8")]
    assert decide(record(), [one], every, TODAY) == Decision(Outcome.HELD, "a", tuple(sorted(types)))


def test_periods_are_ordered_by_length_and_then_by_days() -> None:
    ascending = ["P0D", "P1D", "P4W", "P30D", "P1M", "P31D", "P3M", "P92D", "P12M", "P366D", "P6Y", "P7Y"]
    periods = [Period.parse(text) for text in ascending]
    assert sorted(set(periods), key=period_order) == periods
    assert period_order(Period.parse("P1Y")) == period_order(Period.parse("P12M"))
    assert period_order(Period.parse("P1600M")) < period_order(Period.parse("P48699D"))  # of the same length
