"""What every report says of a run itself: when and in which mode it was, who approved it, and what proves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.errors import RunRefused


@dataclass(frozen=True)
class Run:
    """The run itself. `earlier_runs` counts those of the same job, day and mode that were opened before it."""

    run_id: int
    job: str
    as_of: dt.datetime
    as_of_date: dt.date
    mode: str
    policy_digest: str
    state: str
    opened_at: dt.datetime
    holds_as_of: dt.datetime | None
    plan_digest: str | None
    refused_sources: tuple[str, ...]
    earlier_runs: int

    @property
    def is_dry(self) -> bool:
        return self.mode == "dry-run"

    @property
    def folder_name(self) -> str:
        """The day; a dry run and a second run of the day (another policy) are kept apart, so none hides another."""
        name = self.as_of_date.isoformat()
        if self.is_dry:
            name += "-dry-run"
        return f"{name}-run-{self.run_id}" if self.earlier_runs else name


@dataclass(frozen=True)
class Review:
    """The next day on which a hold of a type is to be looked at again, and how many should have been already."""

    hold_type: str
    next_review: dt.date | None
    overdue_reviews: int


@dataclass(frozen=True)
class Approval:
    """A person's answer, good for the plan with this digest and no other."""

    plan_digest: str
    decision: str
    decided_by: str
    decided_at: dt.datetime


@dataclass(frozen=True)
class Seal:
    """The closed evidence of a run."""

    first_seq: int
    last_seq: int
    entries: int
    root: bytes
    sealed_seq: int
    head_hash: bytes
    sealed_at: dt.datetime


@dataclass(frozen=True)
class Milestone:
    """All ledger entries of one kind in the run."""

    kind: str
    meaning: str
    entries: int
    first_seq: int
    last_seq: int
    first_at: dt.datetime
    last_at: dt.datetime


def has(course: Iterable[Milestone], kind: str) -> bool:
    """True if the run left an entry of this kind in the ledger."""
    return any(milestone.kind == kind for milestone in course)


def run(connection: sa.Connection, run_id: int) -> Run:
    """The run with this number. Raises RunRefused if there is none."""
    found = queries.run(connection, "reports/run", {"run_id": run_id}).one_or_none()
    if found is None:
        raise RunRefused(f"There is no run {run_id} to report on.", fix="open a run first, and report on its number.")
    return Run(**frozen(found._mapping))


def reviews(connection: sa.Connection, run_id: int) -> tuple[Review, ...]:
    """By type of hold, of those that were active in the run and may be named."""
    return tuple(Review(**row) for row in rows(connection, "reports/reviews", run_id))


def approvals(connection: sa.Connection, run_id: int) -> tuple[Approval, ...]:
    """Every answer to a plan of the run, oldest first."""
    return tuple(Approval(**row) for row in rows(connection, "reports/approvals", run_id))


def seal(connection: sa.Connection, run_id: int) -> Seal | None:
    """What closes the evidence of the run; None while it is open."""
    found = rows(connection, "reports/seal", run_id)
    return Seal(**found[0]) if found else None


def course(connection: sa.Connection, run_id: int) -> tuple[Milestone, ...]:
    """How the run went, as the ledger has it, in the order of the first entry of each kind."""
    return tuple(Milestone(**row) for row in rows(connection, "reports/course", run_id))


def rows(connection: sa.Connection, query: str, run_id: int) -> list[dict[str, Any]]:
    """The rows of a query on one run."""
    return [frozen(row) for row in queries.run(connection, query, {"run_id": run_id}).mappings()]


def frozen(row: sa.RowMapping) -> dict[str, Any]:
    """The row with lists as tuples, so that a value cannot be changed by whoever reads it."""
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in row.items()}
