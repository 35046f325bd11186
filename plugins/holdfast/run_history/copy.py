"""Keep what Airflow says: each sheet that says something new is another row, and its digest an entry of the ledger.

Reading goes on where the last reading began, and may be repeated at any time: a sheet that says nothing new leaves
nothing. What Airflow has deleted since stays as it was copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF
from holdfast.run_history import airflow, calendar, sheets
from holdfast.run_history.client import Client
from holdfast.run_history.sheets import Sheet


@dataclass(frozen=True)
class Copied:
    """What one reading brought: sheets that Airflow gave, and how many of them said something new."""

    read: int
    new: int


class Staff:
    """Users' names to pseudonyms, and which of them were met."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.met: dict[str, str] = {}

    def __call__(self, user: str) -> str:
        found = pseudonym(self._key, STAFF, user)
        self.met[found] = user
        return found


def take_in(engine: sa.Engine, client: Client, jobs: Iterable[str], key: bytes) -> Copied:
    """Copy what changed since the last reading, or everything. Each sheet commits by itself, the moment last."""
    with database.transaction(engine) as connection:
        state = queries.run(connection, "run_history/lock_read").one()
    staff = Staff(key)
    read = new = 0
    for sheet in airflow.changed(client, jobs, state.read_until, staff):
        with database.transaction(engine) as connection:
            read, new = read + 1, new + keep(connection, sheet, staff)
    with database.transaction(engine) as connection:
        queries.run(connection, "run_history/set_read", {"read_until": state.now})
    return Copied(read, new)


def keep(connection: sa.Connection, sheet: Sheet, staff: Staff) -> bool:
    """Add the sheet if it says more than the last one of its run; whether it did."""
    queries.run(connection, "run_history/lock_read")
    last = queries.run(connection, "run_history/last_sheet", {"dag": sheet["dag"], "run": sheet["run"]}).scalar()
    sheet = sheets.merged(json.loads(last) if last else None, sheet)
    text = ledger.canonical(sheet)
    if text == last:
        return False
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    for name, user in staff.met.items():
        queries.run(connection, "run_history/add_user", {"pseudonym": name, "user_name": user})
    staff.met.clear()
    seq = ledger.append(connection, "history_copied", _facts(sheet, digest))
    row = {
        "dag": sheet["dag"],
        "run": sheet["run"],
        "night": calendar.night_of(sheet),
        "state": sheet["state"],
        "sheet": text,
        "digest": digest,
        "ledger_seq": seq,
    }
    queries.run(connection, "run_history/add_sheet", row)
    return True


def _facts(sheet: Sheet, digest: str) -> dict[str, ledger.JSON]:
    """The run by its job and night: its id has signs that an entry may not have."""
    night = calendar.night_of(sheet)
    return {
        "job": sheet["dag"],
        "night": night.isoformat() if night else None,
        "state": sheet["state"],
        "digest": digest,
        **{name: len(sheet[name]) for name in ("tries", "answers", "events")},
    }
