"""The matrix of a run, decided with the holds as they are, and what it came to."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.deletion_requests import matrix
from holdfast.deletion_requests.register import State
from holdfast.enforcement import plan, runs
from holdfast.policy.model import Policy


def decide(engine: sa.Engine, policy: Policy, run_id: int, states: Collection[State] | None = None) -> None:
    """Fill the scope and the matrix with every open request, or those in some states, with the holds as they are."""
    with database.transaction(engine) as connection:
        run = runs.get(connection, run_id)
        now = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
        matrix.fill_scope(connection, policy, run.as_of_date, states)
        matrix.assess(connection, plan.setting_at(connection, policy, run, now), run_id)


def decisions(connection: sa.Connection, run_id: int) -> dict[str, int]:
    """How many decisions of each kind a run has."""
    found = queries.run(connection, "deletion_requests/decision_totals", {"run_id": run_id})
    return {row.decision: row.decisions for row in found}


def totals(engine: sa.Engine, run_id: int) -> dict[str, object]:
    """The same, as what a task returns."""
    with database.transaction(engine) as connection:
        return dict(decisions(connection, run_id))
