"""Does a record that a request names belong to whoever asks? Nobody may have a record of somebody else erased."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from holdfast.deletion_requests.scope import Part
from holdfast.enforcement import catalogue
from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.rows import Rows, exists
from holdfast.errors import RequestError
from holdfast.policy.model import Policy


def read(connection: sa.Connection, policy: Policy) -> Catalogue:
    """The tables, as `require_theirs` needs them."""
    return catalogue.read(connection, policy.data_map.schemas)


def require_theirs(
    connection: sa.Connection, policy: Policy, tables: Catalogue, subject_key: str, parts: Iterable[Part]
) -> None:
    """Raises RequestError for a record that is not the subject's. Whether it is somebody else's is not said."""
    for part in parts:
        if part.dataset is None or part.record_key is None:
            continue
        is_theirs = _is_theirs(policy, tables, part.dataset, part.record_key, subject_key)
        if not connection.execute(sa.select(is_theirs)).scalar_one():
            raise RequestError(
                f"The account has no record of {part.dataset} with the key that the request names.",
                fix="correct the key or the account; nobody can ask for a record of somebody else.",
            )


def _is_theirs(
    policy: Policy, tables: Catalogue, dataset: str, record_key: str, subject_key: str
) -> sa.ColumnElement[bool]:
    rows = Rows(policy, tables, dataset, alias=True)
    named = rows.record_value() == rows.record_key_from(sa.literal(record_key, sa.Text))
    theirs = rows.subject_value() == sa.cast(sa.literal(subject_key, sa.Text), rows.subject_type)
    return exists([rows.table], named, theirs)
