"""The register of holds: place one by hand, release it, say that a source has rightly shrunk, and read.

Every change is one transaction of the caller's with its ledger entry written last. Subjects and people appear in the
ledger as pseudonyms only.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries, settings
from holdfast.clock import Period, local_date
from holdfast.errors import HoldError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import by_hand
from holdfast.holds.by_hand import Scope
from holdfast.policy.model import Policy
from holdfast.policy.model.holds import BY_HAND

SUBJECT = "subject"
"""The purpose of pseudonyms of data subjects in the ledger."""
STAFF = "staff"
"""The purpose of pseudonyms of people who act on the register."""


class ReleaseReason(enum.StrEnum):
    """Why a hold is released. A closed list: text that a person writes may name people, and the ledger keeps it."""

    ENDED = "ended"  # the matter is over
    WITHDRAWN = "withdrawn"  # whoever asked for it needs it no longer
    SUPERSEDED = "superseded"  # another hold has taken its place
    MISTAKE = "mistake"  # it should not have been placed
    SOURCE_RETIRED = "source_retired"  # the system that knew it is no hold source any more


@dataclass(frozen=True)
class Hold:
    """A hold of the register. A scope that is None has no limit of that kind; `ends_on` is the last day it holds."""

    hold_id: int
    source_id: str
    reference: str
    hold_type: str
    authority: str
    ground: str
    disclosable: bool
    subject_key: str | None
    datasets: tuple[str, ...] | None
    record_key: str | None
    period_from: dt.date | None
    period_to: dt.date | None
    ends_on: dt.date | None
    review_on: dt.date | None
    placed_at: dt.datetime
    released_at: dt.datetime | None


@dataclass(frozen=True)
class Found:
    """A hold that somebody named. Its number is of this database's register, its reference of every one's."""

    hold_id: int
    source_id: str
    reference: str
    hold_type: str
    authority: str
    is_released: bool


@dataclass(frozen=True)
class HoldCount:
    """The active holds of one type: how many, on how many subjects, the first day one ends, reviews overdue."""

    authority: str
    hold_type: str
    holds: int
    subjects: int
    next_end: dt.date | None
    reviews_overdue: int


@dataclass(frozen=True)
class KnownSource:
    """A hold source as it was last asked. `accepted_holds` is the size of the last read that was believed."""

    source_id: str
    status: str
    checked_at: dt.datetime
    loaded_at: dt.datetime | None
    read_holds: int | None
    accepted_holds: int | None
    accept_holds: int | None


def place(
    connection: sa.Connection,
    policy: Policy,
    *,
    hold_type: str,
    reference: str,
    placed_by: str,
    subject_key: str | None = None,
    datasets: Sequence[str] | None = None,
    record_key: str | None = None,
    period_from: dt.date | None = None,
    period_to: dt.date | None = None,
    ends_on: dt.date | None = None,
    review_on: dt.date | None = None,
    ground: str | None = None,
    database: str = settings.MAIN,
) -> int:
    """Place a hold by hand in the register of one database; its number there. It holds once the caller has committed.

    `ground` is a code and the policy's own ground for the type unless given. A hold without an end is to be looked at
    again on `review_on`, by default after the type's `review_after`. Raises HoldError for whatever could not hold.
    Other databases than the main one may have the very same hold already, from an attempt that did not reach them all.
    """
    given = Scope(subject_key, None if datasets is None else tuple(datasets), record_key, period_from, period_to)
    kind = by_hand.type_of(policy, hold_type)
    today = local_date(queries.run(connection, "holds/clock").scalar_one(), policy.schedule.time_zone)
    by_hand.require_codes(reference=reference, placed_by=placed_by, ground=ground)
    by_hand.require_end(ends_on, today)
    scope = by_hand.checked(connection, policy, hold_type, given, database)
    if review_on is None and ends_on is None:
        review_on = Period.parse(kind.review_after).after(today)
    hold = {
        **dataclasses.asdict(scope),
        "reference": reference,
        "hold_type": hold_type,
        "authority": kind.authority.value,
        "ground": ground or by_hand.GROUND_OF_TYPE,
        "disclosable": kind.disclosable,
        "ends_on": ends_on,
        "review_on": review_on,
        "placed_by": placed_by,
    }
    values = {"source_id": BY_HAND, "hold": json.dumps(hold, default=dt.date.isoformat)}
    hold_id = queries.run(connection, "holds/place", values).scalar_one_or_none()
    same = None
    if hold_id is None and database != settings.MAIN:
        same = queries.run(connection, "holds/same", values).scalar_one_or_none()
    if same is not None:
        return int(same)
    if hold_id is None:
        raise HoldError(
            f"A hold was placed under the reference {reference} before.",
            fix="give it a reference of its own; one that was released is not used again.",
        )
    facts: dict[str, ledger.JSON] = {
        "hold": hold_id,
        "type": hold_type,
        "authority": kind.authority.value,
        "scope": scope.kind,
        "period": scope.has_period,
        "subject": None if scope.subject_key is None else _pseudonym(SUBJECT, scope.subject_key),
        "by": _pseudonym(STAFF, placed_by),
    }
    ledger.append(connection, "hold_placed", facts)
    return int(hold_id)


def release(
    connection: sa.Connection, policy: Policy, hold: int | str, *, released_by: str, reason: ReleaseReason
) -> int:
    """Release a hold in the register of one database, given by number or reference; its number there.

    A run that has begun still counts it. Raises HoldError for a hold that a source reports: only there it can end. One
    whose source is gone from the policy is released by hand, with the reason `source_retired`.
    """
    by_hand.require_codes(released_by=released_by)
    found = find(connection, hold)
    if found.source_id in policy.holds.sources:
        raise HoldError(
            f"Hold {found.hold_id} is reported by the source {found.source_id}, which would report it again.",
            fix="end it in that system; the next refresh releases it here.",
        )
    if (found.source_id != BY_HAND) != (reason is ReleaseReason.SOURCE_RETIRED):
        raise HoldError(
            f"Hold {found.hold_id} came from {found.source_id}; the reason {reason} does not go with that.",
            fix=f"use {ReleaseReason.SOURCE_RETIRED} for holds of a source that is gone, and for no others.",
        )
    values = {"hold_id": found.hold_id, "released_by": released_by}
    if queries.run(connection, "holds/release", values).one_or_none() is None:
        raise HoldError(f"Hold {found.hold_id} is released already.", fix="nothing is left to do.")
    facts: dict[str, ledger.JSON] = {
        "hold": found.hold_id,
        "type": found.hold_type,
        "authority": found.authority,
        "reason": reason.value,
        "by": _pseudonym(STAFF, released_by),
    }
    ledger.append(connection, "hold_released", facts)
    return int(found.hold_id)


def find(connection: sa.Connection, hold: int | str) -> Found:
    """The hold with this number or this reference; one placed by hand comes first. Raises HoldError without one."""
    number, reference = (hold, None) if isinstance(hold, int) else (None, hold)
    values = {"hold_id": number, "reference": reference, "by_hand": BY_HAND}
    row = queries.run(connection, "holds/find", values).one_or_none()
    if row is None:
        raise HoldError("There is no such hold.", fix="look it up with `holdfast hold list`.")
    return Found(**row._mapping)


def accept_shrink(connection: sa.Connection, source_id: str, holds: int, accepted_by: str) -> None:
    """Say that a source which was refused for having shrunk is right to have `holds` holds.

    The next refresh believes it if it still has exactly that many. Raises HoldError if that is not what was read.
    """
    by_hand.require_codes(accepted_by=accepted_by)
    accepted = queries.run(connection, "holds/accept", {"source_id": source_id, "holds": holds}).one_or_none()
    if accepted is None:
        raise HoldError(
            f"Hold source {source_id} was not refused for having shrunk to {holds} holds.",
            fix="accept the number that `holdfast hold sources` shows, for a source that it shows as shrunk.",
        )
    facts: dict[str, ledger.JSON] = {"source": source_id, "holds": holds, "by": _pseudonym(STAFF, accepted_by)}
    ledger.append(connection, "hold_source_accepted", facts)


def listed(
    connection: sa.Connection,
    as_of: dt.date,
    *,
    nameable: Collection[str] | None = None,
    hold_type: str | None = None,
    ended: bool = False,
) -> list[Hold]:
    """Every hold that holds on a day, or with `ended` that ever did; of one type if it is given.

    `nameable` are the types that may be told of; without it, what must not be disclosed is among them.
    """
    values = {"as_of": as_of, "ended": ended, "hold_type": hold_type, "nameable": _sorted(nameable)}
    rows = queries.run(connection, "holds/listed", values).mappings()
    return [Hold(**{**row, "datasets": None if row["datasets"] is None else tuple(row["datasets"])}) for row in rows]


def counts(connection: sa.Connection, as_of: dt.date, *, nameable: Collection[str] | None = None) -> list[HoldCount]:
    """The holds that hold on a day, by type; `nameable` as in `listed`."""
    rows = queries.run(connection, "holds/counts", {"as_of": as_of, "nameable": _sorted(nameable)}).mappings()
    return [HoldCount(**row) for row in rows]


def source_states(connection: sa.Connection) -> list[KnownSource]:
    """Every source that was ever asked, as it was found the last time. One that is not among them is not believed."""
    return [KnownSource(**row) for row in queries.run(connection, "holds/source_states").mappings()]


def _sorted(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _pseudonym(purpose: str, value: str) -> str:
    return pseudonym(settings.load().pseudonym_key(), purpose, value)
