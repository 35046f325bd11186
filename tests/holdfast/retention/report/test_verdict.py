"""'Every promise kept tonight' is said of one kind of run only; for every other, what is wrong is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.editions import count, milestone, registers, rule, source

from holdfast.policy.model import Policy
from holdfast.reports.verdict import Standing, Verdict
from holdfast.retention.report.edition import compose
from holdfast.retention.report.registers import Approval, Night

_PROMISE = "Every promise kept tonight"


def _verdict(policy: Policy, *rules: Any, **changed: Any) -> Verdict:
    return compose(registers(policy, *(rules or (rule(),)), **changed), policy, cinema.WRITTEN).verdict


def _answer(decision: str, digest: str = cinema.PLAN) -> tuple[Approval, ...]:
    return (Approval(digest, decision, "someone", cinema.AS_OF),)


def test_all_done_verified_and_sealed_is_a_kept_promise(cinema_policy: Policy) -> None:
    found = _verdict(cinema_policy, rule(due_rows=10, acted_rows=10, held_rows=3), datasets=(count(),))
    assert found == Verdict(
        Standing.KEPT,
        "Every promise kept tonight: 10 rows were deleted and 0 anonymised, and the run is verified and sealed.",
        (),
        (),
    )


def test_a_night_on_which_nothing_was_due_is_a_kept_promise(cinema_policy: Policy) -> None:
    assert _verdict(cinema_policy).sentence == f"{_PROMISE}: nothing was due, and the run is verified and sealed."


PARTLY = {
    "a refused row": (
        {"refused_rows": 250},
        {"run": {"refused_sources": ("counsel",)}, "sources": (source("counsel", "stale"),)},
        "250 rows past the period were refused, because a source of holds could not be believed: counsel (stale).",
    ),
    "a source that mattered to nothing": (
        {},
        {"run": {"refused_sources": ("counsel",)}, "sources": (source("counsel", "shrunk"),)},
        "A source of holds could not be believed, and nothing that it could protect was due: counsel (shrunk).",
    ),
    "a waiting row": (
        {"waiting_rows": 1},
        {},
        "1 row past the period was kept, because rows that stay refer to them or their facts were not taken.",
    ),
    "an unknown row": (
        {"unknown_rows": 3},
        {},
        "Of 3 rows nobody can say whether the period is over; none was touched.",
    ),
    "a late row": ({"late_rows": 4}, {}, "4 rows became due after the plan, and are left to the next night."),
}


@pytest.mark.parametrize(("of_rule", "of_run", "point"), PARTLY.values(), ids=PARTLY)
def test_what_was_not_kept_is_named(
    cinema_policy: Policy, of_rule: dict[str, Any], of_run: dict[str, Any], point: str
) -> None:
    found = _verdict(cinema_policy, rule(due_rows=2, acted_rows=2, **of_rule), **of_run)
    assert found.standing is Standing.PARTLY
    assert found.points == (point,)
    assert found.sentence.startswith("2 rows were deleted and 0 anonymised, verified and sealed; but ")


def test_what_could_not_be_done_and_what_could_not_be_judged_are_two_things(cinema_policy: Policy) -> None:
    kept, unknown = {"waiting_rows": 1}, {"unknown_rows": 1}
    sentences = [_verdict(cinema_policy, rule(**counts)).sentence for counts in (kept, unknown, kept | unknown)]
    assert [sentence.partition("; but ")[2] for sentence in sentences] == [
        "not all that was past its period could be acted on.",
        "not every row could be judged.",
        "not all that was past its period could be acted on and not every row could be judged.",
    ]


def test_before_the_plan_nothing_is_said_of_sources_that_nobody_asked_yet(cinema_policy: Policy) -> None:
    run = {"state": "open", "refused_sources": tuple(cinema_policy.holds.sources)}
    edition = compose(registers(cinema_policy, run=run), cinema_policy, cinema.WRITTEN)
    assert edition.verdict.points == ()


OTHERS = {
    "no plan": (Standing.UNFINISHED, "did not get as far as a plan", {}, {"run": {"state": "open"}}),
    "planned": (Standing.UNFINISHED, "8 rows are planned, and nothing was touched", {}, {"run": {"state": "planned"}}),
    "executing": (
        Standing.UNFINISHED,
        "5 rows were deleted and 0 anonymised, of 8 rows planned, and nothing is verified yet.",
        {"acted_rows": 5, "survivors": None},
        {"run": {"state": "executing"}, "seal": None},
    ),
    "superseded": (Standing.UNFINISHED, "A later run has taken this one's place", {}, {"run": {"state": "superseded"}}),
    "verified": (Standing.UNFINISHED, "but the run is not sealed", {}, {"run": {"state": "verified"}, "seal": None}),
    "sealed in name": (Standing.UNFINISHED, "", {}, {"seal": None}),
    "not verified": (Standing.UNFINISHED, "sealed without a verification", {"survivors": None}, {}),
    "refused": (
        Standing.REFUSED,
        "a person refused it",
        {"caps_exceeded": ("rows",)},
        {"run": {"state": "refused"}, "approvals": _answer("refused")},
    ),
    "nobody answered": (
        Standing.REFUSED,
        "nobody answered in time",
        {"caps_exceeded": ("rows",)},
        {"run": {"state": "planned"}, "approvals": _answer("expired")},
    ),
    "not allowed": (Standing.REFUSED, "not allowed to act", {}, {"run": {"state": "refused"}}),
    "survivors": (Standing.FAILED, "2 rows that should be gone are still there", {"survivors": 2}, {}),
    "held rows changed": (Standing.FAILED, "Rows that were to stay", {"held_unchanged": False}, {}),
    "sample changed": (Standing.FAILED, "Rows that were to stay", {}, {"datasets": (count(sample_unchanged=False),)}),
    "rows missing": (
        Standing.FAILED,
        "The rows of 1 dataset do not add up",
        {},
        {"datasets": (count(after_rows=989),)},
    ),
    "rows out of nowhere": (Standing.FAILED, "do not add up", {}, {"datasets": (count(after_rows=1_005),)}),
    "failed": (
        Standing.FAILED,
        "ended before its work was done",
        {"survivors": None},
        {"run": {"state": "executing"}, "course": (milestone("run_failed"),)},
    ),
}


@pytest.mark.parametrize(("standing", "words", "of_rule", "of_run"), OTHERS.values(), ids=OTHERS)
def test_a_run_that_did_not_get_there_says_how_far_it_came(
    cinema_policy: Policy, standing: Standing, words: str, of_rule: dict[str, Any], of_run: dict[str, Any]
) -> None:
    found = _verdict(cinema_policy, rule(due_rows=8, **{"acted_rows": 8, **of_rule}), **of_run)
    assert found.standing is standing
    assert words in found.sentence
    assert _PROMISE not in found.sentence


def test_a_failure_that_a_later_attempt_overcame_is_history(cinema_policy: Policy) -> None:
    found = _verdict(cinema_policy, course=(milestone("verification_failed"), milestone("run_verified")))
    assert found.standing is Standing.KEPT


def test_a_plan_over_its_caps_waits_for_a_person(cinema_policy: Policy) -> None:
    over = rule(due_rows=8, caps_exceeded=("rows", "share"))
    waits = "The plan is over its caps for 1 rule and waits for a person."
    assert waits in _verdict(cinema_policy, over, run={"state": "planned"}).points
    another = _answer("approved", "sha256:another")
    assert waits in _verdict(cinema_policy, over, run={"state": "planned"}, approvals=another).points
    approved = _verdict(cinema_policy, over, approvals=_answer("approved"))
    assert approved.points == ()
    assert "The plan was over its caps for 1 rule, and a person approved it." in approved.notes


def test_a_dry_run_says_what_a_run_would_do(cinema_policy: Policy) -> None:
    found = _verdict(
        cinema_policy,
        rule(due_rows=8, held_rows=1, caps_exceeded=("rows",), survivors=None, late_rows=None),
        rule("members-2y", "members", due_rows=5, action="anonymise", survivors=None, late_rows=None),
        run={"mode": "dry-run", "state": "planned"},
        seal=None,
    )
    assert found.standing is Standing.DRY_RUN
    assert found.sentence == (
        "Nothing was touched. A run on this night would delete 8 rows and anonymise 5; 1 row is kept by a hold."
    )
    assert found.notes == ("The plan is over its caps for 1 rule: it would wait for a person.",)


def test_what_a_reader_should_know_besides_takes_nothing_from_a_kept_promise(cinema_policy: Policy) -> None:
    nights = (Night(cinema.NIGHT.replace(day=21), True),)
    found = _verdict(cinema_policy, rule(due_rows=8, acted_rows=6), nights=nights)
    assert found.standing is Standing.KEPT
    assert found.notes == (
        "2 rows of the plan came under a hold, or went, before their turn.",
        "2 nights before this one had no run; what fell due then is part of tonight's plan.",
    )


@given(
    state=st.sampled_from(["open", "planned", "executing", "verified", "sealed", "refused", "superseded"]),
    mode=st.sampled_from(["enforce", "dry-run"]),
    is_sealed=st.booleans(),
    survivors=st.sampled_from([None, 0, 1]),
    kept=st.sampled_from(["refused_rows", "waiting_rows", "unknown_rows", "late_rows", "held_rows"]),
    rows=st.sampled_from([0, 1]),
    held_unchanged=st.sampled_from([None, True, False]),
    after=st.sampled_from([None, 985, 991, 999, 1_005]),
    distrusted=st.sampled_from([(), ("counsel",)]),
)
def test_the_promise_is_given_only_where_nothing_stands_against_it(
    cinema_policy: Policy,
    state: str,
    mode: str,
    is_sealed: bool,
    survivors: int | None,
    kept: str,
    rows: int,
    held_unchanged: bool | None,
    after: int | None,
    distrusted: tuple[str, ...],
) -> None:
    one = rule(due_rows=3, acted_rows=3, survivors=survivors, held_unchanged=held_unchanged, **{kept: rows})
    changed: dict[str, Any] = {"datasets": (count(after_rows=after),)} | ({} if is_sealed else {"seal": None})
    run = {"state": state, "mode": mode, "refused_sources": distrusted}
    found = _verdict(cinema_policy, one, run=run, **changed)
    kept_promise = (
        (state, mode, is_sealed, survivors) == ("sealed", "enforce", True, 0)
        and (rows == 0 or kept == "held_rows")
        and held_unchanged is not False
        and after in (None, 991, 999)  # up to 1,004: what was there and was written since
        and not distrusted
    )
    assert (found.standing is Standing.KEPT) == kept_promise
    assert (_PROMISE in found.sentence) == kept_promise
