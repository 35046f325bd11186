"""Holds that people place and release, in every database of an installation.

No transaction spans two databases. So a hold is committed in the main register last, and its release there first: what
the main register shows, and nothing else is ever acknowledged, is in force everywhere. Nothing is committed anywhere
before every database has taken it; should one fail at that very moment, the error says that the hold is not in force,
and the same command, given again, completes it (docs/decisions/0018-several-databases.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import sqlalchemy as sa

from holdfast import database
from holdfast.errors import DatabaseUnreachable, HoldError
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason
from holdfast.policy.model import Policy
from holdfast.settings import MAIN, Settings

_Made = TypeVar("_Made")
Engines = Mapping[str, sa.Engine]
"""Every database of the installation by name."""


def engines(settings: Settings, policy: Policy, role: str | None = None) -> dict[str, sa.Engine]:
    """An engine for each database of the policy. Raises DatabaseUnreachable if one does not answer."""
    return {name: database.connect_migrated(settings.at(name), role) for name in policy.data_map.databases}


def place(engines: Engines, one: Callable[[sa.Connection, str], int]) -> int:
    """Place a hold by `one`, which gets a connection and its database's name; its number in the main register.

    Raises HoldError or DatabaseUnreachable; then the hold is not in force.
    """
    with _all_at_once(engines, [*(name for name in engines if name != MAIN), MAIN], "The hold is not in force") as each:
        return [one(connection, name) for name, connection in each.items()][-1]


def release(engines: Engines, policy: Policy, hold: int | str, *, released_by: str, reason: ReleaseReason) -> int:
    """Release a hold, given by the main register's number or by reference; that number.

    Raises HoldError or DatabaseUnreachable; then some database may still keep what it covered.
    """
    order = [MAIN, *(name for name in engines if name != MAIN)]
    with _all_at_once(engines, order, "The hold is released in part") as each:
        found = register.find(each[MAIN], hold)
        left = {name: number for name in order[1:] if (number := _number_of(each[name], found)) is not None}
        # In the order of placing, whatever the order of the commits: no two people may wait for each other.
        for name, number in left.items():
            register.release(each[name], policy, number, released_by=released_by, reason=reason)
        if not found.is_released or not left:
            register.release(each[MAIN], policy, found.hold_id, released_by=released_by, reason=reason)
    return found.hold_id


def accept_shrink(engines: Engines, source_id: str, holds: int, accepted_by: str) -> None:
    """As `register.accept_shrink`, in every database that refused the source for that; HoldError if none did."""
    accepted = 0
    refusal: HoldError | None = None
    for engine in engines.values():
        try:
            with database.transaction(engine) as connection:
                register.accept_shrink(connection, source_id, holds, accepted_by)
            accepted += 1
        except HoldError as error:
            refusal = error
    if refusal is not None and not accepted:
        raise refusal


def _number_of(connection: sa.Connection, hold: register.Found) -> int | None:
    """The same hold's number in another database's register; None if it is not there or is released."""
    try:
        there = register.find(connection, hold.reference)
    except HoldError:
        return None
    return None if there.is_released or there.source_id != hold.source_id else there.hold_id


@contextmanager
def _all_at_once(engines: Engines, order: list[str], otherwise: str) -> Iterator[dict[str, sa.Connection]]:
    """One transaction in each database, committed in this order once all has been said; rolled back if it has not."""
    with ExitStack() as stack:
        each = {name: stack.enter_context(engines[name].connect()) for name in order}
        begun = {name: connection.begin() for name, connection in each.items()}
        yield each
        for done, (name, transaction) in enumerate(begun.items()):
            try:
                transaction.commit()
            except sa.exc.DBAPIError as error:
                raise DatabaseUnreachable(
                    f"{otherwise}: {done} of {len(order)} databases have it, and {name} was lost before it said so.",
                    fix="give the same command again once that database is there; it completes what is missing.",
                ) from error
