"""Figures of a month from the facts, and the versions that were frozen. SQL only."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.evidence import ledger
from holdfast.suspension_statistics import rules
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.terms import Terms

_ANALYZE, _REVIEW_TIMES = "suspension_statistics/analyze_stage", "suspension_statistics/review_times"
_STAGES = (
    "suspension_statistics/stage_decisions",
    "suspension_statistics/stage_requests",
    "suspension_statistics/stage_notices",
    "suspension_statistics/stage_restorations",
)
_FIGURES = (
    "suspension_statistics/figures_flow",
    "suspension_statistics/figures_notices",
    "suspension_statistics/figures_requests",
    "suspension_statistics/figures_reviews",
    "suspension_statistics/figures_machine",
    "suspension_statistics/figures_people",
    "suspension_statistics/figures_escalations",
    "suspension_statistics/figures_set_aside",
)
QUERIES = (*_STAGES, _ANALYZE, *_FIGURES, _REVIEW_TIMES)
"""All that a month's figures are made from, in order."""


@dataclass(frozen=True)
class Version:
    """One frozen version of a month."""

    month: dt.date
    version: int
    known_until: dt.datetime
    made_at: dt.datetime
    reason: str
    made_by: str
    terms: str
    definitions: str
    figures: str
    digest: str


def compute(
    connection: sa.Connection, definitions: Definitions, terms: Terms, month: dt.date, known_until: dt.datetime
) -> list[Figure]:
    """All figures of a month, from what was known by a moment."""
    values = values_of(terms, month, known_until)
    for stage in _STAGES:
        _run(connection, stage, values)
    queries.run(connection, _ANALYZE)
    figures = [Figure(*tuple(row)) for name in _FIGURES for row in _run(connection, name, values)]
    times = [(row.minutes, row.is_decided, row.requests) for row in _run(connection, _REVIEW_TIMES, values)]
    watched = sum(how_many for _, _, how_many in times)
    median = rules.kaplan_meier_median(times)
    figures.append(Figure("M20", "decision", "kaplan_meier", "median", median, watched))
    queries.run(connection, "suspension_statistics/drop_stage")
    return rules.complete(figures, definitions)


def values_of(terms: Terms, month: dt.date, known_until: dt.datetime) -> dict[str, object]:
    """What the queries of a month's figures are given, each what it asks for."""
    return {
        "first_day": month,
        "next_month": rules.after(month),
        "known_until": known_until,
        "watched_until": clock.local_date(known_until, terms.zone),
        "holidays": list(terms.holidays),
        "review_working_days": terms.review_working_days,
        "repeat_days": terms.repeat_days,
        "least_reviews": terms.least_reviews,
        "stamp_share": terms.stamp_share,
        "stamp_seconds": terms.stamp_seconds,
    }


def _run(connection: sa.Connection, name: str, values: dict[str, object]) -> sa.CursorResult[Any]:
    declared = set(queries.query(name)._bindparams)
    return queries.run(connection, name, {key: value for key, value in values.items() if key in declared})


def arrived_at(connection: sa.Connection, month: dt.date) -> dt.datetime | None:
    """When the last day of the month first arrived, None while days are missing."""
    values = {"first_day": month, "next_month": rules.after(month)}
    found: dt.datetime | None = queries.run(connection, "suspension_statistics/arrived_at", values).scalar_one()
    return found


def versions(connection: sa.Connection, month: dt.date | None = None, *, since: dt.date = dt.date.min) -> list[Version]:
    """Every version of a month, or of all from one on, oldest first."""
    found = queries.run(connection, "suspension_statistics/versions", {"month": month, "since": since})
    return [Version(**row) for row in found.mappings()]


def late_facts(connection: sa.Connection, since: dt.date) -> dict[dt.date, int]:
    """Frozen month, from one on -> how many facts of it became known after what its latest version was made of."""
    found = queries.run(connection, "suspension_statistics/late_facts", {"since": since})
    return {row.month: row.facts for row in found}


def add(connection: sa.Connection, version: Version) -> None:
    """Keep a version, with its entry in the ledger. Versions are only ever added to."""
    row = json.dumps(vars(version), default=lambda value: value.isoformat())
    queries.run(connection, "suspension_statistics/add_version", {"version": row})
    facts: dict[str, ledger.JSON] = {
        "month": version.month.isoformat(),
        "version": version.version,
        "digest": version.digest,
    }
    kind = "statistics_frozen" if version.version == 1 else "statistics_restated"
    ledger.append(connection, kind, {**facts, "reason": version.reason, "definitions": version.definitions})
