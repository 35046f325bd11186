"""A month is frozen once, restated openly, and can be computed again, also when the rows are gone."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from tests.holdfast.suspension_statistics.feed import Feed, at, decision, request

from holdfast import database, settings
from holdfast.errors import StatisticsError
from holdfast.suspension_facts import unlink as facts_unlink
from holdfast.suspension_statistics import months, rules, steps, store

MAY, HOUR, DAY = dt.date(2026, 5, 1), dt.timedelta(hours=1), dt.timedelta(days=1)


def freeze(feed: Feed) -> store.Version:
    with database.transaction(feed.engine) as connection:
        return months.freeze(connection, settings.load().policy, MAY, made_by="tests")[0]


def restate(feed: Feed, reason: str = "late-facts") -> tuple[store.Version, bool]:
    with database.transaction(feed.engine) as connection:
        return months.restate(connection, settings.load().policy, MAY, reason=reason, made_by="tests")


def reproduce(feed: Feed, number: int | None = None) -> months.Reproduced:
    with database.transaction(feed.engine) as connection:
        return months.reproduce(connection, settings.load().policy, MAY, number)


def entries(feed: Feed, kind: str) -> list[dict[str, object]]:
    with database.transaction(feed.engine) as connection:
        rows = connection.execute(
            sa.text("SELECT entry FROM holdfast.ledger_entry WHERE kind = :k ORDER BY seq"), {"k": kind}
        )
        return [json.loads(row.entry)["facts"] for row in rows]


def test_a_month_is_frozen_once_whoever_runs_it_and_whenever(may: Feed) -> None:
    first, again = freeze(may), freeze(may)
    assert first == again
    assert first.known_until == at("2026-06-11", "00:00"), "the end of the settling period"
    assert [one["version"] for one in entries(may, "statistics_frozen")] == [1]
    assert first.digest == rules.digest_of(first.figures)


def test_a_missing_day_is_named_and_nothing_is_frozen(feed: Feed) -> None:
    feed.end_days(MAY, dt.date(2026, 5, 31), but=[dt.date(2026, 5, 17)])
    feed.take(at("2026-06-05"))
    with pytest.raises(StatisticsError, match="2026-05-17 did not arrive"):
        freeze(feed)
    feed.end_days(dt.date(2026, 5, 17), dt.date(2026, 5, 17))
    feed.take(at("2026-07-20"))
    assert freeze(feed).known_until == at("2026-07-20"), "when the last day arrived"


def test_a_late_fact_changes_nothing_until_the_month_is_restated(may: Feed) -> None:
    first = freeze(may)
    may.say(decision=[decision("late", at("2026-05-30"), subject_key="99")])
    may.take(at("2026-06-20"))
    assert freeze(may) == first
    assert reproduce(may).digest == first.digest
    with database.transaction(may.engine) as connection:
        assert months.late_facts(connection, MAY) == {MAY: 1}
    second, is_new = restate(may)
    assert (second.version, second.reason, is_new) == (2, "late-facts", True)
    changed = rules.differences(rules.figures_of(first.figures), rules.figures_of(second.figures))
    total = next(one for one in changed if one.place == ("M01", "decision", "all", "all"))
    assert (total.n_before, total.n_after) == (40, 41)
    with database.transaction(may.engine) as connection:
        assert [one.digest for one in store.versions(connection, MAY)] == [first.digest, second.digest]
        assert months.late_facts(connection, MAY) == {}
    assert [one["reason"] for one in entries(may, "statistics_restated")] == ["late-facts"]


def test_there_is_no_further_version_where_nothing_changed(may: Feed) -> None:
    freeze(may)
    version, is_new = restate(may)
    assert (version.version, is_new) == (1, False)


def test_a_restatement_needs_a_reason_that_is_a_code_and_a_frozen_month(may: Feed) -> None:
    with pytest.raises(StatisticsError, match="never frozen"):
        restate(may)
    freeze(may)
    with pytest.raises(StatisticsError, match="no code"):
        restate(may, "Because Anna said so")


def test_every_version_is_reproduced_after_the_personal_rows_are_gone(may: Feed) -> None:
    first = freeze(may)
    may.correct("ending", "e1", outcome="varied")
    may.take(at("2026-06-20"))
    second, _ = restate(may)
    for n in range(40):
        may.forget(str(n))
    may.take(at("2026-06-25"))
    assert reproduce(may, 1).digest == first.digest
    assert reproduce(may, 2).digest == second.digest
    assert {one["is_same"] for one in entries(may, "statistics_reproduced")} == {True}


def test_a_fact_that_was_changed_by_hand_is_found(may: Feed) -> None:
    first = freeze(may)
    with database.transaction(may.engine) as connection:
        connection.exec_driver_sql(
            "UPDATE statistics.decision SET reason = 'identity'"
            " WHERE number = (SELECT min(number) FROM statistics.decision)"
        )
    found = reproduce(may)
    assert found.digest != first.digest
    assert {one.place[3] for one in found.differs} == {"fraud", "identity"}
    with pytest.raises(StatisticsError, match="2 figures differ"):
        steps.reproduce_month(may.engine, settings.load(), month="2026-05")


def test_a_version_can_be_neither_changed_nor_deleted(may: Feed) -> None:
    freeze(may)
    for statement in (
        "UPDATE statistics.version SET reason = 'a'",
        "DELETE FROM statistics.version",
        "TRUNCATE statistics.version CASCADE",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="refused"), database.transaction(may.engine) as connection:
            connection.exec_driver_sql(statement)


def unlink(feed: Feed, before: dt.date) -> list[dt.date]:
    with database.transaction(feed.engine) as connection:
        return facts_unlink.unlink(connection, before=before, now=at("2027-09-01"))


def test_a_month_that_is_cut_loose_is_reproduced_and_takes_nothing_more(may: Feed) -> None:
    first = freeze(may)
    assert unlink(may, dt.date(2026, 6, 1)) == [MAY]
    with database.transaction(may.engine) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM statistics.link")).scalar_one() == 0
    may.say(decision=[decision("late", at("2026-05-30"), subject_key="99")])
    assert may.take(at("2027-09-02")).new == 0, "neither what is late nor, as something new, what is there"
    assert reproduce(may).digest == first.digest
    assert [one["month"] for one in entries(may, "facts_unlinked")] == ["2026-05-01"]


def test_a_month_keeps_its_links_while_it_is_young_or_a_review_is_open(may: Feed) -> None:
    assert unlink(may, dt.date(2026, 6, 1)) == [], "it was never frozen"
    freeze(may)
    assert unlink(may, MAY) == []
    made = at("2026-05-03")
    may.say(decision=[decision("open", made)], request=[request("ropen", "open", made + HOUR, made)])
    may.take(at("2026-06-06"))
    assert unlink(may, dt.date(2026, 6, 1)) == []
