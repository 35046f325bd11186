"""A 999 call from a number without data ends the run red until the number's record was sent anew and accepted."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from tests.holdfast.emergency_data.conftest import Job

from holdfast.emergency_data import calls, steps
from holdfast.errors import CallsWithoutData, ExtractRefused
from holdfast.synthetic import emergency as synthetic


def report(job: Job, n: int, *, hours_ago: float = 1, **changes: Any) -> dict[str, Any]:
    at = job.now - dt.timedelta(hours=hours_ago)
    return {"id": f"r-{n}", "number": synthetic.number(n), "called_at": at.isoformat()} | changes


def told(job: Job, *reports: Any) -> dict[str, Any]:
    """Read a file with these reports."""
    (job.root / "calls").mkdir(exist_ok=True)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in reports]
    (job.root / "calls" / "calls.jsonl").write_text("".join(line + "\n" for line in lines))
    return steps.read_calls(job.engine, job.settings)


def standing(job: Job) -> dict[str, int]:
    with job.engine.begin() as connection:
        from holdfast import queries

        rows = queries.run(connection, "emergency/open_calls", {"alert_before": job.now - dt.timedelta(days=3)})
        return {row.waits_for: row.calls for row in rows}


def conclude(job: Job) -> None:
    steps.reconcile(job.engine, job.settings)
    steps.conclude(job.engine, job.settings, since=job.now.isoformat())


def test_a_report_is_open_and_loud_until_a_record_sent_since_is_accepted(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(3)], "FULL")
    job.run()
    job.answered("a.csv", f"RSP,1,HFT,1,{job.now:%Y-%m-%dT%H:%M:%SZ},ACCEPTED", "END,0")
    job.query("UPDATE emergency.number_record SET submitted_at = submitted_at - interval '9 days' RETURNING 1")
    assert told(job, report(job, 1)) == {"new": 1}
    assert standing(job) == {"the record to be sent again": 1}
    with pytest.raises(CallsWithoutData, match="no name and address for 1 calls to 999"):
        conclude(job)
    job.send(2, [job.good(1, "A", premises="9")])
    job.run()
    assert standing(job) == {"an answer of the authority": 1}
    with pytest.raises(CallsWithoutData):
        conclude(job)
    job.answered("b.csv", f"RSP,1,HFT,2,{job.now:%Y-%m-%dT%H:%M:%SZ},ACCEPTED", "END,0")
    conclude(job)
    assert job.query("SELECT ended_how FROM emergency.call_without_data") == [("registered",)]


def test_a_number_that_is_not_live_any_more_needs_no_record(job: Job) -> None:
    told(job, report(job, 1), report(job, 2))
    assert standing(job) == {"a record": 2}
    job.query("UPDATE emergency.inventory SET is_live = false WHERE number = :n RETURNING 1", n=synthetic.number(1))
    job.query("UPDATE emergency.inventory SET erased = true WHERE number = :n RETURNING 1", n=synthetic.number(2))
    conclude(job)
    assert set(job.query("SELECT ended_how FROM emergency.call_without_data")) == {("not_live",)}


def test_a_number_that_nobody_here_knows_waits_for_a_person_who_ends_it(job: Job) -> None:
    told(job, report(job, 1, number="+442079460999", id="other"))
    job.query("DELETE FROM emergency.inventory WHERE number = '+442079460999'  RETURNING 1")
    assert standing(job) == {"a person: the number is not in the inventory": 1}
    with job.engine.begin() as connection:
        for wrong in ({"reason": "Not ours"}, {"report_id": "r-9"}):
            given: dict[str, Any] = {"report_id": "other", "by": "p1:x", "reason": "not-our-number", "now": job.now}
            with pytest.raises(ExtractRefused):
                calls.end(connection, **given | wrong)
        calls.end(connection, **given)
    conclude(job)
    (facts,) = job.ledger("call_ended")
    assert facts["reason"] == "not-our-number"
    assert "other" not in str(facts)


def test_it_is_a_gap_after_three_working_days(job: Job) -> None:
    told(
        job, report(job, 1, hours_ago=1), report(job, 2, hours_ago=9 * 24), report(job, 2, hours_ago=8 * 24, id="again")
    )
    assert steps.reconcile(job.engine, job.settings)["gaps"]["E505"] == 1, "two calls of one number"


def test_a_report_counts_once_however_often_it_is_handed_in(job: Job) -> None:
    assert told(job, report(job, 1)) == {"new": 1}
    assert told(job, report(job, 1), report(job, 2)) == {"new": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "01632960001"},
        {"id": "a person"},
        {"called_at": "yesterday"},
        {"called_at": "2024-03-02T08:00:00"},
        {"called_at": "2199-03-02T08:00:00Z"},
        {"charge": "150"},
        {"number": 441632960001},
    ],
)
def test_a_file_with_a_line_that_is_no_report_is_kept_whole_and_nothing_of_it_is_read(
    job: Job, changes: dict[str, Any]
) -> None:
    with pytest.raises(ExtractRefused, match="1 files of reports of calls without data could not be read"):
        told(job, report(job, 1), report(job, 2, **changes))
    assert job.query("SELECT FROM emergency.call_without_data") == []
    assert len(list((job.root / "refused").iterdir())) == 1
    assert len(job.ledger("calls_refused")) == 1


@pytest.mark.parametrize("text", ["", "not JSON", '["a"]', "{}"])
def test_a_file_that_is_none_is_refused(job: Job, text: str) -> None:
    with pytest.raises(ExtractRefused):
        told(job, text) if text else told(job)
