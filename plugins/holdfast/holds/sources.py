"""Ask every hold source, every night, and mirror what it says if that is fresh, complete and well formed.

Anything else is never read as 'no hold'. The register keeps what that source said when it was last believed, and the
state says why it is not believed now, so that nothing that it could protect is deleted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import sqlalchemy as sa

from holdfast import database, queries
from holdfast.clock import Period
from holdfast.errors import DatabaseUnreachable, HoldError, HoldSourceUntrusted, QueryError
from holdfast.evidence import ledger
from holdfast.holds import source_query, staged, trust
from holdfast.holds.reach import Reach
from holdfast.holds.trust import Status
from holdfast.policy.model import HoldSource, Policy
from holdfast.policy.model.holds import BY_HAND
from holdfast.settings import Settings

PATIENCE = "15min"
"""How long one statement about a source may take: one that hangs must not keep the night from going on and telling."""


@dataclass(frozen=True)
class SourceState:
    """One source after a refresh. `read_holds` and `loaded_at` are None where it did not come to reading them.

    `placed`, `changed` and `ended` count holds of the register; `why` tells a person why a source is not believed and
    what to do, and names no hold.
    """

    source_id: str
    status: Status
    read_holds: int | None
    loaded_at: dt.datetime | None
    placed: int = 0
    changed: int = 0
    ended: int = 0
    why: str | None = None


@dataclass(frozen=True)
class _Asking:
    """What every source is asked with. `part` is what of the policy the database has."""

    policy: Policy
    part: Policy
    settings: Settings
    reach: Reach
    now: dt.datetime
    as_of: dt.date
    run_id: int | None


def refresh(
    engine: sa.Engine, policy: Policy, settings: Settings, *, now: dt.datetime, as_of: dt.date, run_id: int | None
) -> list[SourceState]:
    """Bring the register of `settings.database` up to date with every source, each in a transaction of its own.

    Returns their states. `now` is what a source's age is measured by, `as_of` the day whose holds are asked for.
    Placing and releasing are timed by the database's clock. Raises HoldError where active holds name what the policy
    (the whole of it) does not have, so that they would hold nothing; SettingsError, and none is asked, where nothing
    says where the database of one of them is.
    """
    _refuse_name(policy)
    asking = _Asking(policy, policy.at(settings.database), settings, Reach.of(policy), now, as_of, run_id)
    states = []
    for source in asking.part.holds.sources.values():
        settings.at(source.connection)  # where they are must be known before any is asked
    for source_id, source in asking.part.holds.sources.items():
        with database.transaction(engine) as connection:
            queries.run(connection, "holds/limit_time", {"limit": PATIENCE})
            states.append(_ask(connection, asking, source_id, source))
    with database.transaction(engine) as connection:
        _refuse_strays(connection, asking)
    return states


def _ask(connection: sa.Connection, asking: _Asking, source_id: str, source: HoldSource) -> SourceState:
    known = queries.run(connection, "holds/lock_source", {"source_id": source_id}).one()
    loaded_at: dt.datetime | None = None
    try:
        # What goes wrong within is undone, and then recorded.
        with connection.begin_nested(), _at_home(connection, asking, source_id, source) as home:
            loaded_at = source_query.loaded_at(home, asking.settings, source_id)
            fresh_at = trust.require_fresh(source_id, source, loaded_at, now=asking.now, clock=known.at)
            source_query.stage(home, asking.settings, source_id, asking.as_of)
            if home is not connection:
                source_query.bring(home, connection)
            found = staged.findings(connection, asking.part, asking.reach, source.types)
            holds = found.holds
            trust.require_no_faults(source_id, holds, found.faults)
            if source_id != BY_HAND:
                loaded_again = source_query.loaded_at(home, asking.settings, source_id)
                trust.require_same_load(source_id, fresh_at, loaded_again)
                trust.require_not_shrunk(source_id, source, holds, known.accepted_holds or 0, known.accept_holds)
            values = {"source_id": source_id, "types": _types(asking)}
            write = "holds/add_by_hand" if source_id == BY_HAND else "holds/mirror"
            mirrored = queries.run(connection, write, values).one()
    except (HoldSourceUntrusted, QueryError, sa.exc.DBAPIError) as error:
        refusal = trust.refusal_for(source_id, error)
    else:
        return _record_trusted(connection, asking, SourceState(source_id, Status.TRUSTED, holds, loaded_at, *mirrored))
    return _record_refusal(connection, asking, source_id, loaded_at, refusal)


@contextmanager
def _at_home(connection: sa.Connection, asking: _Asking, source_id: str, source: HoldSource) -> Iterator[sa.Connection]:
    """A connection to the database that has the source's tables: ours, or another, as the role that we work as here.

    One that does not answer, or is lost on the way, is a source that is not believed, and no failure of ours.
    """
    if source.connection == asking.settings.database:
        yield connection
        return
    there = asking.settings.at(source.connection)
    role = queries.run(connection, "roles/working_as").scalar_one()
    try:
        engine = database.connect_migrated(there, role)
        try:
            with database.transaction(engine) as home:
                queries.run(home, "holds/limit_time", {"limit": PATIENCE})
                yield home
        finally:
            engine.dispose()
    except (DatabaseUnreachable, psycopg.Error, sa.exc.DBAPIError) as error:
        if isinstance(error, sa.exc.DBAPIError) and not error.connection_invalidated:
            raise
        raise HoldSourceUntrusted(
            f"The database {source.connection}, which has the hold source {source_id}, was not there to be read.",
            fix="make it reachable from here; the next refresh reads it.",
            reason="database_unreachable",
        ) from error


def _types(asking: _Asking) -> str:
    """What the policy adds to a hold of each type. One without an end is to be looked at again on `review_on`."""
    return json.dumps(
        [
            {
                "hold_type": name,
                "authority": kind.authority.value,
                "disclosable": kind.disclosable,
                "review_on": Period.parse(kind.review_after).after(asking.as_of).isoformat(),
            }
            for name, kind in asking.policy.holds.types.items()
        ]
    )


def _record_trusted(connection: sa.Connection, asking: _Asking, state: SourceState) -> SourceState:
    _record(connection, state)
    facts: dict[str, ledger.JSON] = {
        "source": state.source_id,
        "loaded_at": _iso(state.loaded_at),
        "holds": state.read_holds,
        "placed": state.placed,
        "changed": state.changed,
        "ended": state.ended,
    }
    ledger.append(connection, "holds_refreshed", facts, asking.run_id)
    return state


def _record_refusal(
    connection: sa.Connection,
    asking: _Asking,
    source_id: str,
    loaded_at: dt.datetime | None,
    refusal: HoldSourceUntrusted,
) -> SourceState:
    found = cast("dict[str, Any]", refusal.facts)
    status = trust.STATUS_OF.get(found["reason"], Status.FAILED)
    state = SourceState(source_id, status, found.get("holds"), loaded_at, why=str(refusal))
    _record(connection, state)
    facts: dict[str, ledger.JSON] = {
        "source": source_id, "status": status.value, "loaded_at": _iso(loaded_at), **found,
    }  # fmt: skip
    ledger.append(connection, "hold_source_untrusted", facts, asking.run_id)
    return state


def _record(connection: sa.Connection, state: SourceState) -> None:
    values = {
        "source_id": state.source_id,
        "status": state.status.value,
        "loaded_at": state.loaded_at,
        "read_holds": state.read_holds,
    }
    queries.run(connection, "holds/record_source", values)


def _refuse_name(policy: Policy) -> None:
    if BY_HAND in policy.holds.sources:
        raise HoldError(
            f"A hold source is called {BY_HAND}, as are the holds that people place.",
            fix="give the source another name in policy/holds.yaml.",
        )


def _refuse_strays(connection: sa.Connection, asking: _Asking) -> None:
    """After a change of policy, a hold of a type or on a dataset that is gone would be there and hold nothing."""
    values = {
        "as_of": asking.as_of,
        "types": list(asking.policy.holds.types),
        "datasets": list(asking.reach.key_sizes),
        "deaf": asking.reach.deaf_as_text(),
    }
    strays = queries.run(connection, "holds/strays", values).all()
    if strays:
        listed = ", ".join(f"{row.holds} {row.hold_type} of {row.source_id}" for row in strays)
        raise HoldError(
            f"Active holds name a type or a dataset of which no rule takes notice: {listed}.",
            fix="put the type or the dataset back into the policy, or release these holds.",
        )


def _iso(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat() if moment else None
