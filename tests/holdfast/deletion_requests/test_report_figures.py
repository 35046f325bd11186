"""Sums that are right whatever the night was like, and a verdict that says 'kept' of one kind of night only."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests import report_library as library
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.pages import Page, wrong_sums

from holdfast.deletion_requests import breaks
from holdfast.deletion_requests.break_kinds import INCIDENTS, Kind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.report import figures, page
from holdfast.deletion_requests.report.due import Deadlines, DueLine, Level
from holdfast.deletion_requests.report.edition import Edition, Given, compose
from holdfast.deletion_requests.report.registers import (
    Cell,
    Keeper,
    OpenReason,
    Registers,
    Rest,
    StateCount,
    Sums,
    Week,
    Work,
)
from holdfast.reports.runs import Approval, Milestone, Run, Seal
from holdfast.reports.verdict import Standing

SEAL = Seal(1, 9, 9, b"\1" * 32, 10, b"\2" * 32, cinema.AS_OF)
NONE_DUE = Deadlines(library.NIGHT, (), (Level("overdue", 0), Level("within_2_days", 0), Level("ageing", 0)), 0)
LATE = dataclasses.replace(NONE_DUE, levels=(Level("overdue", 1), *NONE_DUE.levels[1:]))
QUIET = Work(plans=3, due=4, done=4, late=0, survivors=0, over_cap=0, has_changed=False)


def run(**changed: Any) -> Run:
    values: dict[str, Any] = {
        "run_id": 5,
        "job": library.JOB,
        "as_of": cinema.AS_OF,
        "as_of_date": library.NIGHT,
        "mode": "enforce",
        "policy_digest": "sha256:" + "0" * 64,
        "state": "sealed",
        "opened_at": cinema.AS_OF,
        "holds_as_of": cinema.AS_OF,
        "plan_digest": cinema.PLAN,
        "refused_sources": (),
        "earlier_runs": 0,
    }
    return Run(**{**values, **changed})


def sums(**changed: Any) -> Sums:
    """One request for the whole account, of two datasets."""
    return dataclasses.replace(Sums(1, 2, 2, 2, 0, 0, 2, True, 4, 1, 0), **changed)


def registers(**changed: Any) -> Registers:
    """A sealed night of one request that was carried out whole, and nothing that disagrees."""
    values: dict[str, Any] = {
        "states": (StateCount("completed", True, "ended", 1, 0, library.NIGHT),),
        "cells": (Cell("cards", "not_held", 1, 0, 0, 0, 0), Cell("tickets", "erase", 1, 4, 4, 0, 0)),
        "open_reasons": (),
        "sums": sums(),
        "rest": (),
        "keepers": (),
        "reviews": (),
        "recipients": (),
        "breaks": (),
        "weeks": (Week(dt.date(2026, 11, 23), 1, 1, 0, 0, 0, 0),),
        "work": QUIET,
        "approvals": (),
        "seal": SEAL,
        "course": (),
    }
    return Registers(**{**values, **changed, "run": run(**changed.get("run", {}))})


def edition(given_registers: Registers, due: Deadlines | None = NONE_DUE) -> Edition:
    given = Given(None, "Europe/London", due, library.WRITTEN, staff=str)
    return compose(given_registers, given)


COUNTS = st.integers(0, 2_000_000)
CELLS = st.lists(
    st.builds(
        Cell,
        st.sampled_from(library.DATASETS),
        st.sampled_from(figures.DECISIONS),
        st.integers(1, 200_000),
        COUNTS,
        COUNTS,
        COUNTS,
        COUNTS,
    ),
    unique_by=lambda cell: (cell.dataset, cell.decision),
    max_size=20,
).map(lambda cells: sorted(cells, key=lambda cell: cell.dataset))
STATES = st.lists(
    st.builds(
        StateCount,
        st.sampled_from(("received", "verified", "partly_completed", "completed")),
        st.booleans(),
        st.sampled_from(("new", "cool_off", "rest", "ended")),
        COUNTS,
        COUNTS,
        st.just(library.NIGHT),
    ),
    max_size=6,
)
RESTS = st.lists(
    st.builds(Rest, st.sampled_from(library.DATASETS), COUNTS, COUNTS, COUNTS),
    unique_by=lambda rest: rest.dataset,
    max_size=6,
)
KEEPERS = st.lists(
    st.builds(
        Keeper,
        st.sampled_from((None, *library.DATASETS)),
        st.sampled_from(("UNPAID", breaks.OTHERS, "bookings-6y", "start")),
        COUNTS,
        COUNTS,
        COUNTS,
        COUNTS,
        st.just(library.NIGHT),
        st.integers(0, 1),
        st.integers(0, 1),
        st.just(dt.date(2027, 3, 31)),
        st.none(),
    ),
    max_size=8,
)
LINES = st.lists(
    st.builds(
        DueLine,
        st.integers(1, 9_999),
        st.sampled_from(("received", "assessed")),
        st.sampled_from(("overdue", "ageing")),
        st.just(library.NIGHT),
        st.none(),
        st.none(),
        st.one_of(st.none(), st.just(library.NIGHT)),
        st.none(),
        st.integers(-9, 9),
    ),
    max_size=4,
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(cells=CELLS, states=STATES, rests=RESTS, keepers=KEEPERS, lines=LINES)
def test_every_sum_of_the_page_is_that_of_its_column(
    cells: list[Cell], states: list[StateCount], rests: list[Rest], keepers: list[Keeper], lines: list[DueLine]
) -> None:
    decisions = sum(cell.decisions for cell in cells)
    levels = tuple(
        Level(one, sum(line.alert == one for line in lines)) for one in ("overdue", "within_2_days", "ageing")
    )
    told = edition(
        registers(
            cells=tuple(cells),
            states=tuple(states),
            rest=tuple(rests),
            keepers=tuple(keepers),
            sums=sums(
                whole_requests=0,
                fewest_datasets=0,
                most_datasets=0,
                whole_decisions=0,
                part_requests=decisions,
                part_decisions=decisions,
                asked=decisions,
            ),
        ),
        Deadlines(library.NIGHT, tuple(lines), levels, 0),
    )
    shown = Page(page.html_of(told, with_charts=False))
    assert wrong_sums(shown) == []
    assert told.totals.adds_up
    assert told.totals.decisions == decisions
    assert sum(getattr(told.totals, one) for one in figures.DECISIONS) == decisions


@pytest.mark.parametrize(
    "wrong",
    [
        {"asked": 3},
        {"asked": 1},
        {"whole_decisions": 3},
        {"part_decisions": 1},
        {"fewest_datasets": 1},
        {"whole_requests": 2},
    ],
)
def test_a_matrix_that_does_not_add_up_is_a_failure_and_says_so(wrong: dict[str, int]) -> None:
    told = edition(registers(sums=sums(**wrong)))
    assert not told.totals.adds_up
    assert told.verdict.standing is Standing.FAILED
    text = Page(page.html_of(told, with_charts=False)).text
    assert "NO: decisions are missing or too many." in text


def test_a_night_like_this_kept_every_promise() -> None:
    told = edition(registers())
    assert told.verdict.standing is Standing.KEPT
    assert told.verdict.points == ()
    assert told.verdict.sentence == (
        "Every promise kept tonight: every request is decided, 4 rows of 1 request were erased or made anonymous, and "
        "nothing disagrees."
    )


BLOTS: dict[str, tuple[dict[str, Any], Deadlines | None]] = {
    "not sealed": ({"seal": None}, NONE_DUE),
    "not verified": ({"work": dataclasses.replace(QUIET, survivors=None)}, NONE_DUE),
    "not settled": ({"sums": sums(is_settled=False)}, NONE_DUE),
    "survivors": ({"work": dataclasses.replace(QUIET, survivors=1)}, NONE_DUE),
    "changed": ({"work": dataclasses.replace(QUIET, has_changed=True)}, NONE_DUE),
    "late": ({"work": dataclasses.replace(QUIET, late=1)}, NONE_DUE),
    "source": ({"open_reasons": (OpenReason("unknown", "source", 1, 1),)}, NONE_DUE),
    "start": ({"open_reasons": (OpenReason("unknown", "start", 1, 1),)}, NONE_DUE),
    "disbelieved": ({"run": {"refused_sources": ("counsel",)}}, NONE_DUE),
    "over cap": ({"work": dataclasses.replace(QUIET, over_cap=1)}, NONE_DUE),
    "overdue": ({}, LATE),
    "no deadlines": ({}, None),
    "nobody looked": ({"breaks": None}, NONE_DUE),
    **{
        kind.value: ({"breaks": (Break(kind, 2, "cards"),)}, NONE_DUE)
        for kind in Kind
        if kind is not Kind.PAST_DEADLINE
    },
}


@pytest.mark.parametrize("blot", BLOTS)
def test_one_blot_is_enough_and_is_named(blot: str) -> None:
    changed, due = BLOTS[blot]
    told = edition(registers(**changed), due).verdict
    assert told.standing is not Standing.KEPT
    assert told.points or told.standing in (Standing.UNFINISHED, Standing.FAILED)


@pytest.mark.parametrize("kind", sorted(INCIDENTS))
@pytest.mark.parametrize("state", ["executing", "verified", "sealed"])
def test_an_incident_is_told_before_anything_else(kind: Kind, state: str) -> None:
    found = (Break(kind, 2, "cards", (7,)), Break(Kind.OPEN_BUT_GONE, 1))
    told = edition(registers(breaks=found, run={"state": state})).verdict
    assert told.standing is Standing.INCIDENT
    assert told.sentence.startswith("INCIDENT: Rows ")
    assert "Tell the data protection officer" in told.sentence


@pytest.mark.parametrize("reason", ["identity", "cool_off", "approval", "dataset"])
def test_what_waits_or_is_kept_lawfully_breaks_no_promise(reason: str) -> None:
    kept = (Keeper(None, "UNPAID", 1, 1, 1, 0, library.NIGHT, 1, 1, None, None),)
    told = edition(registers(open_reasons=(OpenReason("waiting", reason, 1, 1),), keepers=kept))
    assert told.verdict.standing is Standing.KEPT


@pytest.mark.parametrize(
    ("state", "decision", "standing"),
    [
        ("open", None, Standing.UNFINISHED),
        ("planned", None, Standing.UNFINISHED),
        ("planned", "approved", Standing.UNFINISHED),
        ("planned", "expired", Standing.REFUSED),
        ("refused", "refused", Standing.REFUSED),
        ("executing", None, Standing.UNFINISHED),
        ("verified", None, Standing.UNFINISHED),
        ("superseded", None, Standing.UNFINISHED),
    ],
)
def test_how_far_a_run_came_is_said(state: str, decision: str | None, standing: Standing) -> None:
    answers = () if decision is None else (Approval(cinema.PLAN, decision, "ada", cinema.AS_OF),)
    given_registers = registers(
        approvals=answers, seal=None, work=dataclasses.replace(QUIET, over_cap=len(answers)), run={"state": state}
    )
    told = edition(given_registers).verdict
    assert told.standing is standing
    assert told.sentence.endswith(".")


def test_a_failure_that_a_later_attempt_mended_is_none() -> None:
    failed = Milestone("verification_failed", "It failed.", 1, 3, 3, cinema.AS_OF, cinema.AS_OF)
    assert edition(registers(course=(failed,))).verdict.standing is Standing.KEPT
    broken = edition(registers(course=(failed,), run={"state": "executing"}))
    assert broken.verdict.standing is Standing.FAILED
