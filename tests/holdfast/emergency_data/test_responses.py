"""What the authority answers decides on the state of a number; a reject is open until a better record is accepted."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.holdfast.emergency_data.conftest import Job

from holdfast.emergency_data import steps
from holdfast.errors import ExtractRefused
from holdfast.synthetic import emergency as synthetic


def states(job: Job) -> dict[str, str]:
    return {row.number: row.state for row in job.query("SELECT number, state FROM emergency.number_record")}


def test_answers_register_records_and_rejects_stay_open_until_a_better_record_is_accepted(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(4)], "FULL")
    job.run()
    reject = f"ANS,2,{synthetic.number(1)},REJECTED,BADPC"
    other = f"ANS,3,{synthetic.number(9)},REJECTED,BADPC"
    head = "RSP,1,HFT,1,2026-11-24T08:00:00Z,PARTIAL"
    found = job.answered("a.csv", head, reject, other, "END,2")
    assert found == {"read": 1, "accepted": 3, "rejected": 1, "unmatched": 1}
    assert states(job)[synthetic.number(1)] == "failed"
    assert set(states(job).values()) == {"failed", "registered"}
    assert job.answered("b.csv", head, reject, other, "END,2")["read"] == 0, "the same answer again"
    job.send(2, [job.good(1, "A", premises="12"), job.good(0, "C")])
    assert [result["released"] for result in job.run()] == [2]
    assert job.query("SELECT count(*) FROM emergency.reject WHERE ended_at IS NULL")[0][0] == 1
    assert job.answered("c.csv", "RSP,1,HFT,2,2026-11-25T08:00:00Z,ACCEPTED", "END,0")["accepted"] == 2
    assert states(job)[synthetic.number(1)] == "registered"
    assert states(job)[synthetic.number(0)] == "unregistered"
    assert job.query("SELECT count(*) FROM emergency.reject WHERE ended_at IS NULL")[0][0] == 0


def test_a_rejected_file_fails_all_that_it_does_not_accept_by_name(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(3)], "FULL")
    job.run()
    accepted = f"ANS,1,{synthetic.number(0)},ACCEPTED,"
    found = job.answered("a.csv", "RSP,1,HFT,1,2026-11-24T08:00:00Z,REJECTED", accepted, "END,1")
    assert (found["accepted"], found["rejected"]) == (1, 2)
    assert job.query("SELECT DISTINCT code FROM emergency.reject") == [("FILE",)]


@pytest.mark.parametrize(
    "lines",
    [
        ["RSP,1,HFT,9,2026-11-24T08:00:00Z,ACCEPTED", "END,0"],
        ["RSP,2,HFT,1,2026-11-24T08:00:00Z,ACCEPTED", "END,0"],
        ["RSP,1,HFT,1,yesterday,ACCEPTED", "END,0"],
        ["RSP,1,HFT,1,2026-11-24T08:00:00Z,ACCEPTED"],
        ["RSP,1,HFT,1,2026-11-24T08:00:00Z,ACCEPTED", "END,1"],
        ["RSP,1,HFT,1,2026-11-24T08:00:00Z,PARTIAL", "ANS,1,+441632960000,REJECTED,", "END,1"],
        ["RSP,1,HFT,1,2026-11-24T08:00:00Z,PARTIAL", "ANS,1,01632960000,REJECTED,X1", "END,1"],
        ["RSP,1,HFT,1,2026-11-24T08:00:00Z,PARTIAL", *["ANS,1,+441632960000,REJECTED,X1"] * 2, "END,2"],
        [],
    ],
)
def test_a_response_that_is_none_changes_nothing_and_is_kept(job: Job, lines: list[str]) -> None:
    job.send(1, [job.good(n) for n in range(3)], "FULL")
    job.run()
    with pytest.raises(ExtractRefused, match="1 files of answers of the authority could not be read"):
        job.answered("a.csv", *lines)
    assert set(states(job).values()) == {"pending"}
    assert len(list((job.root / "refused").iterdir())) == 1


def instant(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_only_a_record_whose_number_was_not_rejected_before_counts_as_accepted_at_once(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(4)], "FULL")
    job.run()
    job.answered(
        "a.csv", "RSP,1,HFT,1,2026-11-24T08:00:00Z,PARTIAL", f"ANS,2,{synthetic.number(1)},REJECTED,X1", "END,1"
    )
    job.send(2, [job.good(1, "A", premises="12"), job.good(2, "A", premises="12")])
    job.run()
    job.answered(
        "b.csv", "RSP,1,HFT,2,2026-11-25T08:00:00Z,PARTIAL", f"ANS,1,{synthetic.number(1)},REJECTED,X1", "END,1"
    )
    job.send(3, [job.good(1, "A", premises="13")])
    job.run()
    job.answered("c.csv", "RSP,1,HFT,3,2026-11-26T08:00:00Z,ACCEPTED", "END,0")
    names = "accepted, accepted_first, rejected, rejected_first"
    counts = job.query(f"SELECT {names} FROM emergency.response ORDER BY sequence")
    assert [tuple(row) for row in counts] == [(3, 3, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0)]


def test_the_hours_from_a_change_to_its_acceptance_are_counted_for_changes_only(job: Job) -> None:
    job.query("UPDATE emergency.inventory SET changed_at = :at RETURNING 1", at=job.now - dt.timedelta(hours=5))
    job.send(1, [job.good(n) for n in range(4)], "FULL")
    job.run()
    job.answered("a.csv", f"RSP,1,HFT,1,{instant(job.now)},ACCEPTED", "END,0")
    assert job.query("SELECT FROM emergency.acknowledgement") == [], "a full extract states anew what may be old"
    later = job.now - dt.timedelta(minutes=30)
    job.query(
        "UPDATE emergency.inventory SET changed_at = :at WHERE number = :n RETURNING 1", at=later, n=synthetic.number(0)
    )
    job.send(2, [job.good(0, "C"), job.good(1, "A", premises="9"), job.good(2, "A", premises="9")])
    job.run()
    job.answered("b.csv", f"RSP,1,HFT,2,{instant(job.now)},ACCEPTED", "END,0")
    rows = job.query("SELECT hours, records FROM emergency.acknowledgement ORDER BY hours")
    assert [tuple(row) for row in rows] == [(1, 1), (5, 2)]


def test_rejects_and_missing_answers_are_gaps_once_they_are_too_old(job: Job) -> None:
    job.send(1, [job.good(n) for n in range(3)], "FULL")
    job.run()
    head = f"RSP,1,HFT,1,{instant(job.now)},PARTIAL"
    job.answered("a.csv", head, f"ANS,1,{synthetic.number(0)},REJECTED,X1", "END,1")
    job.send(2, [job.good(1, "A", premises="9")])
    job.run()
    assert not {"E506", "W507"} & set(steps.reconcile(job.engine, job.settings)["gaps"])
    job.query("UPDATE emergency.reject SET rejected_at = rejected_at - interval '9 days' RETURNING 1")
    job.query("UPDATE emergency.number_record SET submitted_at = submitted_at - interval '25 hours' RETURNING 1")
    gaps = steps.reconcile(job.engine, job.settings)["gaps"]
    assert (gaps["E506"], gaps["W507"]) == (1, 1)
    with pytest.raises(ExtractRefused, match="1 rejected records are overdue"):
        steps.conclude(job.engine, job.settings, since=job.now.isoformat())
    job.answered("b.csv", f"RSP,1,HFT,2,{instant(job.now)},ACCEPTED", "END,0")
    assert "W507" not in steps.reconcile(job.engine, job.settings)["gaps"]
