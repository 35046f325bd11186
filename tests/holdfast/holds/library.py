"""A lending library with two hold sources, made for these tests: keys of several types, and queries to break."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries, settings
from holdfast.holds import sources
from holdfast.holds.sources import SourceState
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.settings import Settings

NOW = dt.datetime(2026, 3, 2, 1, 30, tzinfo=dt.UTC)
TODAY = NOW.date()

DATA_MAP = """\
version: 1
schemas: [library]
datasets:
  members:
    table: library.member
    key: [member_no]
    subject: {column: member_no}
    owner: desk
    description: People who borrow books.
    columns: {member_no: {category: account, sensitivity: ordinary, legal_basis: contract}}
    not_personal: [left_on]
  loans:
    table: library.loan
    key: [taken_at, copy_id]
    subject: {column: member_no}
    event: taken_at
    owner: desk
    description: Who borrowed which copy, and when.
    columns: {member_no: {category: account, sensitivity: ordinary, legal_basis: contract}}
    not_personal: [taken_at, copy_id]
  letters:
    table: library.letter
    key: [code]
    subject: {column: member_no}
    owner: desk
    description: Letters about books that are late.
    columns: {member_no: {category: account, sensitivity: ordinary, legal_basis: contract}}
    not_personal: [code, sent_on]
  suppliers:
    table: library.supplier
    key: [supplier_id]
    subject: {none: Companies that sell us books and are no members.}
    owner: desk
    description: Who sells us books, with a contact.
    columns: {contact: {category: contact, sensitivity: ordinary, legal_basis: contract}}
    not_personal: [supplier_id, ended_on]
"""

SCHEDULE = """\
version: 1
time_zone: Europe/London
accounting_year_end: "03-31"
caps: {rows: 1000, share: 0.1, overdue_days: 30}
approvers: {dpo: Data protection officer}
classes:
  after: {period: P1Y, starts: end_of_process}
rules:
"""

RULE = """\
  {dataset}-1y:
    dataset: {dataset}
    deletion_class: after
    start: {{column: {start}, missing: not_started}}
    action: {{do: delete}}
    strength: maximum
    holds: {holds}
    law: No longer needed after a year.
    source: nowhere
    owner: desk
"""

RULES = (("members", "left_on", "all"), ("loans", "taken_at", "all"), ("letters", "sent_on", "all"),
         ("suppliers", "ended_on", "[ORDER]"))  # fmt: skip

HOLDS = """\
version: 1
types:
  FINE:
    authority: billing
    meaning: A fine is not paid.
    ground: Performance of the contract.
    disclosable: true
    review_after: P6M
  DAMAGE:
    authority: billing
    meaning: A book came back damaged.
    ground: Legal claims, UK GDPR Art 17(3)(e).
    disclosable: true
    review_after: P3M
    by_hand: true
  ORDER:
    authority: legal
    meaning: A court wants the record.
    ground: Legal obligation, UK GDPR Art 17(3)(b).
    disclosable: false
    review_after: P6M
    by_hand: true
sources:
  desk: {authority: billing, types: [FINE, DAMAGE], max_age_hours: 30, max_shrink: 0.5, owner: desk}
  court: {authority: legal, types: [ORDER], max_age_hours: 30, max_shrink: 1, owner: desk}
"""

DATABASE = """
CREATE SCHEMA library;
CREATE TABLE library.member (member_no bigint PRIMARY KEY, left_on date);
CREATE TABLE library.loan (
    taken_at timestamptz, copy_id uuid, member_no integer REFERENCES library.member, PRIMARY KEY (taken_at, copy_id)
);
CREATE TABLE library.letter (code char(6) PRIMARY KEY, member_no bigint REFERENCES library.member, sent_on date);
CREATE TABLE library.supplier (supplier_id integer PRIMARY KEY, contact text, ended_on date);
CREATE TABLE library.hold_feed (
    source_id text, reference text, hold_type text, subject_key text, datasets text[], record_key text,
    period_from date, period_to date, ground text, disclosable boolean, ends_on date, review_on date
);
CREATE TABLE library.feed (source_id text, loaded_at timestamptz);
"""

QUERY = """\
-- What does {source} hold?
-- params:  as_of date
-- returns: the declared columns of a hold source
-- locks:   none
SELECT
    reference, hold_type, subject_key, datasets, record_key, period_from, period_to, ground, disclosable, ends_on,
    review_on
FROM library.hold_feed
WHERE source_id = '{source}' AND (ends_on IS NULL OR ends_on >= cast(:as_of AS date))
"""

FRESHNESS = """\
-- When was {source} complete?
-- params:  none
-- returns: one row (loaded_at timestamptz)
-- locks:   none
SELECT loaded_at FROM library.feed WHERE source_id = '{source}'
"""

FINE: dict[str, Any] = {
    "reference": "fine-1", "hold_type": "FINE", "subject_key": "7", "ground": "contract", "disclosable": True,
}  # fmt: skip
"""A sound hold; `{**FINE, ...}` makes others."""


@dataclass(frozen=True)
class Library:
    """One library: its database, its policy and the project folder that has its sources' queries."""

    engine: sa.Engine
    settings: Settings
    policy: Policy

    def report(self, *holds: dict[str, Any], source: str = "desk") -> None:
        """Let a source report exactly these holds."""
        with self.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM library.hold_feed WHERE source_id = :s"), {"s": source})
            for hold in holds:
                row = {"source_id": source, **hold}
                table = sa.table("hold_feed", *map(sa.column, row), schema="library")
                connection.execute(sa.insert(table).values(row))

    def loaded(self, at: dt.datetime | None, source: str = "desk") -> None:
        """Let a source have been complete at this moment."""
        self.sql("DELETE FROM library.feed WHERE source_id = :s", s=source)
        self.sql("INSERT INTO library.feed VALUES (:s, :at)", s=source, at=at)

    def restore(self) -> None:
        """Make both sources right again: complete, `desk` with one fine and `court` with nothing."""
        for source in self.policy.holds.sources:
            self.write(source, QUERY.format(source=source))
            self.write(f"{source}_freshness", FRESHNESS.format(source=source))
            self.loaded(NOW - dt.timedelta(hours=2), source)
        self.report(FINE)

    def write(self, name: str, text: str) -> None:
        """Replace a source's query."""
        self.path(name).write_text(text, encoding="utf-8")
        queries.query.cache_clear()

    def path(self, name: str) -> Path:
        return self.settings.sql / "provider" / "holds" / f"{name}.sql"

    def refresh(
        self, *, now: dt.datetime = NOW, as_of: dt.date = TODAY, run_id: int | None = None
    ) -> dict[str, SourceState]:
        states = sources.refresh(self.engine, self.policy, self.settings, now=now, as_of=as_of, run_id=run_id)
        return {state.source_id: state for state in states}

    def held(self) -> dict[str, sa.Row[Any]]:
        """The register by reference, with the place of each row: a row that is written anew moves."""
        rows = self.sql("SELECT ctid::text, * FROM holdfast.hold ORDER BY hold_id")
        return {row.reference: row for row in rows}

    def known(self, source: str = "desk") -> sa.Row[Any]:
        return self.sql("SELECT * FROM holdfast.hold_source WHERE source_id = :s", s=source)[0]

    def entries(self) -> list[tuple[str, dict[str, Any]]]:
        """Kind and facts of every ledger entry, oldest first."""
        rows = self.sql("SELECT kind, entry FROM holdfast.ledger_entry ORDER BY seq")
        return [(row.kind, json.loads(row.entry)["facts"]) for row in rows]

    def sql(self, statement: str, **values: object) -> list[sa.Row[Any]]:
        with self.engine.begin() as connection:
            result = connection.execute(sa.text(statement), values)
            return list(result) if result.returns_rows else []


def make(engine: sa.Engine, project: Path) -> Library:
    """The library in an empty database, with both sources right."""
    real = settings.load().project
    for folder in ("enforcement", "evidence", "holds", "migrations"):
        shutil.copytree(real / "sql" / folder, project / "sql" / folder)
    (project / "sql" / "provider" / "holds").mkdir(parents=True)
    (project / "policy").mkdir()
    rules = "".join(RULE.format(dataset=one, start=start, holds=holds) for one, start, holds in RULES)
    texts = {"data_map.yaml": DATA_MAP, "retention_schedule.yaml": SCHEDULE + rules, "holds.yaml": HOLDS}
    for name, text in texts.items():
        (project / "policy" / name).write_text(text, encoding="utf-8")
    library = Library(
        engine, Settings(home=project / "home", project=project, database_url=None), load_policy(project / "policy")
    )
    with database.transaction(engine) as connection:
        database.run_script(connection, DATABASE)
    library.restore()
    return library
