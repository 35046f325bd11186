"""The confirmation of one request for the file and the auditor: what was done, who was told, and where it is proved.

It tells what a letter may tell (holdfast.request_told_gone), so that it cannot give away a hold that must not be named.
For the same reason it does not tell a partly completed request from a completed one. It names no customer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import register
from holdfast.deletion_requests.register import Request, State
from holdfast.errors import RequestError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import SUBJECT
from holdfast.policy.wording import title
from holdfast.reports import html

_OUTCOMES = {
    State.PARTLY_COMPLETED: "carried out",
    State.COMPLETED: "carried out",
    State.REFUSED: "refused",
    State.WITHDRAWN: "withdrawn by the account holder",
}


@dataclass(frozen=True)
class Confirmation:
    """What may be said of a decided request; rows are those of the queries `confirmation_*`."""

    request: Request
    subject: str
    outcome: str
    decided_at: dt.datetime
    gone: Sequence[Any]
    letters: Sequence[Any]
    notices: Sequence[Any]


def compose(connection: sa.Connection, request_id: int, key: bytes) -> Confirmation:
    """Read the request. Raises RequestError if it is not decided yet."""
    request = register.get(connection, request_id)
    if request.state not in _OUTCOMES:
        raise RequestError(
            f"Request {request_id} is {request.state.value}: there is nothing to confirm yet.",
            fix="wait until it is carried out, refused or withdrawn.",
        )
    given = {"request_id": request_id}
    changes = queries.run(connection, "deletion_requests/request_transitions", given).all()
    return Confirmation(
        request=request,
        subject=pseudonym(key, SUBJECT, request.subject_key),
        outcome=_OUTCOMES[request.state],
        decided_at=next(one.at for one in changes if State(one.to_state) in _OUTCOMES),
        gone=queries.run(connection, "deletion_requests/confirmation_gone", given).all(),
        letters=queries.run(connection, "deletion_requests/confirmation_letters", given).all(),
        notices=queries.run(connection, "deletion_requests/confirmation_notices", given).all(),
    )


def page_of(confirmation: Confirmation, zone: str) -> str:
    """The page to print and file."""
    template = Path(__file__).with_name("confirmation.html.j2")
    return html.render(template, {"one": confirmation, "title": title}, zone=zone)
