"""The page of holds: sources and what they stop, what may be told, and a hold that is placed and released."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.pages.stocked import Stocked, fields, stocked, text

from holdfast.holds import register, standing
from holdfast.holds.register import KnownSource
from holdfast.policy.load import load_policy

PLACE, RELEASE, RESTRICTED = "/holds/place", "/holds/release", "/holds/restricted"


@pytest.fixture(scope="module")
def site(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocked]:
    with fresh_database() as engine, stocked(engine, tmp_path_factory.mktemp("home")) as made:
        yield made


def place(site: Stocked, user: str = "dpo", **given: Any) -> Any:
    browser = site.browser(user)
    page = browser.get("/holds").text
    typed = {"hold_type": "AUDIT", "reference": "engagement-1", "ground": "audit-plan", **given}
    return browser.post(PLACE, data={**fields(page, PLACE), **typed}, follow_redirects=False)


def release(site: Stocked, hold: str, reason: str = "mistake", user: str = "dpo") -> Any:
    browser = site.browser(user)
    page = browser.get("/holds").text
    return browser.post(RELEASE, data={**fields(page, RELEASE), "hold": hold, "reason": reason}, follow_redirects=False)


def entries(site: Stocked, kind: str) -> list[dict[str, Any]]:
    found = site.rows("SELECT entry FROM holdfast.ledger_entry WHERE kind = :kind ORDER BY seq", kind=kind)
    return [json.loads(one.entry)["facts"] for one in found]


def test_each_source_says_whether_it_is_believed_and_what_it_stops(site: Stocked) -> None:
    page = text(site.browser("auditor").get("/holds").text)
    policy = load_policy(site.settings.policy)
    for name in policy.holds.sources:
        assert name in page
    assert "call_detail_records" in page
    assert "billing" in page


def test_an_account_is_a_pseudonym_and_nothing_of_it_is_shown(site: Stocked) -> None:
    page = site.browser("auditor").get("/holds").text
    subjects = [row.subject_key for row in site.rows("SELECT DISTINCT subject_key FROM holdfast.hold")]
    assert "p1:" in page
    shown = set(text(page).split())
    assert not [one for one in subjects if one and f"account {one}" in shown]


@pytest.mark.parametrize("user", ["auditor", "engineer"])
def test_who_may_only_read_has_no_form_and_gets_no_hold_placed(site: Stocked, user: str) -> None:
    page = site.browser(user).get("/holds").text
    assert PLACE not in page
    assert RELEASE not in page
    assert RESTRICTED not in page
    before = site.scalar("SELECT count(*) FROM holdfast.hold")
    token = fields(site.browser("dpo").get("/holds").text, PLACE)
    for action in (PLACE, RELEASE, RESTRICTED):
        assert site.browser(user).post(action, data=token).status_code == 403
    assert site.scalar("SELECT count(*) FROM holdfast.hold") == before


def test_a_hold_is_placed_shown_counted_by_the_next_plan_and_released(site: Stocked) -> None:
    """The plan of tonight changes with it: rows that were due are held."""
    rule = site.scalar("SELECT rule_id FROM holdfast.plan_rule WHERE due_rows > 0 ORDER BY rule_id LIMIT 1")
    dataset = site.scalar("SELECT min(dataset) FROM holdfast.plan_rule WHERE rule_id = :rule", rule=rule)
    planned = "SELECT due_rows FROM holdfast.plan_rule WHERE run_id = :run AND rule_id = :rule"
    due = site.scalar(planned, run=site.plan(), rule=rule)
    assert due > 0

    placed = place(site, hold_type="LITIGATION", reference="matter-2026-7", ground="claim-received", dataset=[dataset])
    assert placed.status_code == 303, placed.text
    number = site.scalar("SELECT hold_id FROM holdfast.hold WHERE reference = 'matter-2026-7'")
    assert placed.headers["location"] == f"/holdfast/holds?done={number}"
    assert f"Hold {number} is in the register" in site.browser("dpo").get(f"/holds?done={number}").text
    assert site.scalar(planned, run=site.plan(), rule=rule) == 0
    (entry,) = [one for one in entries(site, "hold_placed") if one["hold"] == number]
    assert (entry["type"], entry["scope"]) == ("LITIGATION", "datasets")

    assert release(site, str(number), "ended").status_code == 303
    assert site.scalar(planned, run=site.plan(), rule=rule) == due
    assert entries(site, "hold_released")[-1] | {"by": ""} == {
        "hold": number,
        "type": "LITIGATION",
        "authority": "legal",
        "reason": "ended",
        "by": "",
    }


def test_a_hold_that_would_keep_nothing_or_says_too_much_is_refused(site: Stocked) -> None:
    before = site.scalar("SELECT count(*) FROM holdfast.hold")
    for given in (
        {"subject": "99999999"},
        {"hold_type": "BILLING_DISPUTE"},
        {"hold_type": "NOT-A-TYPE"},
        {"ground": "because Alice Example of 1 High Street sued us"},
        {"reference": "020 7946 0000"},
        {"dataset": ["not-a-dataset"]},
        {"record": "1"},
        {"subject": "1\x00"},
        {"ends_on": "2001-01-01"},
        {"period_from": "2026-02-02", "period_to": "2026-02-02"},
    ):
        answer = place(site, **given)
        assert answer.status_code == 409, given
        assert "Fix:" in answer.text
    assert place(site, ends_on="the day of judgement").status_code == 422
    assert site.scalar("SELECT count(*) FROM holdfast.hold") == before


def test_an_account_that_is_yet_to_come_is_held_when_somebody_says_so(site: Stocked) -> None:
    assert place(site, subject="99999999", reference="early-1", allow_absent="true").status_code == 303


def test_a_reference_is_used_once_and_a_hold_released_once(site: Stocked) -> None:
    assert place(site, reference="once-1").status_code == 303
    assert place(site, reference="once-1").status_code == 409
    assert release(site, "once-1").status_code == 303
    assert release(site, "once-1").status_code == 409
    assert release(site, "never-1").status_code == 409
    assert release(site, "9" * 100).status_code == 409
    assert release(site, "once-1", reason="no-such-reason").status_code == 422


def test_a_hold_of_a_source_ends_in_its_source(site: Stocked) -> None:
    number = site.scalar("SELECT min(hold_id) FROM holdfast.hold WHERE source_id = 'billing'")
    answer = release(site, str(number))
    assert (answer.status_code, "end it in that system" in answer.text) == (409, True)


def test_what_must_not_be_told_is_shown_to_compliance_alone_for_a_reason_that_is_entered(site: Stocked) -> None:
    assert place(site, hold_type="IPA_NOTICE", reference="secret-1", ground="notice").status_code == 303
    for user in ("auditor", "engineer", "dpo", "admin"):
        assert "secret-1" not in site.browser(user).get("/holds").text
        assert "secret-1" not in site.browser(user).get("/holds?hold_type=IPA_NOTICE").text
    dpo = site.browser("dpo")
    before = len(entries(site, "personal_data_looked_up"))
    token = fields(dpo.get("/holds").text, RESTRICTED)
    assert dpo.post(RESTRICTED, data=token).status_code == 422, "a reason is needed"
    shown = dpo.post(RESTRICTED, data={**token, "reason": "audit"})
    assert "secret-1" in shown.text
    looked = entries(site, "personal_data_looked_up")[before:]
    assert [(one["what"], one["reason"]) for one in looked] == [("restricted-holds", "audit")]
    assert site.browser("admin").post(RESTRICTED, data={**token, "reason": "audit"}).status_code == 403
    assert release(site, "secret-1").status_code == 303, "who placed it can release it without seeing the list"


def test_a_source_whose_data_grow_old_is_not_believed_before_the_night_says_so(site: Stocked) -> None:
    policy = load_policy(site.settings.policy)
    now = site.now
    with site.engine.connect() as connection:
        known = register.source_states(connection)
    fresh = {one.name: one.is_believed for one in standing.sources(policy, known, now)}
    later = {one.name: one.is_believed for one in standing.sources(policy, known, now + dt.timedelta(days=30))}
    assert all(fresh.values())
    assert not any(later.values())
    assert not any(one.is_believed for one in standing.sources(policy, [], now)), "nobody has asked yet"
    shrunk = [KnownSource(one.source_id, "shrunk", now, now, 1, 9, None) for one in known]
    assert {one.status for one in standing.sources(policy, shrunk, now)} <= {"shrunk", "not trusted"}


def test_older_holds_are_a_page_further(site: Stocked) -> None:
    browser = site.browser("auditor")
    first = browser.get("/holds").text
    last = site.scalar("SELECT min(hold_id) FROM holdfast.hold")
    assert "Older holds" in first
    assert browser.get(f"/holds?before={last + 1}").status_code == 200
    assert "Older holds" not in browser.get(f"/holds?before={last + 1}").text
    assert browser.get("/holds?before=0").status_code == 422
