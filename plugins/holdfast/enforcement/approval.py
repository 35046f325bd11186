"""A plan over its caps: which rules exceed them, what a person is asked, and what the answer is worth."""

from __future__ import annotations

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import question, runs
from holdfast.enforcement.night import PAST_PLANNING, Result, policy_and_run
from holdfast.enforcement.runs import Run
from holdfast.errors import ApprovalRefused, PlanChanged
from holdfast.evidence import known_key, ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds import register
from holdfast.policy.load import load_policy
from holdfast.settings import Settings

_EXPIRED = "expired"


def check_caps(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Which rules' plans exceed a cap, so that a person has to approve before anything is done."""
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
        planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id}).all()
        exceeded = {row.rule_id: list(row.caps_exceeded) for row in planned if row.caps_exceeded}
        answer = _answer(connection, run)
        if exceeded and not run.is_dry and run.state == "planned" and answer is None:
            _note_exceeded(connection, run, exceeded)
    waits = bool(exceeded) and run.state not in PAST_PLANNING and answer != "approved"
    return {"exceeded": waits, "plan_digest": run.plan_digest, "rules_over_cap": sorted(exceeded)}


def ask_a_person(engine: sa.Engine, settings: Settings, *, run_id: int, title: str, report: str) -> Result:
    """What to ask about the run's plan, and whom: the user ids that may answer, each with who that is."""
    policy, run = policy_and_run(engine, settings, run_id)
    with database.transaction(engine) as connection:
        rows = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id})
        planned = [question.Planned.of(row) for row in rows]
    approvers = policy.schedule.approvers
    return {
        "subject": question.subject(title, run.as_of_date, planned),
        "body": question.body(planned, approvers=approvers, plan_digest=str(run.plan_digest), report=report),
        "about": {"plan_digest": run.plan_digest},
        "approvers": approvers,
    }


def record_approval(
    engine: sa.Engine,
    settings: Settings,
    *,
    run_id: int,
    plan_digest: str,
    decision: str = _EXPIRED,
    decided_by: str = "nobody",
) -> Result:
    """Bind a person's answer to this plan or, without one, that nobody answered; the first answer stands.

    Raises ApprovalRefused unless what stands is 'approved', so that the run ends red; and for the answer of somebody
    whom the policy does not name, which counts for nothing but is recorded. `decided_by` is the user id of the log-in.
    """
    counts = decision == _EXPIRED or decided_by in load_policy(settings.policy).schedule.approvers
    with database.transaction(engine) as connection:
        by = pseudonym(known_key.require(connection, settings), register.STAFF, decided_by)
        run = runs.get(connection, run_id)
        if run.plan_digest != plan_digest:
            raise PlanChanged(
                f"The answer is about the plan {plan_digest}; the run's plan is {run.plan_digest}.",
                fix="trigger the run again and answer for its new plan.",
            )
        values = {"run_id": run_id, "plan_digest": plan_digest, "decision": decision, "decided_by": decided_by}
        if not counts:
            ledger.append(connection, "approval_unauthorised", {"plan": plan_digest, "by": by}, run_id)
        elif queries.run(connection, "enforcement/record_approval", values).one_or_none() is not None:
            kinds = {"approved": "approval_given", "refused": "approval_refused", "expired": "approval_expired"}
            if decision == "refused":
                runs.move(connection, run_id, "refused", since=("planned",))
            ledger.append(connection, kinds[decision], {"plan": plan_digest, "by": by}, run_id)
        standing = _answer(connection, run)
    if not counts:
        raise ApprovalRefused(
            f"{by} answered for the plan {plan_digest}, but is no approver by the policy; nothing is deleted.",
            fix="clear ask_a_person, and let somebody answer whom retention_schedule.yaml names under `approvers`.",
            by=by,
        )
    if standing != "approved":
        raise ApprovalRefused(
            f"The plan {plan_digest} was {standing}; nothing is deleted.",
            fix="correct the policy or its caps; after a time-out, clear the approval task to ask again.",
        )
    return {"decision": standing, "plan_digest": plan_digest}


def _note_exceeded(connection: sa.Connection, run: Run, exceeded: dict[str, list[str]]) -> None:
    """Enter it once for each plan, however often the task is tried."""
    facts: dict[str, ledger.JSON] = {"plan": run.plan_digest, "rules": exceeded}
    entries = ledger.entries_of_run(connection, run.run_id)
    if not any(one.kind == "cap_exceeded" and one.facts == facts for one in entries):
        ledger.append(connection, "cap_exceeded", facts, run.run_id)


def _answer(connection: sa.Connection, run: Run) -> str | None:
    key = {"run_id": run.run_id, "plan_digest": run.plan_digest}
    row = queries.run(connection, "enforcement/approval_of", key).one_or_none()
    return row.decision if row else None
