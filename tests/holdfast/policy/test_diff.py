"""What differs between two policies, and which rules that means other rows for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.holdfast.policy import shop
from tests.holdfast.policy.shop import Edit, edited, policy_of

from holdfast.clock import Period
from holdfast.policy.diff import Change, Difference, Kind, RuleChange, changed_rules, diff

SMALL = policy_of(shop.TEXTS)

_SECOND_RULE = """\
  items-without-note:
    dataset: items
    deletion_class: made
    where: [{column: note, is_null: true}]
    start: {dataset: purchases, link: path, column: bought_at}
    action: {do: delete}
    strength: statutory
    law: Records of an accounting period.
    source: nowhere
    owner: finance
"""

_AUDIT = """\
  AUDIT:
    authority: audit
    meaning: An auditor wants the record.
    ground: Legitimate interests, UK GDPR Art 6(1)(f).
    disclosable: true
    review_after: P6M
    by_hand: true
sources:
"""


def test_a_policy_does_not_differ_from_itself() -> None:
    again = policy_of(edited(Edit("holds.yaml", "version: 1", "version: 1 # the same")))
    assert diff(SMALL, again) == ()
    assert changed_rules(SMALL, again) == []


def test_a_rule_that_is_added_or_removed_is_named() -> None:
    more = policy_of({**shop.TEXTS, "retention_schedule.yaml": shop.SCHEDULE + _SECOND_RULE})
    name = "items-without-note"
    assert diff(SMALL, more) == (Change(Kind.ADDED, "rule", name),)
    assert changed_rules(SMALL, more) == [RuleChange(Kind.ADDED, name, "items")]
    assert diff(more, SMALL) == (Change(Kind.REMOVED, "rule", name),)
    assert changed_rules(more, SMALL) == [RuleChange(Kind.REMOVED, name, "items")]


@pytest.mark.parametrize(
    ("edit", "change", "rules"),
    [
        pytest.param(
            Edit("retention_schedule.yaml", "period: P90D", "period: P30D"),
            Change(Kind.CHANGED, "deletion class", "brief", (Difference("period", "P90D", "P30D"),)),
            {"photos-90d": Difference("period", "P90D", "P30D")},
            id="a period, for every rule of the class",
        ),
        pytest.param(
            Edit("retention_schedule.yaml", "[COURT, UNPAID]", "[COURT]"),
            Change(Kind.CHANGED, "rule", "purchases-6y", (Difference("holds", "COURT, UNPAID", "COURT"),)),
            {"purchases-6y": Difference("holds", "COURT, UNPAID", "COURT")},
            id="holds that no longer stop a rule",
        ),
        pytest.param(
            Edit("retention_schedule.yaml", 'full_name: {to: "null"}', 'full_name: {to: constant, value: "gone"}'),
            Change(
                Kind.CHANGED,
                "rule",
                "customers-2y",
                (
                    Difference("action.columns.full_name.to", "null", "constant"),
                    Difference("action.columns.full_name.value", None, "gone"),
                ),
            ),
            {"customers-2y": Difference("action.columns.full_name.to", "null", "constant")},
            id="what is left of a row",
        ),
        pytest.param(
            Edit("retention_schedule.yaml", "strength: maximum", "strength: business"),
            Change(Kind.CHANGED, "rule", "photos-90d", (Difference("strength", "maximum", "business"),)),
            {"photos-90d": Difference("strength", "maximum", "business")},
            id="a strength",
        ),
        pytest.param(
            Edit("retention_schedule.yaml", '"03-31"', '"12-31"'),
            Change(Kind.CHANGED, "setting", "schedule.accounting_year_end", (Difference("value", "03-31", "12-31"),)),
            {"purchases-6y": Difference("accounting_year_end", "03-31", "12-31")},
            id="the accounting year, for the rules that count from its end",
        ),
        pytest.param(
            Edit("data_map.yaml", "    event: taken_on\n", ""),
            Change(Kind.CHANGED, "dataset", "photos", (Difference("event", "taken_on", None),)),
            {"photos-90d": Difference("rows.event", "taken_on", None)},
            id="the day that a hold on a period looks at",
        ),
        pytest.param(
            Edit("retention_schedule.yaml", "law: Claims out of the contract.", "law: Claims out of contracts."),
            Change(
                Kind.CHANGED,
                "rule",
                "customers-2y",
                (Difference("law", "Claims out of the contract.", "Claims out of contracts."),),
            ),
            {},
            id="words alone",
        ),
        pytest.param(
            Edit("holds.yaml", "max_age_hours: 30", "max_age_hours: 60"),
            Change(Kind.CHANGED, "hold source", "till", (Difference("max_age_hours", "30", "60"),)),
            {},
            id="a bound of a source",
        ),
        pytest.param(
            Edit("data_map.yaml", "review_by: 2030-06-30", "review_by: 2031-06-30"),
            Change(Kind.CHANGED, "exemption", "shop.turnover", (Difference("review_by", "2030-06-30", "2031-06-30"),)),
            {},
            id="an exemption",
        ),
        pytest.param(
            Edit("data_map.yaml", "recipients: [courier]", "recipients: [courier, bank]"),
            Change(
                Kind.CHANGED,
                "dataset",
                "customers",
                (Difference("columns.full_name.recipients", "courier", "courier, bank"),),
            ),
            {},
            id="a recipient",
        ),
    ],
)
def test_each_kind_of_change_is_told(edit: Edit, change: Change, rules: dict[str, Difference]) -> None:
    new = policy_of(edited(edit))
    assert diff(SMALL, new) == (change,)
    found = changed_rules(SMALL, new)
    assert [(r.kind, r.rule_id) for r in found] == [(Kind.CHANGED, rule_id) for rule_id in rules]
    for rule in found:
        assert rules[rule.rule_id] in rule.differences


def test_a_new_hold_type_can_stop_every_rule_that_all_types_can_stop() -> None:
    new = policy_of(edited(Edit("holds.yaml", "sources:\n", _AUDIT)))
    assert diff(SMALL, new) == (Change(Kind.ADDED, "hold type", "AUDIT"),)
    assert [r.rule_id for r in changed_rules(SMALL, new)] == ["customers-2y", "items-6y", "photos-90d"]


def test_another_table_on_the_way_to_the_subject_means_other_rows() -> None:
    new = policy_of(edited(Edit("data_map.yaml", "table: shop.purchase", "table: shop.order")))
    assert [r.rule_id for r in changed_rules(SMALL, new)] == ["purchases-6y", "items-6y", "photos-90d"]


_PERIODS = st.builds(Period, st.integers(0, 200), st.integers(1, 400)).map(str)


@settings(deadline=None, max_examples=25)
@given(old=_PERIODS, new=_PERIODS)
def test_periods_are_compared_as_lengths_and_both_ways(old: str, new: str) -> None:
    before, after = (
        policy_of(edited(Edit("retention_schedule.yaml", "period: P90D", f"period: {p}"))) for p in (old, new)
    )
    there, back = changed_rules(before, after), changed_rules(after, before)
    assert bool(there) == bool(back) == (Period.parse(old) != Period.parse(new))
    for one, other in zip(there, back, strict=True):
        assert one.differences == (Difference("period", old, new),)
        assert other.differences == (Difference("period", new, old),)


def test_a_difference_is_written_in_one_line() -> None:
    assert str(Difference("period", "P90D", None)) == "period: old P90D, new -"
