"""Which requests must be answered by when: what compliance works through, the most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast.deletion_requests.deadlines import Deadline, Terms, Waiting, clock_of
from holdfast.deletion_requests.register import UNANSWERED, LettersEnded, Request, State, in_states

_NO_LETTER = {
    LettersEnded.NO_ADDRESS: "No letter about its end could be written: nobody knows an address."
    " Tell the person the way they wrote.",
    LettersEnded.TOLD_BEFORE_RESTORE: "It was entered again after a restore: its letters had been written before.",
}


@dataclass(frozen=True)
class Item:
    """One request that is not answered yet. `alert` is one of the levels of `Deadline.alert` and `Waiting.alert`."""

    request_id: int
    state: State
    received_on: dt.date
    clock: Deadline | Waiting
    alert: str

    @property
    def due_on(self) -> dt.date | None:
        """The last day; None while the clock waits."""
        return self.clock.due_on if isinstance(self.clock, Deadline) else None


def agenda(connection: sa.Connection, terms: Terms, today: dt.date) -> list[Item]:
    """Every request that is not answered, by its last day; those whose clock waits come last, the oldest first."""
    items = []
    for request in in_states(connection, UNANSWERED):
        clock = clock_of(request.moments, terms)
        received_on = terms.day_of(request.moments.received_at)
        items.append(Item(request.request_id, request.state, received_on, clock, clock.alert(today, terms.rules)))
    return sorted(items, key=lambda item: (item.due_on or dt.date.max, item.received_on, item.request_id))


def status_of(request: Request, terms: Terms) -> Iterator[str]:
    """Where a request is and by when it must be answered, in sentences for whoever works on it."""
    yield f"Request {request.request_id} is {request.state}."
    if request.duplicate_of is not None:
        yield f"It repeats request {request.duplicate_of}, which was open when it came."
    if request.letters_ended is not None:
        yield _NO_LETTER[request.letters_ended]
    if request.state not in UNANSWERED:
        return
    clock = clock_of(request.moments, terms)
    if isinstance(clock, Waiting):
        yield f"Its clock waits for the {clock.waits_for} since {clock.since}."
    else:
        yield f"It must be answered by {clock.due_on}, and is meant to be by {clock.internal_target}."
    if request.withdraw_until is not None:
        yield f"It can be withdrawn until {request.withdraw_until}."
