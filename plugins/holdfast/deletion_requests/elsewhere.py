"""Requests in further databases: what is asked for is taken there, and what came of it is taken back.

A request is received, decided and answered in the main database. Each further one has, night by night, copies of those
that are being carried out, decides and erases by its own run with its own ledger, and closes them when the main one
does. What it decided stands in the main matrix under the main run; a decision that did not come is `unknown`, and then
the request stays open. So nothing is told as erased that some database still has
(docs/decisions/0018-several-databases.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement.runs import Run
from holdfast.errors import DatabaseUnreachable, MigrationError
from holdfast.policy import parts
from holdfast.policy.model import Policy
from holdfast.settings import MAIN, Settings


@dataclass(frozen=True)
class Taken:
    """Decisions that came from further databases, and those that did not come and are unknown."""

    decided: int
    unknown: int


def take_over(connection: sa.Connection, main: sa.Connection) -> int:
    """Have this database's register know the requests that are being carried out, and close all others; how many."""
    queries.run(connection, "deletion_requests/elsewhere_stage_open")
    wanted = queries.query("deletion_requests/elsewhere_open").text
    database.bring(main, wanted, connection, "pg_temp.request_elsewhere")
    queries.run(connection, "deletion_requests/elsewhere_number")
    queries.run(connection, "deletion_requests/elsewhere_forget_parts")
    return int(queries.run(connection, "deletion_requests/elsewhere_take_over").one().taken)


def take_back(connection: sa.Connection, settings: Settings, policy: Policy, run: Run) -> Taken:
    """Put the decisions of every further database into the main matrix of a run. Doing it again changes nothing.

    `policy` is the whole, and holdfast.erasure_scope what is asked for under it.
    """
    queries.run(connection, "deletion_requests/elsewhere_stage_matrix")
    for name in policy.data_map.connections:
        with _answering(connection, settings.at(name)) as other:
            if other is not None:
                _stage(connection, other, run)
    reached = parts.with_subject(policy).items()
    values = {"run_id": run.run_id, "datasets": [name for name, one in reached if one.connection != MAIN]}
    queries.run(connection, "deletion_requests/elsewhere_forget", values)
    kept = queries.run(connection, "deletion_requests/elsewhere_keep", values).one()
    return Taken(kept.decided, kept.unknown)


def _stage(connection: sa.Connection, other: sa.Connection, run: Run) -> None:
    """Bring the matrix of the other database's run of the same night, if it has done its work."""
    night = {"job": run.job, "day": run.as_of_date, "policy_digest": run.policy_digest, "edition": run.edition}
    found = queries.run(other, "deletion_requests/elsewhere_run", night).scalar_one_or_none()
    if found is not None:
        queries.run(other, "deletion_requests/elsewhere_stage_matrix")
        queries.run(other, "deletion_requests/elsewhere_fill_matrix", {"run_id": found})
        database.bring(other, "TABLE pg_temp.matrix_elsewhere", connection, "pg_temp.matrix_elsewhere")


@contextmanager
def _answering(connection: sa.Connection, there: Settings) -> Iterator[sa.Connection | None]:
    """The same, or None if it does not answer."""
    with ExitStack() as stack:
        try:
            other = stack.enter_context(asking(connection, there))
        except (DatabaseUnreachable, MigrationError):
            other = None
        yield other


@contextmanager
def asking(connection: sa.Connection, there: Settings) -> Iterator[sa.Connection]:
    """A transaction in another database, as the role that we work as here. Raises DatabaseUnreachable."""
    role = queries.run(connection, "roles/working_as").scalar_one()
    engine = database.connect_migrated(there, role)
    try:
        with database.transaction(engine) as other:
            yield other
    finally:
        engine.dispose()
