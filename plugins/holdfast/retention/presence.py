"""Is there anything that a hold would reach? A mistyped number would keep nothing, and nobody would notice."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from holdfast import database
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rows import Bool, Rows, exists
from holdfast.errors import HoldError
from holdfast.holds.by_hand import Scope, checked
from holdfast.policy.model import Policy, Subject


def require(engines: Mapping[str, sa.Engine], policy: Policy, hold_type: str, scope: Scope) -> None:
    """Raises HoldError if in no database a row is about the subject of a scope, or none has its record key.

    And for a scope that would hold nothing, or fail. `engines` are of the policy's databases.
    """
    found = [_found(engine, policy, name, hold_type, scope) for name, engine in engines.items()]
    _require("subject", [one for one, _ in found])
    _require("record", [one for _, one in found])


def _found(
    engine: sa.Engine, policy: Policy, name: str, hold_type: str, given: Scope
) -> tuple[bool | None, bool | None]:
    """Whether a database has rows about the subject, and the record; None where it is not asked for one, or has no such
    table.
    """
    part = policy.at(name)
    with database.transaction(engine) as connection:
        scope = checked(connection, policy, hold_type, given, name)
        tables = catalogue.read(connection, part.data_map.schemas)
        subject = record = None
        if scope.subject_key is not None:
            own = [
                Rows(part, tables, dataset, alias=True)
                for dataset, one in part.data_map.datasets.items()
                if isinstance(one.subject, Subject) and one.subject.column in tables.columns.get(one.table, {})
            ]
            subject = _is(connection, sa.or_(sa.false(), *(_has(rows, scope.subject_key) for rows in own)))
        if scope.record_key is not None and scope.datasets is not None and scope.datasets[0] in part.data_map.datasets:
            rows = Rows(part, tables, scope.datasets[0], alias=True)
            record = _is(connection, exists([rows.table], rows.has_key(scope.record_key)))
        return subject, record


def _has(rows: Rows, subject_key: str) -> Bool:
    return exists([rows.table], rows.subject_value() == sa.cast(subject_key, rows.subject_type))


def _is(connection: sa.Connection, found: Bool) -> bool:
    return bool(connection.execute(sa.select(found)).scalar_one())


def _require(what: str, found: list[bool | None]) -> None:
    if False in found and True not in found:
        raise HoldError(
            f"There is no such {what}: the hold would keep nothing that is there now.",
            fix="read its key again; if it is right and the rows are yet to come, add --allow-absent.",
        )
