"""A plan counts each row once, is named by exactly what it would delete, and waits for a person above its caps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.shop import NEW, NIGHT, OLD, TODAY, Document, Shop

from holdfast.enforcement import rules
from holdfast.errors import ApprovalRefused, CoverageError, PlanChanged, PolicyError, RunRefused
from holdfast.policy.model import Caps
from holdfast.retention import steps

OUTCOMES = ("due", "held", "refused", "waiting", "other_rule", "done", "unknown", "not_started", "not_due")


def counts(shop: Shop, run_id: int, rule_id: str) -> dict[str, int]:
    """The outcomes that have rows."""
    planned = shop.planned(run_id, rule_id)
    found = {name: getattr(planned, f"{name}_rows") for name in OUTCOMES}
    assert sum(found.values()) == planned.total_rows
    return {name: number for name, number in found.items() if number}


# --- counting ---------------------------------------------------------------------------------------------------


def test_each_row_is_counted_once_for_what_happens_to_it(shop: Shop) -> None:
    shop.purchases(range(5))
    shop.purchases(range(5, 9), bought_on=NEW)
    shop.purchases([9, 10], customer_no=2)
    shop.add("purchase", {"purchase_id": 11, "customer_no": 1}, {"purchase_id": 12, "bought_on": OLD})
    shop.add("purchase", {"purchase_id": 13, "customer_no": 1, "bought_on": "2024-03-03"})
    shop.add(
        "item", {"purchase_id": 0, "line_no": 1}, {"purchase_id": 1, "line_no": 1}, {"purchase_id": 5, "line_no": 1}
    )
    shop.hold("matter-2", subject_key="2")
    shop.hold("matter-item", datasets=["items"], record_key="0|1")
    shop.add("customer", {"customer_no": 7, "full_name": "Ann", "left_on": OLD}, {"customer_no": 8, "left_on": OLD})

    run_id = shop.plan()

    assert counts(shop, run_id, "purchases-2y") == {"due": 4, "held": 2, "waiting": 1, "unknown": 3, "not_due": 4}
    assert counts(shop, run_id, "items-2y") == {"due": 1, "held": 1, "not_due": 1}
    assert counts(shop, run_id, "customers-2y") == {"due": 1, "done": 1, "not_started": 2}
    assert counts(shop, run_id, "visits-90d") == {}
    (made,) = shop.entries("plan_made")
    assert made["plan"] == shop.digest(run_id)
    assert made["rows"] == {
        "due": 6, "held": 3, "refused": 0, "waiting": 1, "done": 1, "unknown": 3, "not_started": 2, "not_due": 5,
        "no_rule": 0,
    }  # fmt: skip


def test_a_plan_says_who_holds_and_until_when(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.add("debt", {"reference": "debt-1", "customer_no": 1}, {"reference": "debt-2", "customer_no": 1})
    far = dt.date(2099, 12, 31)
    shop.hold("matter-1", subject_key="1", datasets=["purchases"], ends_on=far)
    run_id = shop.plan()
    found = shop.scalars(
        "SELECT (hold_type, held_rows, held_until, holds)::text FROM holdfast.plan_held"
        " WHERE run_id = :run AND rule_id = 'purchases-2y' ORDER BY hold_type".replace("::", "\\:\\:"),
        run=run_id,
    )
    assert found == ["(COURT,2,2099-12-31,1)", "(UNPAID,2,,2)"]


def test_a_plan_foretells_what_falls_due_in_the_next_months(shop: Shop) -> None:
    days = [TODAY - dt.timedelta(days=90 - n) for n in (0, 29, 30, 59, 60, 89)]
    shop.add("photo", *({"photo_id": f"{n:032d}", "customer_no": 1, "taken_on": str(d)} for n, d in enumerate(days)))
    run_id = shop.plan()
    found = shop.scalars(
        "SELECT rows_due FROM holdfast.plan_forecast WHERE run_id = :run AND rule_id = 'photos-90d'"
        " ORDER BY within_days",
        run=run_id,
    )
    assert found == [2, 4, 6]


def test_a_dry_run_shows_the_numbers_of_the_real_one_and_can_not_be_executed(shop: Shop) -> None:
    shop.purchases(range(6))
    shop.purchases([7], customer_no=2)
    shop.hold("matter-2", subject_key="2")
    rehearsed = shop.plan(dry_run=True)
    assert shop.entries("run_started", "plan_made") == []
    with pytest.raises(RunRefused, match="dry run is never executed"):
        shop.shards(rehearsed, 1)
    planned = shop.plan()
    assert planned != rehearsed
    assert shop.digest(planned) == shop.digest(rehearsed)
    for rule_id in shop.policy.schedule.rules:
        assert counts(shop, planned, rule_id) == counts(shop, rehearsed, rule_id)
    assert steps.conclude(shop.engine, shop.settings, run_id=rehearsed)["due"] == 6


def test_a_source_that_was_not_asked_is_not_believed(shop: Shop) -> None:
    shop.purchases([1])
    shop.add("photo", {"photo_id": "0" * 32, "customer_no": 1, "taken_on": OLD})
    opened = steps.open_run(shop.engine, shop.settings, as_of=NIGHT, dry_run=False)
    run_id = int(str(opened["run_id"]))
    steps.make_plan(shop.engine, shop.settings, run_id=run_id)
    assert counts(shop, run_id, "purchases-2y") == {"refused": 1}
    assert counts(shop, run_id, "photos-90d") == {"due": 1}


def test_a_parent_waits_for_a_child_that_is_kept_because_a_source_is_not_believed(shop: Shop) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["rules"]["purchases-2y"].update(holds=["COURT"]))
    shop.purchases([1, 2])
    shop.add("item", {"purchase_id": 1, "line_no": 1})
    shop.execute("UPDATE shop.feed SET loaded_at = loaded_at - interval '3 days'")
    run_id = shop.plan()
    assert counts(shop, run_id, "items-2y") == {"refused": 1}
    assert counts(shop, run_id, "purchases-2y") == {"due": 1, "waiting": 1}
    shop.enforce(run_id)
    assert shop.ids("purchase", "purchase_id") == {1}


def test_others_may_write_to_the_ledger_while_a_plan_is_counted(shop: Shop) -> None:
    shop.purchases([1, 2])
    shop.purchases([3], customer_no=2)
    run_id = shop.plan()
    with shop.while_running("pg_current_snapshot", lambda: shop.hold("matter-late", subject_key="1")):
        steps.make_plan(shop.engine, shop.settings, run_id=run_id)
    assert counts(shop, run_id, "purchases-2y") == {"due": 3}
    assert shop.enforce(run_id) == 1
    assert shop.ids("purchase", "purchase_id") == {1, 2}


def test_a_policy_that_does_not_fit_the_database_stops_the_run_before_a_plan(shop: Shop) -> None:
    run_id = int(str(steps.open_run(shop.engine, shop.settings, as_of=NIGHT, dry_run=False)["run_id"]))
    shop.execute("ALTER TABLE shop.purchase ADD COLUMN gift_for text")
    with pytest.raises(CoverageError, match=r"the column gift_for of shop\.purchase is not listed"):
        steps.check_policy(shop.engine, shop.settings, run_id=run_id)


def test_a_policy_changed_in_the_middle_of_a_run_stops_it(shop: Shop) -> None:
    shop.purchases([1])
    run_id = shop.plan()
    (shard,) = shop.shards(run_id, 2)
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=7))
    for again in (
        lambda: steps.make_plan(shop.engine, shop.settings, run_id=run_id),
        lambda: shop.shards(run_id, 1),
        lambda: shop.enforce_shard(**shard),
        lambda: shop.verify(run_id),
    ):
        with pytest.raises(PolicyError, match="policy has changed since run"):
            again()
    assert shop.ids("purchase", "purchase_id") == {1}


# --- the digest -------------------------------------------------------------------------------------------------


def _nothing(_: Shop) -> None:
    return None


CHANGES: dict[str, tuple[Callable[[Shop], None], bool]] = {
    "nothing at all": (_nothing, False),
    "a new row that is not due": (lambda shop: shop.purchases([50], bought_on=NEW), False),
    "another note on a due row": (lambda shop: shop.execute("UPDATE shop.purchase SET note = 'x'"), False),
    "a hold that reaches no due row": (lambda shop: shop.hold("other", subject_key="77"), False),
    "a row that is due": (lambda shop: shop.purchases([50]), True),
    "another key in place of a due one": (
        lambda shop: shop.execute("UPDATE shop.purchase SET purchase_id = 60 WHERE purchase_id = 1"), True
    ),
    "a due row fewer": (lambda shop: shop.execute("DELETE FROM shop.purchase WHERE purchase_id = 1"), True),
    "a hold on a due row": (lambda shop: shop.hold("one", datasets=["purchases"], record_key="2"), True),
    "a row that refers to a due one and stays": (
        lambda shop: (
            shop.add("item", {"purchase_id": 1, "line_no": 1}), shop.hold("item", datasets=["items"])
        )[0], True
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_changes_with_the_due_keys_and_with_nothing_else(shop: Shop, change: str) -> None:
    act, differs = CHANGES[change]
    shop.purchases([1, 2, 3])
    shop.purchases([4], bought_on=NEW)
    before = shop.digest(shop.plan(dry_run=True))
    act(shop)
    assert (shop.digest(shop.plan(dry_run=True)) != before) is differs


def test_the_digest_names_day_policy_rule_action_count_and_keys() -> None:
    due = rules.DueFacts("purchases-2y", "delete", 3, "00ff")
    named = rules.plan_digest("sha256:1", TODAY, [due])
    others = [
        rules.plan_digest("sha256:2", TODAY, [due]),
        rules.plan_digest("sha256:1", TODAY + dt.timedelta(days=1), [due]),
        rules.plan_digest("sha256:1", TODAY, [rules.DueFacts("other", "delete", 3, "00ff")]),
        rules.plan_digest("sha256:1", TODAY, [rules.DueFacts("purchases-2y", "anonymise", 3, "00ff")]),
        rules.plan_digest("sha256:1", TODAY, [rules.DueFacts("purchases-2y", "delete", 4, "00ff")]),
        rules.plan_digest("sha256:1", TODAY, [rules.DueFacts("purchases-2y", "delete", 3, "00fe")]),
        rules.plan_digest("sha256:1", TODAY, []),
    ]
    assert len({named, *others}) == 1 + len(others)
    more = rules.DueFacts("items-2y", "delete", 0, "0")
    assert rules.plan_digest("p", TODAY, [due, more]) == rules.plan_digest("p", TODAY, [more, due])


# --- caps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "due", "overdue", "exceeded"),
    [
        (10_000, 499, 9, []),
        (10_000, 500, 10, []),
        (10_000, 501, 10, ["rows"]),
        (10_000, 500, 11, ["overdue"]),
        (10_000, 501, 11, ["rows", "overdue"]),
        (2_000, 200, None, []),
        (1_990, 200, None, ["share"]),
        (100, 100, None, []),  # a share of so few rows says nothing
        (101, 101, None, ["share"]),
        (0, 0, None, []),
    ],
)
def test_a_cap_is_exceeded_above_it_and_not_at_it(
    total: int, due: int, overdue: int | None, exceeded: list[str]
) -> None:
    caps = Caps(rows=500, share=0.1005, overdue_days=10)
    assert rules.exceeded_caps(caps, total=total, due=due, overdue_days=overdue) == exceeded


@given(st.integers(0, 10**6), st.floats(0, 1), st.integers(0, 10**6), st.data())
def test_up_to_the_limit_of_rows_nobody_is_asked_and_above_it_somebody_is(
    cap: int, share: float, total: int, data: st.DataObject
) -> None:
    caps = Caps(rows=cap, share=share, overdue_days=0)
    limit = rules.row_limit(caps, total=total)
    due = data.draw(st.integers(0, total) | st.sampled_from([min(limit, total), min(limit + 1, total)]))
    assert bool(rules.exceeded_caps(caps, total=total, due=due, overdue_days=None)) == (due > limit)


@pytest.mark.parametrize(("due", "exceeded"), [(2, False), (3, False), (4, True)])
def test_a_plan_of_more_rows_than_its_cap_waits_for_a_person(shop: Shop, due: int, exceeded: bool) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=3))
    shop.purchases(range(due))
    run_id = shop.plan()
    found = steps.check_caps(shop.engine, shop.settings, run_id=run_id)
    assert found == {
        "exceeded": exceeded,
        "plan_digest": shop.digest(run_id),
        "rules_over_cap": ["purchases-2y"] if exceeded else [],
    }
    assert [one["rules"] for one in shop.entries("cap_exceeded")] == [{"purchases-2y": ["rows"]}] * exceeded


def test_that_a_cap_is_exceeded_is_entered_once_for_each_plan(shop: Shop) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=0))
    shop.purchases([1])
    run_id = shop.plan()
    first = shop.digest(run_id)
    for _ in range(3):
        assert steps.check_caps(shop.engine, shop.settings, run_id=run_id)["exceeded"]
    assert [one["plan"] for one in shop.entries("cap_exceeded")] == [first]
    shop.purchases([2])
    steps.make_plan(shop.engine, shop.settings, run_id=run_id)
    for _ in range(2):
        steps.check_caps(shop.engine, shop.settings, run_id=run_id)
    assert [one["plan"] for one in shop.entries("cap_exceeded")] == [first, shop.digest(run_id)]


@pytest.mark.parametrize(("days_late", "exceeded"), [(9, False), (10, False), (11, True)])
def test_a_row_that_is_overdue_for_too_long_waits_for_a_person(shop: Shop, days_late: int, exceeded: bool) -> None:
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(overdue_days=10))
    on_time = TODAY - dt.timedelta(days=91)  # due today, and overdue by no day
    taken_on = str(on_time - dt.timedelta(days=days_late))
    shop.add("photo", {"photo_id": "0" * 32, "customer_no": 1, "taken_on": taken_on})
    run_id = shop.plan()
    assert shop.planned(run_id, "photos-90d").oldest_overdue_days == days_late
    assert steps.check_caps(shop.engine, shop.settings, run_id=run_id)["exceeded"] is exceeded


def test_a_rule_may_have_caps_of_its_own(shop: Shop) -> None:
    def edit(documents: dict[str, Document]) -> None:
        rule = documents["retention_schedule"]["rules"]["purchases-2y"]
        rule["caps"] = {"rows": 0, "share": 1, "overdue_days": 10000}

    shop.set_policy(edit)
    shop.purchases([1])
    assert shop.planned(shop.plan(), "purchases-2y").caps_exceeded == ["rows"]


def test_overdue_days_count_from_the_end_of_the_accounting_period_where_the_rule_does(shop: Shop) -> None:
    def edit(documents: dict[str, Document]) -> None:
        start = documents["retention_schedule"]["rules"]["purchases-2y"]["start"]
        start["counts_from"] = "end_of_accounting_period"

    shop.set_policy(edit)
    shop.purchases([1], bought_on="2020-06-01")  # of the year to 2021-03-31, kept to 2023-03-31
    shop.purchases([2], bought_on="2021-04-01")
    run_id = shop.plan()
    assert counts(shop, run_id, "purchases-2y") == {"due": 1, "not_due": 1}
    assert shop.planned(run_id, "purchases-2y").oldest_overdue_days == (TODAY - dt.date(2023, 4, 1)).days


# --- approval ---------------------------------------------------------------------------------------------------


@pytest.fixture
def over_cap(shop: Shop) -> Shop:
    """A shop with three due rows where two are allowed."""
    shop.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=2))
    shop.purchases([1, 2, 3])
    shop.purchases([4], bought_on=NEW)
    return shop


def test_without_an_approval_nothing_above_a_cap_begins(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    with pytest.raises(ApprovalRefused, match="exceeds a cap of purchases-2y and nobody approved") as caught:
        over_cap.shards(run_id, 1)
    assert caught.value.facts == {"rules": ["purchases-2y"]}
    assert over_cap.state(run_id) == "planned"


def test_an_approved_plan_is_carried_out(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    over_cap.approve(run_id)
    assert steps.check_caps(over_cap.engine, over_cap.settings, run_id=run_id)["exceeded"] is False
    assert over_cap.enforce(run_id) == 3
    over_cap.close(run_id)
    (given,) = over_cap.entries("approval_given")
    assert given["plan"] == over_cap.digest(run_id)
    assert given["by"].startswith("p1:")


STRANGERS = ["engineer", "nobody", "Anna", "Anna-Marie O'Neill", "anna@shop.example", "+44 7700 900123", "07700900123"]


def answer(shop: Shop, run_id: int, decision: str, by: str) -> None:
    values = {"plan_digest": shop.digest(run_id), "decision": decision, "decided_by": by}
    steps.record_approval(shop.engine, shop.settings, run_id=run_id, **values)


@pytest.mark.parametrize("name", ["anna", "7"])
def test_whoever_approves_appears_in_the_ledger_as_a_pseudonym(over_cap: Shop, name: str) -> None:
    run_id = over_cap.plan()
    answer(over_cap, run_id, "approved", name)
    (given,) = over_cap.entries("approval_given")
    assert given["by"].startswith("p1:")


@pytest.mark.parametrize("decision", ["approved", "refused"])
@pytest.mark.parametrize("name", STRANGERS)
def test_the_answer_of_somebody_whom_the_policy_does_not_name_counts_for_nothing_and_is_recorded(
    over_cap: Shop, decision: str, name: str
) -> None:
    run_id = over_cap.plan()
    with pytest.raises(ApprovalRefused, match="is no approver by the policy; nothing is deleted") as caught:
        answer(over_cap, run_id, decision, name)
    assert name not in str(caught.value)
    (entry,) = over_cap.entries("approval_unauthorised")
    assert entry == {"plan": over_cap.digest(run_id), "by": caught.value.facts["by"]}
    assert over_cap.entries("approval_given", "approval_refused") == []
    with pytest.raises(ApprovalRefused, match="nobody approved"):
        over_cap.shards(run_id, 1)
    over_cap.approve(run_id)
    assert over_cap.enforce(run_id) == 3


def test_who_may_approve_is_asked_of_the_policy_in_force_when_the_answer_comes(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    over_cap.set_policy(lambda documents: documents["retention_schedule"].update(approvers={"boris": "The new DPO"}))
    with pytest.raises(ApprovalRefused, match="is no approver"):
        over_cap.approve(run_id)


def test_the_question_has_the_plan_and_the_way_to_its_report_and_names_who_may_answer(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    asked = steps.ask_a_person(
        over_cap.engine, over_cap.settings, run_id=run_id, title="Shop", report="/reports/x.html"
    )
    assert asked["subject"] == "Shop of 2024-03-02: above its caps (1 rule)"
    assert "| `purchases-2y` | `purchases` | delete | 4 | 3 | 0 | 2 |" in str(asked["body"])
    assert str(asked["body"]).count(over_cap.digest(run_id)) == 1
    assert "`/reports/x.html`" in str(asked["body"])
    assert asked["about"]["plan_digest"] == over_cap.digest(run_id)
    assert asked["approvers"] == over_cap.policy.schedule.approvers


def test_an_answer_about_another_plan_does_not_count(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    seen = over_cap.digest(run_id)
    over_cap.purchases([5])
    steps.make_plan(over_cap.engine, over_cap.settings, run_id=run_id)
    values = {"plan_digest": seen, "decision": "approved", "decided_by": "anna"}
    with pytest.raises(PlanChanged, match="The answer is about the plan"):
        steps.record_approval(over_cap.engine, over_cap.settings, run_id=run_id, **values)
    with pytest.raises(ApprovalRefused):
        over_cap.shards(run_id, 1)


def test_a_refusal_ends_the_run_and_is_recorded(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    with pytest.raises(ApprovalRefused, match="was refused; nothing is deleted"):
        over_cap.approve(run_id, "refused")
    assert over_cap.state(run_id) == "refused"
    assert [one["plan"] for one in over_cap.entries("approval_refused")] == [over_cap.digest(run_id)]
    for again in (lambda: over_cap.approve(run_id), lambda: over_cap.plan(), lambda: over_cap.verify(run_id)):
        with pytest.raises((ApprovalRefused, RunRefused)):
            again()
    assert over_cap.ids("purchase", "purchase_id") == {1, 2, 3, 4}


def test_nobody_answering_in_time_is_recorded_and_may_be_answered_later(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    with pytest.raises(ApprovalRefused, match="was expired; nothing is deleted"):
        over_cap.approve(run_id, "expired")
    with pytest.raises(ApprovalRefused):
        over_cap.shards(run_id, 1)
    with pytest.raises(ApprovalRefused):
        over_cap.approve(run_id, "expired")
    over_cap.approve(run_id)
    assert over_cap.enforce(run_id) == 3
    assert len(over_cap.entries("approval_expired")) == 1
    assert len(over_cap.entries("approval_given")) == 1


def test_the_first_answer_stands(over_cap: Shop) -> None:
    run_id = over_cap.plan()
    over_cap.approve(run_id)
    over_cap.approve(run_id, "refused")
    over_cap.approve(run_id, "expired")
    assert over_cap.enforce(run_id) == 3
    assert over_cap.entries("approval_refused", "approval_expired") == []


@pytest.mark.parametrize("change", [change for change, (_, differs) in CHANGES.items() if differs])
def test_what_was_approved_is_derived_again_and_refused_if_it_has_changed(over_cap: Shop, change: str) -> None:
    run_id = over_cap.plan()
    over_cap.approve(run_id)
    CHANGES[change][0](over_cap)
    before = over_cap.contents("purchase")
    with pytest.raises(PlanChanged, match="What was approved as sha256:") as caught:
        over_cap.shards(run_id, 1)
    facts: dict[str, Any] = caught.value.facts
    assert facts["approved"] == over_cap.digest(run_id) != facts["derived"]
    assert over_cap.contents("purchase") == before
    steps.make_plan(over_cap.engine, over_cap.settings, run_id=run_id)  # and may be planned and approved anew
    assert over_cap.digest(run_id) == facts["derived"]
