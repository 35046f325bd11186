"""The one way from state to state, for one request or for a hundred thousand.

The database refuses what is not in holdfast.request_state_change. Every change leaves a row in request_transition, and
is named in an entry of the ledger: up to MOVED_AT_ONCE requests in one, because each entry waits for the one before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from holdfast import queries, settings
from holdfast.deletion_requests.fields import CODE
from holdfast.deletion_requests.register import State
from holdfast.errors import RequestError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF

NIGHT, POLICY = "night", "policy"
"""Who changes a request without a person: the nightly run, and the policy that lets it approve small requests."""
MOVED_AT_ONCE = 1_000
_NOT_ALLOWED = "HF101"


def move(
    connection: sa.Connection,
    requests: Sequence[int],
    to: State,
    *,
    by: str,
    at: dt.datetime,
    run_id: int | None = None,
    facts: Mapping[str, ledger.JSON] | None = None,
) -> int:
    """Bring requests into a state; how many were not in it before. `by` is a user code, or NIGHT or POLICY.

    Raises RequestError if one of them may not go there, and then none has. They are locked until the transaction ends,
    and from the first entry on so is the ledger: nothing long should follow in the same transaction.
    """
    if not requests:
        return 0
    lock(connection, requests)
    values = {
        "requests": list(requests),
        "to_state": to.value,
        "at": at,
        "by_whom": by,
        "run_id": run_id,
        "at_once": MOVED_AT_ONCE,
    }
    refusal = None
    try:
        moved = queries.run(connection, "deletion_requests/request_move", values).all()
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        refusal = RequestError(
            f"One of the requests may not become {to}.", fix="see `holdfast request show` for where it is."
        )
    if refusal is not None:
        raise refusal
    for row in moved:
        written = {
            **(facts or {}),
            "requests": list(row.requests),
            "from": row.from_state,
            "to": to.value,
            "by": who(by),
        }
        ledger.append(connection, "request_changed", written, run_id)
    return sum(len(row.requests) for row in moved)


def lock(connection: sa.Connection, requests: Sequence[int]) -> None:
    """Let nobody else change these requests until the transaction ends."""
    queries.run(connection, "deletion_requests/request_lock", {"requests": list(requests)})


def who(by: str) -> str:
    """How the ledger names whoever did it: a person by pseudonym."""
    return by if by in (NIGHT, POLICY) else pseudonym(settings.load().pseudonym_key(), STAFF, by)


def require_person(by: str) -> None:
    """Raises RequestError unless `by` is the user code of a person."""
    if CODE.fullmatch(by) is None or by in (NIGHT, POLICY):
        raise RequestError(
            "Whoever does it is not given by a user code.",
            fix=f"use a letter, then up to 127 letters, digits and _ . : / -; not {NIGHT} or {POLICY}.",
        )
