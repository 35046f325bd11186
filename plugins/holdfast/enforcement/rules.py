"""The night's own rules, pure: when is a plan too large, how is it named, may a run of that date start."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast import clock
from holdfast.errors import RunRefused
from holdfast.evidence.ledger import JSON, canonical
from holdfast.policy.model import Caps, Policy

_CLOCK_DIFFERENCE = dt.timedelta(minutes=5)
_SHARE_NEEDS_ROWS = 100  # a share of fewer rows than this says nothing about a mistake


def share_limit(caps: Caps, *, total: int) -> int:
    """The most rows that a rule's plan may have due, of so many, without exceeding its cap on their share."""
    return max(_SHARE_NEEDS_ROWS, math.floor(caps.share * total))


def row_limit(caps: Caps, *, total: int) -> int:
    """The most rows that a rule's plan may have due, of so many, without exceeding its caps on rows and share."""
    return min(caps.rows, share_limit(caps, total=total))


def exceeded_caps(caps: Caps, *, total: int, due: int, overdue_days: int | None) -> list[str]:
    """Which caps a rule's plan exceeds: `rows`, `share`, `overdue`. At the cap is within it."""
    found = []
    if due > caps.rows:
        found.append("rows")
    if due > share_limit(caps, total=total):
        found.append("share")
    if overdue_days is not None and overdue_days > caps.overdue_days:
        found.append("overdue")
    return found


def overdue_days(policy: Policy, rule_id: str, oldest_start: dt.date | None, as_of: dt.date) -> int | None:
    """For how many days the oldest due record should have been gone; None if nothing is due.

    0 as well where it is taken before its period is over, for its undo window.
    """
    if oldest_start is None:
        return None
    counted = oldest_start
    if policy.schedule.rules[rule_id].start.counts_from == "end_of_accounting_period":
        counted = clock.accounting_period_end(oldest_start, policy.schedule.year_end)
    return max(0, (as_of - policy.period_of(rule_id).after(counted)).days - 1)


@dataclass(frozen=True)
class DueFacts:
    """What a plan's digest is made of, for one rule."""

    rule_id: str
    action: str
    due: int
    fingerprint: str


def plan_digest(policy_digest: str, as_of: dt.date, rules: Iterable[DueFacts]) -> str:
    """The name of exactly this plan: day, policy, and for each rule how many rows and which keys are due."""
    listed: list[dict[str, JSON]] = [
        {"rule": one.rule_id, "action": one.action, "due": one.due, "keys": one.fingerprint}
        for one in sorted(rules, key=lambda one: one.rule_id)
    ]
    text = canonical({"as_of": as_of.isoformat(), "policy": policy_digest, "rules": listed})
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def check_run_date(as_of: dt.datetime, as_of_date: dt.date, now: dt.datetime, latest: dt.date | None) -> None:
    """Refuse a run for a future moment, or for a day before one that was already enforced.

    A past day's plan would be made with today's data and yesterday's holds. Missed nights need no run of their own:
    what was due then is due now.
    """
    if as_of > now + _CLOCK_DIFFERENCE:
        raise RunRefused(
            f"The run is for {as_of.isoformat()}, which the database's clock says is in the future.",
            fix="trigger it with a date that has come, or correct the clock.",
        )
    if latest is not None and as_of_date < latest:
        raise RunRefused(
            f"The run is for {as_of_date}, but {latest} has been enforced or tried already.",
            fix="run it for today: whatever was due on the earlier day is due today as well.",
        )


def nights_between(last: dt.date | None, as_of_date: dt.date) -> list[dt.date]:
    """The days after the last sealed night and before this one: the nights that did not run."""
    if last is None:
        return []
    return [last + dt.timedelta(days=n) for n in range(1, (as_of_date - last).days)]
