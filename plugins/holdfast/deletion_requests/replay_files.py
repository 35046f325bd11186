"""What only the files of erasures know after a whole restore: requests that were lost, and what was erased for them.

Such a request is entered again if anything of its subject is there: for the datasets and categories of which something
was erased, or for the single records that are there, which the files name by pseudonym as they do subjects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import database, queries
from holdfast.deletion_requests import erasure_files
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import ErasurePredicate
from holdfast.enforcement.predicate.requests import ErasureSetting
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.errors import RequestError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import hmac_pads, pseudonym_in_sql
from holdfast.holds.register import SUBJECT
from holdfast.policy import parts
from holdfast.settings import Settings


@dataclass(frozen=True)
class Place:
    """A database that is searched, by its part of the policy."""

    connection: sa.Connection
    setting: ErasureSetting

    @property
    def datasets(self) -> list[str]:
        """Those that a request can reach."""
        return list(parts.with_subject(self.setting.policy))


def take_in(
    main: Place, others: Sequence[Place], settings: Settings, key: bytes, *, since: dt.date, moment: dt.datetime
) -> tuple[int, int]:
    """Take in what the files know and the database does not, because it was restored to before: requests, and erasures.

    `others` are searched for their subjects too. The requests that were entered again, and those that could not be.
    """
    connection = main.connection
    for place in (main, *others):
        queries.run(place.connection, "deletion_requests/replay_lines")
        queries.run(place.connection, "deletion_requests/replay_records")
        queries.run(place.connection, "deletion_requests/replay_subjects")
    for lines in erasure_files.read(settings.erasures, since, key):
        values = {"lines": f"[{','.join(lines)}]", "since": moment}
        queries.run(connection, "deletion_requests/replay_lines_add", values)
    queries.run(connection, "deletion_requests/replay_lines_known")
    _look_for_subjects(main, key)
    for place in others:
        database.bring(connection, "TABLE replay_line", place.connection, "replay_line")
        _look_for_subjects(place, key)
        for found in ("replay_record", "replay_subject"):
            database.bring(place.connection, f"TABLE {found}", connection, found)
    values = {"zone": main.setting.policy.schedule.time_zone}
    entered = set(queries.run(connection, "deletion_requests/replay_enter_again", values).scalars())
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


def _look_for_subjects(place: Place, key: bytes) -> None:
    """Stage which subjects and single records of the lines are in this database."""
    for dataset in place.datasets:
        place.connection.execute(_Named(place.setting, dataset, key).find())
        place.connection.execute(_subjects_there(place.setting, dataset, key))


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
    names = ("reference", "dataset", "pseudonym", "by_record", "records")
    return sa.table("replay_line", *map(sa.column, names))


def _subjects_there(setting: Setting, dataset: str, key: bytes) -> sa.Insert:
    """INSERT the subjects of the dataset for whom lines say that something of it was erased."""
    line, subjects = _line_table(), subjects_of(setting, dataset, key)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "dataset": sa.literal(dataset, sa.Text),
        "pseudonym": subjects.c.pseudonym,
        "subject_key": subjects.c.subject_key,
    }
    named = sa.exists().where(line.c.dataset == dataset, line.c.pseudonym == subjects.c.pseudonym)
    target = sa.table("replay_subject", *map(sa.column, columns))
    return sa.insert(target).from_select(list(columns), sa.select(*columns.values()).where(named))
