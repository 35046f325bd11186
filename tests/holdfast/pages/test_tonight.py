"""Is every promise kept tonight? Said only where tonight's report says so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.pages import nights

from holdfast.pages.jobs import JOBS
from holdfast.pages.tonight import LastRun, Line, Night, Standing, Suspensions, expected_night, lines

DAY = dt.date(2026, 11, 24)
RETENTION, REQUESTS, EMERGENCY, SAFEGUARDS, STATISTICS, EVIDENCE = (job.shelf for job in JOBS)
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    RETENTION: ("2026-11-24", nights.retention(7)),
    REQUESTS: ("2026-11-24", {**nights.retention(8), "totals": {"requests": 5, "pending": 0}}),
    EMERGENCY: ("2026-11-24", {"verdict": {"clear": True, "sentence": "All left.", "points": []}}),
    SAFEGUARDS: ("2026-11-24", {}),
    STATISTICS: ("2026-10", {}),
    EVIDENCE: ("2026-11-24", {}),
}
WELL = Suspensions(DAY, dt.date(2026, 10, 1), 0, None)


def judged(
    reports: dict[str, tuple[str, dict[str, Any]]] | None = None,
    runs: dict[str, LastRun] | None = None,
    suspensions: Suspensions = WELL,
    disagreements: tuple[str, ...] = (),
) -> dict[str, Line]:
    night = Night({**GOOD, **(reports or {})}, runs or {}, suspensions, disagreements, DAY, dt.date(2026, 10, 1))
    return {line.job.shelf: line for line in lines(JOBS, night)}


def test_a_good_night_is_kept_throughout_and_owes_nothing() -> None:
    assert [(line.standing, line.debt, line.deadlines, line.alerts) for line in judged().values()] == [
        (Standing.KEPT, (), (), ())
    ] * 6


@pytest.mark.parametrize("job", [RETENTION, REQUESTS, EMERGENCY, SAFEGUARDS, EVIDENCE])
def test_a_report_of_last_night_says_nothing_of_tonight_however_good(job: str) -> None:
    line = judged({job: ("2026-11-23", GOOD[job][1])})[job]
    assert line.standing is Standing.SILENT
    assert "23 Nov 2026" in line.sentence


@pytest.mark.parametrize("standing", ["unfinished", "refused", "failed", "incident", "", "something new"])
def test_a_verdict_that_is_not_good_is_not_kept(standing: str) -> None:
    verdict = {"standing": standing, "sentence": "It was not.", "points": [], "notes": []}
    assert judged({RETENTION: ("2026-11-24", nights.retention(7, verdict))})[RETENTION].standing is Standing.BROKEN


def test_a_report_without_a_verdict_is_not_kept() -> None:
    assert judged({RETENTION: ("2026-11-24", {"run": {"run_id": 7, "state": "sealed"}})})[RETENTION].tone == "bad"


def test_what_stands_in_the_way_is_told() -> None:
    line = judged({RETENTION: ("2026-11-24", nights.retention(7, nights.PARTLY))})[RETENTION]
    assert (line.standing, line.alerts) == (Standing.PARTLY, tuple(nights.PARTLY["points"]))


def test_a_run_that_came_after_the_report_is_told() -> None:
    line = judged(runs={RETENTION: LastRun(9, DAY, "executing")})[RETENTION]
    assert line.alerts == ("Run 9 of 24 Nov 2026 is executing, and has no report.",)


def test_debt_and_deadlines_come_from_the_report() -> None:
    totals = {"rules": 2, "refused": 4, "waiting": 0, "late": None, "unknown": 1}
    data = {**nights.retention(7), "totals": totals}
    assert judged({RETENTION: ("2026-11-24", data)})[RETENTION].debt == (
        "4 rows past the period, refused",
        "1 row not judged",
    )
    levels = [{"alert": "overdue", "requests": 1}, {"alert": "within_7_days", "requests": 2}]
    asked = {**GOOD[REQUESTS][1], "deadlines": {"levels": levels}, "totals": {"requests": 9, "pending": 3}}
    line = judged({REQUESTS: ("2026-11-24", asked)})[REQUESTS]
    assert line.debt == ("3 requests not decided yet",)
    assert line.deadlines == ("1 request overdue", "2 requests due in 7 days")


def test_a_source_of_holds_that_is_not_believed_needs_somebody() -> None:
    data = nights.retention(7, sources=[{"name": "tax", "status": "stale"}, {"name": "legal", "status": "trusted"}])
    (alert,) = judged({RETENTION: ("2026-11-24", data)})[RETENTION].alerts
    assert alert == "The source of holds tax is stale; what it could protect is kept."


def test_broken_safeguards_are_a_debt() -> None:
    line = judged(suspensions=Suspensions(DAY, WELL.last_month, 2, dt.date(2026, 11, 1)))[SAFEGUARDS]
    assert (line.standing, line.debt) == (Standing.PARTLY, ("2 safeguards broken",))


def test_a_month_that_has_settled_and_is_not_frozen_is_not_kept() -> None:
    line = judged(suspensions=Suspensions(DAY, dt.date(2026, 9, 1), 0, None))[STATISTICS]
    assert line.standing is Standing.BROKEN
    assert "October 2026 has settled" in line.sentence
    assert judged(suspensions=Suspensions(None, None, 0, None))[STATISTICS].standing is Standing.SILENT


def test_a_disagreement_that_nobody_explained_needs_somebody() -> None:
    line = judged(disagreements=("night_not_run", "marked_by_hand", "night_not_run"))[EVIDENCE]
    assert (line.standing, line.debt) == (Standing.PARTLY, ("3 disagreements",))
    assert line.alerts == (
        "1 x A task or run was given its state by hand",
        "2 x No run of this night, in Airflow or the ledger",
    )


def test_before_eight_in_the_morning_the_night_before_counts() -> None:
    assert expected_night(dt.datetime(2026, 11, 24, 7, 59, tzinfo=dt.UTC), "Europe/London") == dt.date(2026, 11, 23)
    assert expected_night(dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC), "Europe/London") == DAY
    assert expected_night(dt.datetime(2026, 7, 24, 7, 0, tzinfo=dt.UTC), "Europe/London") == dt.date(2026, 7, 24)


@given(
    late=st.integers(0, 400),
    standing=st.sampled_from(["kept", "partly", "failed", "refused", "unfinished", "dry-run", "?"]),
)
def test_kept_is_said_of_a_good_report_of_tonight_and_of_nothing_else(late: int, standing: str) -> None:
    day = (DAY - dt.timedelta(days=late)).isoformat()
    verdict = {"standing": standing, "sentence": "So it was.", "points": [], "notes": []}
    line = judged({RETENTION: (day, nights.retention(7, verdict))})[RETENTION]
    assert (line.standing is Standing.KEPT) == (late == 0 and standing == "kept")
