"""Is a hold source to be believed tonight? Pure: each check raises HoldSourceUntrusted, with one of few reasons.

The facts of the error go into the ledger, so they are codes, counts and moments; its text is for people.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal

import sqlalchemy as sa

from holdfast.errors import HoldSourceUntrusted, QueryError, sqlstate
from holdfast.policy.model import HoldSource

CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""A source that was complete later than this from now has another clock than we, and its age means nothing."""
_REASON_OF_SQLSTATE: Mapping[str | None, str] = {"42P01": "table_missing", "57014": "took_too_long"}
"""The second: over our limit of time, or ended by an administrator who saw it hang. Anything else is `query_failed`."""


class Status(enum.StrEnum):
    """What came of asking a source. Only what is trusted is mirrored; anything else stops what it could protect."""

    TRUSTED = "trusted"
    STALE = "stale"
    MISSING = "missing"
    FAILED = "failed"
    SHRUNK = "shrunk"


STATUS_OF: Mapping[str, Status] = {
    "file_missing": Status.MISSING,
    "table_missing": Status.MISSING,
    "never_loaded": Status.MISSING,
    "stale": Status.STALE,
    "shrunk": Status.SHRUNK,
}
"""By the reason. Every other reason is a failure."""


def require_fresh(
    source_id: str, source: HoldSource, loaded_at: dt.datetime | None, *, now: dt.datetime, clock: dt.datetime
) -> dt.datetime:
    """When the source was last complete, if that is recent enough at `now`; `clock` is the database's."""
    if loaded_at is None:
        raise HoldSourceUntrusted(
            f"Hold source {source_id} says that it was never complete.",
            fix="load it, or let the load that is under way end, and refresh again.",
            reason="never_loaded",
        )
    if loaded_at > max(now, clock) + CLOCKS_DIFFER:
        raise HoldSourceUntrusted(
            f"Hold source {source_id} says that it was complete at {loaded_at.isoformat()}, which has not come yet.",
            fix="set the clocks of the source and of the database right.",
            reason="loaded_in_future",
        )
    if now - loaded_at > dt.timedelta(hours=source.max_age_hours):
        raise HoldSourceUntrusted(
            f"Hold source {source_id} was last complete at {loaded_at.isoformat()}, which is more than "
            f"{source.max_age_hours} hours ago.",
            fix="find out why it was not loaded since, load it and refresh again.",
            reason="stale",
        )
    return loaded_at


def require_same_load(source_id: str, before: dt.datetime, after: dt.datetime | None) -> None:
    """A source that is loaded anew between two of our statements may have shown half of its holds."""
    if before != after:
        raise HoldSourceUntrusted(
            f"Hold source {source_id} was loaded while it was read.",
            fix="refresh again once the load has ended.",
            reason="loaded_while_read",
        )


def require_no_faults(source_id: str, holds: int, faults: Mapping[str, int]) -> None:
    """One hold that cannot be recorded exactly refuses them all: which one is lost otherwise, nobody would know."""
    if faults:
        listed = ", ".join(f"{count} x {code}" for code, count in faults.items())
        raise HoldSourceUntrusted(
            f"Hold source {source_id} reports holds that cannot be recorded exactly: {listed}.",
            fix=f"correct them in the source or in sql/provider/holds/{source_id}.sql; "
            "docs/decisions/0004-holds.md says what each fault means.",
            reason="malformed_holds",
            holds=holds,
            faults=dict(faults),
        )


def require_not_shrunk(source_id: str, source: HoldSource, holds: int, accepted: int, expected: int | None) -> None:
    """Fewer holds than the bound allows are believed only if a person accepted exactly that many (`expected`)."""
    if has_shrunk(holds, accepted, source.max_shrink) and holds != expected:
        raise HoldSourceUntrusted(
            f"Hold source {source_id} had {accepted} holds when it was last believed and has {holds} now.",
            fix=f"find out why; if it is right, `holdfast hold accept {source_id} {holds}` and refresh again.",
            reason="shrunk",
            holds=holds,
            accepted=accepted,
        )


def has_shrunk(holds: int, accepted: int, max_shrink: float) -> bool:
    """Whether more than the share `max_shrink` of the holds last believed is gone. Losing all of them always counts."""
    if holds == 0:
        return accepted > 0
    return holds < accepted * (1 - Decimal(str(max_shrink)))


def refusal_for(source_id: str, error: HoldSourceUntrusted | QueryError | sa.exc.DBAPIError) -> HoldSourceUntrusted:
    """What went wrong while asking, as a reason. Of a database error only type and code: its message quotes values.

    An error that ended the connection is raised again: then nothing can be recorded either.
    """
    match error:
        case HoldSourceUntrusted():
            return error
        case QueryError():
            return HoldSourceUntrusted(error.what, fix=error.fix, reason="wrong_shape")
    if error.connection_invalidated:
        raise error
    kind, code = type(error.orig).__name__, sqlstate(error)
    return HoldSourceUntrusted(
        f"Hold source {source_id} could not be read: {kind}, SQLSTATE {code}.",
        fix=f"run sql/provider/holds/{source_id}.sql and {source_id}_freshness.sql by hand to see the message.",
        reason=_REASON_OF_SQLSTATE.get(code, "query_failed"),
        error=kind,
        sqlstate=f"sqlstate-{code}",
    )
