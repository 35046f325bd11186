"""What other duties need of data that is to be erased, seen to before it goes.

An address in the 999 data leaves it by a cease record: that one is wanted is written down here, for whatever sends the
data, and a hold keeps the address until the cease is acknowledged. Facts that statistics need of a suspension
are taken as facts about nobody, before its rows go. Which rows those are, the provider's queries say.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.evidence import ledger
from holdfast.suspension_facts import take_in

_SUBJECTS_AT_ONCE = 10_000


def keep_facts(connection: sa.Connection, datasets: Sequence[str], *, zone: str, key: bytes, run_id: int) -> int:
    """Take the facts of whoever's rows in these datasets are asked for; how many are new or were corrected.

    Call it right before the work: what happens to a row after it was taken is in no fact.
    """
    if not datasets:
        return 0
    now, kept = take_in.begin(connection), 0
    for subjects in _pieces(queries.run(connection, "deletion_requests/facts_subjects", {"datasets": list(datasets)})):
        taken = take_in.take_in(connection, key=key, zone=zone, now=now, subject_keys=subjects, run_id=run_id)
        kept += taken.new + taken.changed
    return kept


def note_answers(connection: sa.Connection) -> int:
    """Have the provider's own table know which ceases our 999 job sent, and which the authority confirmed; how many."""
    return len(queries.run(connection, "provider/emergency_answers").all())


def want_ceases(connection: sa.Connection, run_id: int, *, now: dt.datetime) -> tuple[int, int]:
    """Want the cease of each 999 record that a run was asked to erase and whose number serves no longer.

    How many are wanted that were not before, and how many were found to be done.
    """
    wanted = done = 0
    for subjects in _pieces(queries.run(connection, "deletion_requests/cease_subjects", {"run_id": run_id})):
        found = queries.run(connection, "provider/emergency_ceases", {"subject_keys": subjects}).mappings()
        records = json.dumps([dict(one) for one in found])
        new = {"run_id": run_id, "records": records, "now": now}
        wanted += len(queries.run(connection, "deletion_requests/cease_want", new).all())
        known = {"subject_keys": subjects, "records": records, "now": now}
        done += len(queries.run(connection, "deletion_requests/cease_done", known).all())
    if wanted:
        ledger.append(connection, "emergency_cease_wanted", {"records": wanted}, run_id)
    return wanted, done


def _pieces(result: sa.CursorResult[Any]) -> Iterator[list[str]]:
    subjects: Iterator[str] = iter(result.scalars().all())
    while some := list(itertools.islice(subjects, _SUBJECTS_AT_ONCE)):
        yield some
