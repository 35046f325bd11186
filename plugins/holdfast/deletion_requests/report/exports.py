"""The report as data: a CSV file for each table, all tables as one workbook, and a JSON file for programs.

The keys of the JSON file and the columns of the tables are a promise to whoever reads them: they are only ever added
to, and FORMAT changes if one must go. What was not counted is null, or an empty cell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.deletion_requests.report import words
from holdfast.deletion_requests.report.due import DueLine
from holdfast.deletion_requests.report.edition import Edition
from holdfast.deletion_requests.report.figures import MatrixLine
from holdfast.deletion_requests.report.registers import Week
from holdfast.reports import data, xlsx
from holdfast.reports.tables import csv_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT = "holdfast-deletion-requests-report/1"
LISTED = 200
"""So many of the most urgent requests are in the JSON file; deadlines.csv has them all."""


@dataclass(frozen=True)
class StateRecord:
    """Requests in one state for one reason."""

    state: str
    reason: str
    requests: int
    duplicates: int
    oldest_received_on: dt.date


@dataclass(frozen=True)
class BlockerRecord:
    """One type of hold, or the others together. `until` None: without an end, or not told."""

    hold_type: str
    authority: str | None
    requests: int
    alone: int
    decisions: int
    oldest_received_on: dt.date
    until: dt.date | None
    next_review: dt.date | None
    overdue_reviews: int | None


@dataclass(frozen=True)
class KeptRecord:
    """What one thing keeps in one dataset. `law` is that of a rule, the ground of a type of hold."""

    dataset: str
    kept_by: str
    law: str | None
    requests: int
    rows_exempt: int
    until: dt.date | None
    is_open: bool | None


@dataclass(frozen=True)
class RecipientRecord:
    """The open notices of one kind to one recipient, by the days since they were sent."""

    recipient: str
    kind: str
    unsent: int
    unanswered: int
    within_7_days: int
    within_30_days: int
    older: int
    oldest_sent_at: dt.datetime | None


@dataclass(frozen=True)
class BreakRecord:
    """One break; numbers of requests and holds with a space between them, the first of them only."""

    kind: str
    is_incident: bool
    about: str | None
    count: int | None
    counts: str
    requests: str
    holds: str


@dataclass(frozen=True)
class Table:
    """One table of the report; `kind` is the dataclass of its records, whose fields are the columns."""

    name: str
    kind: type[DataclassInstance]
    records: Sequence[DataclassInstance]


def tables(edition: Edition) -> list[Table]:
    """All tables; no row of sums, which a pivot table would count again."""
    lines = edition.deadlines.lines if edition.deadlines else ()
    return [
        Table("requests", StateRecord, _states(edition)),
        Table("matrix", MatrixLine, edition.matrix),
        Table("deadlines", DueLine, lines),
        Table("holds", BlockerRecord, _blockers(edition)),
        Table("kept", KeptRecord, _kept(edition)),
        Table("recipients", RecipientRecord, _recipients(edition)),
        Table("breaks", BreakRecord, _breaks(edition)),
        Table("weeks", Week, edition.weeks),
    ]


def csv_files(edition: Edition) -> dict[str, str]:
    """The text of each CSV file, by its name."""
    return {f"{table.name}.csv": csv_of(table.kind, table.records) for table in tables(edition)}


def workbook(edition: Edition) -> bytes:
    """All tables in one file, a sheet for each."""
    sheets = [xlsx.sheet_of(words.title(table.name), table.kind, table.records) for table in tables(edition)]
    return xlsx.workbook(sheets, title=f"Deletion requests {edition.run.as_of_date}", on=edition.run.as_of_date)


def json_text(edition: Edition) -> str:
    """Everything that the page says in figures, with sorted keys, so that two nights can be compared line by line."""
    run, due = edition.run, edition.deadlines
    facts = {
        "format": FORMAT,
        "written_at": edition.written_at,
        "run": {
            "run_id": run.run_id,
            "job": run.job,
            "as_of": run.as_of,
            "as_of_date": run.as_of_date,
            "mode": run.mode,
            "state": run.state,
            "policy_digest": run.policy_digest,
            "plan_digest": run.plan_digest,
            "opened_at": run.opened_at,
            "is_policy_known": edition.policy is not None,
        },
        "verdict": edition.verdict,
        "totals": edition.totals,
        "requests": _states(edition),
        "matrix": edition.matrix,
        "sums": edition.sums,
        "open_reasons": edition.open_reasons,
        "refused_sources": edition.refused_sources,
        "deadlines": None
        if due is None
        else {
            "today": due.today,
            "levels": due.levels,
            "past_target": due.past_target,
            "oldest": due.oldest,
            "unanswered": len(due.lines),
            "most_urgent": due.lines[:LISTED],
        },
        "holds": _blockers(edition),
        "kept": _kept(edition),
        "rest": [one.rest for one in edition.kept],
        "recipients": _recipients(edition),
        "breaks": edition.breaks,
        "weeks": edition.weeks,
        "work": edition.work,
        "approvals": edition.approvals,
        "seal": edition.seal,
        "course": edition.course,
    }
    return data.json_text(facts)


def _states(edition: Edition) -> list[StateRecord]:
    return [
        StateRecord(one.state, one.reason, one.requests, one.duplicates, one.oldest_received_on)
        for one in edition.states
    ]


def _blockers(edition: Edition) -> list[BlockerRecord]:
    return [
        BlockerRecord(
            hold_type=one.hold_type,
            authority=one.authority,
            requests=one.requests,
            alone=one.alone,
            decisions=one.decisions,
            oldest_received_on=one.oldest_received_on,
            until=None if one.is_open else one.until,
            next_review=one.review.next_review if one.review else None,
            overdue_reviews=one.review.overdue_reviews if one.review else None,
        )
        for one in edition.blockers
    ]


def _kept(edition: Edition) -> list[KeptRecord]:
    return [
        KeptRecord(
            dataset=one.rest.dataset,
            kept_by=words.keeper(keeper.keeper),
            law=words.law(edition.policy, keeper.keeper),
            requests=keeper.requests,
            rows_exempt=keeper.rows_exempt,
            until=keeper.until if keeper.is_hold and not keeper.ends_open else None,
            is_open=keeper.ends_open > 0 if keeper.is_hold and keeper.ends_told else None,
        )
        for one in edition.kept
        for keeper in one.keepers
    ]


def _recipients(edition: Edition) -> list[RecipientRecord]:
    return [
        RecipientRecord(
            recipient=one.recipient,
            kind=one.kind,
            unsent=one.unsent,
            unanswered=one.unanswered,
            within_7_days=one.within_7_days,
            within_30_days=one.within_30_days,
            older=one.older,
            oldest_sent_at=one.oldest_sent_at,
        )
        for one in edition.recipients
    ]


def _breaks(edition: Edition) -> list[BreakRecord]:
    return [
        BreakRecord(
            kind=one.kind,
            is_incident=one.is_incident,
            about=one.about,
            count=one.count,
            counts=one.counts,
            requests=" ".join(map(str, one.requests)),
            holds=" ".join(map(str, one.holds)),
        )
        for one in edition.breaks or ()
    ]
