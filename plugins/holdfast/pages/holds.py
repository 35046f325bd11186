"""Holds: are their systems believed, what does each stop, which are there; place one by hand, and release it.

Everything is done by the register's own functions, which say what a hold may be and enter it in the ledger.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.enforcement import kinds
from holdfast.errors import HoldError, PolicyError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import everywhere, register, standing
from holdfast.holds.by_hand import Scope
from holdfast.holds.register import SUBJECT, ReleaseReason
from holdfast.pages.access import Permission
from holdfast.pages.visit import FORM, Entry, Reason, Visit, Visitor, needs
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.policy.model.holds import BY_HAND
from holdfast.reports import runs
from holdfast.retention import presence
from holdfast.retention.report.confidential import held_lines
from holdfast.retention.report.registers import Held, PlannedRule

ENTRY = Entry("Holds", "holds", "Who may stop a deletion, and who does")
router = APIRouter()

SHOWN = 50
_LARGEST = 2**63 - 1
Code = Annotated[str, Form(max_length=128)]
Text = Annotated[str | None, Form(max_length=200)]
Day = Annotated[dt.date | None, Form()]


@router.get("/holds", name="holds", dependencies=[needs(Permission.READ)])
def holds(
    visit: Visitor,
    hold_type: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    done: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> Response:
    """Sources, types and single holds, as far as they may be told of; `done` is the hold that was just changed."""
    policy = _policy(visit)
    disclosure = Disclosure.of(policy)
    today = _today(visit)
    with visit.reading() as connection:
        known = register.source_states(connection)
        asked = {"as_of": today, "nameable": sorted(disclosure.nameable_types)}
        counts = queries.run(connection, "pages/hold_counts", asked).all()
        kept = _rows_kept(connection, disclosure)
        listed = _listed(visit, connection, disclosure, hold_type=hold_type, before=before)
    return visit.page(
        "holds.html.j2",
        sources=standing.sources(policy, known, visit.now),
        types=_types(policy, disclosure, counts, kept),
        others=disclosure.other_authorities if disclosure.guarded else None,
        others_kept=kept[None],
        holds=listed[:SHOWN],
        has_older=len(listed) > SHOWN,
        hold_type=hold_type,
        done=done,
        placeable={code: one for code, one in policy.holds.types.items() if one.by_hand},
        datasets=sorted(policy.data_map.datasets),
        releases=[one for one in ReleaseReason if one is not ReleaseReason.SOURCE_RETIRED],
        reasons=list(Reason),
        today=today,
    )


@router.post("/holds/place", name="place_hold", dependencies=[needs(Permission.CHANGE_HOLDS), FORM])
def place(
    visit: Visitor,
    hold_type: Code,
    reference: Code,
    ground: Code,
    subject: Text = None,
    dataset: Annotated[list[str] | None, Form(max_length=500)] = None,
    record: Text = None,
    period_from: Day = None,
    period_to: Day = None,
    ends_on: Day = None,
    review_on: Day = None,
    allow_absent: Annotated[bool, Form()] = False,
) -> Response:
    """Place a hold. It holds once the browser is sent on; what it names must be there, unless it is said to come."""
    policy = _policy(visit)
    scope = Scope(subject, tuple(dataset) if dataset else None, record, period_from, period_to)
    engines = visit.site.engines(policy)
    if not allow_absent:
        presence.require(engines, policy, hold_type, scope)

    def place_in(connection: sa.Connection, database: str) -> int:
        return register.place(
            connection,
            policy,
            hold_type=hold_type,
            reference=reference,
            placed_by=_by(visit),
            **vars(scope),
            ends_on=ends_on,
            review_on=review_on,
            ground=ground,
            database=database,
        )

    return visit.to("holds", done=everywhere.place(engines, place_in))


@router.post("/holds/release", name="release_hold", dependencies=[needs(Permission.CHANGE_HOLDS), FORM])
def release(visit: Visitor, hold: Code, reason: Annotated[ReleaseReason, Form()]) -> Response:
    """Release a hold that was placed by hand, by its number or reference. What it alone kept is due the next night."""
    policy = _policy(visit)
    engines = visit.site.engines(policy)
    number = everywhere.release(engines, policy, _number(hold), released_by=_by(visit), reason=reason)
    return visit.to("holds", done=number)


@router.post("/holds/restricted", name="restricted_holds", dependencies=[needs(Permission.LOOK_UP), FORM])
def restricted(visit: Visitor, reason: Annotated[Reason, Form()]) -> Response:
    """The holds that no report names. That somebody looked, and why, is entered first."""
    visit.looked_up("restricted-holds", record=0, reason=reason)
    disclosure = Disclosure.of(_policy(visit))
    with visit.reading() as connection:
        listed = _listed(visit, connection, disclosure, secret=True)
    return visit.page(
        "holds_restricted.html.j2",
        holds=listed[:SHOWN],
        has_older=len(listed) > SHOWN,
        releases=[one for one in ReleaseReason if one is not ReleaseReason.SOURCE_RETIRED],
        section="holds",
    )


def _listed(
    visit: Visit,
    connection: sa.Connection,
    disclosure: Disclosure,
    *,
    secret: bool = False,
    hold_type: str | None = None,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """One more than is shown; subjects as the pseudonyms that the ledger has."""
    key = visit.site.settings.pseudonym_key()
    asked = {
        "as_of": _today(visit),
        "nameable": sorted(disclosure.nameable_types),
        "secret": secret,
        "hold_type": hold_type,
        "before_hold": before,
        "holds": SHOWN + 1,
    }
    found = []
    for row in queries.run(connection, "pages/holds", asked).mappings():
        subject = None if row["subject_key"] is None else pseudonym(key, SUBJECT, row["subject_key"])
        found.append({**row, "subject_key": None, "subject": subject, "is_by_hand": row["source_id"] == BY_HAND})
    return found


def _rows_kept(connection: sa.Connection, disclosure: Disclosure) -> Counter[str | None]:
    """Rows past their period that each type kept by the last plan; None stands for those that may not be named."""
    plan = queries.run(connection, "pages/plans", {"job": kinds.RETENTION, "plans": 1}).one_or_none()
    kept: Counter[str | None] = Counter()
    if plan is not None:
        held = [Held(**row) for row in runs.rows(connection, "retention/report_held", plan.run_id)]
        rules = [PlannedRule(**row) for row in runs.rows(connection, "retention/report_rules", plan.run_id)]
        for line in held_lines(disclosure, held, {one.rule_id: one for one in rules}):
            kept[line.hold_type if line.is_named else None] += line.held_rows
    return kept


def _types(
    policy: Policy, disclosure: Disclosure, counts: Sequence[Any], kept: Counter[str | None]
) -> list[dict[str, Any]]:
    """A line for each type that may be named, in the order of the policy."""
    by_type = {one.hold_type: one for one in counts}
    return [
        {
            "code": code,
            "type": one,
            "count": by_type.get(code),
            "stops": standing.datasets_stopped(policy, [code]),
            "kept": kept[code],
        }
        for code, one in policy.holds.types.items()
        if code in disclosure.nameable_types
    ]


def _policy(visit: Visit) -> Policy:
    policy = visit.site.policy()
    if policy is None:
        raise PolicyError(
            "The policy cannot be read, so nobody can say what a hold would stop.", fix="run `holdfast policy check`."
        )
    return policy


def _today(visit: Visit) -> dt.date:
    return clock.local_date(visit.now, visit.site.zone())


def _by(visit: Visit) -> str:
    """Who does it, as the register knows people: by a code, which the numbers of FAB's users are not."""
    return visit.user.id if visit.user.id[:1].isalpha() else f"user-{visit.user.id}"


def _number(hold: str) -> int | str:
    if not hold.isdecimal():
        return hold
    if int(hold) > _LARGEST:
        raise HoldError("There is no such hold.", fix="look its number up on this page.")
    return int(hold)
