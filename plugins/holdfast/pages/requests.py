"""Deletion requests: a board by state and deadline, and of one request its matrix and what happened to it.

Nothing here is the person's: the account is the pseudonym that the ledger has. Of holds it says what a letter may say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.deletion_requests import board, moves, register, scope
from holdfast.deletion_requests.deadlines import Deadline, Terms, Waiting, clock_of
from holdfast.deletion_requests.register import UNANSWERED, Request
from holdfast.deletion_requests.report import words
from holdfast.enforcement import kinds
from holdfast.errors import PolicyError, RequestError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import SUBJECT
from holdfast.pages.access import Permission
from holdfast.pages.visit import Entry, Visit, Visitor, needs
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import load_requests_policy

ENTRY = Entry("Deletion requests", "requests", "By state and by deadline")
router = APIRouter()

ON_THE_BOARD, SHOWN, NIGHTS = 2_000, 100, 5
_LARGEST = 2**63 - 1
RequestId = Annotated[int, InPath(ge=1, le=_LARGEST)]


@router.get("/requests", name="requests", dependencies=[needs(Permission.READ)])
def requests(visit: Visitor) -> Response:
    """How many requests are where, and those that are to be answered first."""
    terms = _terms(visit)
    today = clock.local_date(visit.now, visit.site.zone())
    with visit.reading() as connection:
        counts = register.counts(connection)
        asked = {"states": list(UNANSWERED), "requests": ON_THE_BOARD + 1}
        rows = queries.run(connection, "pages/requests_open", asked).all()
    cards = board.cards(rows[:ON_THE_BOARD], terms, today) if terms else []
    levels = board.levels(terms) if terms else ()
    return visit.page(
        "requests.html.j2",
        counts=counts,
        unanswered=list(UNANSWERED),
        cards=cards[:SHOWN],
        more=len(cards) - SHOWN,
        has_older=len(rows) > ON_THE_BOARD,
        levels=levels,
        at=board.by_state_and_level(cards),
        alert=words.alert,
        has_terms=terms is not None,
    )


@router.get("/requests/find", name="find_request", dependencies=[needs(Permission.READ)])
def find(visit: Visitor, number: Annotated[int, Query(ge=1, le=_LARGEST)]) -> Response:
    """Go to the request with a number."""
    return visit.to("request", request_id=number)


@router.get("/requests/{request_id}", name="request", dependencies=[needs(Permission.READ)])
def one_request(visit: Visitor, request_id: RequestId) -> Response:
    """One request: its clock, its matrix as it may be told, and its course."""
    given = {"request_id": request_id}
    with visit.reading() as connection:
        try:
            found = register.get(connection, request_id)
        except RequestError:
            raise visit.missing("There is no such request.") from None
        asked = {**given, "job": kinds.DELETION_REQUESTS, "nights": NIGHTS}
        matrix = queries.run(connection, "pages/request_matrix", asked).all()
        gone = queries.run(connection, "deletion_requests/confirmation_gone", given).all()
        letters = queries.run(connection, "deletion_requests/confirmation_letters", given).all()
        notices = queries.run(connection, "deletion_requests/confirmation_notices", given).all()
        changes = register.transitions(connection, request_id)
    policy = visit.site.policy()
    return visit.page(
        "request.html.j2",
        request=found,
        standing=board.standing(found.state),
        scope=scope.describe(found.scope),
        subject=pseudonym(visit.site.settings.pseudonym_key(), SUBJECT, found.subject_key),
        clock=_clock(visit, found),
        matrix=[_line(policy, row) for row in matrix],
        night=matrix[0] if matrix else None,
        gone=gone,
        course=board.course(changes, letters, notices),
        who=moves.who,
        title=words.title,
        section="requests",
    )


def _terms(visit: Visit) -> Terms | None:
    """What deadlines are counted by; None while the policy cannot be read, and then nobody can say."""
    policy = visit.site.policy()
    try:
        return Terms.of(policy, load_requests_policy(visit.site.settings.policy)) if policy else None
    except PolicyError:
        return None


def _clock(visit: Visit, request: Request) -> dict[str, Any] | None:
    """By when it must be answered; None once it is, or while nobody can say."""
    terms = _terms(visit)
    if terms is None or request.state not in UNANSWERED:
        return None
    today = clock.local_date(visit.now, terms.zone)
    found: Deadline | Waiting = clock_of(request.moments, terms)
    if isinstance(found, Waiting):
        return {"waits_for": found.waits_for, "since": found.since, "alert": found.alert(today, terms.rules)}
    return {
        "waits_for": None,
        "due_on": found.due_on,
        "target": found.internal_target,
        "left": found.days_left(today),
        "alert": found.alert(today, terms.rules),
    }


def _line(policy: Policy | None, row: Any) -> dict[str, Any]:
    """One dataset of the matrix, in words: what is done, and what keeps some of it until when."""
    done = words.DECISIONS[row.action] if row.action else "Waits for the request" if row.has_more else ""
    return {
        "dataset": row.dataset,
        "done": done or ("Kept" if row.reasons else words.DECISIONS["not_held"]),
        "reasons": _reasons(policy, row.reasons),
        "until": row.until,
        "review_on": row.review_on,
    }


def _reasons(policy: Policy | None, codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, words.law(policy, code) or words.WAITS.get(code, "")) for code in codes]
