"""What nights leave on the shelf, in the register and in the ledger: as little as a page needs to say something."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.evidence import checkpoint, ledger
from holdfast.evidence.seal import seal, write
from holdfast.reports.files import Written, write_set

GOLDEN = Path(__file__).parents[1] / "emergency_data" / "report_golden"
PAGE = "<!DOCTYPE html><title>A report</title><p>What was done.</p>"
KEPT = {"standing": "kept", "sentence": "Every promise kept tonight: nothing was due.", "points": [], "notes": []}
PARTLY = {
    "standing": "partly",
    "sentence": "3 rows were deleted; but not every row could be judged.",
    "points": ["Of 45 rows nobody can say whether the period is over; none was touched."],
    "notes": [],
}


def report(root: Path, job: str, *period: str, **data: Any) -> Written:
    """A report of one night, with a page and the data."""
    files = {"index.html": PAGE, "report.csv": '"a","b"\n', "report.json": json.dumps(data)}
    return write_set(root, (job, *period), files)


def retention(run_id: int, verdict: Mapping[str, Any] = KEPT, state: str = "sealed", **more: Any) -> dict[str, Any]:
    """The data of a report on retention."""
    run = {"run_id": run_id, "state": state, "policy_digest": "sha256:" + "0" * 64, "plan_digest": None}
    totals = {"rules": 27, "refused": 0, "waiting": 0, "late": 0, "unknown": 0}
    return {"verdict": dict(verdict), "run": run, "totals": totals, **more}


def emergency(engine: sa.Engine, root: Path, day: dt.date) -> Written:
    """A day of 999 data that needs somebody, with a record of an invented person in quarantine: 7 / 2."""
    at = dt.datetime.combine(day, dt.time(4), dt.UTC)
    given = {"day": day, "at": at, "fields": json.dumps({"number_e164": "+441632960001", "name": "EXAMPLESON"})}
    with database.transaction(engine) as connection:
        for statement in _EMERGENCY:
            connection.execute(sa.text(statement), given)
    files = {
        name: (GOLDEN / name).read_bytes() for name in ("index.html", "report.json", "rules.csv", "quarantine.csv")
    }
    return write_set(root, ("emergency_data_999", day.isoformat()), files)


_EMERGENCY = (
    "INSERT INTO emergency.extract (extract_id, sha256, file_name, layout, extract_type, arrived_at, state, records,"
    " released, quarantined) OVERRIDING SYSTEM VALUE"
    " VALUES (7, 'a', 'NG999_HFT.csv', 'ng999-v1', 'DELTA', :at, 'delivered', 40, 37, 3),"
    " (9, 'b', 'NOTES.txt', NULL, NULL, :at, 'refused', NULL, NULL, NULL)",
    "INSERT INTO emergency.quarantine (extract_id, record_no, provider, rule_ids, fields, quarantined_at)"
    " VALUES (7, 2, 'HFT', '{E201}', cast(:fields AS jsonb), :at)",
    "INSERT INTO emergency.reconciliation VALUES (:at, 'HFT', 1000, 997, 950, 998, 3, 4, 1)",
    "INSERT INTO emergency.exception (rule_id, provider, number, reason, owner, accepted_on, last_day)"
    " VALUES ('E306', 'HFT', '+441632960002', 'a-real-name', 'addressing', :day, cast(:day AS date) + 90)",
)


def suspensions(engine: sa.Engine, day: dt.date) -> None:
    """A broken safeguard, and days that arrived."""
    with database.transaction(engine) as connection:
        for statement in (
            "INSERT INTO statistics.safeguard_break VALUES ('not_told', 'p1:' || repeat('0', 32), :day, now(), NULL)",
            "INSERT INTO statistics.day VALUES (cast(:day AS date) - 1, now(), NULL, 9, 1)",
        ):
            connection.execute(sa.text(statement), {"day": day})


def run(engine: sa.Engine, job: str, day: dt.date, *, state: str = "sealed") -> int:
    """A run of a night with four entries in the ledger; a sealed one is sealed, signed, and its seal written."""
    loaded, at = settings.load(), dt.datetime.combine(day, dt.time(1, 30), dt.UTC)
    policy = "sha256:" + "0" * 64
    with database.transaction(engine) as connection:
        insert = sa.text(
            "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state, opened_at)"
            " VALUES (:job, :at, :day, 'enforce', :policy, :state, :at) RETURNING run_id"
        )
        values = {"job": job, "at": at, "day": day, "policy": policy, "state": state}
        run_id = int(connection.execute(insert, values).scalar_one())
        ledger.append(connection, "run_started", {"job": job, "policy": policy}, run_id)
        ledger.append(connection, "plan_made", {"plan": "sha256:" + "ab" * 32}, run_id)
        ledger.append(connection, "batch_deleted", {"batch": 1, "rows": 35, "rule": "r", "dataset": "d"}, run_id)
        if state != "sealed":
            return run_id
        ledger.append(connection, "run_verified", {"survivors": 0, "late": {}, "missing": 0}, run_id)
        made = seal(connection, run_id, job, day, at)
    write(made, loaded.seals)
    checkpoint.sign(engine, checkpoint.open_log(loaded), at)
    return run_id
