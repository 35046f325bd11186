"""Each way in which ledger, Airflow and calendar can disagree has its name, and what agrees has none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.clock import NIGHTS_ZONE, midnight
from holdfast.run_history import calendar, rules
from holdfast.run_history.calendar import Job
from holdfast.run_history.rules import KINDS, Disagreement, Elsewhere, Known, LedgerRun, Trace
from holdfast.run_history.sheets import Sheet

RETENTION = next(job for job in calendar.JOBS if job.dag == "retention_nightly")
EMERGENCY = next(job for job in calendar.JOBS if job.dag == "emergency_data_999")
MONTHLY = next(job for job in calendar.JOBS if job.monthly)
NIGHT = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 25, 7, 0, tzinfo=dt.UTC)


def began(job: Job, night: dt.date) -> dt.datetime:
    return midnight(night, NIGHTS_ZONE).replace(hour=job.at.hour, minute=job.at.minute).astimezone(dt.UTC)


def sheet(job: Job = RETENTION, night: dt.date = NIGHT, state: str = "success", **more: Any) -> Sheet:
    at = began(job, night)
    return {
        "dag": job.dag,
        "run": f"scheduled__{at.isoformat()}",
        "as_of": at.isoformat(),
        "state": state,
        "dry_run": False,
        "partition": f"{night:%Y-%m}" if job.monthly else None,
        "queued_at": at.isoformat(),
        "started_at": at.isoformat(),
        "ended_at": (at + dt.timedelta(minutes=10)).isoformat() if state in ("success", "failed") else None,
        "tries": [],
        "answers": [],
        "events": [],
    } | more


def sealed(night: dt.date = NIGHT, job: Job = RETENTION, **more: Any) -> LedgerRun:
    done = ("make_plan", "enforce_shards", "verify_run", "seal_run")
    run = LedgerRun(night.toordinal(), job.dag, night, "sealed", began(job, night), done, ())
    return dataclasses.replace(run, **more)


def attempt(task: str, state: str, number: int = 1) -> dict[str, Any]:
    return {"task": task, "map_index": -1, "try": number, "state": state}


def event(what: str, task: str | None = None, by: str | None = "p1:00", **told: Any) -> dict[str, Any]:
    at = "2026-11-24T09:00:00Z"
    return {"event": 7, "at": at, "what": what, "dag": RETENTION.dag, "task": task, "by": by, "told": told}


def found(
    sheets: list[Sheet] | None = None, runs: list[LedgerRun] | None = None, now: dt.datetime = NOW, **more: Any
) -> list[tuple[str, str]]:
    known = Known(sheets=sheets or [], runs=runs or [], traces=more.pop("traces", []), **more)
    return [(one.kind, one.subject) for one in rules.disagreements(known, now)]


def test_what_all_three_agree_on_is_nothing_to_tell_of() -> None:
    assert found() == []
    assert found([sheet()], [sealed()]) == []


def test_done_by_the_ledger_and_failed_by_airflow() -> None:
    """The API server was away: the task finished all its work, and Airflow has three failed attempts."""
    failed = sheet(state="failed", tries=[attempt("seal_run", "failed", n) for n in (1, 2, 3)])
    assert found([failed], [sealed()]) == [("failed_but_done", f"{failed['run']}/seal_run")]


def test_a_shard_that_failed_for_airflow_and_is_finished() -> None:
    failed = sheet(
        state="failed", tries=[attempt("wave_1.enforce_shards", "failed"), attempt("seal_run", "upstream_failed")]
    )
    run = sealed(state="executing", done=("make_plan", "enforce_shards"))
    assert found([failed], [run]) == [
        ("failed_but_done", f"{failed['run']}/enforce_shards"),
        ("run_without_end", f"run-{run.run_id}"),
    ]


def test_a_run_that_is_red_because_of_what_it_found_does_not_disagree() -> None:
    """`conclude` ends a sealed run red where a hold source was not believed."""
    red = sheet(state="failed", tries=[attempt("seal_run", "success"), attempt("conclude", "failed")])
    assert found([red], [sealed()]) == []


def test_an_attempt_that_failed_before_one_that_succeeded_does_not_disagree() -> None:
    late = sheet(
        state="failed",
        tries=[attempt("seal_run", "success", 2), attempt("seal_run", "failed", 1), attempt("conclude", "failed")],
    )
    assert found([late], [sealed()]) == []


def test_a_night_that_failed_and_was_run_again_does_not_disagree() -> None:
    first = sheet(state="failed", tries=[attempt("seal_run", "failed")])
    assert found([first, sheet(run="manual__2026-11-24T09:00:00+00:00")], [sealed()]) == []


def test_success_without_our_sealed_run() -> None:
    one = sheet()
    assert found([one]) == [("success_without_evidence", one["run"])]
    assert ("success_without_evidence", one["run"]) in found([one], [sealed(state="executing", done=())])
    assert found([sheet(dry_run=True)]) == []


def test_success_of_a_job_that_leaves_another_trace() -> None:
    one = sheet(EMERGENCY)
    at = began(EMERGENCY, NIGHT)
    assert found([one], traces=[Trace("emergency_reconciled", at + dt.timedelta(minutes=9))]) == []
    kinds = [kind for kind, _ in found([one], traces=[Trace("emergency_reconciled", at - dt.timedelta(minutes=9))])]
    assert kinds == ["success_without_evidence"]
    assert ("success_without_evidence", one["run"]) in found([one], traces=[Trace("safeguards_checked", at)])


def test_a_night_not_run() -> None:
    before, after = NIGHT - dt.timedelta(days=3), NIGHT - dt.timedelta(days=1)
    nights = [before, after, NIGHT]
    sheets, runs = [sheet(night=one) for one in nights], [sealed(one) for one in nights]
    assert found(sheets, runs) == [("night_not_run", "2026-11-22")]
    rehearsed = sheet(night=dt.date(2026, 11, 22), dry_run=True)
    assert found([*sheets, rehearsed], runs) == [("night_not_run", "2026-11-22")], "a dry run is no night"


def test_tonight_is_not_missed_before_it_is_over() -> None:
    run, ran = [sealed()], [sheet()]
    due = calendar.deadline(RETENTION, NIGHT + dt.timedelta(days=1))
    assert found(ran, run, due - dt.timedelta(seconds=1)) == []
    assert found(ran, run, due) == [("night_not_run", "2026-11-25")]


def test_a_month_not_frozen() -> None:
    october = Trace("statistics_frozen", dt.datetime(2026, 11, 12, 3, tzinfo=dt.UTC), dt.date(2026, 10, 1))
    assert found(traces=[october], now=dt.datetime(2026, 12, 16, tzinfo=dt.UTC)) == []
    assert found(traces=[october], now=dt.datetime(2026, 12, 18, tzinfo=dt.UTC)) == [("night_not_run", "2026-11-01")]


def test_a_run_that_airflow_does_not_have() -> None:
    before = NIGHT - dt.timedelta(days=1)
    runs = [sealed(before), sealed()]
    assert found([sheet(night=before)], runs) == [("unknown_to_airflow", f"run-{runs[1].run_id}")]
    assert found([sheet()], runs) == [], "older than anything that Airflow still had when it was first read"


def test_a_run_that_does_not_end_in_airflow_and_in_the_ledger() -> None:
    """A run that waits for a person has its twelve hours."""
    one, run = sheet(state="running"), sealed(state="planned", done=("make_plan",))
    ends = began(RETENTION, NIGHT) + dt.timedelta(hours=RETENTION.hours)
    assert found([one], [run], ends - dt.timedelta(seconds=1)) == []
    assert found([one], [run], ends) == [("not_ended", one["run"]), ("run_without_end", f"run-{run.run_id}")]


@pytest.mark.parametrize("state", ["superseded", "refused"])
def test_a_run_that_another_took_over_or_a_person_refused_has_ended(state: str) -> None:
    assert found([sheet(state="failed")], [sealed(state=state, done=())]) == []


def test_an_answer_that_the_ledger_does_not_have() -> None:
    answer = {"task": "ask_a_person", "map_index": -1, "chose": ["Approve"], "by": "p1:00"}
    one = sheet(answers=[answer])
    expected = [("answer_not_in_ledger", f"{one['run']}/ask_a_person")]
    assert found([one], [sealed(answers=())]) == expected
    assert found([one], [sealed(answers=("refused",))]) == expected
    assert found([one], [sealed(answers=("approved",))]) == []


@pytest.mark.parametrize(
    ("what", "told", "kind"),
    [
        ("patch_task_instance", {"new_state": "success"}, "marked_by_hand"),
        ("patch_task_group_instances", {"new_state": "failed"}, "marked_by_hand"),
        ("bulk_task_instances", {}, "marked_by_hand"),
        ("patch_dag_run", {"state": "success"}, "marked_by_hand"),
        ("bulk_dag_runs", {}, "marked_by_hand"),
        ("post_clear_task_instances", {"task_ids": ["seal_run"]}, "cleared_by_hand"),
        ("clear_dag_run", {}, "cleared_by_hand"),
        ("delete_dag_run", {}, "deleted_by_hand"),
        ("delete_task_instance", {}, "deleted_by_hand"),
        ("update_xcom_entry", {}, "changed_by_hand"),
        ("delete_xcom_entry", {}, "changed_by_hand"),
        ("something_new_in_another_version", {}, "changed_by_hand"),
        ("patch_dag", {"is_paused": True}, "paused_by_hand"),
        ("patch_dag", {"is_paused": False}, None),
        ("trigger_dag_run", {}, None),
        ("update_hitl_detail", {"chosen_options": ["Approve"]}, None),
    ],
)
def test_what_a_person_did(what: str, told: dict[str, Any], kind: str | None) -> None:
    known = Known([sheet(events=[event(what, "seal_run", **told)])], [sealed()], [])
    acts = rules.disagreements(known, NOW)
    assert [one.kind for one in acts] == ([kind] if kind else [])
    assert all(one.by == "p1:00" and one.told is not None and one.told.startswith(what) for one in acts)


def test_an_act_says_what_was_done_to_which_task() -> None:
    marked = sheet(events=[event("patch_task_instance", "seal_run", new_state="success")])
    (one,) = rules.disagreements(Known([marked], [sealed()], []), NOW)
    assert one.told == "patch_task_instance seal_run success"
    assert found([sheet(events=[event("state mismatch", by=None)])], [sealed()]) == [], "Airflow did that itself"


def test_of_what_is_done_to_all_of_airflow_only_what_touches_us() -> None:
    day = {"dag": None, "run": "2026-11-24", "as_of": None, "state": None, "tries": [], "answers": []}
    ours, other = event("patch_connection", connection_id="holdfast"), event("patch_connection", connection_id="crm")
    ours["dag"] = other["dag"] = None
    assert [kind for kind, _ in found([{**day, "events": [other]}])] == []
    assert [kind for kind, _ in found([{**day, "events": [ours]}])] == ["changed_by_hand"]


def test_an_altered_copy_and_an_intent_without_outcome() -> None:
    assert found(lost=[12]) == [("copy_altered", "entry-12")]
    assert found(intents=[(9, RETENTION.dag, NIGHT)]) == [("intent_without_outcome", "entry-9")]


FAULTS = {
    "night_not_run": lambda one, run: (None, None),
    "success_without_evidence": lambda one, run: (one, None),
    "unknown_to_airflow": lambda one, run: (None, run),
    "failed_but_done": lambda one, run: ({**one, "state": "failed", "tries": [attempt("seal_run", "failed")]}, run),
    "marked_by_hand": lambda one, run: ({**one, "events": [event("patch_dag_run", state="success")]}, run),
    "not_ended": lambda one, run: ({**one, "state": "running", "ended_at": None}, run),
}


@given(st.integers(), st.lists(st.sampled_from(sorted(FAULTS)), max_size=40))
def test_in_a_year_with_faults_each_is_named_on_its_night_and_nothing_else_is(seed: int, faults: list[str]) -> None:
    """365 nights of the two jobs that delete; both clock changes are among them."""
    rnd = random.Random(seed)
    nights = [NIGHT - dt.timedelta(days=n) for n in range(365)]
    places = [(job, night) for job in calendar.JOBS if job.leaves is None for night in nights[1:-1]]
    injected = dict(zip(rnd.sample(places, len(faults)), faults, strict=True))
    sheets, runs = [], []
    for job in (job for job in calendar.JOBS if job.leaves is None):
        for night in nights:
            one, run = sheet(job, night), sealed(night, job)
            fault = injected.get((job, night))
            left, kept = FAULTS[fault](one, run) if fault else (one, run)
            sheets += [left] if left else []
            runs += [kept] if kept else []
    rnd.shuffle(sheets)
    named = rules.disagreements(Known(sheets, runs, []), NOW)
    assert {(one.kind, one.night) for one in named} == {(fault, night) for (_, night), fault in injected.items()}
    assert len(named) == len(faults)


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    for kind in KINDS.values():
        assert kind.meaning[0].isupper()
        assert len(kind.fix) > 10
    assert {Disagreement(kind, None, None, "").kind for kind in FAULTS} <= set(KINDS)


def archive(*runs: LedgerRun, **more: Any) -> Elsewhere:
    return Elsewhere("archive", NIGHT, list(runs), **more)


def test_a_night_is_done_only_if_every_databases_ledger_says_so() -> None:
    night = sheet()
    assert found([night], [sealed()], elsewhere=[archive(sealed())]) == []
    assert found([night], [sealed()], elsewhere=[archive()]) == [
        ("success_without_evidence", f"archive/{night['run']}")
    ]
    ours = sealed()
    stuck = dataclasses.replace(ours, state="executing", done=())
    assert ("run_without_end", f"archive/run-{ours.run_id}") in found([night], [ours], elsewhere=[archive(stuck)])


def test_nothing_is_expected_of_a_database_before_it_joined() -> None:
    nights = [NIGHT - dt.timedelta(days=n) for n in range(3)]
    sheets, runs = [sheet(night=one) for one in nights], [sealed(one) for one in nights]
    assert found(sheets, runs, elsewhere=[archive(sealed())]) == []


def test_a_ledger_that_cannot_be_read_is_told_and_never_passes_for_one_without_disagreement() -> None:
    unread = Elsewhere("archive", NIGHT, None)
    assert found([sheet()], [sealed()], elsewhere=[unread]) == [("ledger_unread", "archive")]
    assert KINDS["ledger_unread"].is_alarm


def test_a_task_speaks_of_the_database_in_whose_group_it_stands() -> None:
    failed = sheet(
        state="failed", tries=[attempt("seal_run", "success"), attempt("archive.wave_1.enforce_shards", "failed")]
    )
    half_done = sealed(state="executing", done=("make_plan", "enforce_shards"))
    told = found([failed], [sealed()], elsewhere=[archive(half_done)])
    assert ("failed_but_done", f"archive/{failed['run']}/enforce_shards") in told
    assert not [subject for kind, subject in told if not subject.startswith("archive/")]


def test_files_that_were_about_to_go_in_another_database_are_told_with_its_name() -> None:
    intents = [(5, RETENTION.dag, NIGHT)]
    told = found([sheet()], [sealed()], elsewhere=[archive(sealed(), intents=intents)])
    assert told == [("intent_without_outcome", "archive/entry-5")]
