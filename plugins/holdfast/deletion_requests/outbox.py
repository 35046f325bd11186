"""The outbox of notices to recipients (UK GDPR Art 19): each is delivered at least once, and followed to its answer.

Two notices of one thing carry the same number, by which the recipient knows them as one. A notice has no personal data
but pseudonyms, made for its recipient alone, so that two recipients cannot put theirs together.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.deletion_requests.recipients import ToTell
from holdfast.errors import HoldfastError, RequestError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.settings import Settings

SENT_AT_ONCE = 100
"""So many notices share a transaction, and so many at most are sent again after a crash."""


class Outcome(enum.StrEnum):
    """How a notice ended: the recipient answered, or need not or cannot be told (UK GDPR Art 19)."""

    ACKNOWLEDGED = "acknowledged"
    IMPOSSIBLE = "impossible"
    DISPROPORTIONATE = "disproportionate"
    NOT_REQUIRED = "not_required"


@dataclass(frozen=True)
class Notice:
    """What a recipient is told. `categories` are those of `datasets` that it was given.

    Of those `in_part` something stays: copies of them must not be erased on this notice alone.

    `request` and `subject` are pseudonyms for this recipient; a transport whose recipient knows customers by another
    name finds that by `request_id`, which it must not send.
    """

    notice_id: int
    request_id: int
    recipient: str
    kind: Literal["erased", "restricted", "emergency_cease"]
    request: str
    subject: str
    datasets: tuple[str, ...]
    in_part: tuple[str, ...]
    categories: tuple[str, ...]
    queued_at: dt.datetime


Transport: TypeAlias = Callable[[Notice], None]
"""Sends a notice. Raises OSError (as smtplib does) or HoldfastError if it was not taken."""


@dataclass(frozen=True)
class Delivered:
    """What a night sent, and what could not be sent and is tried again the next night."""

    sent: int
    failed: int


@dataclass(frozen=True)
class Ageing:
    """The notices of one recipient that are open: not sent yet, and sent but not answered, by the days since."""

    recipient: str
    kind: str
    unsent: int
    unanswered: int
    within_7_days: int
    within_30_days: int
    older: int
    oldest_sent_at: dt.datetime | None


@dataclass(frozen=True)
class Unanswered:
    """A notice that its recipient should have answered by now."""

    notice_id: int
    request_id: int
    recipient: str
    kind: str
    sent_at: dt.datetime | None
    attempts: int
    failure: str | None


def queue(connection: sa.Connection, tell: Sequence[ToTell], run_id: int, *, now: dt.datetime) -> int:
    """Put into the outbox what was erased and has no notice yet, and what the run found restricted; the new notices.

    Doing it again adds nothing. A notice of this run that lacks what was erased since is completed and sent again.
    Earlier nights are gone through again only where the policy tells somebody else than it did then.
    What a hold keeps that must not be disclosed is told as erased, once. Whoever need not be told is noted as such.
    """
    told = json.dumps([dataclasses.asdict(one) for one in tell])
    values = {"run_id": run_id, "now": now, "tell": told}
    digest = {"digest": hashlib.sha256(told.encode()).hexdigest()}
    erased = queries.run(connection, "deletion_requests/notice_queue_erased", {**values, **digest}).rowcount
    restricted = queries.run(connection, "deletion_requests/notice_queue_restricted", values).rowcount
    return erased + restricted


def deliver(engine: sa.Engine, settings: Settings, transport: Transport, *, now: dt.datetime) -> Delivered:
    """Send every notice that is due, some at a time in one transaction: at least once, and once tonight if it fails.

    A crash between sending and noting it sends the notices of that transaction again. Several may deliver at once.
    """
    sent = failed = last = 0
    while True:
        with database.transaction(engine) as connection:
            # To look for the next ones among those before them again would take ever longer.
            values = {"after_notice": last, "now": now, "at_once": SENT_AT_ONCE}
            rows = queries.run(connection, "deletion_requests/notice_take", values).all()
            if not rows:
                return Delivered(sent, failed)
            last = rows[-1].notice_id
            taken, refused = _send([_notice(row, settings.pseudonym_key()) for row in rows], transport)
            if refused:
                values = {"notices": list(refused), "failures": list(refused.values()), "now": now}
                queries.run(connection, "deletion_requests/notice_failed", values)
            if taken:
                values = {"notices": [one.notice_id for one in taken], "now": now}
                queries.run(connection, "deletion_requests/notice_sent", values)
                _record(connection, taken)
            sent, failed = sent + len(taken), failed + len(refused)


def answer(connection: sa.Connection, notice_id: int, outcome: Outcome, *, now: dt.datetime) -> bool:
    """Record how a notice ended. False: it was recorded before; the first answer stands.

    Raises RequestError for a notice that does not exist, or is acknowledged before it was sent.
    """
    values = {"notice_id": notice_id, "outcome": outcome.value, "now": now}
    row = queries.run(connection, "deletion_requests/notice_answer", values).one_or_none()
    if row is None:
        raise RequestError(f"There is no notice {notice_id}.", fix="look up its number in the outbox.")
    if row.was_unsent and outcome is Outcome.ACKNOWLEDGED:
        raise RequestError(
            f"Notice {notice_id} has not been sent, so nobody can have answered it.", fix="check the number."
        )
    if row.is_new:
        ledger.append(connection, "recipient_answered", {"notice": notice_id, "outcome": outcome.value})
    return bool(row.is_new)


def ageing(connection: sa.Connection, *, now: dt.datetime) -> tuple[Ageing, ...]:
    """The open notices by recipient and kind, those with the oldest first."""
    rows = queries.run(connection, "deletion_requests/notice_ageing", {"now": now})
    return tuple(Ageing(**row._mapping) for row in rows)


def unanswered(connection: sa.Connection, *, before: dt.datetime) -> tuple[Unanswered, ...]:
    """The notices queued before a moment and still open, oldest first: a break that the report names."""
    rows = queries.run(connection, "deletion_requests/notice_unanswered", {"before": before})
    return tuple(Unanswered(**row._mapping) for row in rows)


def _send(notices: Sequence[Notice], transport: Transport) -> tuple[list[Notice], dict[int, str]]:
    """Those that were taken, and the kind of error of each that was not."""
    taken: list[Notice] = []
    refused: dict[int, str] = {}
    for notice in notices:
        try:
            transport(notice)
        except (OSError, HoldfastError) as error:
            refused[notice.notice_id] = type(error).__name__
        else:
            taken.append(notice)
    return taken, refused


def _record(connection: sa.Connection, taken: Sequence[Notice]) -> None:
    """One entry of the ledger for all that say the same to the same recipient: each entry waits for the one before."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[Notice]] = {}
    for notice in taken:
        alike.setdefault((notice.recipient, notice.kind, notice.datasets), []).append(notice)
    for (recipient, kind, datasets), notices in alike.items():
        facts: dict[str, ledger.JSON] = {
            "notices": [one.notice_id for one in notices],
            "requests": [one.request_id for one in notices],
            "recipient": recipient,
            "kind": kind,
            "datasets": list(datasets),
        }
        ledger.append(connection, "recipient_notified", facts)


def _notice(row: sa.Row[Any], key: bytes) -> Notice:
    purpose = f"notice-{row.recipient}"
    return Notice(
        notice_id=row.notice_id,
        request_id=row.request_id,
        recipient=row.recipient,
        kind=row.kind,
        request=pseudonym(key, purpose, f"request {row.reference}"),
        subject=pseudonym(key, purpose, f"subject {row.subject_key}"),
        datasets=tuple(row.datasets),
        in_part=tuple(row.in_part),
        categories=tuple(row.categories),
        queued_at=row.queued_at,
    )
