"""What a day's report says, as figures: read in one transaction, so that they are of one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Rule
from holdfast.emergency_data.rules import RECONCILIATION, working_days_before

TREND_DAYS = 90
ZONE = "Europe/London"
MOST_RECORDS_LISTED = 10_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """One line of the scorecard. `value` None: nothing to measure yet, which is not zero."""

    name: str
    meaning: str
    value: float | int | None
    is_share: bool = False


@dataclass(frozen=True)
class Edition:
    """The report of a day."""

    day: dt.date
    written_at: dt.datetime
    extracts: Sequence[Row]
    rules: Sequence[Row]
    refusals: Sequence[Row]
    changes: Sequence[Row]
    quarantine: Sequence[Row]
    gaps: Sequence[Row]
    rejects: Sequence[Row]
    days: Sequence[Row]
    audit: Sequence[Row]
    exceptions: Sequence[Row]
    scorecard: Sequence[Card]
    points: Sequence[str]
    switched_off: Mapping[str, str]
    catalogue: Mapping[str, Rule]

    @property
    def is_clear(self) -> bool:
        return not self.points

    @property
    def sentence(self) -> str:
        """The day in one sentence."""
        came = f"{len(self.extracts)} extract" + ("" if len(self.extracts) == 1 else "s")
        counts = f"{self.total('released'):,} of {self.total('records'):,} records left"
        if self.is_clear:
            return f"All clear: {came} came, {counts}, and nothing is to be said against them."
        return f"{came} came, {counts}, and {len(self.points)} matters need somebody."

    def total(self, name: str) -> int:
        """The sum over the extracts that were not refused."""
        return sum(int(row[name] or 0) for row in self.extracts if row["state"] != "refused")


def read(
    connection: sa.Connection,
    bounds: Bounds,
    rules: Mapping[str, Rule],
    *,
    switched_off: Mapping[str, str],
    day: dt.date,
    now: dt.datetime,
) -> Edition:
    """The figures of a day, as of `now`."""

    def rows(name: str, **values: object) -> list[Row]:
        return [dict(row._mapping) for row in queries.run(connection, name, values)]

    extracts = rows("emergency/report_extracts", day=day)
    gaps = rows("emergency/report_gaps", at=now)
    days = rows("emergency/report_days", since=now - dt.timedelta(days=TREND_DAYS))
    counts = queries.run(
        connection,
        "emergency/report_counts",
        {"at": now, "answer_hours": bounds.answer_hours},
    ).one()
    too_old = clock.midnight(working_days_before(day, bounds.reject_alert_working_days), ZONE)
    rejects = rows("emergency/open_rejects", alert_before=too_old)
    return Edition(
        day=day,
        written_at=now,
        extracts=extracts,
        rules=rows("emergency/report_rules", day=day),
        refusals=rows("emergency/report_refusals", day=day),
        changes=rows("emergency/report_figures", day=day),
        quarantine=rows("emergency/report_quarantine", most=MOST_RECORDS_LISTED),
        gaps=gaps,
        rejects=rejects,
        days=days,
        audit=rows("emergency/report_audit"),
        exceptions=rows("emergency/report_exceptions", day=day),
        scorecard=_scorecard(extracts, gaps, rejects, days, counts),
        points=_points(extracts, gaps, rejects, counts),
        switched_off=switched_off,
        catalogue=rules,
    )


def _scorecard(
    extracts: Sequence[Row], gaps: Sequence[Row], rejects: Sequence[Row], days: Sequence[Row], counts: Any
) -> list[Card]:
    latest = days[-1] if days else dict.fromkeys(("needing", "covered", "verified"))
    taken = [row for row in extracts if row["records"] and row["state"] in ("released", "delivered")]
    records = sum(row["records"] for row in taken)
    stale = sum(row["gaps"] for row in gaps if row["rule_id"] in ("E502", "E604"))
    return [
        Card("coverage", "live numbers that have a record", _share(latest["covered"], latest["needing"]), True),
        Card("released", "records that passed every rule", _share(sum(r["released"] for r in taken), records), True),
        Card("in quarantine", "records that wait for a better one", counts.in_quarantine),
        Card("open rejects", "records that the authority rejected", sum(row["rejects"] for row in rejects)),
        Card("stale", "records of numbers that are no longer live", stale),
        Card("late answers", "records without an answer in time", counts.unanswered_late),
        Card(
            "verified",
            "addresses checked with the customer within a year",
            _share(latest["verified"], latest["needing"]),
            True,
        ),
    ]


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else float(part) / float(whole)


def _points(extracts: Sequence[Row], gaps: Sequence[Row], rejects: Sequence[Row], counts: Any) -> list[str]:
    points = []
    if not extracts:
        points.append("No extract came on this day.")
    for state, what in (("refused", "refused"), ("waiting", "waiting for a person"), ("declined", "declined")):
        number = sum(row["state"] == state for row in extracts)
        if number:
            points.append(f"{number} {'file is' if number == 1 else 'files are'} {what}.")
    undelivered = sum(row["state"] == "released" for row in extracts)
    if undelivered:
        points.append(f"{undelivered} released files are not delivered.")
    if counts.in_quarantine:
        since = f"{counts.oldest_quarantined:%Y-%m-%d}"
        points.append(f"{counts.in_quarantine:,} records are in quarantine, the oldest since {since}.")
    points += [f"{row['gaps']:,} x {row['rule_id']}: {RECONCILIATION[row['rule_id']]}" for row in gaps]
    late = sum(row["too_long"] for row in rejects)
    if late:
        points.append(f"{late:,} rejected records have not been corrected for too many working days.")
    if counts.unanswered_late:
        points.append(f"{counts.unanswered_late:,} records were sent and not answered in time.")
    return points
