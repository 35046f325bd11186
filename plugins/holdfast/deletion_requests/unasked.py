"""Whose account is past its own period, and is there, although nobody asked for its erasure?

Retention deals with such an account in the night in which it falls due. One that is still there, and that no hold that
is known keeps, was passed over: its run waits for a person, has failed, or was not made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import sqlalchemy as sa

from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rules import RetentionSetting
from holdfast.policy.model import Dataset, Policy, Subject


def look(connection: sa.Connection, policy: Policy, today: dt.date, now: dt.datetime) -> Iterator[tuple[str, int]]:
    """Each dataset of accounts that has some, with how many."""
    tables = catalogue.read(connection, policy.data_map.schemas)
    setting = RetentionSetting(policy, tables, today, now)
    for name, dataset in policy.data_map.datasets.items():
        if not _is_of_accounts(dataset):
            continue
        found = 0
        for rule_id in setting.work(name):
            predicate = setting.predicate(rule_id)
            subject = predicate.rows.subject_value()
            left = sa.and_(predicate.past(), ~predicate.done(), predicate.holding.free(), ~_is_asked_for(subject))
            found += connection.execute(
                sa.select(sa.func.count()).select_from(predicate.rows.table).where(left)
            ).scalar_one()
        if found:
            yield name, found


def _is_of_accounts(dataset: Dataset) -> bool:
    """Each record stands for a subject: its key is the subject."""
    return isinstance(dataset.subject, Subject) and dataset.key == (dataset.subject.column,)


def _is_asked_for(subject: sa.ColumnElement[object]) -> sa.ColumnElement[bool]:
    """A request about the subject is open or was carried out."""
    names = (sa.column("subject_key", sa.Text), sa.column("state", sa.Text))
    request = sa.table("deletion_request", *names, schema="holdfast").alias()
    asked = sa.select(request.c.subject_key).where(request.c.state.not_in(("refused", "withdrawn")))
    return sa.cast(subject, sa.Text).in_(asked)
