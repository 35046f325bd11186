"""Two runs that delete take turns: one works from its first batch to its verification, and the other waits.

A run proves that before - deleted = after. It knows its own deletions, so nobody else's may fall between its plan and
its count. Planning needs no turn, and a plan that waits half a day for a person stops nobody: whoever begins after
another has worked plans anew first (docs/decisions/0009-turns.md). Airflow may start both jobs at once; the database
decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import plan, runs
from holdfast.enforcement.locks import Overtaken
from holdfast.enforcement.runs import Run
from holdfast.errors import RunRefused, TurnTaken
from holdfast.policy.model import Policy

PATIENCE = 60.0  # seconds that one attempt waits; Airflow makes others
PAUSE = 0.5  # seconds

Begin = Callable[[sa.Connection, Policy, Run], None]


def take(connection: sa.Connection, run: Run) -> None:
    """Take the turn until the transaction ends: the first statement of a REPEATABLE READ transaction.

    Raises TurnTaken while another run is at work, RunRefused if its verification has failed, since only a person ends
    that, and Overtaken if one has worked since this run's plan was counted.
    """
    queries.run(connection, "enforcement/lock_turn")
    values = {"run_id": run.run_id, "snapshot": run.plan_snapshot}
    other = queries.run(connection, "enforcement/other_runs_at_work", values).first()
    if other is None:
        return
    if not other.is_at_work:
        raise Overtaken
    if other.has_failed:
        raise RunRefused(
            f"The verification of run {other.run_id} of {other.job} has failed; run {run.run_id} may not begin: it"
            " could hide why.",
            fix="see that run; clear its verification once the cause is found, or let its next night replace it.",
        )
    raise TurnTaken(
        f"Run {other.run_id} of {other.job} is deleting, or was left unfinished; run {run.run_id} may not begin.",
        fix="nothing if it is still going: this is tried again. If it failed, clear its failed task, or let the next"
        " night of that job replace it.",
        run=other.run_id,
        job=other.job,
    )


def begin(engine: sa.Engine, policy: Policy, run: Run, begin_execution: Begin, recount: Callable[[], object]) -> None:
    """Begin the work of a planned run once no other is at work, with a plan that counts what those before it left.

    `recount` is called before a plan is made anew. An approval stands if the new plan has the same digest.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with database.snapshot(engine) as connection:
                take(connection, run)
                begin_execution(connection, policy, run)
        except Overtaken:
            recount()
            plan.make(engine, policy, run)
            with database.transaction(engine) as connection:
                run = runs.get(connection, run.run_id)
        except TurnTaken:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            return
