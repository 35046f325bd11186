"""The tasks that both deleting jobs share, from the hold sources to the seal; each job's `steps` names its own.

Those that ask a person about a plan are in `approval`.

Each takes an engine and the settings, works in transactions of its own, can be run again at any time, and returns
nothing but counts, digests, labels and paths. Never personal data: Airflow shows and keeps whatever is returned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import catalogue, execute, groups, plan, references, runs, shards, turns, verify
from holdfast.enforcement.runs import Run
from holdfast.enforcement.undo import ending, keeping
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import HoldSourceUntrusted, PolicyError, RunRefused
from holdfast.evidence import checkpoint, known_key, ledger, restored, seal
from holdfast.evidence.copies import Copies
from holdfast.holds import sources
from holdfast.policy import coverage
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.settings import Settings

Result = dict[str, object]

_MOST_SWEEPS = 10
_CARRIED_OUT = ("executing", "verified")
PAST_PLANNING = (*_CARRIED_OUT, "sealed")


def open_run(
    engine: sa.Engine, settings: Settings, job: str, *, as_of: dt.datetime, dry_run: bool, again: bool = False
) -> Result:
    """Open the job's run of tonight, or go on with it; not in a database that was restored to before its evidence.

    `again`: another edition of it, if it is sealed.
    """
    policy = load_policy(settings.policy).at(settings.database)
    with database.transaction(engine) as connection:
        restored.require_none_lost(connection, settings.seals, Copies(settings.checkpoints))
        known_key.require(connection, settings)
        run = runs.open_run(connection, policy, job, as_of, dry_run=dry_run, again=again)
        missed = [] if run.is_dry else runs.missed_nights(connection, run)
    return {
        "run_id": run.run_id,
        "as_of": run.as_of_date.isoformat(),
        "mode": run.mode,
        "state": run.state,
        "policy": policy.digest,
        "nights_missed": len(missed),
    }


def refresh_holds(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Mirror every hold source that is fresh, complete and well formed; note those that are not."""
    policy, run = whole_and_run(engine, settings, run_id)
    if run.state in PAST_PLANNING:
        return {"refused_sources": list(run.refused_sources)}
    now = database_time(engine)
    evidence = None if run.is_dry else run_id
    states = sources.refresh(engine, policy, settings, now=now, as_of=run.as_of_date, run_id=evidence)
    refused = sorted(state.source_id for state in states if state.status != "trusted")
    with database.transaction(engine) as connection:
        queries.run(connection, "enforcement/set_refused_sources", {"run_id": run_id, "sources": refused})
    return {
        "refused_sources": refused,
        "holds_read": sum(state.read_holds or 0 for state in states),
        "placed": sum(state.placed for state in states),
        "ended": sum(state.ended for state in states),
    }


def check_policy(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Refuse to go on with a policy that does not fit the database, table for table and column for column."""
    policy, run = whole_and_run(engine, settings, run_id)
    part = policy.at(settings.database)
    with database.transaction(engine) as connection:
        coverage.require_coverage(policy, connection, run.as_of_date, settings.database)
        references.waves(part, catalogue.read(connection, part.data_map.schemas))
    return {"datasets": len(part.data_map.datasets), "rules": len(part.schedule.rules), "policy": policy.digest}


def end_windows(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Destroy the keys of undo windows that are over, all but for rows that a hold wants.

    Raises SettingsError, before the night deletes anything, if tonight's keys would have no folder.
    """
    policy, run = policy_and_run(engine, settings, run_id)
    if run.is_dry or run.state in PAST_PLANNING:
        return {"keys_destroyed": 0, "batches_stuck": 0}
    keys = Keys(settings.undo_keys)
    if any(rule.undo_days for rule in policy.schedule.rules.values()):
        keys.require_folder()
    now = database_time(engine)
    with database.transaction(engine) as connection:
        setting = plan.setting_at(connection, policy, run, now)
    ended = ending.end(engine, setting, keys, run_id)
    return {"keys_destroyed": ended.keys, "batches_stuck": ended.stuck}


def make_plan(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Count what is due, held and unknown for each rule, and name the plan by its digest."""
    policy, run = policy_and_run(engine, settings, run_id)
    if run.state not in PAST_PLANNING:
        plan.make(engine, policy, run)
    return plan_totals(engine, run_id)


def list_shards(
    engine: sa.Engine, settings: Settings, *, run_id: int, wave: int, recount: Callable[[], object] = lambda: None
) -> list[Result]:
    """The shards of one wave, in groups for one task each.

    The first call begins the execution: caps and approval are checked for the last time. It waits
    for another run that is at work, and then plans anew, after `recount`.
    """
    policy, run = policy_and_run(engine, settings, run_id)
    if run.state == "planned":
        turns.begin(engine, policy, run, begin_execution, recount)
    with database.transaction(engine) as connection:
        found = [shard for shard in shards.of_run(connection, run_id) if shard.wave == wave]
        planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id})
        work = {row.rule_id: groups.RuleWork(row.total_rows, row.due_rows) for row in planned}
    return [
        {"run_id": run_id, "shard_ids": [shard.shard_id for shard in group.shards], "label": group.label}
        for group in groups.share_out(found, work)
    ]


def begin_execution(connection: sa.Connection, policy: Policy, run: Run, *, workers: int = shards.WORKERS) -> None:
    """Check the approval, fix each rule's limit, cut the shards, and let batches begin."""
    if run.is_dry:
        raise RunRefused("A dry run is never executed.", fix="trigger the job without dry_run.")
    setting = plan.setting_of(connection, policy, run)
    approved = plan.check_approved(connection, setting, run)
    for row in queries.run(connection, "enforcement/plan_rules", {"run_id": run.run_id}).all():
        # Rows that wait for others of their own table go tonight too, once those have gone; the question showed them.
        following = row.waiting_rows if references.refers_to_itself(policy, setting.catalogue, row.dataset) else 0
        limit = row.due_rows + following if approved else max(row.due_rows, row.cap_rows)
        values = {"run_id": run.run_id, "rule_id": row.rule_id, "limit_rows": limit}
        queries.run(connection, "enforcement/limit_rule", values)
    shards.cut(connection, setting, run.run_id, workers=workers)
    runs.move(connection, run.run_id, "executing", since=("planned",))


def enforce_shards(engine: sa.Engine, settings: Settings, *, run_id: int, shard_ids: list[int], label: str) -> Result:
    """Work the shards of a group through, each from wherever the last attempt came to."""
    policy, run = policy_and_run(engine, settings, run_id)
    if run.state in ("verified", "sealed"):
        return {"shards": label, "batches": 0, "rows": 0}
    with database.transaction(engine) as connection:
        setting = plan.setting_of(connection, policy, run)
    done = groups.enforce(engine, setting, shard_ids, settings.pseudonym_key(), Keys(settings.undo_keys))
    return {"shards": label, "batches": done.batches, "rows": done.rows}


def verify_run(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Nothing due is left, every row is accounted for, and what was kept is as it was; or say what is not."""
    policy, run = policy_and_run(engine, settings, run_id)
    if run.state == "sealed":
        return plan_totals(engine, run_id)
    if run.state not in _CARRIED_OUT:
        raise RunRefused(
            f"Run {run_id} is {run.state}; nothing was done that could be verified.", fix="execute it first."
        )
    with database.transaction(engine) as connection:
        unfinished = queries.run(connection, "enforcement/unfinished_shards", {"run_id": run_id}).scalar_one()
    if unfinished:
        raise RunRefused(f"{unfinished} shards are not worked through.", fix="clear their tasks; then verify again.")
    _sweep(engine, settings, policy, run)
    with database.transaction(engine) as connection:
        keeping.verify(connection, Keys(settings.undo_keys), run_id)
    with database.snapshot(engine) as connection:
        found = verify.verify(connection, plan.setting_of(connection, policy, run), run)
    # Not in that snapshot: after minutes of counting it could not append to the ledger if anybody else did meanwhile.
    with database.transaction(engine) as connection:
        kind = "verification_failed" if found.survivors or found.missing or found.altered else "run_verified"
        facts: dict[str, ledger.JSON] = {
            "survivors": found.survivors,
            "late": found.late,
            "missing": found.missing,
            "altered": list(found.altered),
        }
        if kind == "run_verified" and run.state != "verified":
            runs.move(connection, run_id, "verified", since=("executing",))
        ledger.append(connection, kind, facts, run_id)
    found.check()
    return {"survivors": 0, "late": sum(found.late.values()), **plan_totals(engine, run_id)}


def seal_run(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Close the run's evidence: a root over its entries, and a signed one over all there are, both outside as well."""
    now = database_time(engine)
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
        made = seal.seal(connection, run_id, run.job, run.as_of_date, now)
        if run.state != "sealed":
            runs.move(connection, run_id, "sealed", since=("verified",))
    path = seal.write(made, settings.seals)
    log = checkpoint.open_log(settings)
    signed = checkpoint.sign(engine, log, now)
    covered = signed.size if signed else 0
    return {"root": "sha256:" + made.root.hex(), "entries": made.entries, "seal": str(path), "checkpoint": covered}


def conclude(engine: sa.Engine, settings: Settings, *, run_id: int) -> Result:
    """Sign what the ledger has, the report's entry too. Green only if every promise was kept.

    Raises what must be looked at although the rest was done.
    """
    checkpoint.sign(engine, checkpoint.open_log(settings), database_time(engine))
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
        planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id}).all()
    if run.refused_sources:
        kept = sum(row.refused_rows for row in planned)
        raise HoldSourceUntrusted(
            f"Hold sources {', '.join(run.refused_sources)} are not believed; {kept} rows that are past their period"
            " were kept because one of them might hold them.",
            fix="see `holdfast hold sources`; make the source deliver, or accept its new size. The next night goes on.",
            sources=list(run.refused_sources),
            rows=kept,
        )
    if not run.is_dry and run.state != "sealed":
        raise RunRefused(f"Run {run_id} is {run.state}, not sealed.", fix="see the task that failed before.")
    return plan_totals(engine, run_id)


def _sweep(engine: sa.Engine, settings: Settings, policy: Policy, run: Run) -> None:
    """Again through the shards of rules that have due rows left, as long as that changes any.

    Rows are left where an update moved them while they were worked on, or where a row of the same table referred to
    them and is gone now.
    """
    if run.state == "executing":
        for _ in range(_MOST_SWEEPS):
            if not _sweep_once(engine, settings, policy, run):
                break


def _sweep_once(engine: sa.Engine, settings: Settings, policy: Policy, run: Run) -> int:
    """The rows that were changed."""
    with database.transaction(engine) as connection:
        setting = plan.setting_of(connection, policy, run)
        with_shards = sorted({shard.rule_id for shard in shards.of_run(connection, run.run_id)})
        left = verify.survivors(connection, setting, run, with_shards)
        again: list[int] = []
        for rule_id, number in left.items():
            values = {"run_id": run.run_id, "rule_id": rule_id}
            again.extend(queries.run(connection, "enforcement/reopen_shards", values).scalars())
            ledger.append(connection, "sweep_started", {"rule": rule_id, "rows": number}, run.run_id)
    key, undo_keys = settings.pseudonym_key(), Keys(settings.undo_keys)
    done = (execute.enforce(engine, setting, shard_id, key, undo_keys=undo_keys) for shard_id in sorted(again))
    return sum(one.rows for one in done)


def plan_totals(engine: sa.Engine, run_id: int) -> Result:
    """The plan's digest and totals, and how many rows the run has changed so far."""
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
        planned = queries.run(connection, "enforcement/plan_rules", {"run_id": run_id}).all()
        done = queries.run(connection, "enforcement/done_by_rule", {"run_id": run_id}).all()
    counts = {
        name: sum(getattr(row, f"{name}_rows") for row in planned)
        for name in ("due", "held", "refused", "waiting", "unknown")
    }
    return {"plan_digest": run.plan_digest, **counts, "done": int(sum(row.changed_rows for row in done))}


def policy_and_run(engine: sa.Engine, settings: Settings, run_id: int) -> tuple[Policy, Run]:
    """The database's part of the policy, which must still be the one the run was opened with, and the run."""
    policy, run = whole_and_run(engine, settings, run_id)
    return policy.at(settings.database), run


def whole_and_run(engine: sa.Engine, settings: Settings, run_id: int) -> tuple[Policy, Run]:
    """The policy of all databases, which must still be the one the run was opened with, and the run."""
    policy = load_policy(settings.policy)
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
    if run.policy_digest != policy.digest:
        raise PolicyError(
            f"The policy has changed since run {run_id} was opened.",
            fix="trigger the job again: it opens a run with the new policy.",
        )
    return policy, run


def database_time(engine: sa.Engine) -> dt.datetime:
    """The time, as the database has it."""
    with database.transaction(engine) as connection:
        now: dt.datetime = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
        return now
