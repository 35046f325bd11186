"""Retention: the schedule, what is due, held and falling due by the last plan, and why one record is still here.

Figures are those of the plan, as the report has them: nothing here counts a provider's rows.
"""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.enforcement import kinds
from holdfast.errors import CoverageError, PolicyError
from holdfast.evidence.pseudonyms import hmac_pads
from holdfast.holds import register
from holdfast.holds.register import SUBJECT
from holdfast.pages.access import Permission
from holdfast.pages.visit import FORM, Entry, Visit, Visitor, needs
from holdfast.policy import wording
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.retention import explain
from holdfast.retention.explain import Explanation
from holdfast.retention.report import registers
from holdfast.retention.report.edition import Edition, compose

ENTRY = Entry("Retention", "retention", "The schedule, what is due and held, and why a record is still here")
router = APIRouter()

PLANS, RECORDS = 10, 10
_LARGEST = 2**63 - 1
OUTCOMES = {
    "due": ("bad", "It is due: the next run deletes or anonymises it."),
    "held": ("warn", "Its period is over, and a hold keeps it."),
    "refused": ("bad", "Its period is over, and it is kept because a source that might hold it is not believed."),
    "waiting": ("warn", "Its period is over, and it waits for rows that still refer to it."),
    "done": ("good", "Its period is over, and it has been anonymised."),
    "unknown": ("bad", "It is kept because nobody can say when its period starts, or whom it is about."),
    "not_started": ("good", "Its period has not started."),
    "not_due": ("good", "Its period is not over."),
    "no_rule": ("good", "No rule of its dataset applies to it."),
}
"""What becomes of a record: how it stands, and in words."""


@router.get("/retention", name="retention", dependencies=[needs(Permission.READ)])
def retention(visit: Visitor, run: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None) -> Response:
    """The last plan, or that of one run among the last."""
    policy = visit.site.policy()
    with visit.reading() as connection:
        plans = queries.run(connection, "pages/plans", {"job": kinds.RETENTION, "plans": PLANS}).all()
        chosen = next((one for one in plans if run in (None, one.run_id)), None)
        if chosen is None and run is not None:
            raise visit.missing("There is no such plan among the last.")
        edition = compose(registers.read(connection, chosen.run_id), policy, visit.now) if chosen else None
    return visit.page(
        "retention.html.j2",
        plans=plans,
        chosen=chosen,
        edition=edition,
        held=_held(edition),
        debts={one.line.rule_id: one for one in edition.debts} if edition else {},
        schedule=_schedule(policy),
        datasets=sorted(policy.data_map.datasets) if policy else [],
        title=wording.title,
    )


@router.post("/retention/why", name="why", dependencies=[needs(Permission.READ), FORM])
def why(
    visit: Visitor,
    dataset: Annotated[str, Form(max_length=200)],
    key: Annotated[str | None, Form(max_length=500)] = None,
    pseudonym: Annotated[str | None, Form(pattern=r"^p1:[0-9a-f]{32}$")] = None,
) -> Response:
    """Why a record is still here: by its key, or those of the account that the ledger knows by a pseudonym.

    What is typed is somebody's, so it is in no address, and the page does not repeat it.
    """
    if (key is None) == (pseudonym is None):
        raise CoverageError("Either a key or a pseudonym is needed.", fix="fill in one of the two.")
    visit.costly()
    policy = visit.site.policy()
    if policy is None:
        raise PolicyError("The policy cannot be read.", fix="run `holdfast policy check`.")
    with visit.reading() as connection:
        keys = [key] if key is not None else _keys(visit, connection, policy, dataset, str(pseudonym))
        found = [_explained(visit, connection, policy, dataset, one) for one in keys[:RECORDS]]
    records = [one for one in found if one is not None]
    if not records:
        raise visit.missing("There is no such record in this dataset.")
    return visit.page(
        "why.html.j2",
        dataset=dataset,
        records=[_told(one, Disclosure.of(policy)) for one in records],
        has_more=len(keys) > RECORDS,
        by_pseudonym=pseudonym,
        section="retention",
    )


def _keys(visit: Visit, connection: sa.Connection, policy: Policy, dataset: str, pseudonym: str) -> list[str]:
    """One more key than is shown, of the account with a pseudonym."""
    inner, outer = hmac_pads(visit.site.settings.pseudonym_key(), SUBJECT)
    given = {"inner_pad": inner, "outer_pad": outer, "pseudonym": pseudonym}
    subject = queries.run(connection, "pages/subject_of_pseudonym", given).scalar_one_or_none()
    if subject is None:
        raise visit.missing("No hold and no request is about an account with this pseudonym.")
    return explain.keys_of(connection, policy, dataset, subject, limit=RECORDS + 1)


def _explained(visit: Visit, connection: sa.Connection, policy: Policy, dataset: str, key: str) -> Explanation | None:
    trusted = {one.source_id for one in register.source_states(connection) if one.status == "trusted"}
    untrusted = {kind for name, one in policy.holds.sources.items() if name not in trusted for kind in one.types}
    today = clock.local_date(visit.now, visit.site.zone())
    return explain.explain(connection, policy, dataset, key, as_of=today, untrusted=frozenset(untrusted))


def _told(found: Explanation, disclosure: Disclosure) -> dict[str, Any]:
    """What may be said: of holds that may not be named, neither which they are nor until when."""
    named = [one for one in found.holds if disclosure.may_name(one.hold_type, one.disclosable)]
    has_others = len(named) < len(found.holds)
    tone, sentence = OUTCOMES[found.decision.outcome.value]
    return {
        "tone": tone,
        "sentence": sentence,
        "rules": found.rules,
        "decides": found.decision.rule_id,
        "holds": named,
        "has_others": has_others,
        "next_look": None if has_others else found.next_look,
    }


def _held(edition: Edition | None) -> dict[str, list[Any]]:
    """Rule -> what keeps its rows."""
    found: dict[str, list[Any]] = {}
    for line in edition.held if edition else ():
        found.setdefault(line.rule_id, []).append(line)
    return found


def _schedule(policy: Policy | None) -> list[dict[str, Any]]:
    """The schedule in force, a line for each rule."""
    if policy is None:
        return []
    return [
        {
            "rule_id": rule_id,
            "dataset": rule.dataset,
            "words": wording.describe(policy, rule_id),
            "strength": rule.strength.value,
            "stopped_by": "every type" if rule.holds == "all" else ", ".join(policy.holds_of(rule_id)),
        }
        for rule_id, rule in sorted(policy.schedule.rules.items(), key=lambda item: (item[1].dataset, item[0]))
    ]
