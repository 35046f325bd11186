"""Plan: count what each rule would do, in one snapshot, and store it with a digest that names exactly that."""

from __future__ import annotations

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import ApprovalRefused, PlanChanged, RunRefused
from holdfast.evidence import ledger
from holdfast.holds.decide import Outcome
from holdfast.policy.model import Policy
from holdfast.retention import catalogue, references, rules, scan
from holdfast.retention.predicate.rows import Rows, Sample
from holdfast.retention.predicate.rules import RulePredicate, Setting, rules_with_untrusted_holds
from holdfast.retention.runs import Run

SAMPLE_ROWS = 2_000
_STORED = ("open", "planned")


def make(connection: sa.Connection, policy: Policy, run: Run) -> str:
    """Count, store and digest the plan of a run that nothing was done by yet; the digest.

    `connection` must be in a REPEATABLE READ transaction, so that all rules are counted in one snapshot.
    """
    if run.state not in _STORED:
        raise RunRefused(f"Run {run.run_id} is {run.state}; its plan stands.", fix="nothing: go on with that run.")
    moment = queries.run(connection, "retention/begin_plan").one()
    setting = Setting(policy, catalogue.read(connection, policy.data_map.schemas), run.as_of_date, moment.holds_as_of)
    counted = count_all(connection, setting, run)
    digest = digest_of(policy, run, counted)
    queries.run(connection, "retention/forget_plan", {"run_id": run.run_id})
    waves = references.waves(policy, setting.catalogue)
    for rule_id, counts in counted.items():
        _store(connection, setting, run, rule_id, waves[rule_id], counts)
    _store_datasets(connection, setting, run, counted)
    values = {"run_id": run.run_id, "plan_digest": digest, "snapshot": moment.snapshot}
    stored = queries.run(connection, "retention/finish_plan", {**values, "holds_as_of": moment.holds_as_of})
    if stored.one_or_none() is None:
        raise RunRefused(f"Run {run.run_id} was taken over while it was planned.", fix="look at the later run.")
    if not run.is_dry:
        totals = {outcome.value: sum(c.of(outcome) for c in counted.values()) for outcome in Outcome}
        ledger.append(connection, "plan_made", {"plan": digest, "rules": len(counted), "rows": totals}, run.run_id)
    return digest


def count_all(connection: sa.Connection, setting: Setting, run: Run) -> dict[str, scan.Counts]:
    """The counts of every rule. A rule that a disbelieved source could stop has its due rows counted as refused."""
    refused = rules_with_untrusted_holds(setting.policy, run.refused_sources)
    return {
        rule_id: scan.count(connection, RulePredicate(setting, rule_id), refused=rule_id in refused)
        for rule_id in setting.policy.schedule.rules
    }


def digest_of(policy: Policy, run: Run, counted: dict[str, scan.Counts]) -> str:
    """The digest of these counts as a plan of this run."""
    facts = (
        rules.DueFacts(rule_id, policy.schedule.rules[rule_id].action.do, counts.due, counts.due_fingerprint)
        for rule_id, counts in counted.items()
    )
    return rules.plan_digest(policy.digest, run.as_of_date, facts)


def check_approved(connection: sa.Connection, policy: Policy, run: Run) -> bool:
    """Whether a person had to approve, and did, and the plan is still the approved one.

    Raises ApprovalRefused without an approval of this digest, PlanChanged if deriving the plan again gives another.
    """
    planned = queries.run(connection, "retention/plan_rules", {"run_id": run.run_id}).all()
    exceeded = sorted(row.rule_id for row in planned if row.caps_exceeded)
    if not exceeded:
        return False
    key = {"run_id": run.run_id, "plan_digest": run.plan_digest}
    answer = queries.run(connection, "retention/approval_of", key).one_or_none()
    if answer is None or answer.decision != "approved":
        raise ApprovalRefused(
            f"The plan {run.plan_digest} exceeds a cap of {', '.join(exceeded)} and nobody approved it.",
            fix="approve it in the run's approval task, or correct the policy and let the next night plan anew.",
            rules=exceeded,
        )
    holds_as_of = run.holds_as_of
    if holds_as_of is None:
        raise RunRefused(f"Run {run.run_id} has no plan.", fix="plan it first.")
    setting = Setting(policy, catalogue.read(connection, policy.data_map.schemas), run.as_of_date, holds_as_of)
    now = digest_of(policy, run, count_all(connection, setting, run))
    if now != run.plan_digest:
        raise PlanChanged(
            f"What was approved as {run.plan_digest} would now be {now}.",
            fix="trigger the run again: it makes a new plan to approve.",
            approved=run.plan_digest,
            derived=now,
        )
    return True


def _store(connection: sa.Connection, setting: Setting, run: Run, rule_id: str, wave: int, counts: scan.Counts) -> None:
    policy = setting.policy
    rule, caps = policy.schedule.rules[rule_id], policy.caps_of(rule_id)
    overdue = rules.overdue_days(policy, rule_id, counts.oldest_due, run.as_of_date)
    named = {"run_id": run.run_id, "rule_id": rule_id}
    values = {
        **named,
        "dataset": rule.dataset,
        "action": rule.action.do,
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
    queries.run(connection, "retention/store_plan_rule", values)
    for held in counts.held_by:
        facts = {
            "hold_type": held.hold_type,
            "authority": held.authority,
            "disclosable": held.disclosable,
            "held_rows": held.rows,
            "held_until": held.until,
            "holds": held.holds,
        }
        queries.run(connection, "retention/store_plan_held", {**named, **facts})
    for days, due in counts.forecast.items():
        queries.run(connection, "retention/store_plan_forecast", {**named, "within_days": days, "rows_due": due})


def _store_datasets(connection: sa.Connection, setting: Setting, run: Run, counted: dict[str, scan.Counts]) -> None:
    for dataset in setting.policy.data_map.datasets:
        rule_ids = list(setting.policy.rules_for(dataset))
        if not rule_ids:
            continue
        total = counted[rule_ids[0]].total
        percent = min(100.0, 100.0 * SAMPLE_ROWS / max(total, 1))
        sampled, content = sample_of(connection, setting, rule_ids, percent, run.run_id)
        values = {"run_id": run.run_id, "dataset": dataset, "before_rows": total, "sample_rows": sampled}
        counts = {"sample_percent": percent, "sample_fingerprint": content}
        queries.run(connection, "retention/store_dataset_count", {**values, **counts})


def sample_of(
    connection: sa.Connection, setting: Setting, rule_ids: list[str], percent: float, seed: int
) -> tuple[int, str]:
    """Number and fingerprint of a dataset's sampled rows that no rule of it would touch."""
    dataset = setting.policy.schedule.rules[rule_ids[0]].dataset
    rows = Rows(setting.policy, setting.catalogue, dataset, sample=Sample(percent, seed))
    return scan.count_sample(connection, [RulePredicate(setting, rule_id, rows) for rule_id in rule_ids])
