"""A run's life: opened once for a day and a policy, planned, executed, verified, sealed; a retry is the same run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.enforcement import rules
from holdfast.errors import RunRefused
from holdfast.evidence import ledger
from holdfast.policy.model import Policy

ENFORCE, DRY_RUN = "enforce", "dry-run"


@dataclass(frozen=True)
class Run:
    """One row of holdfast.run. `holds_as_of` and `plan_snapshot` are set by the plan."""

    run_id: int
    job: str
    as_of: dt.datetime
    as_of_date: dt.date
    mode: str
    policy_digest: str
    edition: int
    state: str
    holds_as_of: dt.datetime | None
    plan_digest: str | None
    plan_snapshot: str | None
    refused_sources: tuple[str, ...]

    @property
    def is_dry(self) -> bool:
        return self.mode == DRY_RUN


def open_run(
    connection: sa.Connection, policy: Policy, job: str, as_of: dt.datetime, *, dry_run: bool, again: bool = False
) -> Run:
    """The job's run for this moment's day, made if it is new. Raises RunRefused for a future or an overtaken day.

    An unfinished run of an earlier day or policy is superseded: none of its workers can commit another batch. `again`:
    if the day's run is sealed, the day gets another edition, for what was not there to be done when it was.
    """
    day = clock.local_date(as_of, policy.schedule.time_zone)
    mode = DRY_RUN if dry_run else ENFORCE
    key = {"job": job, "as_of_date": day, "mode": mode, "policy_digest": policy.digest}
    now = queries.run(connection, "enforcement/lock_job", {"job": job}).scalar_one()
    known = queries.run(connection, "enforcement/run_by_key", key).one_or_none()
    is_another = again and known is not None and known.state == "sealed"
    if known is not None and not is_another:
        return _retried(connection, _run(known))
    tried = {"job": job, "today": clock.local_date(now, policy.schedule.time_zone)}
    latest = queries.run(connection, "enforcement/latest_run_date", tried).scalar_one()
    rules.check_run_date(as_of, day, now, latest)
    unasked = sorted(policy.holds.sources)  # no source is believed before it was asked
    edition = 1 if known is None else known.edition + 1
    values = {**key, "as_of": as_of, "edition": edition, "refused_sources": unasked}
    run_id = queries.run(connection, "enforcement/open_run", values).scalar_one()
    facts: dict[str, ledger.JSON] = {"job": job, "as_of": day.isoformat(), "mode": mode, "policy": policy.digest}
    if is_another:
        facts["edition"] = edition
    if not dry_run:
        ended = queries.run(connection, "enforcement/supersede_runs", {"job": job, "run_id": run_id})
        ledger.append(connection, "run_started", {**facts, "superseded": sorted(ended.scalars())}, run_id)
    run = get(connection, run_id)
    missed = [] if dry_run else missed_nights(connection, run)
    if missed:
        nights: dict[str, ledger.JSON] = {"first": missed[0].isoformat(), "last": missed[-1].isoformat()}
        ledger.append(connection, "nights_missed", {**nights, "nights": len(missed)}, run_id)
    return run


def missed_nights(connection: sa.Connection, run: Run) -> list[dt.date]:
    """The nights since the last sealed run that did not run."""
    values = {"job": run.job, "before": run.as_of_date}
    last = queries.run(connection, "enforcement/last_sealed_date", values).scalar_one()
    return rules.nights_between(last, run.as_of_date)


def get(connection: sa.Connection, run_id: int) -> Run:
    """The run with this number. Raises RunRefused if there is none."""
    row = queries.run(connection, "enforcement/run_by_id", {"run_id": run_id}).one_or_none()
    if row is None:
        raise RunRefused(f"There is no run {run_id}.", fix="open a run first.")
    return _run(row)


def move(connection: sa.Connection, run_id: int, to: str, *, since: tuple[str, ...]) -> None:
    """Change a run's state. Raises RunRefused if it is not in one of the states it may come from."""
    values = {"run_id": run_id, "state": to, "from_states": list(since)}
    if queries.run(connection, "enforcement/set_state", values).one_or_none() is None:
        raise RunRefused(
            f"Run {run_id} is {get(connection, run_id).state} and cannot become {to}.",
            fix="see its ledger entries; a newer run may have taken over.",
        )


def _retried(connection: sa.Connection, run: Run) -> Run:
    if run.state == "superseded":
        raise RunRefused(
            f"Run {run.run_id} of {run.as_of_date} was superseded by a later run.", fix="look at the later run."
        )
    if run.state == "refused":
        raise RunRefused(
            f"Run {run.run_id} of {run.as_of_date} was refused by a person.",
            fix="correct the policy, or let the next night plan anew.",
        )
    if not run.is_dry and run.state != "sealed":
        ledger.append(connection, "run_resumed", {"state": run.state}, run.run_id)
    return run


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        run_id=row.run_id,
        job=row.job,
        as_of=row.as_of,
        as_of_date=row.as_of_date,
        mode=row.mode,
        policy_digest=row.policy_digest,
        edition=row.edition,
        state=row.state,
        holds_as_of=row.holds_as_of,
        plan_digest=row.plan_digest,
        plan_snapshot=row.plan_snapshot,
        refused_sources=tuple(row.refused_sources),
    )
