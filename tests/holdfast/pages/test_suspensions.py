"""The page of suspensions: what was published is for everybody, what is exact or of single cases for those who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import Client, Door
from tests.holdfast.pages.stocked import Stocked, text
from tests.holdfast.suspension_statistics.test_publication import freeze, month, published

from holdfast import database as databases
from holdfast import queries, settings
from holdfast.pages import app as pages
from holdfast.suspension_statistics import months, publication

SEPTEMBER, OCTOBER = dt.date(2026, 9, 1), dt.date(2026, 10, 1)
NOW = dt.datetime(2026, 12, 12, 9, tzinfo=dt.UTC)
GONE = dt.date(2026, 11, 7)
ONE_BY_ONE = "p1:" + "0" * 31


@pytest.fixture(scope="module")
def site(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocked]:
    """September was restated, October frozen, both published; of November a day is missing. Three are broken."""
    home = tmp_path_factory.mktemp("home")
    with fresh_database() as engine, pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.HOME, str(home))
        with databases.transaction(engine) as connection:
            for when, version, seed in ((SEPTEMBER, 1, 1), (SEPTEMBER, 2, 3), (OCTOBER, 1, 2)):
                freeze(connection, when, month(seed), version)
                published(connection, when)
            arrive(connection, SEPTEMBER, NOW.date(), but=GONE)
            broken(connection, "not_told", 2, dt.date(2026, 12, 1))
            broken(connection, "bars_emergency_calls", 1, dt.date(2026, 12, 10))
            broken(connection, "not_restored", 1, dt.date(2026, 12, 2), ended=NOW)
        for edition in ("published", "internal"):
            nights.report(home / "reports", "suspension_statistics", "2026-10", edition)
        nights.report(home / "reports", "suspension_safeguards", "2026-12-12")
        app = pages.build(
            settings=settings.load(), door=Door(), secret="a secret", connect=lambda: engine, now=lambda: NOW,
            burst=100_000,
        )  # fmt: skip
        yield Stocked(engine, settings.load(), app, NOW)


def arrive(connection: sa.Connection, first: dt.date, until: dt.date, *, but: dt.date | None = None) -> None:
    insert = sa.text(
        "INSERT INTO statistics.day (day, known_at, individuals, businesses)"
        " SELECT day, :now, 1, 1 FROM generate_series(cast(:first AS date), cast(:until AS date) - 1, '1 day') AS day"
        " WHERE cast(day AS date) IS DISTINCT FROM cast(:but AS date)"
    )
    connection.execute(insert, {"first": first, "until": until, "but": but, "now": NOW})


def broken(
    connection: sa.Connection, kind: str, number: int, since: dt.date, *, ended: dt.datetime | None = None
) -> None:
    for n in range(number):
        insert = sa.text("INSERT INTO statistics.safeguard_break VALUES (:kind, :of, :since, :at, :ended)")
        values = {"kind": kind, "of": f"{ONE_BY_ONE}{n}", "since": since + dt.timedelta(days=n), "at": NOW}
        connection.execute(insert, {**values, "ended": ended})


def read(site: Stocked, user: str) -> str:
    answer = site.browser(user).get("/suspensions")
    assert answer.status_code == 200
    return text(answer.text)


def test_the_last_month_is_told_in_published_numbers_to_those_who_may_read_no_others(site: Stocked) -> None:
    true = {figure.place: figure.n for figure in month(2)}
    with databases.reading(site.engine) as connection:
        (made,) = publication.published(connection, OCTOBER)
    printed = {cell.place: cell.n for cell in made.cells}
    differing = [
        place for place, n in true.items() if place[:3] == ("M02", "decision", "automation") and printed[place] != n
    ]
    assert differing, "or nothing was tried"
    for user, may in (("auditor", False), ("engineer", False), ("dpo", True), ("admin", True)):
        page = read(site, user)
        assert "October 2026" in page
        assert "Published, version 1" in page
        assert ("Internal, version 1" in page) == may
        for place in differing:
            name = place[3].replace("_", " ")
            assert (f" {name} {printed[place]} {true[place]} " in page) == may
            assert f" {name} {printed[place]} " in page, "as it was printed"


def test_every_version_is_listed_with_its_reason_and_the_reports_that_one_may_read(site: Stocked) -> None:
    page = read(site, "auditor")
    assert "2026-09 2 restated late-facts" in page
    assert "2026-09 1 frozen" in page
    assert "2026-10 1 frozen" in page
    for user, may in (("auditor", False), ("dpo", True)):
        markup = site.browser(user).get("/suspensions").text
        assert ">published<" in markup
        assert (">internal<" in markup) == may
        assert ("The list of 2026-12-12" in markup) == may


def test_what_is_broken_is_told_by_pseudonym_and_age_to_those_who_may_read_of_cases(site: Stocked) -> None:
    for user, may in (("auditor", False), ("engineer", False), ("dpo", True), ("admin", True)):
        page = read(site, user)
        assert "3 safeguards are broken now, the oldest since 1 December 2026." in page
        assert ("Suspended and not told (Art 22C(2)(a)). 2 11" in page) == may
        assert (f"{ONE_BY_ONE}0 The suspension bars 999 and 112. 10 Dec 2026 2" in page) == may
        assert (ONE_BY_ONE in page) == may
        assert "service did not come back" not in page, "it was mended"


def test_of_very_many_the_oldest_are_listed_and_all_are_counted(site: Stocked) -> None:
    with site.engine.connect() as connection, connection.begin() as transaction:
        broken(connection, "review_not_assigned", 45, dt.date(2026, 10, 1))
        rows = queries.run(connection, "pages/safeguard_breaks", {"today": NOW.date(), "most": 20}).all()
        transaction.rollback()
    some = [row for row in rows if row.kind == "review_not_assigned"]
    assert (len(some), some[0].open, some[0].age) == (20, 45, 72)


def test_the_next_month_says_which_days_it_waits_for(site: Stocked) -> None:
    page = read(site, "auditor")
    assert "Month November 2026 Days that did not arrive 1 day: 7 Nov 2026 Days that are not over 0" in page
    assert "Settled since 11 December 2026" in page
    assert "It can be frozen once these days have arrived." in page


@pytest.mark.parametrize("first", [SEPTEMBER, dt.date(2026, 9, 12)])
def test_before_any_month_is_frozen_the_first_of_which_a_day_arrived_is_next(
    database: sa.Engine, first: dt.date
) -> None:
    given = {"settling_days": 10, "zone": "Europe/London"}
    now = dt.datetime(2026, 9, 21, 9, tzinfo=dt.UTC)
    with databases.transaction(database) as connection:
        assert months.awaited(connection, last=None, now=now, **given) is None
        arrive(connection, first, dt.date(2026, 9, 20))
        connection.execute(sa.text("UPDATE statistics.day SET known_at = :at"), {"at": now})
        found = months.awaited(connection, last=None, now=now, **given)
        assert found is not None
        assert found.month == SEPTEMBER
        assert found.missing == [
            *(SEPTEMBER + dt.timedelta(days=n) for n in range((first - SEPTEMBER).days)),
            dt.date(2026, 9, 20),
        ]
        assert (found.to_come, found.settled_on) == (10, dt.date(2026, 10, 11))
        later = months.awaited(connection, last=SEPTEMBER, now=now, **given)
        assert later is not None
        assert (later.month, later.missing, later.to_come) == (OCTOBER, [], 31)


def test_a_month_that_is_frozen_and_not_published_is_told_to_nobody_else(database: sa.Engine, as_user: Client) -> None:
    with databases.transaction(database) as connection:
        freeze(connection, OCTOBER, month(2))
    assert "its published edition is not made yet" in as_user("auditor").get("/suspensions").text
    assert "Internal" not in as_user("auditor").get("/suspensions").text
    assert "Internal, version 1" in as_user("dpo").get("/suspensions").text


def test_a_restatement_that_is_not_published_leaves_what_was(database: sa.Engine, as_auditor: TestClient) -> None:
    with databases.transaction(database) as connection:
        freeze(connection, OCTOBER, month(2))
        published(connection, OCTOBER)
        freeze(connection, OCTOBER, month(4), version=2)
    page = as_auditor.get("/suspensions").text
    assert "Published is version 1; the month has been restated since." in page


def test_before_anything_was_taken_the_page_says_so(as_auditor: TestClient) -> None:
    page = as_auditor.get("/suspensions").text
    for said in ("Nobody has looked yet", "No month is frozen yet", "No day has arrived yet", "There is none"):
        assert said in page
