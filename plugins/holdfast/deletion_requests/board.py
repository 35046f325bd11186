"""Deletion requests as a board: how many in which state, how near to their deadlines, and the most urgent. Pure.

And the course of one of them. A request that was carried out is told as that and no more: that something of it stays
may be because of a hold that must not be disclosed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.deletion_requests.deadlines import (
    AGEING,
    ON_TRACK,
    OVERDUE,
    WAITING,
    Deadline,
    Moments,
    Terms,
    Waiting,
    clock_of,
)
from holdfast.deletion_requests.register import State, Transition

CARRIED_OUT = "carried out"
_ENDS_WELL = (State.PARTLY_COMPLETED, State.COMPLETED)


@dataclass(frozen=True)
class Card:
    """One request that is not answered. Without a deadline `waits_for` says what its clock waits for."""

    request_id: int
    state: State
    channel: str
    received_on: dt.date
    alert: str
    due_on: dt.date | None
    days_left: int | None
    waits_for: str | None
    duplicate_of: int | None


@dataclass(frozen=True)
class Step:
    """Something that happened to a request."""

    at: dt.datetime
    what: str
    by: str | None = None
    run_id: int | None = None


def levels(terms: Terms) -> tuple[str, ...]:
    """How near a deadline can be, the most urgent first."""
    within = (f"within_{days}_days" for days in sorted(terms.rules.clock.alert_days))
    return (OVERDUE, *within, ON_TRACK, AGEING, WAITING)


def cards(rows: Iterable[Any], terms: Terms, today: dt.date) -> list[Card]:
    """The cards of requests as `pages/requests_open` gives them, the most urgent first."""
    found = []
    for row in rows:
        clock = clock_of(_moments(row), terms)
        deadline = clock if isinstance(clock, Deadline) else None
        found.append(
            Card(
                request_id=row.request_id,
                state=State(row.state),
                channel=row.channel,
                received_on=terms.day_of(row.received_at),
                alert=clock.alert(today, terms.rules),
                due_on=deadline.due_on if deadline else None,
                days_left=deadline.days_left(today) if deadline else None,
                waits_for=clock.waits_for if isinstance(clock, Waiting) else None,
                duplicate_of=row.duplicate_of,
            )
        )
    return sorted(found, key=lambda card: (card.due_on or dt.date.max, card.received_on, card.request_id))


def by_state_and_level(found: Iterable[Card]) -> Counter[tuple[State, str]]:
    """How many of the cards are where."""
    return Counter((card.state, card.alert) for card in found)


def course(changes: Sequence[Transition], letters: Iterable[Any], notices: Iterable[Any]) -> list[Step]:
    """What happened, oldest first: changes of state, letters to the person, notices to recipients and their answers."""
    steps: list[Step] = []
    for one in changes:
        told = CARRIED_OUT if one.to_state in _ENDS_WELL else one.to_state.value.replace("_", " ")
        if told != CARRIED_OUT or not any(step.what == CARRIED_OUT for step in steps):
            steps.append(Step(one.at, told, one.by_whom, one.run_id))
    for one in letters:
        steps.append(Step(one.written_at, f"letter written: {one.kind}"))
    for one in notices:
        kind = one.kind.replace("_", " ")
        if one.sent_at is not None:
            steps.append(Step(one.sent_at, f"{one.recipient} told: {kind}"))
        if one.outcome_at is not None:
            steps.append(Step(one.outcome_at, f"{one.recipient} on {kind}: {one.outcome.replace('_', ' ')}"))
    return sorted(steps, key=lambda step: step.at)


def standing(state: State) -> str:
    """Where a request is, as it may be told."""
    return CARRIED_OUT if state in _ENDS_WELL else state.value.replace("_", " ")


def _moments(row: Any) -> Moments:
    return Moments(
        received_at=row.received_at,
        identity_requested_at=row.identity_requested_at,
        identity_received_at=row.identity_received_at,
        fee_requested_at=row.fee_requested_at,
        fee_paid_at=row.fee_paid_at,
        extension_notified_at=row.extension_notified_at,
    )
