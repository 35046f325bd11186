"""Bring the deleted rows of a run back: somebody asks, two others approve exactly that, and then all of it or nothing.

What may not come back, does not: rows of people whose erasure was carried out since. And what would be taken again by
the next night comes back only if whoever asks says so, since only a hold keeps it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from holdfast import queries
from holdfast.enforcement import catalogue, locks, runs
from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.holding import Holding
from holdfast.enforcement.predicate.rules import RetentionSetting
from holdfast.enforcement.undo import box, unpacked
from holdfast.enforcement.undo.box import Label, Pack
from holdfast.enforcement.undo.keys import Keys
from holdfast.enforcement.undo.unpacked import KeptRows
from holdfast.errors import UndoRefused
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym, pseudonym_in_sql
from holdfast.holds.register import STAFF, SUBJECT
from holdfast.policy.model import Policy

_REFUSED_BY_DATABASE = {
    "23505": "a row with the same key is there again",
    "23503": "a row that they refer to is not there",
    "23514": "a check of the table forbids it, or a partition for them is missing",
    "23502": "the table has a column that may not be empty",
}


@dataclass(frozen=True)
class Wanted:
    """What is kept of a run: its rows by dataset, until when the first of them can be had, and a digest of it all."""

    rows: Mapping[str, int]
    first_end: dt.date
    digest: str

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True)
class Asked:
    """A request as it stands. `is_new`: this made it."""

    wanted: Wanted
    asked_by: str
    approved_by: tuple[str, ...]
    is_new: bool = False


@dataclass(frozen=True)
class Restored:
    """Rows that came back, by dataset; `left_out` are of people whose erasure was carried out since."""

    rows: Mapping[str, int]
    left_out: int
    unheld: int


def ask(connection: sa.Connection, *, run_id: int, by: str, key: bytes) -> Asked:
    """Ask to have all that is kept of a run back, or see how the request stands."""
    wanted = _wanted(connection, run_id)
    values = {"run_id": run_id, "digest": wanted.digest, "kept_rows": wanted.total, "asked_by": by}
    is_new = queries.run(connection, "undo/ask", values).one_or_none() is not None
    if is_new:
        facts: dict[str, ledger.JSON] = {"of_run": run_id, "rows": wanted.rows, "what": "sha256:" + wanted.digest}
        ledger.append(connection, "undo_restore_asked", {**facts, "by": pseudonym(key, STAFF, by)}, None)
    request = _request(connection, run_id, wanted.digest)
    return Asked(wanted, request.asked_by, _approvals(request), is_new)


def approve(connection: sa.Connection, policy: Policy, *, run_id: int, by: str, key: bytes) -> int:
    """Approve what was asked for; how many have now. Raises UndoRefused for whom the policy does not name, or asked."""
    request = _request(connection, run_id, _wanted(connection, run_id).digest)
    if by not in policy.schedule.approvers:
        raise UndoRefused(
            "Whoever answers is no approver by the policy.",
            fix="let somebody approve whom retention_schedule.yaml names under `approvers`.",
        )
    if by in (request.asked_by, *_approvals(request)):
        raise UndoRefused(
            "Whoever asked, or has approved already, cannot approve.", fix="let another approver look at it."
        )
    if len(_approvals(request)) == 2:
        return 2
    values = {"request_id": request.request_id, "approved_by": by}
    approvals: int = queries.run(connection, "undo/approve", values).scalar_one()
    facts: dict[str, ledger.JSON] = {"of_run": run_id, "by": pseudonym(key, STAFF, by), "approvals": approvals}
    ledger.append(connection, "undo_restore_approved", facts, None)
    return approvals


def restore(
    connection: sa.Connection,
    policy: Policy,
    keys: Keys,
    *,
    run_id: int,
    by: str,
    key: bytes,
    as_of: dt.date,
    even_unheld: bool,
) -> Restored:
    """Bring everything back that is kept of a run. Raises UndoRefused, and then the caller must take all of it back."""
    wanted = _wanted(connection, run_id)
    request = _request(connection, run_id, wanted.digest)
    if len(_approvals(request)) < 2:
        raise UndoRefused(
            f"{2 - len(_approvals(request))} approvals are missing.",
            fix=f"let two approvers say `holdfast retention approve-restore --run {run_id}`.",
        )
    run = runs.get(connection, run_id)
    if run.state != "sealed":
        raise UndoRefused(f"Run {run_id} is {run.state}, not sealed.", fix="let it end first.")
    now = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
    tables = catalogue.read(connection, policy.data_map.schemas)
    setting = RetentionSetting(policy, tables, as_of, now)
    batches = queries.run(connection, "undo/batches_of_run", {"run_id": run_id}).all()
    box.driver_of(connection).execute("SET CONSTRAINTS ALL IMMEDIATE")
    rows: dict[str, int] = {}
    left_out = unheld = 0
    for dataset, of_dataset in itertools.groupby(batches, key=lambda one: str(one.dataset)):
        kept = _lay_open(connection, policy, tables, keys, dataset, [one.batch_id for one in of_dataset])
        left_out += _leave_out(connection, kept, since=run.as_of, key=key)
        free = sa.select(sa.func.count()).select_from(kept.table).where(Holding(kept, setting.window(dataset)).free())
        unheld += int(connection.execute(free).scalar_one())
        rows[dataset] = _insert(connection, kept)
        unpacked.drop_table(connection)
    if unheld and not even_unheld:
        raise UndoRefused(
            f"No hold reaches {unheld} of the rows: the next night would take them again.",
            fix="place a hold first (`holdfast hold place ... --allow-absent`), or add --even-unheld.",
            rows=unheld,
        )
    for day in {one.ends_on for one in batches}:
        ended = {"run_id": run_id, "ends_on": day, "gone_rows": 0, "kept_on_rows": 0}
        queries.run(connection, "undo/note_end", ended)  # so that the key is destroyed on its day
    queries.run(connection, "undo/restored", {"request_id": request.request_id})
    facts: dict[str, ledger.JSON] = {"of_run": run_id, "rows": rows, "left_out": left_out, "unheld": unheld}
    ledger.append(connection, "undo_restored", {**facts, "by": pseudonym(key, STAFF, by)}, None)
    return Restored(rows, left_out, unheld)


def _wanted(connection: sa.Connection, run_id: int) -> Wanted:
    runs.get(connection, run_id)
    batches = queries.run(connection, "undo/batches_of_run", {"run_id": run_id}).all()
    if not batches:
        raise UndoRefused(
            f"Nothing is kept of run {run_id}.",
            fix="see its report: its rules have no undo window, the window is over, or its rows were brought back.",
        )
    rows: dict[str, int] = {}
    for one in batches:
        rows[one.dataset] = rows.get(one.dataset, 0) + one.kept_rows
    lines = "".join(f"{one.batch_id} {one.kept_rows} {one.digest}\n" for one in batches)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return Wanted(rows, min(one.ends_on for one in batches), digest)


def _request(connection: sa.Connection, run_id: int, digest: str) -> sa.Row[Any]:
    found = queries.run(connection, "undo/request_of", {"run_id": run_id, "digest": digest}).one_or_none()
    if found is None:
        raise UndoRefused(
            f"Nobody has asked for exactly what is kept of run {run_id} now.",
            fix=f"ask with `holdfast retention restore --run {run_id}`; what was approved before has changed since.",
        )
    return found


def _approvals(request: sa.Row[Any]) -> tuple[str, ...]:
    return tuple(one for one in (request.first_approved_by, request.second_approved_by) if one is not None)


def _lay_open(
    connection: sa.Connection, policy: Policy, tables: Catalogue, keys: Keys, dataset: str, batches: Collection[int]
) -> KeptRows:
    """All rows of one dataset in a table of this session's own; their batches are forgotten when this commits."""
    kept: KeptRows | None = None
    for batch_id in batches:
        row = queries.run(connection, "undo/lock_batch", {"batch_id": batch_id, "lock_timeout": locks.WAIT}).one()
        label = Label.of(row)
        if not unpacked.fits(connection, policy, label):
            raise UndoRefused(
                f"The table of {dataset} has other columns than when its rows were deleted.",
                fix="bring it into the form it had, restore, and change it again.",
            )
        if kept is None:
            kept = KeptRows(policy, tables, dataset, label.row_columns)
            unpacked.make_table(connection, kept, label.row_columns)
        pack = Pack.unseal(row.sealed, keys.load(label.run_id, label.ends_on), label, row.kept_rows)
        unpacked.fill(connection, label, pack)
        queries.run(connection, "undo/drop_batch", {"batch_id": batch_id})
    assert kept is not None
    return kept


def _leave_out(connection: sa.Connection, kept: KeptRows, *, since: dt.datetime, key: bytes) -> int:
    """Take out the rows of people for whom a request was carried out since; how many."""
    if not kept.needs_subject:
        return 0
    asked = queries.query("undo/erased_since").bindparams(
        sa.bindparam("dataset", kept.name, sa.Text), sa.bindparam("since", since, sa.DateTime(timezone=True))
    )
    erased = sa.select(asked.columns(subject_key=sa.Text).subquery().c.subject_key)
    subject: sa.ColumnElement[str] = kept.table.c[unpacked.SUBJECT]
    known = sa.or_(subject.in_(erased), pseudonym_in_sql(key, SUBJECT, subject).in_(erased))
    return connection.execute(sa.delete(kept.table).where(known)).rowcount  # type: ignore[arg-type]


def _insert(connection: sa.Connection, kept: KeptRows) -> int:
    """Put the rows into their table, and see that what is there is what was kept, bit for bit; how many."""
    columns = [column.name for column in kept.table.c if column.name != unpacked.SUBJECT]
    schema, _, name = kept.dataset.table.partition(".")
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL(
        "WITH back AS (INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {kept}"
        " RETURNING {hash} AS hash) SELECT (SELECT (count(*), bit_xor(hash)) FROM back)::text,"
        " (SELECT (count(*), bit_xor({hash})) FROM {kept})::text, (SELECT count(*) FROM back)"
    ).format(
        table=sql.Identifier(schema, name),
        columns=listed,
        kept=sql.Identifier(unpacked.TABLE),
        hash=sql.SQL("hashtextextended(CAST(ROW({}) AS text), 0)").format(listed),
    )
    refusal = None
    try:
        found = box.driver_of(connection).execute(query).fetchone()
    except psycopg.errors.IntegrityError as error:
        why = _REFUSED_BY_DATABASE.get(error.sqlstate or "", "a rule of the table forbids it")
        refusal = UndoRefused(
            f"Rows of {kept.name} cannot come back: {why}.",
            fix="find out what came into their place; restore what they refer to first.",
        )
    if refusal is not None:
        raise refusal  # outside the handler: the driver's error quotes the row
    assert found is not None
    if found[0] != found[1]:
        raise UndoRefused(
            f"Rows of {kept.name} would not come back as they were: a trigger of their table changes them.",
            fix="disable the trigger for the restore.",
        )
    return int(found[2])
