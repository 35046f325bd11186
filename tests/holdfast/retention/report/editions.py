"""Editions made without a database, for tests that need thousands of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.holdfast.retention.report import cinema

from holdfast.policy.model import Policy
from holdfast.reports.runs import Milestone, Run, Seal
from holdfast.retention.report.registers import DatasetCount, PlannedRule, Registers, Source

_INSTANT = cinema.AS_OF
SEAL = Seal(1, 9, 9, b"\1" * 32, 10, b"\2" * 32, _INSTANT)


def run(policy: Policy, **changed: Any) -> Run:
    """A sealed run of the night."""
    values: dict[str, Any] = {
        "run_id": 5,
        "job": cinema.JOB,
        "as_of": cinema.AS_OF,
        "as_of_date": cinema.NIGHT,
        "mode": "enforce",
        "policy_digest": policy.digest,
        "state": "sealed",
        "opened_at": _INSTANT,
        "holds_as_of": _INSTANT,
        "plan_digest": cinema.PLAN,
        "refused_sources": (),
        "earlier_runs": 0,
    }
    return Run(**{**values, **changed})


def rule(rule_id: str = "bookings-6y", dataset: str = "bookings", **changed: Any) -> PlannedRule:
    """A verified rule under which nothing was due."""
    values: dict[str, Any] = {
        "rule_id": rule_id,
        "dataset": dataset,
        "action": "delete",
        "total_rows": 1_000,
        "due_rows": 0,
        "held_rows": 0,
        "refused_rows": 0,
        "waiting_rows": 0,
        "unknown_rows": 0,
        "oldest_due": None,
        "oldest_overdue_days": None,
        "held_unchanged": True,
        "cap_rows": 1_000,
        "cap_share": 0.1,
        "cap_overdue_days": 30,
        "caps_exceeded": (),
        "survivors": 0,
        "late_rows": 0,
        "acted_rows": 0,
        "shards": 1,
        "finished_shards": 1,
    }
    return PlannedRule(**{**values, **changed})


def count(dataset: str = "bookings", **changed: Any) -> DatasetCount:
    """A dataset whose rows add up."""
    values: dict[str, Any] = {
        "dataset": dataset,
        "before_rows": 1_000,
        "deleted_rows": 10,
        "after_rows": 991,
        "arrived_versions": 4,
        "sample_rows": 50,
        "sample_unchanged": True,
    }
    return DatasetCount(**{**values, **changed})


def milestone(kind: str) -> Milestone:
    return Milestone(kind, "What it means.", 1, 3, 3, _INSTANT, _INSTANT)


def source(source_id: str, status: str = "trusted") -> Source:
    return Source(source_id, status, _INSTANT + dt.timedelta(seconds=5), _INSTANT - dt.timedelta(hours=2), 10, 10)


def registers(policy: Policy, *rules: PlannedRule, **changed: Any) -> Registers:
    """A sealed run with these rules; `run` in `changed` is a dict of the run's own changes."""
    values: dict[str, Any] = {
        "rules": rules,
        "seal": SEAL,
        "sources": tuple(source(name) for name in policy.holds.sources),
        **changed,
    }
    return Registers(**{**values, "run": run(policy, **changed.get("run", {}))})
