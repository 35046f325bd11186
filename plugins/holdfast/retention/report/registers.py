"""What the registers hold about one run, as frozen values: read here, judged elsewhere.

A count that is None was not taken; it is never to be read as zero.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.reports import runs
from holdfast.reports.runs import Approval, Milestone, Review, Run, Seal


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
class Night:
    """A day on which a run was to enforce the schedule, and whether one of that day was sealed."""

    as_of_date: dt.date
    is_sealed: bool


@dataclass(frozen=True)
class Kept:
    """Deleted rows of a rule that are still kept encrypted. `first_gone_by`: the schedule wants the first gone by then.

    `why`: `window`, until their day; `held`, past it and under a hold; `unknown`, past it, and nobody can tell.
    """

    dataset: str
    rule_id: str
    why: str
    kept_rows: int
    first_gone_by: dt.date
    last_end: dt.date


@dataclass(frozen=True)
class EndedKey:
    """A key that this run destroyed: rows that nobody can read since, and rows that a hold kept on."""

    of_run: int
    ends_on: dt.date
    gone_rows: int
    kept_on_rows: int
    destroyed_at: dt.datetime


@dataclass(frozen=True)
class ObjectCount:
    """What lies in the folders of a dataset, and how much of it no row knows of; or a code for why nobody can say."""

    dataset: str
    objects: int | None
    without_row: int | None
    unknown_because: str | None


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
    undo_kept: tuple[Kept, ...] = ()
    undo_ended: tuple[EndedKey, ...] = ()
    objects: tuple[ObjectCount, ...] = ()

    def has(self, kind: str) -> bool:
        """True if the run left an entry of this kind in the ledger."""
        return runs.has(self.course, kind)


def read(connection: sa.Connection, run_id: int) -> Registers:
    """All that is known of a run. Raises RunRefused if there is none with this number."""

    def rows(query: str) -> list[dict[str, Any]]:
        return runs.rows(connection, query, run_id)

    sources = queries.run(connection, "retention/report_sources").mappings()
    return Registers(
        run=runs.run(connection, run_id),
        rules=tuple(PlannedRule(**row) for row in rows("retention/report_rules")),
        held=tuple(Held(**row) for row in rows("retention/report_held")),
        reviews=runs.reviews(connection, run_id),
        forecast=tuple(Forecast(**row) for row in rows("retention/report_forecast")),
        datasets=tuple(DatasetCount(**row) for row in rows("retention/report_datasets")),
        sources=tuple(Source(**runs.frozen(row)) for row in sources),
        approvals=runs.approvals(connection, run_id),
        seal=runs.seal(connection, run_id),
        course=runs.course(connection, run_id),
        nights=tuple(Night(**row) for row in rows("retention/report_nights")),
        kept_since=tuple((row["rule_id"], row["kept_since"]) for row in rows("retention/report_debt")),
        undo_kept=tuple(Kept(**row) for row in rows("retention/report_undo_kept")),
        undo_ended=tuple(EndedKey(**row) for row in rows("retention/report_undo_ended")),
        objects=tuple(ObjectCount(**row) for row in rows("enforcement/object_counts")),
    )
