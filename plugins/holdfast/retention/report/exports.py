"""The report as data: two CSV files for spreadsheets and one JSON file for programs.

The keys of the JSON file and the columns of the CSV files are a promise to whoever reads them: they are only ever added
to, and FORMAT changes if one must go. What was not counted is null, or an empty cell.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from holdfast.policy import wording
from holdfast.reports import data
from holdfast.reports.tables import csv_of
from holdfast.retention.report.edition import Edition

FORMAT = "holdfast-retention-report/1"


@dataclass(frozen=True)
class RuleRecord:
    """One rule, as a row of report.csv. Without the run's policy `period` to `owner` are None."""

    as_of_date: dt.date
    mode: str
    dataset: str
    rule_id: str
    action: str
    period: str | None
    start: str | None
    law: str | None
    source: str | None
    owner: str | None
    planned_rows: int
    done_rows: int | None
    survivor_rows: int | None
    late_rows: int | None
    held_rows: int
    refused_rows: int
    waiting_rows: int
    unknown_rows: int
    not_done_rows: int
    overdue_rows: int
    oldest_start: dt.date | None
    overdue_days: int | None
    kept_since: dt.date | None


@dataclass(frozen=True)
class HeldRecord:
    """One rule and type of hold, or the other obligations of a rule together, as a row of held.csv."""

    as_of_date: dt.date
    mode: str
    dataset: str
    rule_id: str
    hold_type: str
    authority: str
    held_rows: int
    held_until: dt.date | None
    holds: int | None


def rules_csv(edition: Edition) -> str:
    """One row for each rule; no row of sums, which a pivot table would count again."""
    return csv_of(RuleRecord, _rule_records(edition))


def held_csv(edition: Edition) -> str:
    """One row for each rule and type of hold that may be named, and one for all others of the rule."""
    return csv_of(HeldRecord, _held_records(edition))


def json_text(edition: Edition) -> str:
    """Everything that the page says in figures, with sorted keys, so that two nights can be compared line by line."""
    run = edition.run
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
        "rules": _rule_records(edition),
        "held": _held_records(edition),
        "forecast": [
            {"rule_id": one.rule_id, "dataset": one.dataset, "within_days": days, "rows_due": rows}
            for one in edition.forecast
            for days, rows in zip(edition.horizons, one.rows, strict=True)
        ],
        "unknown_or_refused": edition.advice,
        "exempt": edition.exempt,
        "sources": edition.sources,
        "caps": [
            {
                "rule_id": plan.rule_id,
                "exceeded": plan.caps_exceeded,
                "planned_rows": plan.due_rows,
                "total_rows": plan.total_rows,
                "oldest_overdue_days": plan.oldest_overdue_days,
                "cap_rows": plan.cap_rows,
                "cap_share": plan.cap_share,
                "cap_overdue_days": plan.cap_overdue_days,
            }
            for plan in edition.capped
        ],
        "approvals": edition.approvals,
        "datasets": [
            {**dataclasses.asdict(one), "arrived": one.arrived, "balances": one.balances} for one in edition.datasets
        ],
        "held_rows_unchanged": dict(edition.held_proofs),
        "shards": {"finished": edition.shards[0], "all": edition.shards[1]},
        "seal": edition.seal,
        "course": edition.course,
        "objects": edition.objects,
        "undo": {"kept": edition.undo_kept, "destroyed": edition.undo_ended},
        "missed_nights": edition.missed,
        "unfinished_nights": edition.unfinished,
    }
    return data.json_text(facts)


def _rule_records(edition: Edition) -> list[RuleRecord]:
    overdue = {debt.line.rule_id: debt.overdue_days for debt in edition.debts}
    records = []
    for line in edition.lines:
        words = wording.describe(edition.policy, line.rule_id)
        records.append(
            RuleRecord(
                as_of_date=edition.run.as_of_date,
                mode=edition.run.mode,
                dataset=line.dataset,
                rule_id=line.rule_id,
                action=line.action,
                period=words.period if words else None,
                start=words.start if words else None,
                law=words.law if words else None,
                source=words.source if words else None,
                owner=words.owner if words else None,
                planned_rows=line.due,
                done_rows=line.acted,
                survivor_rows=line.survivors,
                late_rows=line.late,
                held_rows=line.held,
                refused_rows=line.refused,
                waiting_rows=line.waiting,
                unknown_rows=line.unknown,
                not_done_rows=line.not_acted,
                overdue_rows=line.kept_late,
                oldest_start=line.oldest_start,
                overdue_days=overdue.get(line.rule_id),
                kept_since=line.kept_since,
            )
        )
    return records


def _held_records(edition: Edition) -> list[HeldRecord]:
    dataset_of = {line.rule_id: line.dataset for line in edition.lines}
    return [
        HeldRecord(
            as_of_date=edition.run.as_of_date,
            mode=edition.run.mode,
            dataset=dataset_of[one.rule_id],
            rule_id=one.rule_id,
            hold_type=one.hold_type,
            authority=one.authority,
            held_rows=one.held_rows,
            held_until=one.held_until,
            holds=one.holds,
        )
        for one in edition.held
    ]
