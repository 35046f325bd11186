"""What other duties need of data that is to be erased, seen to before it goes.

An address in the 999 data leaves it by a cease record: that one is wanted is written down here, for whatever sends the
data, and a hold keeps the address until the cease is acknowledged. Facts that the statistics of an unpublished month
need are taken as facts about nobody, before the rows go. Which rows those are, the provider's queries say.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym_in_sql

_SUBJECTS_AT_ONCE = 10_000
_PURPOSE = "suspension fact"
_FACT = {
    "record_key": sa.Text,
    "decided_on": sa.Date,
    "account_kind": sa.Text,
    "automation": sa.Text,
    "restriction": sa.Text,
    "is_temporary": sa.Boolean,
    "reason": sa.Text,
    "detection_source": sa.Text,
    "lawful_basis": sa.Text,
    "rule_version": sa.Text,
    "hours_in_force": sa.Integer,
    "minutes_to_notice": sa.Integer,
    "reviews": postgresql.JSONB,
}
"""The declared shape of sql/provider/suspension_facts.sql."""


def keep_facts(
    connection: sa.Connection, datasets: Sequence[str], *, zone: str, key: bytes, run_id: int, now: dt.datetime
) -> int:
    """Take the facts of whoever's rows in these datasets are asked for, of months that are not published; how many.

    Taken again, they are as the rows are now. Call it right before the work: what happens to a row after it was taken
    is in no fact.
    """
    kept = 0
    for subjects in _pieces(queries.run(connection, "deletion_requests/facts_subjects", {"datasets": list(datasets)})):
        kept += connection.execute(_facts_statement(subjects, zone, key, now)).rowcount
    if kept:
        ledger.append(connection, "facts_kept", {"facts": kept}, run_id)
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


def _facts_statement(subjects: list[str], zone: str, key: bytes, now: dt.datetime) -> sa.Insert:
    """INSERT the facts that the provider's query gives, or bring those that are there up to date."""
    fixed = queries.query("provider/suspension_facts").bindparams(
        sa.bindparam("subject_keys", subjects, postgresql.ARRAY(sa.Text)), sa.bindparam("zone", zone, sa.Text)
    )
    fact = fixed.columns(**_FACT).cte("fact")
    month = sa.table("statistics_month", sa.column("month"), schema="holdfast")
    published = sa.exists().where(month.c.month == sa.cast(sa.func.date_trunc("month", fact.c.decided_on), sa.Date))
    names = [name for name in _FACT if name != "record_key"]
    values: dict[str, sa.ColumnElement[Any]] = {
        "source_pseudonym": pseudonym_in_sql(key, _PURPOSE, fact.c.record_key),
        "taken_at": sa.literal(now, sa.DateTime(timezone=True)),
        **{name: fact.c[name] for name in names},
    }
    target = sa.table("suspension_fact", *map(sa.column, values), schema="holdfast")
    new = postgresql.insert(target).from_select(list(values), sa.select(*values.values()).where(~published))
    changed = {name: new.excluded[name] for name in ("taken_at", *names)}
    return new.on_conflict_do_update(index_elements=["source_pseudonym"], set_=changed)
