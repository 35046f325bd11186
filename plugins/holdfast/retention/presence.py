"""Is there anything that a hold would reach? A mistyped number would keep nothing, and nobody would notice."""

from __future__ import annotations

import sqlalchemy as sa

from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rows import Bool, Rows, exists
from holdfast.errors import HoldError
from holdfast.holds.by_hand import Scope
from holdfast.policy.model import Policy, Subject


def require(connection: sa.Connection, policy: Policy, scope: Scope) -> None:
    """Raises HoldError if no row is about the subject of a scope that was checked, or none has its record key."""
    tables = catalogue.read(connection, policy.data_map.schemas)
    if scope.subject_key is not None:
        own = [
            Rows(policy, tables, name, alias=True)
            for name, one in policy.data_map.datasets.items()
            if isinstance(one.subject, Subject) and one.subject.column in tables.columns.get(one.table, {})
        ]
        found = (exists([rows.table], _is_about(rows, scope.subject_key)) for rows in own)
        _require(connection, "subject", sa.or_(sa.false(), *found))
    if scope.record_key is not None and scope.datasets is not None:
        rows = Rows(policy, tables, scope.datasets[0], alias=True)
        _require(connection, "record", exists([rows.table], rows.has_key(scope.record_key)))


def _is_about(rows: Rows, subject_key: str) -> Bool:
    return rows.subject_value() == sa.cast(subject_key, rows.subject_type)


def _require(connection: sa.Connection, what: str, found: Bool) -> None:
    if not connection.execute(sa.select(found)).scalar_one():
        raise HoldError(
            f"There is no such {what}: the hold would keep nothing that is there now.",
            fix="read its key again; if it is right and the rows are yet to come, add --allow-absent.",
        )
