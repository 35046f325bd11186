"""What differs between two reports."""

from __future__ import annotations

from holdfast.pages.compare import Change, changes


def test_figures_are_told_by_the_names_that_the_report_uses() -> None:
    before = {"totals": {"due": 5, "held": 2}, "rules": [{"rule_id": "a", "due": 1}, {"rule_id": "b", "due": 4}]}
    after = {"totals": {"due": 6, "held": 2}, "rules": [{"rule_id": "b", "due": 5}, {"rule_id": "a", "due": 1}]}
    assert changes(before, after) == [Change("totals / due", 5, 6), Change("rules / b / due", 4, 5)]


def test_what_only_one_of_them_has_is_none_in_the_other() -> None:
    before = {"gaps": [{"rule_id": "E501", "gaps": 2}]}
    after = {"gaps": [{"rule_id": "E502", "gaps": 1}]}
    assert Change("gaps / E501 / gaps", 2, None) in changes(before, after)
    assert Change("gaps / E502 / gaps", None, 1) in changes(before, after)


def test_a_figure_that_is_missing_is_not_zero() -> None:
    assert changes({"totals": {"late": 0}}, {"totals": {"late": None}}) == [Change("totals / late", 0, None)]


def test_what_is_another_in_every_report_is_left_out() -> None:
    assert changes({"written_at": "1", "run": {"run_id": 1}, "seal": {"root": "a"}}, {"written_at": "2"}) == []


def test_lines_without_a_name_are_told_by_their_place() -> None:
    assert changes({"points": ["a", "b"]}, {"points": ["a", "c"]}) == [Change("points / 2", "b", "c")]
