"""The question that a data protection officer is asked: all that the decision needs, and never more than fits."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from holdfast.enforcement import question
from holdfast.enforcement.question import Planned
from holdfast.policy.model import Caps

GOLDEN = Path(__file__).with_name("question.md")
DIGEST = "sha256:" + "0123456789abcdef" * 4
REPORT = "/srv/holdfast/reports/retention_nightly/2026-11-24/index.html"
CAPS = Caps(rows=500_000, share=0.05, overdue_days=45)
QUIET = Planned(
    rule_id="tickets-24m",
    dataset="support_tickets",
    action="delete",
    total=8_000,
    due=12,
    held=0,
    refused=0,
    waiting=0,
    unknown=0,
    caps=CAPS,
    overdue_days=0,
    exceeded=(),
)


def plan(rule_id: str, **values: object) -> Planned:
    return dataclasses.replace(QUIET, rule_id=rule_id, **values)  # type: ignore[arg-type]


def first_night() -> list[Planned]:
    """A backlog: one rule above every cap, one just above one, small ones, and one without anything due."""
    return [
        plan("calls-12m", dataset="call_detail_records", total=9_000_000, due=612_345, held=48_210, unknown=3,
             overdue_days=400, exceeded=("rows", "share", "overdue")),
        plan("logins-12m", dataset="login_events", total=20_000, due=1_001, refused=7, exceeded=("share",)),
        plan("accounts-6y", dataset="accounts", action="anonymise", total=2_000, due=90, waiting=2, overdue_days=46,
             exceeded=("overdue",)),
        *(plan(f"small-{n:02}-90d", dataset=f"small_{n:02}", due=n) for n in range(1, 11)),
        plan("invoices-6y", dataset="invoices", due=0, held=6, overdue_days=None),
    ]  # fmt: skip


def body(rules: list[Planned]) -> str:
    approvers = {"dpo": "Data protection officer", "7": "Her deputy"}
    return question.body(rules, approvers=approvers, plan_digest=DIGEST, report=REPORT)


def test_the_question_is_the_golden_one(tmp_path: Path) -> None:
    rules = first_night()
    text = f"# {question.subject('Retention', dt.date(2026, 11, 24), rules)}\n\n{body(rules)}"
    actual = tmp_path / GOLDEN.name
    actual.write_text(text, encoding="utf-8")
    golden = GOLDEN.read_text(encoding="utf-8") if GOLDEN.exists() else ""
    assert text == golden, f"read {actual}; if it is right, copy it to {GOLDEN}"


def test_the_plan_is_named_once() -> None:
    assert body(first_night()).count("sha256:") == 1


def test_the_order_of_the_rules_changes_nothing() -> None:
    assert body(first_night()) == body(first_night()[::-1])


@pytest.mark.parametrize("rules", [10, 11, 5_000])
def test_however_many_rules_there_are_it_stays_small_and_says_how_many_it_leaves_out(rules: int) -> None:
    every = ("rows", "share", "overdue")
    name = "r" * 58
    longest = [
        plan(f"{name}-{n:04}", dataset="d" * 63, total=10**12, due=10**11 + n, held=10**9, overdue_days=99_999,
             exceeded=every)
        for n in range(rules)
    ]  # fmt: skip
    text = body(longest)
    assert len(text) < 16_000
    assert f"{name}-{rules - 1:04}" in text, "the largest is told"
    assert text.count(f"and {rules - 10:,} more rule") == (0 if rules == 10 else 2)


def test_a_single_row_and_a_single_rule_are_counted_in_the_singular() -> None:
    only = plan("photos-90d", total=1, due=1, caps=Caps(rows=0, share=1, overdue_days=45), exceeded=("rows",))
    assert "would **delete 1 row**, and" in body([only])
    assert "(1 rule)" in question.subject("Retention", dt.date(2026, 1, 1), [only])
