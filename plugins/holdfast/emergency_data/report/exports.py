"""The report as data: a CSV file for each table, all tables as one workbook, and a JSON file for programs.

The keys of the JSON file and the columns of the tables are a promise to whoever reads them: they are only ever added
to, and FORMAT changes if one must go. What was not measured is null, or an empty cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from holdfast.emergency_data.report import scorecard
from holdfast.emergency_data.report.figures import Edition, Row
from holdfast.emergency_data.rules import RECONCILIATION
from holdfast.reports import data, xlsx
from holdfast.reports.tables import Cell, csv_text

FORMAT = "holdfast-emergency-report/1"


def tables(edition: Edition) -> list[xlsx.Sheet]:
    """All tables; no row of sums, which a pivot table would count again."""
    cards = [(card.name, card.meaning, card.value, card.unit) for card in scorecard.scorecard(edition)]
    return [
        xlsx.Sheet("scorecard", ("name", "meaning", "value", "unit"), cards),
        _sheet("calls", ("waits_for", "calls", "too_long", "oldest"), edition.calls),
        _sheet(
            "extracts",
            (
                *("extract_id", "provider", "sequence", "extract_type", "state", "records", "released", "warned"),
                *("quarantined", "delivered"),
            ),
            edition.extracts,
        ),
        _rules(edition),
        _sheet("refusals", ("extract_id", "rule_id", "reason", "line", "column_name"), edition.refusals),
        _sheet("changes", ("extract_id", "figure", "value", "bound", "exceeded"), edition.changes),
        _quarantine(edition),
        _gaps(edition),
        _sheet(
            "rejects", ("code", "rejects", "up_to_a_day", "in_time", "too_long", "oldest", "again"), edition.rejects
        ),
        _sheet("audit", ("due_month", "numbers"), edition.audit),
        _sheet(
            "days",
            (
                *("day", "needing", "covered", "verified", "told", "stale", "rejected", "calls"),
                *("records", "released", "quarantined"),
            ),
            edition.days,
        ),
        _sheet(
            "exceptions",
            ("exception_id", "rule_id", "reason", "owner", "accepted_on", "last_day"),
            edition.exceptions,
        ),
    ]


def csv_files(edition: Edition) -> dict[str, str]:
    """A file for each table, by its name."""
    return {f"{one.name}.csv": csv_text(one.header, one.rows) for one in tables(edition)}


def workbook(edition: Edition) -> bytes:
    """All tables, a sheet each."""
    return xlsx.workbook(tables(edition), title=f"999 emergency data {edition.day}", on=edition.day)


def json_text(edition: Edition) -> str:
    """Everything that the page says. Of records in quarantine it has the number; quarantine.csv lists them."""
    verdict = scorecard.verdict(edition)
    content: dict[str, Any] = {
        "format": FORMAT,
        "day": edition.day,
        "written_at": edition.written_at,
        "verdict": {"clear": verdict.is_clear, "sentence": verdict.sentence, "points": verdict.points},
        "scorecard": {card.name: card.value for card in scorecard.scorecard(edition)},
        "calls": edition.calls,
        "extracts": edition.extracts,
        "rules": edition.rules,
        "refusals": edition.refusals,
        "changes": edition.changes,
        "quarantine": edition.quarantined,
        "gaps": edition.gaps,
        "rejects": edition.rejects,
        "audit": edition.audit,
        "days": edition.days,
        "exceptions": edition.exceptions,
        "switched_off": edition.switched_off,
    }
    return data.json_text(content)


def _sheet(name: str, columns: tuple[str, ...], rows: Sequence[Row]) -> xlsx.Sheet:
    return xlsx.Sheet(name, columns, [[row[column] for column in columns] for row in rows])


def _rules(edition: Edition) -> xlsx.Sheet:
    """One line for each rule: what it means, how many records broke it, what to do."""
    rows: list[Sequence[Cell]] = []
    for row in edition.rules:
        rule = edition.catalogue.get(row["rule_id"])
        words = (rule.meaning, rule.fix, rule.owner) if rule else ("", "", "")
        rows.append((row["rule_id"], row["severity"], row["broken"], row["excepted"], *words))
    return xlsx.Sheet("rules", ("rule", "severity", "records", "excepted", "meaning", "fix", "owner"), rows)


def _quarantine(edition: Edition) -> xlsx.Sheet:
    """The records in quarantine by number, with all their reasons; whoever may, looks one up."""
    rows = [
        (row["extract_id"], row["record_no"], " ".join(row["rule_ids"]), row["quarantined_at"])
        for row in edition.quarantine
    ]
    return xlsx.Sheet("quarantine", ("extract", "record", "rules", "since"), rows)


def _gaps(edition: Edition) -> xlsx.Sheet:
    """Where records and inventory disagree and what waits for too long, by rule and age."""
    names = ("gaps", "up_to_a_day", "up_to_a_week", "up_to_a_month", "older", "oldest")
    rows = [(row["rule_id"], RECONCILIATION[row["rule_id"]], *(row[name] for name in names)) for row in edition.gaps]
    return xlsx.Sheet("gaps", ("rule", "meaning", *names), rows)
