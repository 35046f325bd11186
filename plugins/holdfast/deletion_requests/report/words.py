"""Codes of the registers in words."""

from __future__ import annotations

from holdfast.deletion_requests import breaks
from holdfast.policy import wording
from holdfast.policy.disclosure import OTHER_OBLIGATIONS
from holdfast.policy.model import Policy

REASONS = {
    "new": "arrived, and nobody has looked at it yet",
    "identity": "the person was asked who they are",
    "verification": "the person has answered, and the answer is to be checked",
    "fee": "a fee was asked for and is not paid",
    "cool_off": "the person can still take it back",
    "assessment": "the next night assesses it",
    "approval": "a person has to approve it",
    "second_approval": "a second, different person has to approve it",
    "night": "the night carries it out",
    "rest": "what could go is gone; the rest is followed until it is",
    "ended": "",
    "identity_not_confirmed": "the person could not show who they are",
    "manifestly_unfounded": "manifestly unfounded, UK GDPR Art 12(5)",
    "excessive": "excessive, UK GDPR Art 12(5)",
    "contract_live": "the contract runs and needs the data",
    "not_a_subject": "we hold nothing about the person",
}
"""Why a request is where it is."""

DECISIONS = {
    "erase": "Erase",
    "anonymise": "Anonymise",
    "held": "Held",
    "exempt": "Exempt",
    "not_held": "Nothing there",
    "waiting": "Waiting",
    "unknown": "Unknown",
}

WAITS = {
    "identity": "the person's identity is not verified",
    "cool_off": "the person can still take the request back",
    "approval": "the request is not approved",
    "dataset": "rows that stay refer to these",
    "start": "the day from which a law counts is not known",
    "source": "a source of holds was not believed",
    "fee": "a fee was asked for and is not paid",
}
"""Why a decision waits or cannot be made."""

ALERTS = {
    "overdue": "Overdue",
    "on_track": "Later",
    "ageing": "No deadline, for too long",
    "waiting": "No deadline yet",
}


def alert(level: str) -> str:
    """How near a deadline is."""
    if level in ALERTS:
        return ALERTS[level]
    days = level.removeprefix("within_").removesuffix("_days")
    return f"Within {days} days"


def keeper(code: str) -> str:
    """A keeper or what a break is about, as it may stand in a file."""
    return OTHER_OBLIGATIONS if code == breaks.OTHERS else code


def title(code: str) -> str:
    """A code as a person writes it."""
    return wording.title(code)


def law(policy: Policy | None, code: str) -> str | None:
    """The law of a rule, or the ground of a type of hold that may be named; None for anything else."""
    if policy is None:
        return None
    if code in policy.schedule.rules:
        return policy.schedule.rules[code].law
    kind = policy.holds.types.get(code)
    return kind.ground if kind else None
