"""What the authority has is compared with the inventory, both ways; every address is due for a check once a year."""

from __future__ import annotations

import datetime as dt

from tests.holdfast.emergency_data.conftest import BOUNDS, Job

from holdfast.emergency_data import steps
from holdfast.synthetic import emergency as synthetic


def keep(job: Job, numbers: int) -> None:
    """Leave so many numbers in the inventory."""
    job.query("DELETE FROM emergency.inventory WHERE number > :last RETURNING 1", last=synthetic.number(numbers - 1))


def test_reconciliation_finds_gaps_both_ways_and_sees_them_close(job: Job) -> None:
    keep(job, 10)
    job.send(1, [job.good(n) for n in range(8)], "FULL")
    job.run()
    job.query("UPDATE emergency.inventory SET is_live = false WHERE number = :n RETURNING 1", n=synthetic.number(3))
    job.query("DELETE FROM emergency.inventory WHERE number = :n RETURNING 1", n=synthetic.number(4))
    job.query("UPDATE emergency.inventory SET erased = true WHERE number = :n RETURNING 1", n=synthetic.number(5))
    job.query(
        "UPDATE emergency.inventory SET address_digest = 1, name_digest = record.name_digest, house_digest = 5,"
        " billing_digest = record.house_digest FROM emergency.number_record AS record"
        " WHERE record.number = inventory.number AND inventory.number = :n RETURNING 1",
        n=synthetic.number(6),
    )
    found = steps.reconcile(job.engine, job.settings)
    assert found["gaps"] == {"D602": 1, "D603": 1, "E501": 2, "E502": 1, "E604": 1, "W605": 1}
    assert (found["needing"], found["covered"], found["opened"]) == (7, 5, 7)
    job.send(2, [job.good(8), job.good(3, "C")])
    job.run()
    again = steps.reconcile(job.engine, job.settings)
    assert (again["opened"], again["closed"]) == (0, 2)
    assert again["gaps"] == {"D602": 1, "D603": 1, "E501": 1, "E604": 1, "W605": 1}


def test_an_address_that_nobody_has_checked_for_a_year_is_a_gap_until_it_is_checked(job: Job) -> None:
    keep(job, 6)
    year = BOUNDS.verified_days
    job.query("UPDATE emergency.inventory SET address_digest = 1 RETURNING 1")
    ages = {0: 0, 1: year, 2: year + 1, 3: None, 4: -1, 5: None}  # today, just in time, too long ago, never, tomorrow
    for n, days in ages.items():
        checked = None if days is None else job.day - dt.timedelta(days=days)
        statement = "UPDATE emergency.inventory SET verified_on = :day WHERE number = :n RETURNING 1"
        job.query(statement, day=checked, n=synthetic.number(n))
    job.query(
        "UPDATE emergency.inventory SET address_digest = NULL WHERE number = :n RETURNING 1", n=synthetic.number(5)
    )
    job.send(1, [job.good(n) for n in range(6)], "FULL")
    job.run()
    found = steps.reconcile(job.engine, job.settings)
    assert (found["needing"], found["verified"]) == (6, 2)
    assert found["gaps"]["W503"] == 3, "of an address that is not known there is nothing to check"
    due = dict(job.query("SELECT due_month, numbers FROM emergency.audit_due"))  # type: ignore[arg-type]
    assert sum(due.values()) == 2
    assert due[job.day.replace(day=1)] == 1, "the one whose year ends today"
    assert due[(job.day + dt.timedelta(days=year)).replace(day=1)] == 1
    job.query("UPDATE emergency.inventory SET verified_on = :day RETURNING 1", day=job.day)
    assert "W503" not in steps.reconcile(job.engine, job.settings)["gaps"]
    assert job.query("SELECT sum(numbers) FROM emergency.audit_due") == [(6,)]
