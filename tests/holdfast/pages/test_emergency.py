"""The page of 999 data: what is told to everybody names nobody, and one record is shown to compliance for a reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.holdfast.emergency_data.conftest import Job, installed
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import Door
from tests.holdfast.pages.stocked import Stocked, fields, text

from holdfast import settings
from holdfast.emergency_data import exceptions, steps
from holdfast.pages import app as pages
from holdfast.pages.emergency import Standing, told, weeks
from holdfast.synthetic import emergency as synthetic

RECORD = "/emergency-data/record"
EVERYBODY = ("auditor", "engineer", "dpo", "admin")
STOPPED = 4
"""The record of extract 1 that has no postcode."""


@pytest.fixture(scope="module")
def job(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Job]:
    """A day that was worked: 30 records came, one was stopped, one rejected, and somebody had called 999."""
    home = tmp_path_factory.mktemp("home")
    with fresh_database() as engine, pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.HOME, str(home))
        job = installed(engine, home, tmp_path_factory.mktemp("made") / "project")
        records = [job.good(n, postcode="" if n == STOPPED - 1 else "ZY1 1AA", premises=str(n + 1)) for n in range(30)]
        job.send(1, records, "FULL")
        (job.root / "inbox" / "JO_BLOGGS.txt").write_text("what is this")
        job.run()
        at = f"{job.now:%Y-%m-%dT%H:%M:%SZ}"
        job.answered("a.csv", f"RSP,1,HFT,1,{at},PARTIAL", f"ANS,1,{synthetic.number(0)},REJECTED,BADPC", "END,1")
        (job.root / "calls").mkdir(exist_ok=True)
        call = f'{{"id": "r-1", "number": "{synthetic.number(399)}", "called_at": "{at}"}}\n'
        (job.root / "calls" / "calls.jsonl").write_text(call)
        steps.read_calls(engine, job.settings)
        last_day = job.day + dt.timedelta(days=90)
        exceptions.accept(
            engine, job.settings, rule_id="E306", number=synthetic.number(7), last_day=last_day, owner="addressing",
            reason="a-real-name", today=job.day,
        )  # fmt: skip
        steps.reconcile(engine, job.settings)
        steps.write_report(engine, job.settings)
        yield job


@pytest.fixture(scope="module")
def site(job: Job) -> Stocked:
    app = pages.build(
        settings=job.settings, door=Door(), secret="a secret", connect=lambda: job.engine, now=lambda: job.now,
        burst=100_000,
    )  # fmt: skip
    return Stocked(job.engine, job.settings, app, job.now)


def look(site: Stocked, user: str = "dpo", **typed: str) -> Any:
    """Fill the form in and send it as `user`; who is not shown the form sends it with the token of another one."""
    browser = site.browser(user)
    page = browser.get("/emergency-data").text
    token = fields(page, RECORD) if RECORD in page else fields(browser.get("/evidence").text, "/evidence/verify")
    return browser.post(RECORD, data={**token, "extract": "1", "record": str(STOPPED), "reason": "correction", **typed})


@pytest.mark.parametrize("user", EVERYBODY)
def test_everybody_reads_how_the_data_stands(site: Stocked, job: Job, user: str) -> None:
    answer = site.browser(user).get("/emergency-data")
    page = text(answer.text)
    assert answer.status_code == 200
    assert "7.0%: 28 of 400" in page, "29 left, one of them was rejected"
    assert "E201 The postcode is missing." in page
    assert "BADPC 1 1 0 0 0" in page
    assert "E501 A live number that can call 999 has no record. 372 372 0 0 0" in page
    assert f"1 / {STOPPED} E201" in page
    assert "a record 1 0" in page, "the call waits for one"
    assert "addressing a-real-name" in page
    assert "W" + "503" not in page


def test_the_last_extracts_lead_to_the_report_of_their_day(site: Stocked, job: Job) -> None:
    browser = site.browser("auditor")
    page = browser.get("/emergency-data").text
    row = page[page.index("NG999_HFT") :]
    link = row[row.index("/holdfast/reports/") + len("/holdfast") :].partition('"')[0]
    assert f">{job.day.isoformat()}<" in row
    assert "delivered" in row[:400]
    assert browser.get(link).status_code == 200


@pytest.mark.parametrize("user", EVERYBODY)
def test_the_page_names_nobody(site: Stocked, user: str) -> None:
    page = site.browser(user).get("/emergency-data").text
    with site.engine.connect() as connection:
        stopped = connection.execute(sa.text("SELECT fields FROM emergency.quarantine")).scalar_one()
    numbers = [synthetic.number(n)[3:] for n in (0, STOPPED - 1, 7, 399)]
    named = [stopped[name] for name in ("name", "forename", "thoroughfare", "post_town")]
    assert all(named)
    assert [one for one in (*numbers, *named) if one in page] == []
    assert "JO_BLOGGS" not in page, "a file that was refused may be called anything"


def test_a_record_is_shown_to_compliance_once_it_is_in_the_ledger_who_looked_and_why(site: Stocked, job: Job) -> None:
    before = len(job.ledger("personal_data_looked_up"))
    answer = look(site)
    assert answer.status_code == 200, answer.text
    page = text(answer.text)
    assert synthetic.number(STOPPED - 1) in page
    assert "E201 The postcode is missing." in page
    (entry,) = job.ledger("personal_data_looked_up")[before:]
    assert entry.pop("by").startswith("p1:")
    assert entry == {"what": "quarantine", "extract": 1, "record": STOPPED, "reason": "correction"}


@pytest.mark.parametrize("user", ["auditor", "engineer", "admin"])
def test_nobody_else_is_shown_one_or_asked_for_it(site: Stocked, job: Job, user: str) -> None:
    before = len(job.ledger("personal_data_looked_up"))
    assert "Look a record up" not in site.browser(user).get("/emergency-data").text
    answer = look(site, user)
    assert answer.status_code == 403
    assert "Your role may not look at somebody" in answer.text
    assert synthetic.number(STOPPED - 1) not in answer.text
    assert len(job.ledger("personal_data_looked_up")) == before


@pytest.mark.parametrize("typed", [{"reason": ""}, {"reason": "curiosity"}, {"record": "0"}, {"extract": "x"}])
def test_without_a_reason_from_the_list_and_a_number_there_is_no_look(
    site: Stocked, job: Job, typed: dict[str, str]
) -> None:
    before = len(job.ledger("personal_data_looked_up"))
    assert look(site, **typed).status_code == 422
    assert len(job.ledger("personal_data_looked_up")) == before


def test_a_look_for_what_is_not_there_is_a_look(site: Stocked, job: Job) -> None:
    before = len(job.ledger("personal_data_looked_up"))
    assert look(site, record="9999").status_code == 404
    assert [one["record"] for one in job.ledger("personal_data_looked_up")[before:]] == [9999]


def test_before_the_first_night_the_page_says_so(as_auditor: TestClient, as_compliance: TestClient) -> None:
    page = as_auditor.get("/emergency-data").text
    assert "There is no report yet" in page
    assert "No extract has come yet" in page
    assert "were not compared in the last 90 days" in page
    assert "Look a record up" in as_compliance.get("/emergency-data").text


def test_a_report_of_yesterday_says_nothing_of_today(site: Stocked) -> None:
    app = pages.build(
        settings=site.settings, door=Door(), secret="a secret", connect=lambda: site.engine,
        now=lambda: site.now + dt.timedelta(days=1), burst=100_000,
    )  # fmt: skip
    page = Stocked(site.engine, site.settings, app, site.now).browser("auditor").get("/emergency-data").text
    assert "Nothing was reported of today yet" in page
    assert "were not compared today" in page


def test_a_report_that_was_changed_is_named_and_the_page_opens(site: Stocked, job: Job) -> None:
    (file,) = job.settings.reports.glob("emergency_data_999/*/report.json")
    written = file.read_text()
    try:
        file.write_text(written.replace('"quarantine": 1', '"quarantine": 0'))
        answer = site.browser("auditor").get("/emergency-data")
    finally:
        file.write_text(written)
    assert answer.status_code == 200
    assert "is not what was written" in answer.text
    assert "7.0%" in answer.text, "what is not of the report is there"
    assert "Nobody can say" in answer.text


def day(when: dt.date, covered: int | None = None, released: int | None = None) -> dict[str, Any]:
    needing = None if covered is None else 100
    return {
        "day": when, "needing": needing, "covered": covered, "verified": covered, "told": covered, "stale": 0,
        "records": None if released is None else 10, "released": released,
    }  # fmt: skip


def test_a_week_is_as_it_last_stood_and_what_was_not_measured_is_not_zero() -> None:
    monday = dt.date(2026, 11, 16)
    days = [
        day(monday, 90, 9),
        day(monday + dt.timedelta(days=3), 95),
        day(monday + dt.timedelta(days=6), None, 7),
        day(monday + dt.timedelta(days=7), None, 10),
    ]
    later, earlier = weeks(days)
    assert (earlier.begins, earlier.records, earlier.passed) == (monday, 20, 0.8)
    assert earlier.standing is not None
    assert (earlier.standing.coverage, earlier.standing.day) == (0.95, monday + dt.timedelta(days=3))
    assert (later.standing, later.passed) == (None, 1.0)
    assert weeks([]) == []
    nothing = day(monday, 0) | {"needing": 0}
    assert Standing.of(nothing).coverage is None, "of no number there is no share"


def test_of_a_night_without_a_report_nothing_is_told() -> None:
    assert told(None)["verdict"] is None
    assert told(None)["quarantine"] == {}


@pytest.mark.parametrize(("clear", "tone"), [(True, "good"), (False, "warn")])
def test_a_day_with_something_left_to_do_does_not_look_like_a_clear_one(
    home: Path, as_auditor: TestClient, clear: bool, tone: str
) -> None:
    verdict = {"clear": clear, "sentence": "1 extract came.", "points": []}
    nights.report(home / "reports", "emergency_data_999", "2026-11-24", verdict=verdict)
    page = as_auditor.get("/emergency-data").text
    (report,) = set(re.findall(r"/reports/[0-9a-f]{64}", page))
    for one in (page, as_auditor.get(report).text):
        assert f'<div class="verdict {tone}">' in one


def test_a_report_that_says_less_is_shown_for_what_it_says(home: Path, as_auditor: TestClient) -> None:
    verdict = {"clear": True, "sentence": "1 extract came.", "points": []}
    nights.report(home / "reports", "emergency_data_999", "2026-11-24", verdict=verdict)
    page = as_auditor.get("/emergency-data")
    assert page.status_code == 200
    assert "The report does not say." in page.text
