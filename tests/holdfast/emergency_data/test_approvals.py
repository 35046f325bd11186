"""What would change too much waits for a person whom the policy names; the answer is for that file and no other."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from tests.holdfast.emergency_data.conftest import Job

from holdfast.emergency_data import steps
from holdfast.errors import ApprovalRefused, ExtractRefused
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF


def waiting(job: Job) -> list[str]:
    """The digests of the files that wait, after a night that would cease 30 of 100 numbers."""
    job.send(1, [job.good(n) for n in range(100)], "FULL")
    job.run()
    job.send(2, [job.good(n, "C") for n in range(30)])
    job.run()
    return list(steps.find_waiting(job.engine, job.settings)["digests"])


def answer(job: Job, digests: list[str], **changes: Any) -> None:
    given = {"decision": "approved", "decided_by": "dpo", "reason": "planned-migration"} | changes
    steps.record_approval(job.engine, job.settings, digests=digests, **given)


def test_a_change_beyond_its_bounds_waits_for_a_person_and_the_answer_is_for_that_file(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(100)], "FULL")
    job.run()
    job.send(2, [job.good(n, "C") for n in range(30)])
    (result,) = job.run()
    assert (result["state"], result["exceeded"]) == ("waiting", ["ceased_share"])
    assert len(job.outbox()) == 1
    digests = steps.find_waiting(job.engine, job.settings)["digests"]
    with pytest.raises(ExtractRefused, match="No file with this digest"):
        answer(job, ["0" * 64])
    answer(job, digests, reason="a-campaign")
    (result,) = job.run()
    assert (result["state"], result["released"]) == ("released", 30)
    assert len(job.outbox()) == 2
    (facts,) = job.ledger("extract_approved")
    assert facts["by"].startswith("p1:")
    assert facts["reason"] == "a-campaign"


def test_a_declined_file_leaves_nothing_and_its_number_is_free(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(100)], "FULL")
    job.run()
    job.send(2, [job.good(n, "A", premises="7", postcode="ZY1 1AA", thoroughfare="SAMPLE LANE") for n in range(40)])
    (result,) = job.run()
    assert "address_changed_share" in result["exceeded"]
    digests = steps.find_waiting(job.engine, job.settings)["digests"]
    answer(job, digests, decision="refused", reason="a-mistake")
    assert len(job.outbox()) == 1
    (result,) = job.run()
    assert result["state"] == "declined"
    job.send(2, [job.good(1, "A", premises="7")])
    (result,) = job.run()
    assert (result["state"], result["released"]) == ("released", 1)
    assert len(job.outbox()) == 2


def test_files_behind_one_that_waits_stay_in_the_inbox(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(100)], "FULL")
    job.send(2, [job.good(n, "C") for n in range(30)])
    third = job.send(3, [job.good(0)])
    assert [result["state"] for result in job.run()] == ["released", "waiting"]
    assert third.exists()
    with pytest.raises(ExtractRefused, match="1 wait for a person"):
        steps.conclude(job.engine, job.settings, since=job.now.isoformat())
    digests = steps.find_waiting(job.engine, job.settings)["digests"]
    answer(job, digests, reason="expected")
    assert [(result["state"], result["released"]) for result in job.run()] == [("released", 30), ("released", 1)]
    assert len(job.outbox()) == 3
    steps.conclude(job.engine, job.settings, since=job.now.isoformat())


def test_the_question_has_the_figures_the_digest_and_those_who_may_answer(job: Job) -> None:
    digests = waiting(job)
    report = steps.write_report(job.engine, job.settings)["report"]
    asked = steps.ask_a_person(job.engine, job.settings, title="999 emergency data", report=report)
    assert asked["subject"] == "999 emergency data: 1 extract above the bounds"
    assert asked["approvers"] == {"dpo": "Data protection officer", "deputy": "Deputy data protection officer"}
    assert asked["about"] == {"digests": digests}
    for words in ("| 2 | numbers that would cease | 30.0% | 5.0% |", digests[0], "30 records", f"`{report}`", "`dpo`"):
        assert words in asked["body"]


@pytest.mark.parametrize("user", ["engineer", "admin", "anna"])
def test_the_answer_of_anybody_else_counts_for_nothing_and_is_recorded(job: Job, user: str) -> None:
    digests = waiting(job)
    with pytest.raises(ApprovalRefused, match=r"p1:.* is no approver by the policy"):
        answer(job, digests, decided_by=user)
    (facts,) = job.ledger("approval_unauthorised")
    assert facts["file"] == f"sha256:{digests[0]}"
    assert job.ledger("extract_approved") == []
    assert [result["state"] for result in job.run()] == ["waiting"]


@pytest.mark.parametrize("reason", [None, "", "Anna said so", "it is fine"])
def test_an_answer_needs_a_reason_that_is_a_code(job: Job, reason: str | None) -> None:
    digests = waiting(job)
    with pytest.raises(ApprovalRefused, match="no reason"):
        answer(job, digests, reason=reason)
    assert steps.find_waiting(job.engine, job.settings)["digests"] == digests


def test_the_first_answer_stands_and_nobody_is_asked_again(job: Job) -> None:
    digests = waiting(job)
    answer(job, digests)
    answer(job, digests, decision="refused", reason="looks-wrong")
    assert steps.find_waiting(job.engine, job.settings) == {"waits": False, "digests": []}
    (facts,) = job.ledger("extract_approved")
    assert facts["by"] == pseudonym(job.settings.pseudonym_key(), STAFF, "dpo")
    assert (facts["extract"], facts["reason"]) == (2, "planned-migration")
    assert "airflow_run" not in facts, "it was given by command"
    assert job.ledger("extract_declined") == []
    assert [result["state"] for result in job.run()] == ["released"]


def test_an_answer_names_the_run_in_which_it_was_asked_by_its_digest(job: Job) -> None:
    answer(job, waiting(job), airflow_run="manual__for Anna")
    (facts,) = job.ledger("extract_approved")
    assert facts["airflow_run"] == f"sha256:{hashlib.sha256(b'manual__for Anna').hexdigest()}"


def test_an_answer_for_several_files_is_for_all_of_them_or_none(job: Job) -> None:
    digests = waiting(job)
    with pytest.raises(ExtractRefused, match="No file with this digest"):
        answer(job, [*digests, "0" * 64])
    assert steps.find_waiting(job.engine, job.settings)["digests"] == digests
