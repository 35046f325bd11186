"""Each broken safeguard is found, named by pseudonym and age, and ends when it is mended."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.holdfast.suspension_statistics.feed import (
    KEY,
    ZONE,
    Feed,
    at,
    decision,
    ending,
    notice,
    request,
    restoration,
)

from holdfast import database, settings
from holdfast.evidence import reported
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.evidence.reported import Checked
from holdfast.suspension_statistics import safeguards, steps
from holdfast.suspension_statistics.safeguards import Break, Kind
from holdfast.suspension_statistics.terms import Safeguards

MADE, HOUR, DAY = at("2026-05-04"), dt.timedelta(hours=1), dt.timedelta(days=1)
NOW = MADE + 10 * DAY
TERMS = Safeguards(notice_hours=24, assign_days=2, restore_days=2)
DECISION = pseudonym(KEY, "suspension fact", "d1")
REQUEST = pseudonym(KEY, "suspension request", "r1")


def told(*, offers: bool = True) -> dict[str, object]:
    return notice("n1", "d1", MADE + HOUR, MADE, offers=offers)


def look(feed: Feed, now: dt.datetime = NOW) -> list[Break]:
    feed.take(now)
    with database.transaction(feed.engine) as connection:
        safeguards.look(connection, TERMS, ZONE, now)
        return safeguards.open_breaks(connection, now.date(), ZONE)


def test_where_everything_is_as_it_should_be_nothing_is_broken(feed: Feed) -> None:
    feed.say(
        decision=[decision("d1", MADE)],
        notice=[told()],
        request=[request("r1", "d1", MADE + 2 * HOUR, MADE)],
        ending=[ending("e1", "d1", "r1", MADE + DAY, MADE + 2 * HOUR, "overturned")],
        restoration=[restoration("b1", "d1", MADE + DAY, MADE)],
    )
    assert look(feed) == []


@pytest.mark.parametrize(
    ("different", "kind"),
    [
        ({"bars_emergency_calls": True}, "bars_emergency_calls"),
        ({"lawful_basis": "recognised_legitimate_interests"}, "fully_on_recognised_interest"),
        ({"lawful_basis": None}, "fully_without_basis"),
        ({"rule_version": None}, "fully_without_rule_version"),
        ({"has_reasons": False}, "fully_without_reasons"),
    ],
)
def test_a_decision_that_should_not_have_been_made_so(feed: Feed, different: dict[str, object], kind: str) -> None:
    feed.say(decision=[decision("d1", MADE, **different)], notice=[told()])
    assert look(feed) == [Break(kind, DECISION, MADE.date(), 10, NOW.date())]


def test_what_a_person_let_through_is_no_decision_of_a_machine_alone(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE, lawful_basis=None, person_acted=True)], notice=[told()])
    assert look(feed) == []


def test_suspended_and_not_told_until_a_notice_is_sent(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE)])
    assert look(feed, MADE + HOUR) == [], "there is a day to tell"
    assert look(feed) == [Break("not_told", DECISION, MADE.date(), 10, NOW.date())]
    feed.say(notice=[told()])
    assert look(feed, NOW + DAY) == []


def test_nobody_who_may_not_be_told_is_a_break(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE, not_told_because="tipping_off")])
    assert look(feed) == []


def test_told_without_the_offer_of_a_review(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE)], notice=[told(offers=False)])
    assert [one.kind for one in look(feed)] == ["no_review_offered"]


def test_a_review_that_nobody_was_given(feed: Feed) -> None:
    asked = request("r1", "d1", MADE + 2 * HOUR, MADE, assigned=None)
    feed.say(decision=[decision("d1", MADE)], notice=[told()], request=[asked])
    assert look(feed) == [Break("review_not_assigned", REQUEST, MADE.date(), 10, NOW.date())]


def test_a_review_by_whoever_decided(feed: Feed) -> None:
    over = ending("e1", "d1", "r1", MADE + DAY, MADE + 2 * HOUR, reviewer_is_decider=True)
    asked = request("r1", "d1", MADE + 2 * HOUR, MADE)
    feed.say(decision=[decision("d1", MADE)], notice=[told()], request=[asked], ending=[over])
    assert look(feed) == [Break("reviewer_is_decider", REQUEST, dt.date(2026, 5, 5), 9, NOW.date())]


def test_overturned_and_not_restored(feed: Feed) -> None:
    over = ending("e1", "d1", "r1", MADE + DAY, MADE + 2 * HOUR, "overturned")
    asked = request("r1", "d1", MADE + 2 * HOUR, MADE)
    feed.say(decision=[decision("d1", MADE)], notice=[told()], request=[asked], ending=[over])
    assert look(feed) == [Break("not_restored", DECISION, dt.date(2026, 5, 5), 9, NOW.date())]


def test_a_break_that_stays_is_one_and_keeps_its_beginning(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE)])
    look(feed)
    [one] = look(feed, NOW + 5 * DAY)
    assert (one.since, one.age) == (MADE.date(), 15)


def test_people_are_told_how_many_are_open_by_kind_and_how_many_are_new(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE)])
    look(feed)
    feed.say(decision=[decision("d2", MADE + DAY, subject_key="2", bars_emergency_calls=True)])
    broken = look(feed, NOW + 5 * DAY)
    found = safeguards.by_kind(broken, (NOW + 5 * DAY).date())
    assert found == [Kind("bars_emergency_calls", 1, 1, 14), Kind("not_told", 2, 1, 15)]
    assert safeguards.in_words(found) == (
        "3 safeguards of suspensions are broken, 2 of them found today, the oldest 15 days ago:"
        " bars_emergency_calls 1, not_told 2."
    )
    assert safeguards.in_words([]) == "No safeguard of a suspension is broken."


def test_the_night_says_what_is_to_be_told_and_lists_what_is_open(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MADE)])
    feed.take(NOW)
    found = steps.check_safeguards(feed.engine, settings.load())
    assert found["open"] == 1
    assert "not_told 1" in found["alert"]
    folder = Path(steps.write_safeguards(feed.engine, settings.load())["folder"])
    assert reported.check(feed.engine, settings.load().reports) == Checked(1, (), (), ())
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert content["verdict"]["sentence"] == found["alert"]
    assert [one["kind"] for one in content["breaks"]] == ["not_told"]
    assert DECISION in (folder / "safeguards.csv").read_text(encoding="utf-8")
    feed.say(notice=[told()])
    feed.take(NOW + DAY)
    assert steps.check_safeguards(feed.engine, settings.load()) == {"open": 0, "alert": ""}
