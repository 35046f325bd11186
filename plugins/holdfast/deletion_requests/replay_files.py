"""What only the files of erasures know after a whole restore: requests that were lost, and what was erased for them.

Such a request is entered again if anything of its subject is there: for the datasets and categories of which something
was erased, or for the single records that are there, which the files name by pseudonym as they do subjects.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.deletion_requests import erasure_files
from holdfast.deletion_requests.register import LettersEnded, State
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import ErasurePredicate
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.errors import RequestError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import hmac_pads, pseudonym_in_sql
from holdfast.holds.register import SUBJECT
from holdfast.settings import Settings


def take_in(
    connection: sa.Connection,
    setting: Setting,
    datasets: list[str],
    settings: Settings,
    *,
    since: dt.date,
    moment: dt.datetime,
) -> tuple[int, int]:
    """Take in what the files know and the database does not, because it was restored to before: requests, and erasures.

    The requests that were entered again, and those that could not be.
    """
    key = settings.pseudonym_key()
    queries.run(connection, "deletion_requests/replay_lines")
    queries.run(connection, "deletion_requests/replay_records")
    for lines in erasure_files.read(settings.erasures, since, key):
        values = {"lines": f"[{','.join(lines)}]", "since": moment}
        queries.run(connection, "deletion_requests/replay_lines_add", values)
    queries.run(connection, "deletion_requests/replay_lines_known")
    entered: set[int] = set()
    for dataset in datasets:
        connection.execute(_Named(setting, dataset, key).find())
        entered.update(connection.execute(_enter_again(setting, dataset, key)).scalars())
    placed = set(queries.run(connection, "deletion_requests/replay_parts").scalars())
    placed.update(queries.run(connection, "deletion_requests/replay_record_parts").scalars())
    if not entered <= placed:  # one without parts would ask for the whole account
        raise RequestError(
            "A request was entered again without what it asks for.",
            fix="nothing was changed; report it with the files.",
        )
    unplaced = queries.run(connection, "deletion_requests/replay_lines_unplaced").scalar_one()
    inner, outer = hmac_pads(key, SUBJECT)
    queries.run(connection, "deletion_requests/replay_take_lines", {"inner_pad": inner, "outer_pad": outer})
    if entered:
        ledger.append(connection, "request_entered_again", {"requests": len(entered)})
    return len(entered), unplaced


def subjects_of(setting: Setting, name: str, key: bytes) -> sa.Subquery:
    """Every subject that the dataset can be about, with its pseudonym."""
    rows = Rows(setting.policy, setting.catalogue, name, alias=True)
    owner = rows if rows.subject_column is not None else rows.path().end
    subject = owner.subject_column
    if subject is None:
        raise LookupError(f"{owner.name} has no subject column of its own")
    each = sa.select(sa.cast(subject, sa.Text).label("subject_key")).where(subject.is_not(None)).distinct().subquery()
    return sa.select(
        each.c.subject_key, pseudonym_in_sql(key, SUBJECT, each.c.subject_key).label("pseudonym")
    ).subquery()


class _Named(ErasurePredicate):
    """The single records of one dataset that lines of the files name, where they are there and the subject's."""

    def __init__(self, setting: Setting, dataset: str, key: bytes) -> None:
        super().__init__(setting, dataset)
        self._key = key
        line, subjects = _line_table(), subjects_of(setting, dataset, key)
        no_text = sa.cast(sa.null(), sa.Text)
        lines = sa.select(
            line.c.reference,
            line.c.records,
            subjects.c.subject_key,
            sa.cast(sa.null(), sa.BigInteger).label("request_id"),
            no_text.label("record_key"),
            sa.cast(sa.null(), sa.Date).label("until"),
        )
        joined = line.join(subjects, line.c.pseudonym == subjects.c.pseudonym)
        named = (line.c.dataset == dataset, line.c.by_record, line.c.records.is_not(None))
        self._lines = lines.select_from(joined).where(*named).subquery()

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        return self._lines, sa.true()

    def find(self) -> sa.Insert:
        """INSERT them into replay_record."""
        record = self.rows.key_text
        named = pseudonym_in_sql(
            self._key, erasure_files.RECORD, sa.literal(f"{self.dataset}#", sa.Text).concat(record)
        )
        [asked] = self._asked_by_subject()
        columns: dict[str, sa.ColumnElement[Any]] = {
            "reference": self._lines.c.reference,
            "dataset": sa.literal(self.dataset, sa.Text),
            "subject_key": self._lines.c.subject_key,
            "record_key": record,
        }
        chosen = (
            sa.select(*columns.values()).select_from(asked.source).where(named == sa.func.any(self._lines.c.records))
        )
        target = sa.table("replay_record", *map(sa.column, columns))
        return postgresql.insert(target).from_select(list(columns), chosen).on_conflict_do_nothing()


def _line_table() -> sa.TableClause:
    names = ("reference", "channel", "received_at", "dataset", "pseudonym", "by_record", "records", "erased_at")
    return sa.table("replay_line", *map(sa.column, names))


def _enter_again(setting: Setting, dataset: str, key: bytes) -> sa.Executable:
    """INSERT the requests that only the files know, about subjects of the dataset; RETURNING their numbers."""
    line, subjects = _line_table(), subjects_of(setting, dataset, key)
    record = sa.table("replay_record", *map(sa.column, ("reference", "dataset", "subject_key")))
    known = sa.table("deletion_request", sa.column("reference"), schema="holdfast")
    last = sa.select(line.c.reference, sa.func.max(line.c.erased_at).label("at")).group_by(line.c.reference).subquery()
    day = sa.cast(sa.func.timezone(setting.policy.schedule.time_zone, last.c.at), sa.Date)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "reference": line.c.reference,
        "channel": line.c.channel,
        "subject_key": subjects.c.subject_key,
        "received_at": line.c.received_at,
        "state": sa.literal(State.PARTLY_COMPLETED.value, sa.Text),
        "replay_until": day,
        "letters_ended": sa.literal(LettersEnded.TOLD_BEFORE_RESTORE.value, sa.Text),
    }
    is_there = sa.exists().where(
        record.c.reference == line.c.reference,
        record.c.dataset == line.c.dataset,
        record.c.subject_key == subjects.c.subject_key,
    )
    chosen = (
        sa.select(*columns.values())
        .select_from(
            line.join(subjects, line.c.pseudonym == subjects.c.pseudonym).join(
                last, last.c.reference == line.c.reference
            )
        )
        .where(
            sa.or_(~line.c.by_record, is_there),
            line.c.dataset == dataset,
            line.c.reference.not_in(sa.select(known.c.reference)),
        )
        .distinct()
    )
    target = sa.table("deletion_request", *map(sa.column, columns), schema="holdfast")
    insert = postgresql.insert(target).from_select(list(columns), chosen).on_conflict_do_nothing()
    return insert.returning(sa.column("request_id", sa.BigInteger))
