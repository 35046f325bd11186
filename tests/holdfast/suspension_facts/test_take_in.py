"""Facts are taken once, follow what the provider says later, and name nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from tests.holdfast.suspension_statistics.feed import Feed, at, check, decision, ending, notice, request

from holdfast import database

MONDAY = at("2026-05-04")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def sql(feed: Feed, statement: str, **values: object) -> list[sa.Row[Any]]:
    with database.transaction(feed.engine) as connection:
        result = connection.execute(sa.text(statement), values)
        return list(result) if result.returns_rows else []


def one_case(feed: Feed) -> None:
    feed.say(
        decision=[decision("d1", MONDAY)],
        notice=[notice("n1", "d1", MONDAY + HOUR, MONDAY)],
        request=[request("r1", "d1", MONDAY + 2 * HOUR, MONDAY)],
        ending=[ending("e1", "d1", "r1", MONDAY + DAY, MONDAY + 2 * HOUR)],
        check=[check("c1", "d1", MONDAY + 3 * DAY, MONDAY)],
    )


def test_the_same_rows_give_no_new_fact(feed: Feed) -> None:
    one_case(feed)
    assert feed.take(MONDAY + 4 * DAY).new == 5
    again = feed.take(MONDAY + 5 * DAY)
    assert (again.new, again.changed) == (0, 0)
    entries = sql(feed, "SELECT entry FROM holdfast.ledger_entry WHERE kind = 'facts_taken'")
    assert len(entries) == 1


def test_facts_are_days_and_durations(feed: Feed) -> None:
    one_case(feed)
    feed.take(MONDAY + 4 * DAY)
    [asked] = sql(feed, "SELECT day, minutes FROM statistics.request")
    [ended] = sql(feed, "SELECT day, minutes, outcome FROM statistics.ending")
    assert (asked.day, asked.minutes) == (dt.date(2026, 5, 4), 120)
    assert (ended.day, ended.minutes, ended.outcome) == (dt.date(2026, 5, 5), 22 * 60, "upheld")


def test_a_day_is_one_of_the_controllers_zone(feed: Feed) -> None:
    feed.say(decision=[decision("d1", dt.datetime(2026, 4, 30, 23, 30, tzinfo=dt.UTC))])
    feed.take(MONDAY)
    [fact] = sql(feed, "SELECT day FROM statistics.decision")
    assert fact.day == dt.date(2026, 5, 1), "it was half past midnight in London"


def test_a_correction_supersedes_and_what_was_known_stays(feed: Feed) -> None:
    one_case(feed)
    feed.take(MONDAY + 4 * DAY)
    feed.correct("ending", "e1", outcome="overturned")
    assert feed.take(MONDAY + 5 * DAY).changed == 1
    then = sql(feed, "SELECT outcome FROM statistics.endings(:at)", at=MONDAY + 4 * DAY)
    now = sql(feed, "SELECT outcome FROM statistics.endings(:at)", at=MONDAY + 5 * DAY)
    assert ([row.outcome for row in then], [row.outcome for row in now]) == (["upheld"], ["overturned"])


def test_an_event_that_comes_before_its_decision_finds_it_later(feed: Feed) -> None:
    feed.say(request=[request("r1", "d1", MONDAY + HOUR, None)])
    feed.take(MONDAY + DAY)
    [early] = sql(feed, "SELECT minutes, case_number FROM statistics.request")
    assert early.minutes is None
    feed.say(decision=[decision("d1", MONDAY)])
    feed.correct("request", "r1", measured_from=MONDAY)
    feed.take(MONDAY + 2 * DAY)
    [found] = sql(feed, "SELECT number FROM statistics.decision")
    [later] = sql(feed, "SELECT minutes, case_number FROM statistics.request WHERE superseded_at IS NULL")
    assert (later.minutes, later.case_number) == (60, found.number) == (60, early.case_number)


def test_a_row_that_is_delivered_twice_is_one_fact_and_counted(feed: Feed) -> None:
    feed.say(decision=[decision("d1", MONDAY), decision("d1", MONDAY)])
    taken = feed.take(MONDAY + DAY)
    assert (taken.new, taken.delivered_twice) == (1, 1)


def test_a_record_without_a_moment_is_counted_and_is_in_no_month(feed: Feed) -> None:
    feed.say(decision=[{**decision("d1", MONDAY), "at": None}])
    taken = feed.take(MONDAY + DAY)
    assert (taken.new, taken.undated) == (0, 1)


def test_nothing_that_was_in_a_record_but_codes_is_in_a_fact(feed: Feed) -> None:
    feed.say(
        decision=[decision("key-of-a-record", MONDAY, subject_key="subject-four")],
        ending=[ending("e1", "key-of-a-record", "r1", MONDAY + DAY, MONDAY, reviewer="anna.example")],
    )
    feed.take(MONDAY + DAY)
    tables = sql(feed, "SELECT relname FROM pg_class WHERE relnamespace = 'statistics'::regnamespace AND relkind = 'r'")
    held = "".join(str(sql(feed, f"SELECT * FROM statistics.{row.relname}")) for row in tables)
    assert "fraud" in held
    assert not [word for word in ("key-of-a-record", "subject-four", "anna") if word in held]


def test_reviewers_are_told_apart_within_a_month_and_not_across_months(feed: Feed) -> None:
    feed.say(
        ending=[
            ending("e1", "d1", "r1", at("2026-05-04"), MONDAY),
            ending("e2", "d2", "r2", at("2026-05-30"), MONDAY),
            ending("e3", "d3", "r3", at("2026-06-02"), MONDAY),
        ]
    )
    feed.take(at("2026-07-01"))
    may, again, june = (row.reviewer_number for row in sql(feed, "SELECT * FROM statistics.ending ORDER BY day"))
    assert may == again != june


# --- how decisions stand to others on the account -----------------------------------------------------------------


def chain(feed: Feed) -> list[tuple[bool, int | None, int | None]]:
    rows = sql(
        feed,
        "SELECT chain.* FROM statistics.chain INNER JOIN statistics.decision USING (number)"
        " WHERE chain.superseded_at IS NULL AND decision.superseded_at IS NULL ORDER BY decision.day",
    )
    return [(row.is_first_in_month, row.days_since_previous, row.days_since_overturned) for row in rows]


def test_the_first_of_an_account_in_a_month_and_the_days_since_the_one_before(feed: Feed) -> None:
    feed.say(
        decision=[decision(f"d{n}", at(day)) for n, day in enumerate(("2026-04-20", "2026-05-04", "2026-05-10"))]
        + [decision("other", at("2026-05-30"), subject_key="2")]
    )
    feed.take(at("2026-06-01"))
    assert chain(feed) == [(True, None, None), (True, 14, None), (False, 6, None), (True, None, None)]


def test_a_late_decision_moves_those_after_it(feed: Feed) -> None:
    feed.say(decision=[decision("d2", at("2026-05-10"))])
    feed.take(at("2026-06-01"))
    feed.say(decision=[decision("d1", at("2026-05-04"))])
    feed.take(at("2026-06-02"))
    assert chain(feed) == [(True, None, None), (False, 6, None)]
    [before] = sql(feed, "SELECT is_first_in_month FROM statistics.chains(:at)", at=at("2026-06-01"))
    assert before.is_first_in_month, "as it was known then"


def test_a_suspension_after_one_that_was_overturned(feed: Feed) -> None:
    feed.say(
        decision=[decision("d1", at("2026-05-04")), decision("d2", at("2026-05-20"))],
        ending=[ending("e1", "d1", "r1", at("2026-05-06"), at("2026-05-05"), "overturned")],
    )
    feed.take(at("2026-06-01"))
    assert chain(feed) == [(True, None, None), (False, 16, 14)]


def test_an_outcome_that_comes_later_reaches_the_suspension_after_it(feed: Feed) -> None:
    feed.say(decision=[decision("d1", at("2026-05-04")), decision("d2", at("2026-05-20"))])
    feed.take(at("2026-06-01"))
    feed.say(ending=[ending("e1", "d1", "r1", at("2026-05-06"), at("2026-05-05"), "overturned")])
    feed.take(at("2026-06-02"))
    assert chain(feed)[1] == (False, 16, 14)


# --- rows that go ---------------------------------------------------------------------------------------------------


def test_facts_outlive_the_rows_and_whose_they_were_is_forgotten(feed: Feed) -> None:
    one_case(feed)
    feed.take(MONDAY + 4 * DAY)
    feed.forget("1")
    taken = feed.take(MONDAY + 5 * DAY)
    assert (taken.new, taken.changed) == (0, 0)
    assert len(sql(feed, "SELECT FROM statistics.request WHERE superseded_at IS NULL")) == 1
    assert sql(feed, "SELECT account FROM statistics.link WHERE kind = 'decision'") == [(None,)]


def test_rows_that_a_restored_backup_brings_back_are_the_facts_that_are_there(feed: Feed) -> None:
    one_case(feed)
    feed.take(MONDAY + 4 * DAY)
    rows = dict(feed.rows)
    feed.forget("1")
    feed.take(MONDAY + 5 * DAY)
    feed.rows = rows
    assert feed.take(MONDAY + 6 * DAY).new == 0


def test_the_facts_of_some_subjects_are_taken_alone(feed: Feed) -> None:
    one_case(feed)
    feed.say(decision=[decision("d2", MONDAY, subject_key="2")])
    assert feed.take(MONDAY + 4 * DAY, subjects=["2"]).new == 1
    assert feed.take(MONDAY + 5 * DAY).new == 5


def test_nothing_is_taken_of_a_month_whose_links_are_cut(feed: Feed) -> None:
    feed.say(decision=[decision("d1", at("2026-04-30", "23:59")), decision("d2", at("2026-05-01", "00:00"))])
    sql(feed, "INSERT INTO statistics.unlinked VALUES ('2026-04-01', now())")
    assert feed.take(MONDAY).new == 1
