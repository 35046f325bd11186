"""The pages of deletion requests: a board, and of one request what may be told, whatever holds it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.pages.stocked import Stocked, stocked, text

from holdfast import database as hf_database
from holdfast import queries
from holdfast.deletion_requests import board, steps
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.register import State, Transition
from holdfast.holds import register
from holdfast.policy.load import load_policy
from holdfast.policy.requests_model import load_requests_policy

NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def site(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocked]:
    with fresh_database() as engine, stocked(engine, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="module")
def terms(site: Stocked) -> Terms:
    folder = site.settings.policy
    return Terms.of(load_policy(folder), load_requests_policy(folder))


def row(request_id: int, received: dt.datetime, state: State = State.VERIFIED, **moments: Any) -> Any:
    given = {
        "identity_requested_at": None,
        "identity_received_at": None,
        "fee_requested_at": None,
        "fee_paid_at": None,
        "extension_notified_at": None,
        "duplicate_of": None,
    }
    return SimpleNamespace(
        request_id=request_id, state=state.value, channel="form", received_at=received, **{**given, **moments}
    )


def test_the_most_urgent_comes_first_and_what_waits_for_the_person_last(terms: Terms) -> None:
    early, late = NOW - dt.timedelta(days=40), NOW - dt.timedelta(days=2)
    rows = [
        row(1, late),
        row(2, early),
        row(3, early, identity_requested_at=early),
        row(4, early, extension_notified_at=late),
    ]
    cards = board.cards(rows, terms, NOW.date())
    assert [card.request_id for card in cards] == [2, 1, 4, 3]
    assert cards[0].alert == "overdue"
    assert (cards[-1].waits_for, cards[-1].due_on) == ("identity", None)
    counted = board.by_state_and_level(cards)
    assert counted[State.VERIFIED, "overdue"] == 1
    assert sum(counted.values()) == 4
    assert {card.alert for card in cards} <= set(board.levels(terms))


def test_carried_out_in_part_and_wholly_look_alike(terms: Terms) -> None:
    """Which of the two it is may be because of a hold that must not be disclosed."""

    def told(*states: State) -> list[str]:
        changes = [
            Transition(State.EXECUTING, state, NOW + dt.timedelta(days=n), "night", n) for n, state in enumerate(states)
        ]
        return [step.what for step in board.course(changes, [], [])]

    assert told(State.COMPLETED) == told(State.PARTLY_COMPLETED) == [board.CARRIED_OUT]
    assert told(State.PARTLY_COMPLETED, State.COMPLETED) == [board.CARRIED_OUT]
    assert board.standing(State.COMPLETED) == board.standing(State.PARTLY_COMPLETED)


def test_letters_and_notices_are_part_of_the_course(terms: Terms) -> None:
    later = NOW + dt.timedelta(days=1)
    letter = SimpleNamespace(kind="outcome", written_at=later)
    notice = SimpleNamespace(recipient="crm", kind="erased", sent_at=NOW, outcome="acknowledged", outcome_at=later)
    changes = [Transition(State.RECEIVED, State.VERIFIED, NOW - dt.timedelta(days=1), "jo", None)]
    steps = board.course(changes, [letter], [notice])
    assert [step.what for step in steps] == [
        "verified",
        "crm told: erased",
        "letter written: outcome",
        "crm on erased: acknowledged",
    ]


def test_the_board_counts_every_request_and_leads_to_each_that_is_open(site: Stocked) -> None:
    page = site.browser("auditor").get("/requests").text
    open_now = site.scalar("SELECT count(*) FROM holdfast.deletion_request WHERE closed_at IS NULL")
    assert open_now > 0
    linked = {int(number) for number in re.findall(r'/holdfast/requests/(\d+)"', page)}
    states = "('received', 'identity_pending', 'verified', 'assessed', 'approved', 'executing')"
    expected = site.rows(f"SELECT request_id FROM holdfast.deletion_request WHERE state IN {states}")
    assert linked == {one.request_id for one in expected}


def test_one_request_shows_its_matrix_its_clock_and_its_course(site: Stocked) -> None:
    number = site.scalar("SELECT min(request_id) FROM holdfast.request_decision")
    page = text(site.browser("auditor").get(f"/requests/{number}").text)
    datasets = site.scalar(
        "SELECT count(DISTINCT dataset) FROM holdfast.request_decision WHERE request_id = :number", number=number
    )
    assert datasets > 5
    assert "must be answered by" in page or "clock waits" in page
    assert "received" in page
    assert page.count("Nothing there") + page.count("Kept") + page.count("Waits for the request") > 0


def test_nothing_of_the_person_is_shown(site: Stocked) -> None:
    asked = site.rows("SELECT request_id, subject_key FROM holdfast.deletion_request ORDER BY request_id LIMIT 10")
    for number, subject in asked:
        page = site.browser("auditor").get(f"/requests/{number}").text
        assert "p1:" in page
        words = set(re.split(r"\W+", text(page)))
        assert subject not in words - {str(number)}


def test_a_hold_that_must_not_be_disclosed_changes_no_word_of_the_page(site: Stocked) -> None:
    """The matrix is told as it would stand without it."""
    ((run_id, number, subject),) = site.rows(
        "SELECT max(decision.run_id), request_id, min(request.subject_key)"
        " FROM holdfast.request_decision AS decision"
        " INNER JOIN holdfast.deletion_request AS request USING (request_id)"
        " WHERE decision.told_rows > 0 GROUP BY request_id ORDER BY request_id LIMIT 1"
    )
    url = f"/requests/{number}"
    before = site.browser("auditor").get(url).text
    policy = load_policy(site.settings.policy)
    with hf_database.transaction(site.engine) as connection:
        register.place(
            connection, policy, hold_type="IPA_NOTICE", reference="secret-7", placed_by="dpo", subject_key=subject
        )
        connection.execute(
            sa.text("UPDATE holdfast.run SET plan_digest = NULL, state = 'open' WHERE run_id = :run"), {"run": run_id}
        )
    steps.assess(site.engine, site.settings, run_id=run_id)
    held = site.scalar(
        "SELECT count(*) FROM holdfast.request_decision WHERE request_id = :number AND NOT disclosable", number=number
    )
    assert held > 0, "the hold holds something"
    assert site.browser("auditor").get(url).text == before


def test_a_request_that_is_not_there_and_a_number_that_is_none(site: Stocked) -> None:
    browser = site.browser("auditor")
    assert browser.get("/requests/999999").status_code == 404
    assert browser.get("/requests/0").status_code == 422
    found = browser.get("/requests/find?number=7", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (303, "/holdfast/requests/7")


def test_the_board_of_many_requests_reads_a_bounded_number(site: Stocked) -> None:
    with site.engine.connect() as connection:
        asked = {"states": ["verified", "assessed"], "requests": 1}
        assert len(queries.run(connection, "pages/requests_open", asked).all()) <= 1
