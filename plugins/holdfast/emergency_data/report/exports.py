"""The report as tables and as JSON, for those who go on working with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from holdfast.emergency_data.report.figures import Edition, Row
from holdfast.emergency_data.rules import RECONCILIATION
from holdfast.reports.tables import Cell, csv_text

FORMAT = "holdfast-emergency-report/1"


def json_text(edition: Edition) -> str:
    """Everything that the page says."""
    content = {
        "format": FORMAT,
        "day": edition.day,
        "written_at": edition.written_at,
        "verdict": {"clear": edition.is_clear, "sentence": edition.sentence, "points": list(edition.points)},
        "scorecard": {card.name: card.value for card in edition.scorecard},
        "extracts": _plain(edition.extracts),
        "broken_rules": _plain(edition.rules),
        "refusals": _plain(edition.refusals),
        "changes": _plain(edition.changes),
        "gaps": _plain(edition.gaps),
        "rejects": _plain(edition.rejects),
        "days": _plain(edition.days),
        "audit_due": _plain(edition.audit),
        "exceptions": _plain(edition.exceptions),
        "switched_off": dict(edition.switched_off),
    }
    return json.dumps(content, indent=2, default=_as_json) + "\n"


def rules_csv(edition: Edition) -> str:
    """One line for each rule: what it means, how many records broke it, what to do."""
    rows: list[Sequence[Cell]] = []
    for row in edition.rules:
        rule = edition.catalogue.get(row["rule_id"])
        words = (rule.meaning, rule.fix, rule.owner) if rule else ("", "", "")
        rows.append((row["rule_id"], row["severity"], int(row["broken"]), int(row["excepted"]), *words))
    return csv_text(("rule", "severity", "records", "excepted", "meaning", "fix", "owner"), rows)


def quarantine_csv(edition: Edition) -> str:
    """The records in quarantine by number, with all their reasons; whoever may, looks one up."""
    rows = [
        (row["extract_id"], row["record_no"], " ".join(row["rule_ids"]), row["quarantined_at"])
        for row in edition.quarantine
    ]
    return csv_text(("extract", "record", "rules", "since"), rows)


def gaps_csv(edition: Edition) -> str:
    """Where records and inventory disagree, by rule and age."""
    names = ("gaps", "up_to_a_day", "up_to_a_week", "older", "oldest")
    rows = [(row["rule_id"], RECONCILIATION[row["rule_id"]], *(row[name] for name in names)) for row in edition.gaps]
    return csv_text(("rule", "meaning", *names), rows)


def _plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def _as_json(value: object) -> Any:
    match value:
        case dt.date():
            return value.isoformat()
        case Decimal():
            return int(value)
    raise TypeError(f"{type(value).__name__} has no place in a report")
