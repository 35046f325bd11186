"""What the registers hold about one run, as frozen values: read here, judged elsewhere.

A count that is None was not taken; it is never to be read as zero.
"""

from __future__ import annotations

import datetime as dt
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


@dataclass(frozen=True)
class PlannedRule:
    """One rule's plan and progress. `acted_rows` are the rows deleted or anonymised so far."""

    rule_id: str
    dataset: str
    action: str
    total_rows: int
    due_rows: int
    held_rows: int
    refused_rows: int
    waiting_rows: int
    unknown_rows: int
    oldest_due: dt.date | None
    oldest_overdue_days: int | None
    held_unchanged: bool | None
    cap_rows: int
    cap_share: float
    cap_overdue_days: int
    caps_exceeded: tuple[str, ...]
    survivors: int | None
    late_rows: int | None
    acted_rows: int
    shards: int
    finished_shards: int


@dataclass(frozen=True)
class Held:
    """The rows of a rule that one type of hold keeps; `held_until` None: at least one of its holds has no end."""

    rule_id: str
    hold_type: str
    authority: str
    disclosable: bool
    held_rows: int
    held_until: dt.date | None
    holds: int


@dataclass(frozen=True)
class Review:
    """The next day on which a hold of a type is to be looked at again, and how many should have been already."""

    hold_type: str
    next_review: dt.date | None
    overdue_reviews: int


@dataclass(frozen=True)
class Forecast:
    """Rows of a rule that fall due within so many days, before holds."""

    rule_id: str
    within_days: int
    rows_due: int


@dataclass(frozen=True)
class DatasetCount:
    """The rows of a dataset before and after. `arrived_versions`: row versions written since the plan's snapshot."""

    dataset: str
    before_rows: int
    deleted_rows: int | None
    after_rows: int | None
    arrived_versions: int | None
    sample_rows: int
    sample_unchanged: bool | None


@dataclass(frozen=True)
class Source:
    """What a source of holds was worth when it was last read; `loaded_at` None: its data was never complete."""

    source_id: str
    status: str
    checked_at: dt.datetime
    loaded_at: dt.datetime | None
    read_holds: int | None
    accepted_holds: int | None


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


@dataclass(frozen=True)
class Night:
    """A day on which a run was to enforce the schedule, and whether one of that day was sealed."""

    as_of_date: dt.date
    is_sealed: bool


@dataclass(frozen=True)
class Registers:
    """Everything the report is made of, apart from the policy."""

    run: Run
    rules: tuple[PlannedRule, ...] = ()
    held: tuple[Held, ...] = ()
    reviews: tuple[Review, ...] = ()
    forecast: tuple[Forecast, ...] = ()
    datasets: tuple[DatasetCount, ...] = ()
    sources: tuple[Source, ...] = ()
    approvals: tuple[Approval, ...] = ()
    seal: Seal | None = None
    course: tuple[Milestone, ...] = ()
    nights: tuple[Night, ...] = ()
    kept_since: tuple[tuple[str, dt.date], ...] = ()

    def has(self, kind: str) -> bool:
        """True if the run left an entry of this kind in the ledger."""
        return any(milestone.kind == kind for milestone in self.course)


def read(connection: sa.Connection, run_id: int) -> Registers:
    """All that is known of a run. Raises RunRefused if there is none with this number."""
    found = queries.run(connection, "retention/report_run", {"run_id": run_id}).one_or_none()
    if found is None:
        raise RunRefused(f"There is no run {run_id} to report on.", fix="open a run first, and report on its number.")

    def rows(query: str) -> list[dict[str, Any]]:
        result = queries.run(connection, query, {"run_id": run_id})
        return [_frozen(row) for row in result.mappings()]

    seals = rows("retention/report_seal")
    return Registers(
        run=Run(**_frozen(found._mapping)),
        rules=tuple(PlannedRule(**row) for row in rows("retention/report_rules")),
        held=tuple(Held(**row) for row in rows("retention/report_held")),
        reviews=tuple(Review(**row) for row in rows("retention/report_reviews")),
        forecast=tuple(Forecast(**row) for row in rows("retention/report_forecast")),
        datasets=tuple(DatasetCount(**row) for row in rows("retention/report_datasets")),
        sources=tuple(Source(**_frozen(row)) for row in queries.run(connection, "retention/report_sources").mappings()),
        approvals=tuple(Approval(**row) for row in rows("retention/report_approvals")),
        seal=Seal(**seals[0]) if seals else None,
        course=tuple(Milestone(**row) for row in rows("retention/report_course")),
        nights=tuple(Night(**row) for row in rows("retention/report_nights")),
        kept_since=tuple((row["rule_id"], row["kept_since"]) for row in rows("retention/report_debt")),
    )


def _frozen(row: sa.RowMapping) -> dict[str, Any]:
    """The row with lists as tuples, so that a value cannot be changed by whoever reads it."""
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in row.items()}
