"""May this hold be placed by hand, and would it hold what it says? The checks that a source's holds pass, for one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import settings
from holdfast.errors import HoldError
from holdfast.holds import keys
from holdfast.holds.reach import Reach
from holdfast.policy.model import HoldType, Policy

GROUND_OF_TYPE = "as-in-policy"
"""The ground of a hold for which no other was given: the one that policy/holds.yaml states for its type."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,127}")


@dataclass(frozen=True)
class Scope:
    """What a hold is on. None has no limit of that kind; the period is compared with the dataset's event column."""

    subject_key: str | None
    datasets: tuple[str, ...] | None
    record_key: str | None
    period_from: dt.date | None
    period_to: dt.date | None

    @property
    def kind(self) -> str:
        """What narrows it most: record, subject, datasets, or everything."""
        if self.record_key is not None:
            return "record"
        if self.subject_key is not None:
            return "subject"
        return "everything" if self.datasets is None else "datasets"

    @property
    def has_period(self) -> bool:
        return self.period_from is not None or self.period_to is not None


def type_of(policy: Policy, hold_type: str) -> HoldType:
    """The type's entry in the policy. Raises HoldError if there is none or nobody may place it."""
    kind = policy.holds.types.get(hold_type)
    allowed = ", ".join(name for name, one in policy.holds.types.items() if one.by_hand)
    if kind is None:
        raise HoldError("There is no such hold type.", fix=f"use one of {allowed}.")
    if not kind.by_hand:
        raise HoldError(
            f"Holds of the type {hold_type} come from a source and are not placed by hand.",
            fix=f"enter it in that system, or use one of {allowed}.",
        )
    return kind


def require_codes(**given: str | None) -> None:
    """Raises HoldError unless each is a code: what people write freely may hold personal data."""
    for name, value in given.items():
        if value is not None and _CODE.fullmatch(value) is None:
            raise HoldError(
                f"The {name.replace('_', ' ')} is not a code.",
                fix="use a letter, then up to 127 letters, digits and _ . : / -, and nothing that names a customer.",
            )


def require_end(ends_on: dt.date | None, today: dt.date) -> None:
    """Raises HoldError for a hold that is over before it begins."""
    if ends_on is not None and ends_on < today:
        raise HoldError(
            f"The hold would have ended on {ends_on}.", fix="give the last day it is to hold, or none until released."
        )


def checked(
    connection: sa.Connection, policy: Policy, hold_type: str, scope: Scope, database: str = settings.MAIN
) -> Scope:
    """The scope with its keys as one of the policy's databases writes them.

    Raises HoldError for one that would hold nothing, or fail. A record's key is checked by the database that has it.
    """
    reach = Reach.of(policy)
    _require_datasets(reach, hold_type, scope)
    if scope.period_from is not None and scope.period_to is not None and scope.period_from >= scope.period_to:
        raise HoldError("The period ends before it begins.", fix="give its first day and the first day after it.")
    if scope.subject_key is None and scope.record_key is None:
        return scope
    part = policy.at(database)
    types = keys.read_types(connection, part)
    written = scope
    if scope.subject_key is not None:
        subject = types.subject_written_back(sa.literal(scope.subject_key, sa.Text))
        written = dataclasses.replace(written, subject_key=_written(connection, "subject key", subject))
    if scope.record_key is not None and scope.datasets is not None and scope.datasets[0] in part.data_map.datasets:
        _require_parts(reach, scope.record_key, scope.datasets[0])
        record = types.written_back(sa.literal(scope.record_key, sa.Text), scope.datasets[0])
        written = dataclasses.replace(written, record_key=_written(connection, "record key", record))
    return written


def _require_datasets(reach: Reach, hold_type: str, scope: Scope) -> None:
    if scope.record_key is not None and (scope.datasets is None or len(scope.datasets) != 1):
        raise HoldError("A record key needs the one dataset that has the record.", fix="name exactly one dataset.")
    if scope.datasets is None:
        return
    unknown = sorted(set(scope.datasets) - reach.key_sizes.keys())
    if unknown or not scope.datasets:
        raise HoldError(
            f"The policy has no dataset {', '.join(unknown)}." if unknown else "No dataset is named.",
            fix="name datasets of policy/data_map.yaml, or none for all that the type can stop.",
        )
    deaf = sorted(name for name in scope.datasets if (name, hold_type) in reach.deaf)
    if deaf:
        raise HoldError(
            f"No rule of {', '.join(deaf)} is stopped by a hold of the type {hold_type}.",
            fix="use a type that the rules in policy/retention_schedule.yaml list, or change those.",
        )
    nobody = sorted(reach.without_subject & set(scope.datasets))
    if nobody and scope.subject_key is not None and scope.record_key is None:
        raise HoldError(
            f"The rows of {', '.join(nobody)} are about no subject.", fix="leave the subject or these datasets out."
        )


def _require_parts(reach: Reach, record_key: str, dataset: str) -> None:
    size = reach.key_sizes[dataset]
    if size > 1 and len(record_key.split(keys.SEPARATOR)) != size:
        raise HoldError(
            f"The key of {dataset} has {size} columns.",
            fix=f"give as many values, in the order of policy/data_map.yaml, with {keys.SEPARATOR} between them.",
        )


def _written(connection: sa.Connection, what: str, written: sa.ColumnElement[str] | None) -> str:
    """A key as PostgreSQL writes it. The error of one that does not fit quotes it, so it goes no further."""
    refusal = HoldError(f"The {what} does not fit the column that it names.", fix="write it as the database shows it.")
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
        raise refusal
    return str(found)
