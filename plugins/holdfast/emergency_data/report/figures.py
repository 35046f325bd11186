"""What a day's report says, as figures: read in one transaction, so that they are of one moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data import reconciliation
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Rule

TREND_DAYS = 90
ANSWER_DAYS = 28
"""First acceptances and hours are of the last four weeks: of one day they would say little."""
MOST_RECORDS_LISTED = 10_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Edition:
    """The report of a day: the rows of its questions, by the names of their columns.

    `documented` are the extracts with Data Docs beside the report.
    """

    day: dt.date
    written_at: dt.datetime
    extracts: Sequence[Row]
    documented: frozenset[int]
    rules: Sequence[Row]
    refusals: Sequence[Row]
    changes: Sequence[Row]
    quarantined: Row
    quarantine: Sequence[Row]
    calls: Sequence[Row]
    gaps: Sequence[Row]
    rejects: Sequence[Row]
    answers: Row
    days: Sequence[Row]
    audit: Sequence[Row]
    exceptions: Sequence[Row]
    switched_off: Mapping[str, str]
    catalogue: Mapping[str, Rule]

    @property
    def records(self) -> int:
        """That came in files which were not refused."""
        return sum(row["records"] or 0 for row in self.extracts if row["state"] != "refused")

    @property
    def left(self) -> Sequence[Row]:
        """The extracts whose good records have left. Those of one that waits or was declined have not."""
        return [row for row in self.extracts if row["state"] in ("released", "delivered")]

    @property
    def released(self) -> int:
        """Records that have left."""
        return sum(row["released"] for row in self.left)

    @property
    def standing(self) -> Row:
        """The last reconciliation within the trend; empty if there was none."""
        return next((row for row in reversed(self.days) if row["needing"] is not None), {})

    def gaps_of(self, *rule_ids: str) -> int:
        """How many gaps of these rules are open."""
        return sum(row["gaps"] for row in self.gaps if row["rule_id"] in rule_ids)


def read(
    connection: sa.Connection,
    bounds: Bounds,
    rules: Mapping[str, Rule],
    *,
    documented: frozenset[int],
    switched_off: Mapping[str, str],
    day: dt.date,
    now: dt.datetime,
) -> Edition:
    """The figures of a day, as of `now`."""

    def rows(name: str, **values: object) -> list[Row]:
        return [dict(row) for row in queries.run(connection, name, values).mappings()]

    alert_before = reconciliation.alert_before(bounds, day)
    return Edition(
        day=day,
        written_at=now,
        extracts=rows("emergency/report_extracts", day=day),
        documented=documented,
        rules=rows("emergency/report_rules", day=day),
        refusals=rows("emergency/report_refusals", day=day),
        changes=rows("emergency/report_figures", day=day),
        quarantined=rows("emergency/quarantine_size", at=now)[0],
        quarantine=rows("emergency/report_quarantine", most=MOST_RECORDS_LISTED),
        calls=rows("emergency/open_calls", alert_before=alert_before),
        gaps=rows("emergency/report_gaps", at=now),
        rejects=rows("emergency/open_rejects", at=now, alert_before=alert_before),
        answers=rows("emergency/report_answers", since=day - dt.timedelta(days=ANSWER_DAYS))[0],
        days=rows("emergency/report_days", since=now - dt.timedelta(days=TREND_DAYS)),
        audit=rows("emergency/report_audit"),
        exceptions=rows("emergency/report_exceptions", day=day),
        switched_off=switched_off,
        catalogue=rules,
    )
