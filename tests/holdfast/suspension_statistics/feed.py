"""A provider that is nothing but a feed of events, without a key between them: they come late, twice, wrong or
orphaned.

`Feed` is what the provider says now; `take` takes it in as it would be known at a moment.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import database, queries, settings
from holdfast.suspension_facts import days, take_in
from holdfast.suspension_facts.shapes import SHAPES, Shape
from holdfast.suspension_facts.take_in import Taken

KEY = bytes(range(32))
LONDON = ZoneInfo("Europe/London")
ZONE = "Europe/London"
Row = Mapping[str, Any]

DECISION = {
    "subject_key": "1",
    "account_kind": "individual",
    "account_age": "older",
    "region": "samplewick",
    "detected_by_machine": True,
    "automation": "fully",
    "person_acted": False,
    "person_changed": None,
    "restriction": "total",
    "reason": "fraud",
    "signal_family": "traffic",
    "product": "voice",
    "detection_source": "detector",
    "lawful_basis": "contract",
    "rule_version": "rules-1",
    "has_reasons": True,
    "uses_special_category": False,
    "bars_emergency_calls": False,
    "not_told_because": None,
    "planned_hours": 48,
}


def at(day: str, clock: str = "12:00") -> dt.datetime:
    """A moment in London."""
    return dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=LONDON)


def decision(key: str, moment: dt.datetime, **different: object) -> dict[str, Any]:
    return {"record_key": key, "at": moment, **DECISION, **different}


def notice(
    key: str, case: str, moment: dt.datetime, since: dt.datetime | None, *, offers: bool = True
) -> dict[str, Any]:
    return {"record_key": key, "case_key": case, "at": moment, "measured_from": since, "offers_review": offers}


def request(
    key: str,
    case: str,
    moment: dt.datetime,
    since: dt.datetime | None,
    kind: str = "human_review",
    assigned: int | None = 5,
) -> dict[str, Any]:
    row = {"record_key": key, "case_key": case, "at": moment, "measured_from": since}
    return {**row, "kind": kind, "assigned_minutes": assigned}


def ending(
    key: str,
    case: str,
    of_request: str,
    moment: dt.datetime,
    since: dt.datetime | None,
    outcome: str = "upheld",
    **different: object,
) -> dict[str, Any]:
    row = {"record_key": key, "case_key": case, "request_key": of_request, "at": moment, "measured_from": since}
    looked = {"reviewer": "anna", "reviewer_is_decider": False, "seconds_spent": 600, "evidence_viewed": True}
    return {**row, "outcome": outcome, **looked, **different}


def restoration(
    key: str, case: str, moment: dt.datetime, since: dt.datetime | None, cause: str = "review"
) -> dict[str, Any]:
    return {"record_key": key, "case_key": case, "at": moment, "measured_from": since, "cause": cause}


def escalation(
    key: str, case: str, moment: dt.datetime, since: dt.datetime | None, kind: str = "complaint"
) -> dict[str, Any]:
    return {"record_key": key, "case_key": case, "at": moment, "measured_from": since, "kind": kind}


def check(
    key: str, case: str, moment: dt.datetime, since: dt.datetime | None, *, right: bool | None = True
) -> dict[str, Any]:
    return {"record_key": key, "case_key": case, "at": moment, "measured_from": since, "was_right": right}


@dataclass
class Feed:
    """What the provider says: rows by kind of fact, and the days that are complete."""

    engine: sa.Engine
    rows: dict[str, list[Row]] = field(default_factory=lambda: {shape.kind: [] for shape in SHAPES})
    complete: dict[dt.date, tuple[int, int, int | None, int | None]] = field(default_factory=dict)

    def say(self, **rows: Sequence[Row]) -> None:
        """Add rows of these kinds."""
        for kind, some in rows.items():
            self.rows[kind] += some

    def correct(self, kind: str, key: str, **different: object) -> None:
        """Change the row of a key."""
        self.rows[kind] = [{**row, **different} if row["record_key"] == key else row for row in self.rows[kind]]

    def forget(self, subject: str) -> None:
        """The provider erases all rows of a subject."""
        cases = {row["record_key"] for row in self.rows["decision"] if row["subject_key"] == subject}
        for kind, rows in self.rows.items():
            self.rows[kind] = [row for row in rows if row.get("case_key", row["record_key"]) not in cases]

    def end_days(self, first: dt.date, last: dt.date, *, but: Sequence[dt.date] = ()) -> None:
        """Every day from `first` to `last` is complete, with a hundred people and twenty firms."""
        for n in range((last - first).days + 1):
            day = first + dt.timedelta(days=n)
            if day not in but:
                self.complete[day] = (100, 20, None, None)

    def take(self, now: dt.datetime, subjects: Sequence[str] | None = None) -> Taken:
        """Take in what the provider says now, known from `now` on."""
        with database.transaction(self.engine) as connection:
            for shape in SHAPES:
                _write(connection, f"feed.{shape.kind}", [_texts(row) for row in self.rows[shape.kind]])
            named = ("day", "individuals", "businesses", "missed_looked_at", "missed_found")
            whole = [dict(zip(named, (day.isoformat(), *counts), strict=True)) for day, counts in self.complete.items()]
            _write(connection, "feed.complete", whole)
            taken = take_in.take_in(connection, key=KEY, zone=ZONE, now=now, subject_keys=subjects)
            days.arrive(connection, since=dt.date(2000, 1, 1), until=dt.date(2100, 1, 1), now=now)
        return taken


def lay_out(project: Path) -> None:
    """A project whose provider is the feed; all else is the shipped one."""
    shipped = settings.load().project
    (project / "sql").mkdir(parents=True)
    for path in (shipped / "sql").iterdir():
        if path.name != "provider":
            (project / "sql" / path.name).symlink_to(path)
    (project / "sql" / "provider").mkdir()
    for path in (shipped / "sql" / "provider").iterdir():
        if path.name != "suspension":
            (project / "sql" / "provider" / path.name).symlink_to(path)
    for name in ("policy", "expectations", "docs"):
        (project / name).symlink_to(shipped / name)
    for shape in SHAPES:
        path = project / "sql" / f"{shape.query}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_query(shape), encoding="utf-8")
    (project / "sql" / "provider" / "suspension" / "days.sql").write_text(_DAYS, encoding="utf-8")


def build(engine: sa.Engine) -> Feed:
    """The feed's tables, empty."""
    metadata = sa.MetaData(schema="feed")
    for shape in SHAPES:
        sa.Table(shape.kind, metadata, *(sa.Column(name, kind) for name, kind in shape.declared.items()))
    counts = (
        sa.Column(name, sa.BigInteger) for name in ("individuals", "businesses", "missed_looked_at", "missed_found")
    )
    sa.Table("complete", metadata, sa.Column("day", sa.Date), *counts)
    with database.transaction(engine) as connection:
        connection.execute(sa.schema.CreateSchema("feed"))
        metadata.create_all(connection)
    queries.query.cache_clear()
    return Feed(engine)


def _write(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(sa.text(f"DELETE FROM {table}"))
    connection.execute(
        sa.text(f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(cast(NULL AS {table}), :rows)").bindparams(
            sa.bindparam("rows", rows, postgresql.JSONB)
        )
    )


def _texts(row: Row) -> dict[str, Any]:
    return json.loads(json.dumps(row, default=lambda value: value.isoformat()))


def _query(shape: Shape) -> str:
    about = (
        "feed.decision.record_key = one.record_key" if shape.is_decision else "feed.decision.record_key = one.case_key"
    )
    return f"""\
-- What does the feed say?
-- params:  since timestamptz, subject_keys text[]
-- returns: see holdfast.suspension_facts.shapes
-- locks:   none
SELECT {", ".join(f"one.{name}" for name in shape.declared)}
FROM feed.{shape.kind} AS one
WHERE
    coalesce(one.at >= :since, TRUE)
    AND (
        cast(:subject_keys AS text []) IS NULL
        OR EXISTS (SELECT FROM feed.decision WHERE {about} AND feed.decision.subject_key = any(:subject_keys))
    )
"""


_DAYS = """\
-- Which days are complete?
-- params:  since date, until date
-- returns: day date, individuals bigint, businesses bigint, missed_looked_at bigint, missed_found bigint
-- locks:   none
SELECT day, individuals, businesses, missed_looked_at, missed_found FROM feed.complete
WHERE day >= :since AND day < :until
"""
