"""docs/coverage.md says what is so: every check, every rule, every exemption."""

from __future__ import annotations

import re

import pytest

from holdfast import settings
from holdfast.policy.load import load_policy
from holdfast.policy.model import Anonymise, Rule
from holdfast.policy.problems import Check

LOADED = settings.load()
COVERAGE = (LOADED.project / "docs" / "coverage.md").read_text(encoding="utf-8")
POLICY = load_policy(LOADED.policy)


def test_every_check_is_explained_once() -> None:
    assert re.findall(r"^\| (P\d{3}) \| .{15,} \|$", COVERAGE, re.MULTILINE) == sorted(Check)


@pytest.mark.parametrize("rule_id", POLICY.schedule.rules)
def test_every_rule_is_listed_as_it_is(rule_id: str) -> None:
    rule = POLICY.schedule.rules[rule_id]
    period = POLICY.schedule.classes[rule.deletion_class].period
    cells = (rule.dataset, rule_id, period, _start(rule), _action(rule), rule.strength.value)
    assert f"\n| {' | '.join(cells)} |\n" in COVERAGE


def _start(rule: Rule) -> str:
    start = f"{rule.start.dataset}.{rule.start.column}" if rule.start.dataset else rule.start.column
    return start if rule.start.counts_from == "event" else f"accounting year of {start}"


def _action(rule: Rule) -> str:
    return f"anonymise {', '.join(rule.action.columns)}" if isinstance(rule.action, Anonymise) else "delete"


def test_every_exemption_and_dataset_without_a_rule_is_given_its_reason() -> None:
    for table, exemption in POLICY.data_map.exemptions.items():
        assert f"\n| {table} | {exemption.reason} |\n" in COVERAGE
    for name, dataset in POLICY.data_map.datasets.items():
        if dataset.no_rule is not None:
            assert f"`{name}` has no rule" in COVERAGE


def test_no_period_is_shipped_without_saying_whether_it_is_a_default() -> None:
    """A period that no statute fixes says so to whoever must confirm it."""
    for rule_id, rule in POLICY.schedule.rules.items():
        is_by_law = rule.strength == "statutory"
        assert is_by_law or "to be confirmed by the DPO" in rule.law, rule_id
