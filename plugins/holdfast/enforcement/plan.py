"""Plan: count what each rule would do, in one snapshot, and store it with a digest that names exactly that."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import catalogue, kinds, references, rules, scan
from holdfast.enforcement.predicate.base import Predicate, Setting, types_of_sources
from holdfast.enforcement.predicate.rows import Rows, Sample
from holdfast.enforcement.runs import Run
from holdfast.errors import ApprovalRefused, PlanChanged, RunRefused
from holdfast.evidence import ledger
from holdfast.holds.decide import Outcome
from holdfast.policy.model import Policy

SAMPLE_ROWS = 2_000
_STORED = ("open", "planned")


@dataclass(frozen=True)
class _Derived:
    """A plan as it was counted in one snapshot. `samples` are number and fingerprint of rows that are not due."""

    setting: Setting
    snapshot: str
    counted: dict[str, scan.Counts]
    waves: dict[str, int]  # by dataset
    samples: dict[str, _Sample]


@dataclass(frozen=True)
class _Sample:
    total: int
    percent: float
    rows: int
    fingerprint: str


def make(engine: sa.Engine, policy: Policy, run: Run) -> str:
    """Count, store and digest the plan of a run that nothing was done by yet; the digest.

    All of it is counted in one snapshot. What is found is stored in a transaction of its own, because one that has
    counted for minutes could not append to the ledger if anybody else did meanwhile.
    """
    if run.state not in _STORED:
        raise RunRefused(f"Run {run.run_id} is {run.state}; its plan stands.", fix="nothing: go on with that run.")
    with database.snapshot(engine) as connection:
        derived = _derive(connection, policy, run)
    digest = digest_of(derived.setting, derived.counted)
    with database.transaction(engine) as connection:
        _store_all(connection, run, derived, digest)
    return digest


def setting_of(connection: sa.Connection, policy: Policy, run: Run) -> Setting:
    """What the predicates of a planned run depend on. Raises RunRefused for a run without a plan."""
    if run.holds_as_of is None:
        raise RunRefused(f"Run {run.run_id} has no plan.", fix="plan it first.")
    return replace(setting_at(connection, policy, run, run.holds_as_of), planned_in=run.plan_snapshot)


def setting_at(connection: sa.Connection, policy: Policy, run: Run, holds_as_of: dt.datetime) -> Setting:
    """What the predicates of a run depend on at this moment."""
    found = catalogue.read(connection, policy.data_map.schemas)
    untrusted = types_of_sources(policy, run.refused_sources)
    setting = kinds.SETTING_OF[run.job](policy, found, run.as_of_date, holds_as_of, untrusted_types=untrusted)
    return setting.tonight(connection)


def _derive(connection: sa.Connection, policy: Policy, run: Run) -> _Derived:
    moment = queries.run(connection, "enforcement/begin_plan").one()
    setting = setting_at(connection, policy, run, moment.holds_as_of)
    counted = count_all(connection, setting)
    samples = {}
    for dataset in setting.datasets():
        total = counted[setting.work(dataset)[0]].total
        percent = min(100.0, 100.0 * SAMPLE_ROWS / max(total, 1))
        samples[dataset] = _Sample(total, percent, *sample_of(connection, setting, dataset, percent, run.run_id))
    return _Derived(setting, moment.snapshot, counted, references.waves(policy, setting.catalogue), samples)


def _store_all(connection: sa.Connection, run: Run, derived: _Derived, digest: str) -> None:
    queries.run(connection, "enforcement/forget_plan", {"run_id": run.run_id})
    for work_id, counts in derived.counted.items():
        predicate = derived.setting.predicate(work_id)
        _store(connection, run, predicate, derived.waves[predicate.dataset], counts)
    for dataset, sample in derived.samples.items():
        values = {"run_id": run.run_id, "dataset": dataset, "before_rows": sample.total, "sample_rows": sample.rows}
        found = {"sample_percent": sample.percent, "sample_fingerprint": sample.fingerprint}
        queries.run(connection, "enforcement/store_dataset_count", {**values, **found})
    values = {"run_id": run.run_id, "plan_digest": digest, "snapshot": derived.snapshot}
    stored = queries.run(connection, "enforcement/finish_plan", {**values, "holds_as_of": derived.setting.holds_as_of})
    if stored.one_or_none() is None:
        raise RunRefused(f"Run {run.run_id} was taken over while it was planned.", fix="look at the later run.")
    if not run.is_dry:
        counted = derived.counted.values()
        totals = {outcome.value: sum(counts.of(outcome) for counts in counted) for outcome in Outcome}
        ledger.append(connection, "plan_made", {"plan": digest, "rules": len(counted), "rows": totals}, run.run_id)


def count_all(connection: sa.Connection, setting: Setting) -> dict[str, scan.Counts]:
    """The counts of all the run's work, by its id."""
    return {work_id: scan.count(connection, setting.predicate(work_id)) for work_id in setting.work()}


def digest_of(setting: Setting, counted: dict[str, scan.Counts]) -> str:
    """The digest of these counts as a plan."""
    facts = (
        rules.DueFacts(work_id, setting.predicate(work_id).action.do, counts.due, counts.due_fingerprint)
        for work_id, counts in counted.items()
    )
    return rules.plan_digest(setting.policy.digest, setting.as_of, facts)


def check_approved(connection: sa.Connection, setting: Setting, run: Run) -> bool:
    """Whether a person had to approve, and did, and the plan is still the approved one.

    Raises ApprovalRefused without an approval of this digest, PlanChanged if deriving the plan again gives another.
    """
    planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run.run_id}).all()
    exceeded = sorted(row.rule_id for row in planned if row.caps_exceeded)
    if not exceeded:
        return False
    key = {"run_id": run.run_id, "plan_digest": run.plan_digest}
    answer = queries.run(connection, "enforcement/approval_of", key).one_or_none()
    if answer is None or answer.decision != "approved":
        raise ApprovalRefused(
            f"The plan {run.plan_digest} exceeds a cap of {', '.join(exceeded)} and nobody approved it.",
            fix="approve it in the run's approval task, or correct the policy and let the next night plan anew.",
            rules=exceeded,
        )
    now = digest_of(setting, count_all(connection, setting))
    if now != run.plan_digest:
        raise PlanChanged(
            f"What was approved as {run.plan_digest} would now be {now}.",
            fix="trigger the run again: it makes a new plan to approve.",
            approved=run.plan_digest,
            derived=now,
        )
    return True


def _store(connection: sa.Connection, run: Run, predicate: Predicate, wave: int, counts: scan.Counts) -> None:
    caps, overdue = predicate.caps, predicate.overdue_days(counts.oldest_due)
    named = {"run_id": run.run_id, "rule_id": predicate.work_id}
    values = {
        **named,
        "dataset": predicate.dataset,
        "action": predicate.action.do,
        "wave": wave,
        "total_rows": counts.total,
        "due_rows": counts.due,
        "held_rows": counts.of(Outcome.HELD),
        "refused_rows": counts.of(Outcome.REFUSED),
        "waiting_rows": counts.of(Outcome.WAITING),
        "other_rule_rows": counts.of(Outcome.NO_RULE),
        "done_rows": counts.of(Outcome.DONE),
        "unknown_rows": counts.of(Outcome.UNKNOWN),
        "not_started_rows": counts.of(Outcome.NOT_STARTED),
        "not_due_rows": counts.of(Outcome.NOT_DUE),
        "oldest_due": counts.oldest_past,
        "due_fingerprint": counts.due_fingerprint,
        "held_fingerprint": counts.held_fingerprint,
        "cap_rows": caps.rows,
        "cap_share": caps.share,
        "cap_overdue_days": caps.overdue_days,
        "oldest_overdue_days": overdue,
        "caps_exceeded": rules.exceeded_caps(caps, total=counts.total, due=counts.due, overdue_days=overdue),
    }
    queries.run(connection, "enforcement/store_plan_rule", values)
    for held in counts.held_by:
        facts = {
            "hold_type": held.hold_type,
            "authority": held.authority,
            "disclosable": held.disclosable,
            "held_rows": held.rows,
            "held_until": held.until,
            "holds": held.holds,
        }
        queries.run(connection, "enforcement/store_plan_held", {**named, **facts})
    for days, due in counts.forecast.items():
        queries.run(connection, "enforcement/store_plan_forecast", {**named, "within_days": days, "rows_due": due})


def sample_of(connection: sa.Connection, setting: Setting, dataset: str, percent: float, seed: int) -> tuple[int, str]:
    """Number and fingerprint of a dataset's sampled rows that nothing in the run would touch."""
    rows = Rows(setting.policy, setting.catalogue, dataset, sample=Sample(percent, seed))
    return scan.count_sample(connection, [setting.predicate(work_id, rows) for work_id in setting.work(dataset)])
