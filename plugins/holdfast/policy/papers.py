"""The policy as documents for people: the record of processing (UK GDPR Art 30) and the retention schedule.

Each is one page to read, print and file, made of the policy alone and named by its digest, so that it cannot say
anything else than what is enforced.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from holdfast.policy import wording
from holdfast.policy.model import Dataset, NoSubject, Policy
from holdfast.reports import html

_TEMPLATES = Path(__file__).parent
_BASES = {
    "consent": "consent, Art 6(1)(a)",
    "contract": "a contract, Art 6(1)(b)",
    "legal_obligation": "a legal obligation, Art 6(1)(c)",
    "vital_interests": "vital interests, Art 6(1)(d)",
    "public_task": "a public task, Art 6(1)(e)",
    "legitimate_interests": "legitimate interests, Art 6(1)(f)",
    "recognised_legitimate_interests": "recognised legitimate interests, Art 6(1)(ea)",
    "processor": "on a customer's instructions, Art 28",
}


@dataclass(frozen=True)
class Activity:
    """One dataset as the record of processing has it. `periods` has a line for each rule; empty if none applies."""

    title: str
    dataset: str
    table: str
    description: str
    owner: str
    subjects: str
    categories: tuple[str, ...]
    special: bool
    bases: tuple[str, ...]
    recipients: tuple[str, ...]
    periods: tuple[str, ...]
    no_rule: str | None


def record_of_processing(policy: Policy) -> str:
    """The page of the record of processing."""
    activities = [_activity(policy, name, one) for name, one in policy.data_map.datasets.items()]
    context = {"activities": activities, "digest": policy.digest}
    return html.render(_TEMPLATES / "record.html.j2", context, zone=policy.schedule.time_zone)


def retention_schedule(policy: Policy) -> str:
    """The page of the retention schedule, with what may stop each rule."""
    rules = [
        (rule_id, wording.title(rule.dataset), rule, wording.describe(policy, rule_id), _stopped_by(policy, rule_id))
        for rule_id, rule in sorted(policy.schedule.rules.items(), key=lambda item: (item[1].dataset, item[0]))
    ]
    waived = {name: one.no_rule for name, one in policy.data_map.datasets.items() if one.no_rule}
    context = {"policy": policy, "rules": rules, "waived": waived, "title": wording.title}
    return html.render(_TEMPLATES / "schedule.html.j2", context, zone=policy.schedule.time_zone)


def _stopped_by(policy: Policy, rule_id: str) -> str:
    return (
        "every type of hold" if policy.schedule.rules[rule_id].holds == "all" else ", ".join(policy.holds_of(rule_id))
    )


def _activity(policy: Policy, name: str, dataset: Dataset) -> Activity:
    columns = dataset.columns.values()
    rules = [
        f"{wording.action(rule)}: {wording.period(policy.period_of(rule_id))} after {wording.start(policy, rule)}"
        for rule_id, rule in policy.schedule.rules.items()
        if rule.dataset == name
    ]
    return Activity(
        title=wording.title(name),
        dataset=name,
        table=dataset.table,
        description=dataset.description,
        owner=dataset.owner,
        subjects=dataset.subject.none if isinstance(dataset.subject, NoSubject) else "people of an account",
        categories=tuple(sorted({one.category for one in columns})),
        special=any(one.sensitivity == "special" for one in columns),
        bases=tuple(dict.fromkeys(_BASES[one.legal_basis] for one in columns)),
        recipients=tuple(sorted({recipient for one in columns for recipient in one.recipients})),
        periods=tuple(rules),
        no_rule=dataset.no_rule.reason if dataset.no_rule else None,
    )
