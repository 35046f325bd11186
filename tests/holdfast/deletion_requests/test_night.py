"""What the night does without a person: bring requests on, and approve those that are small."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from tests.holdfast.deletion_requests.desk import NOW, Desk, asked, requests_policy, terms

from holdfast import database
from holdfast.deletion_requests import lifecycle, night
from holdfast.deletion_requests.agenda import agenda
from holdfast.deletion_requests.deadlines import Terms, Waiting
from holdfast.deletion_requests.receipt import Taken
from holdfast.deletion_requests.register import State

DAY = dt.timedelta(days=1)


@pytest.fixture
def verified(desk: Desk) -> list[int]:
    """Nine requests that were verified on 3 September, and can be withdrawn until the 10th."""
    written = [asked(f"r-{n}", subject_key=str(n), identity_confirmed_at="2026-09-03 09:00") for n in range(1, 10)]
    return [one.request_id for one in desk.receive(*written) if isinstance(one, Taken)]


def advance(desk: Desk, now: dt.datetime, given: Terms | None = None) -> int:
    with database.transaction(desk.engine) as connection:
        return night.advance(connection, given or terms(), now=now, run_id=3)


def approve(desk: Desk, run_id: int, given: Terms | None = None) -> int:
    with database.transaction(desk.engine) as connection:
        return night.approve_small(connection, given or terms(), now=NOW, run_id=run_id)


def states(desk: Desk, numbers: list[int]) -> list[State]:
    return [desk.request(number).state for number in numbers]


def test_the_cool_off_ends_at_midnight_in_london(desk: Desk, verified: list[int]) -> None:
    last_moment = dt.datetime(2026, 9, 10, 22, 59, 59, tzinfo=dt.UTC)
    assert advance(desk, last_moment) == 0
    assert advance(desk, last_moment + dt.timedelta(seconds=1)) == 9
    assert advance(desk, last_moment + DAY) == 0
    assert set(states(desk, verified)) == {State.ASSESSED}
    kind, facts = desk.entries()[-1]
    assert (kind, facts) == (
        "request_changed",
        {"requests": verified, "from": "verified", "to": "assessed", "by": "night"},
    )
    assert desk.sql("SELECT DISTINCT run_id, at FROM holdfast.request_transition WHERE to_state = 'assessed'") == [
        (3, last_moment + dt.timedelta(seconds=1))
    ]


def test_a_request_that_somebody_is_changing_holds_up_nobody(desk: Desk, verified: list[int]) -> None:
    done = threading.Event()
    with database.transaction(desk.engine) as connection:
        lifecycle.withdraw(connection, terms(), verified[4], by="clerk", at=NOW)
        night_thread = threading.Thread(target=lambda: (advance(desk, NOW + 30 * DAY), done.set()))
        # The entry of the withdrawal is not committed, and the night's own must come after it.
        night_thread.start()
        assert not done.wait(0.3)
    night_thread.join()
    assert states(desk, verified) == [*[State.ASSESSED] * 4, State.WITHDRAWN, *[State.ASSESSED] * 4]


def test_small_requests_are_approved_by_policy(desk: Desk, verified: list[int]) -> None:
    advance(desk, NOW + 30 * DAY)
    limit = terms().rules.approval.automatic_up_to_rows
    assert limit is not None
    before = desk.assess(dict.fromkeys(verified, 0))
    run_id = desk.assess(dict(zip(verified, [0, 1, limit, limit + 1, 10 * limit], strict=False)))
    assert before < run_id
    assert approve(desk, run_id) == 3
    assert approve(desk, run_id) == 0
    # The rest is too large, or not in this run's matrix: nobody knows what it would erase.
    assert states(desk, verified) == [*[State.APPROVED] * 3, *[State.ASSESSED] * 6]
    assert desk.entries()[-1][1]["by"] == "policy"
    assert desk.request(verified[0]).first_approved_by is None
    assert desk.course(verified[0])[-1] == ("assessed", "approved", "policy")


def test_what_a_person_has_begun_to_approve_is_left_to_people(desk: Desk, verified: list[int]) -> None:
    advance(desk, NOW + 30 * DAY)
    desk.assess({verified[0]: terms().rules.approval.second_approver_above_rows + 1})
    with database.transaction(desk.engine) as connection:
        lifecycle.approve(connection, terms(), verified[0], by="clerk", at=NOW + 30 * DAY)
    assert approve(desk, desk.assess({verified[0]: 1})) == 0


def test_the_policy_can_leave_every_approval_to_people(desk: Desk, verified: list[int]) -> None:
    advance(desk, NOW + 30 * DAY)
    by_hand = requests_policy().rules.approval.model_copy(update={"automatic_up_to_rows": None})
    assert approve(desk, desk.assess(dict.fromkeys(verified, 0)), terms(approval=by_hand)) == 0


def test_without_a_cool_off_a_request_goes_on_the_day_after(desk: Desk) -> None:
    with database.transaction(desk.engine) as connection:
        number = desk.received()
        lifecycle.verify(connection, terms(cool_off_days=0), number, by="clerk", at=NOW)
    assert advance(desk, NOW + dt.timedelta(hours=14)) == 0
    assert advance(desk, NOW + dt.timedelta(hours=15)) == 1


def test_the_agenda_is_by_urgency_and_has_what_is_not_answered(desk: Desk) -> None:
    later, sooner, waiting, withdrawn, due = (
        desk.received(reference=f"r-{n}", subject_key=str(n), received_at=received_at)
        for n, received_at in enumerate(("2026-09-01", "2026-08-10", "2026-08-01", "2026-08-02", "2026-08-03"), start=1)
    )
    with database.transaction(desk.engine) as connection:
        lifecycle.request_identity(connection, waiting, by="clerk", at=NOW)
        lifecycle.withdraw(connection, terms(), withdrawn, by="clerk", at=NOW)
        items = agenda(connection, terms(), NOW.date() + DAY)
    assert [(item.request_id, str(item.due_on), item.alert) for item in items] == [
        (due, "2026-09-03", "overdue"),
        (sooner, "2026-09-10", "within_7_days"),
        (later, "2026-10-01", "on_track"),
        (waiting, "None", "waiting"),
    ]
    assert items[-1].clock == Waiting("identity", NOW.date())
    assert items[0].received_on == dt.date(2026, 8, 3)
