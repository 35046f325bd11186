"""What is known of files: taken in once, moved from state to state, and why one was refused. SQL only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.judge import Verdict
from holdfast.emergency_data.rules import Figure
from holdfast.emergency_data.scan import Finding, Scan
from holdfast.errors import ExtractRefused


@dataclass(frozen=True)
class Extract:
    """One row of emergency.extract, of a file that was not refused."""

    extract_id: int
    sha256: str
    file_name: str
    layout: str
    provider: str
    sequence: int
    extract_type: str
    business_date: dt.date
    generated_at: dt.datetime
    state: str
    rule_set: str | None
    records: int
    quarantined: int | None

    @property
    def previous_sequence(self) -> int:
        return self.sequence - 1


def open_extract(
    connection: sa.Connection, seen: Scan, *, file_name: str, layout: str | None, state: str, at: dt.datetime
) -> int | None:
    """Note a file; its number, or None if the very same one was here before. A refused one may have no header."""
    header = {name: seen.header.get(name) for name in ("provider", "sequence", "extract_type", "business_date")}
    values = {
        **header,
        "sha256": seen.sha256,
        "file_name": file_name,
        "layout": layout,
        "generated_at": seen.header.get("generated_at"),
        "records": seen.records,
        "state": state,
        "arrived_at": at,
    }
    row = queries.run(connection, "emergency/open_extract", values).one_or_none()
    return None if row is None else int(row.extract_id)


def known(connection: sa.Connection, sha256: str) -> tuple[int, str] | None:
    """The number and state of a file that was here before."""
    row = queries.run(connection, "emergency/extract_by_digest", {"sha256": sha256}).one_or_none()
    return None if row is None else (int(row.extract_id), str(row.state))


def get(connection: sa.Connection, extract_id: int) -> Extract:
    """The extract. Raises ExtractRefused if there is none, or it was refused."""
    row = queries.run(connection, "emergency/extract_by_id", {"extract_id": extract_id}).one_or_none()
    if row is None or row.state == "refused":
        raise ExtractRefused(f"There is no extract {extract_id} to work on.", fix="see why its file was refused.")
    return Extract(
        extract_id=row.extract_id,
        sha256=row.sha256,
        file_name=row.file_name,
        layout=row.layout,
        provider=row.provider,
        sequence=row.sequence,
        extract_type=row.extract_type,
        business_date=row.business_date,
        generated_at=row.generated_at,
        state=row.state,
        rule_set=row.rule_set,
        records=row.records,
        quarantined=row.quarantined,
    )


def last_sequence(connection: sa.Connection, provider: str) -> int | None:
    """The last number that was taken in from a provider."""
    found: int | None = queries.run(connection, "emergency/last_sequence", {"provider": provider}).scalar_one()
    return found


def lock(connection: sa.Connection, extract_id: int) -> str:
    """Take the extract until the transaction ends; its state."""
    return str(queries.run(connection, "emergency/lock_extract", {"extract_id": extract_id}).scalar_one())


def move(connection: sa.Connection, extract_id: int, to: str, *, since: Sequence[str]) -> None:
    """Change the state. Raises ExtractRefused if it is not one of those it may come from."""
    values = {"extract_id": extract_id, "state": to, "from_states": list(since)}
    if queries.run(connection, "emergency/set_extract_state", values).one_or_none() is None:
        raise ExtractRefused(
            f"Extract {extract_id} is {lock(connection, extract_id)} and cannot become {to}.",
            fix="see its ledger entries; another run may have gone on with it.",
        )


def record_findings(connection: sa.Connection, extract_id: int, findings: Sequence[Finding]) -> None:
    """Why a file was refused."""
    for one in findings:
        values = {
            "extract_id": extract_id,
            "rule_id": one.rule_id,
            "reason": one.reason,
            "line": one.line,
            "column_name": one.column,
        }
        queries.run(connection, "emergency/store_finding", values)


def record_verdict(connection: sa.Connection, extract_id: int, suite: Suite, verdict: Verdict) -> None:
    """How an extract's records fared, in all and by rule; rules that nothing broke are there with zero."""
    counts = {
        "extract_id": extract_id,
        "rule_set": suite.digest,
        "records": verdict.records,
        "released": verdict.records - verdict.stopped,
        "quarantined": verdict.stopped,
        "warned": verdict.warned,
    }
    queries.run(connection, "emergency/record_verdict", counts)
    queries.run(connection, "emergency/forget_rule_counts", {"extract_id": extract_id})
    by_rule = {
        "extract_id": extract_id,
        "rule_ids": list(suite.rules),
        "severities": [rule.severity for rule in suite.rules.values()],
        "broken": [verdict.broken.get(rule_id, 0) for rule_id in suite.rules],
        "excepted": [verdict.excepted.get(rule_id, 0) for rule_id in suite.rules],
    }
    queries.run(connection, "emergency/store_rule_counts", by_rule)


def usual_volume(connection: sa.Connection, extract: Extract, days: int) -> float | None:
    """The median number of records of the provider's extracts of this kind in the days before."""
    values = {
        "provider": extract.provider,
        "extract_type": extract.extract_type,
        "since": extract.business_date - dt.timedelta(days=days),
        "before": extract.business_date,
    }
    found: float | None = queries.run(connection, "emergency/usual_volume", values).scalar_one()
    return found


def record_figures(connection: sa.Connection, extract_id: int, figures: Sequence[Figure]) -> None:
    """What an extract would change, against its bounds."""
    for one in figures:
        values = {"extract_id": extract_id, "figure": one.name, "value": one.value, "bound": one.bound}
        queries.run(connection, "emergency/store_figure", {**values, "exceeded": one.exceeded})


def decision_on(connection: sa.Connection, sha256: str) -> str | None:
    """What a person decided on the file with this digest."""
    row = queries.run(connection, "emergency/decision_on", {"sha256": sha256}).one_or_none()
    return None if row is None else str(row.decision)
