"""The page of retention: the plan and the schedule, and why one record is still here, without showing whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.pages.stocked import Stocked, fields, stocked, text

from holdfast import database as hf_database
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import register
from holdfast.holds.decide import Outcome
from holdfast.holds.register import SUBJECT
from holdfast.pages.retention import OUTCOMES
from holdfast.policy.load import load_policy

WHY = "/retention/why"


@pytest.fixture(scope="module")
def site(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocked]:
    with fresh_database() as engine, stocked(engine, tmp_path_factory.mktemp("home")) as made:
        made.app.state.site.costly.wait = lambda _: 0  # how often one may ask is another test's matter
        yield made


def ask(site: Stocked, user: str = "auditor", **given: str) -> Any:
    browser = site.browser(user)
    return browser.post(WHY, data={**fields(browser.get("/retention").text, WHY), **given})


def test_the_plan_is_shown_rule_by_rule_with_what_keeps_its_rows(site: Stocked) -> None:
    page = text(site.browser("auditor").get("/retention").text)
    planned = site.rows(
        "SELECT rule_id, due_rows, held_rows FROM holdfast.plan_rule AS plan"
        " INNER JOIN holdfast.run USING (run_id) WHERE run.job = 'retention_nightly'"
    )
    assert planned
    for rule in planned:
        assert rule.rule_id in page
    assert f"{sum(rule.due_rows for rule in planned):,} rows due" in page
    assert "A dry run of" in page


def test_the_plan_says_what_is_known_of_objects_without_a_row(site: Stocked) -> None:
    page = text(site.browser("auditor").get("/retention").text)
    assert "Call recordings, objects without a row: not looked for in a dry run." in page


def test_the_schedule_is_that_of_the_policy(site: Stocked) -> None:
    page = text(site.browser("auditor").get("/retention").text)
    policy = load_policy(site.settings.policy)
    for rule in policy.schedule.rules.values():
        assert rule.owner in page


def test_a_plan_that_is_none_of_the_last_is_not_there(site: Stocked) -> None:
    assert site.browser("auditor").get("/retention?run=999999").status_code == 404
    run = site.scalar("SELECT max(run_id) FROM holdfast.run WHERE job = 'retention_nightly'")
    assert site.browser("auditor").get(f"/retention?run={run}").status_code == 200


def test_a_record_is_explained_by_its_key_and_the_key_is_not_repeated(site: Stocked) -> None:
    number = site.scalar("SELECT max(account_id) FROM provider.account")
    answer = ask(site, dataset="accounts", key=str(number))
    assert answer.status_code == 200, answer.text
    assert any(sentence in answer.text for _, sentence in OUTCOMES.values())
    assert str(number) not in text(answer.text).split()


def test_a_held_record_names_the_hold_and_a_secret_one_only_that_there_is_another(site: Stocked) -> None:
    policy = load_policy(site.settings.policy)
    number = str(site.scalar("SELECT min(account_id) FROM provider.account"))
    for hold_type, reference in (("AUDIT", "engagement-9"), ("IPA_NOTICE", "secret-9")):
        with hf_database.transaction(site.engine) as connection:
            register.place(
                connection,
                policy,
                hold_type=hold_type,
                reference=reference,
                placed_by="dpo",
                subject_key=number,
                datasets=["accounts"],
            )
    page = ask(site, dataset="accounts", key=number).text
    assert "engagement-9" in page
    assert "secret-9" not in page
    assert "IPA_NOTICE" not in page
    assert "other obligations" in page


def test_records_of_an_account_are_found_by_its_pseudonym(site: Stocked) -> None:
    subject = site.scalar("SELECT min(subject_key) FROM holdfast.hold WHERE subject_key IS NOT NULL")
    name = pseudonym(site.settings.pseudonym_key(), SUBJECT, subject)
    answer = ask(site, dataset="accounts", pseudonym=name)
    assert answer.status_code == 200, answer.text
    assert name in answer.text


def test_what_is_no_record_is_said_without_repeating_it(site: Stocked) -> None:
    for given, status in (
        ({"dataset": "accounts", "key": "987654321"}, 404),
        ({"dataset": "accounts", "key": "not a number"}, 409),
        ({"dataset": "no-dataset", "key": "1"}, 409),
        ({"dataset": "accounts"}, 409),
        ({"dataset": "accounts", "key": "1", "pseudonym": "p1:" + "0" * 32}, 409),
        ({"dataset": "accounts", "pseudonym": "p1:" + "0" * 32}, 404),
        ({"dataset": "accounts", "pseudonym": "jo"}, 422),
        ({"dataset": "accounts", "key": "1\x00"}, 409),
    ):
        answer = ask(site, **given)
        assert answer.status_code == status, given
        assert "987654321" not in answer.text


def test_every_outcome_has_words() -> None:
    assert set(OUTCOMES) == {one.value for one in Outcome}


def test_before_the_first_night_the_page_says_so(as_auditor: Any) -> None:
    assert "No night has planned yet" in as_auditor.get("/retention").text
    assert "No request waits for an answer" in as_auditor.get("/requests").text
    assert "never asked" in as_auditor.get("/holds").text
