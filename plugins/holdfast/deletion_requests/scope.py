"""What a request asks to erase: the whole account, or parts of it.

Written by people as `account`, or as parts with `;` between them: a dataset of the data map (`messages`), one record of
it (`support_tickets#42`, with | between the columns of its key), or a category (`category:phone-number`): the columns
of that category, wherever they are.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast.errors import RequestError
from holdfast.holds import keys
from holdfast.policy import parts
from holdfast.policy.model import NoSubject, Policy

WHOLE_ACCOUNT = "account"
_BETWEEN_PARTS, _BEFORE_RECORD, _CATEGORY = ";", "#", "category:"


@dataclass(frozen=True)
class Part:
    """A dataset, one record of a dataset, or a category of columns."""

    dataset: str | None = None
    category: str | None = None
    record_key: str | None = None


Scope = tuple[Part, ...]
"""No part: the whole account."""


def parse(text: str, policy: Policy) -> Scope:
    """The scope that a person wrote. Raises RequestError, which does not quote it: it may be anything."""
    if text.strip() == WHOLE_ACCOUNT:
        return ()
    written = [one.strip() for one in text.split(_BETWEEN_PARTS)]
    return tuple(dict.fromkeys(_part(one, number, policy) for number, one in enumerate(written, start=1)))


def describe(scope: Scope) -> str:
    """The scope as a person would write it, but for records, whose keys may name a person."""
    written = []
    for part in scope:
        name = f"{_CATEGORY}{part.category}" if part.dataset is None else part.dataset
        written.append(name if part.record_key is None else f"{name}{_BEFORE_RECORD}...")
    return f"{_BETWEEN_PARTS} ".join(written) or WHOLE_ACCOUNT


def with_written_keys(connection: sa.Connection, types: keys.KeyTypes, scope: Scope) -> Scope:
    """The scope with each record's key as PostgreSQL writes it. Raises RequestError for one that fits no record."""
    return tuple(
        part if part.record_key is None else dataclasses.replace(part, record_key=_written(connection, types, part))
        for part in scope
    )


def names_records(scopes: Iterable[Scope]) -> bool:
    return any(part.record_key is not None for scope in scopes for part in scope)


def columns_by_category(policy: Policy) -> list[tuple[str, str]]:
    """Every pair of a dataset and a category that it has a column of: what tells that a part overlaps another."""
    return sorted(
        {
            (name, column.category)
            for name, dataset in policy.data_map.datasets.items()
            for column in dataset.columns.values()
        }
    )


def _part(text: str, number: int, policy: Policy) -> Part:
    if text.startswith(_CATEGORY):
        category = text.removeprefix(_CATEGORY)
        if category not in {category for _, category in columns_by_category(policy)}:
            raise _unknown(number, "category", category, (known for _, known in columns_by_category(policy)))
        if not parts.can_be_asked_for(policy, category):
            raise RequestError(
                f"Part {number} of the scope is a category that can be taken out of no record.",
                fix=f"ask for the records: {', '.join(parts.stays_in(policy, category))}.",
            )
        return Part(category=category)
    name, has_record, record_key = text.partition(_BEFORE_RECORD)
    dataset = policy.data_map.datasets.get(name)
    if dataset is None:
        raise _unknown(number, "dataset", name, policy.data_map.datasets)
    if isinstance(dataset.subject, NoSubject):
        raise RequestError(
            f"Part {number} of the scope is {name}, whose rows are about no subject.", fix="leave it out."
        )
    if not has_record:
        return Part(dataset=name)
    if len(record_key.split(keys.SEPARATOR)) != len(dataset.key) or not record_key:
        raise RequestError(
            f"Part {number} of the scope names a record of {name}, whose key has {len(dataset.key)} columns.",
            fix=f"give as many values, in the order of policy/data_map.yaml, with {keys.SEPARATOR} between them.",
        )
    return Part(dataset=name, record_key=record_key)


def _unknown(number: int, kind: str, written: str, known: Iterable[str]) -> RequestError:
    """What was written may be anything, so it is not quoted; a name of ours that is like it is."""
    alike = next(iter(difflib.get_close_matches(written, sorted(set(known)), n=1)), None)
    return RequestError(
        f"Part {number} of the scope names no {kind} of policy/data_map.yaml.",
        fix=(f"if {alike} is meant, write that; else " if alike else "")
        + f"write {WHOLE_ACCOUNT}, or datasets, dataset{_BEFORE_RECORD}record or {_CATEGORY}name"
        f" with {_BETWEEN_PARTS} between them.",
    )


def _written(connection: sa.Connection, types: keys.KeyTypes, part: Part) -> str:
    refusal = RequestError(
        f"The record key does not fit the key of {part.dataset}.", fix="write it as the database shows it."
    )
    written = types.written_back(sa.literal(part.record_key, sa.Text), str(part.dataset))
    if written is None:
        raise refusal
    try:
        with connection.begin_nested():
            found = connection.execute(sa.select(written)).scalar_one()
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise
        found = None
    if not found:
        raise refusal  # outside the handler: the driver's error would come along and quotes the key
    return str(found)
