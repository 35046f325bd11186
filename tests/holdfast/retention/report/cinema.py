"""A cinema's policy and one night of its registers, filled in by hand, with every kind of outcome in it.

Two types of hold and one source may not be known of: `SECRETS` lists every word of theirs, and `SECRET_FIGURES` days
and numbers that only they have. Texts that a person writes carry markup and a formula, because a policy is a file that
anybody may have edited.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.settings import Settings

JOB = "retention_nightly"
NIGHT = dt.date(2026, 11, 24)
AS_OF = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
WRITTEN = dt.datetime(2026, 11, 24, 1, 52, 8, tzinfo=dt.UTC)
PLAN = "sha256:" + hashlib.sha256(b"the plan of the night").hexdigest()

SECRETS = ("warrant", "covert", "whisper", "silence", "watched", "sealed order", "secret")
SECRET_FIGURES = ("2031", "888")

_COLUMN = "{category: activity, sensitivity: ordinary, legal_basis: contract}"
_DATASETS = {
    "members": "left_on",
    "bookings": "booked_at",
    "tickets": "shown_at",
    "cards": "last_used_on",
    "reviews": "written_at",
    "newsletters": "ended_on",
}

DATA_MAP = (
    "version: 1\nschemas: [cinema]\ndatasets:\n"
    + "".join(
        f"""\
  {name}:
    table: cinema.{name}
    key: [id]
    subject: {{column: member_no}}
    event: {event}
    owner: front-of-house
    description: One of the tables of a cinema.
    columns:
      member_no: {_COLUMN}
      {event}: {_COLUMN}
      note: {_COLUMN}
    not_personal: [id]
"""
        for name, event in _DATASETS.items()
    )
    + """\
exemptions:
  cinema.film:
    reason: Films, their <b>titles</b> & lengths; about no person.
    owner: programming
    review_by: 2026-06-30
  cinema.screen:
    reason: "=HYPERLINK(\\"http://example.test\\"): rooms and their seats."
    owner: programming
    review_by: 2030-06-30
"""
)

SCHEDULE = """\
version: 1
time_zone: Europe/London
accounting_year_end: "03-31"
caps: {rows: 1000, share: 0.1, overdue_days: 30}
approvers: {dpo: Data protection officer}
classes:
  parted-2y: {period: P2Y, starts: end_of_relationship}
  made-6y: {period: P6Y, starts: creation}
  made-90d: {period: P90D, starts: creation}
  finished-13m: {period: P13M, starts: end_of_process}
rules:
  members-2y:
    dataset: members
    deletion_class: parted-2y
    start: {column: left_on, missing: not_started}
    action:
      do: anonymise
      columns:
        note: {to: "null"}
    strength: maximum
    law: "+44 is no formula: claims on the contract, <script>alert('law')</script> & the like."
    source: Invented for the tests.
    owner: front-of-house
  bookings-6y:
    dataset: bookings
    deletion_class: made-6y
    start: {column: booked_at, counts_from: end_of_accounting_period}
    action: {do: delete}
    strength: statutory
    law: Records of an accounting period.
    source: Invented for the tests.
    owner: finance
  tickets-90d:
    dataset: tickets
    deletion_class: made-90d
    start: {column: shown_at}
    action: {do: delete}
    strength: maximum
    law: No longer needed after the show.
    source: Invented for the tests.
    owner: front-of-house
  cards-13m:
    dataset: cards
    deletion_class: finished-13m
    start: {column: last_used_on}
    action: {do: delete}
    strength: maximum
    law: Chargebacks arrive for thirteen months.
    source: Invented for the tests.
    owner: finance
  reviews-90d:
    dataset: reviews
    deletion_class: made-90d
    start: {column: written_at}
    action: {do: delete}
    strength: maximum
    law: Nobody reads them after a season.
    source: Invented for the tests.
    owner: programming
  newsletters-13m:
    dataset: newsletters
    deletion_class: finished-13m
    start: {column: ended_on, missing: not_started}
    action: {do: delete}
    strength: maximum
    law: Proof that it was wanted.
    source: Invented for the tests.
    owner: front-of-house
"""

HOLDS = """\
version: 1
types:
  UNPAID:
    authority: billing
    meaning: The booking is not paid.
    ground: Performance of the contract.
    disclosable: true
    review_after: P6M
  TAX:
    authority: tax
    meaning: Records of an accounting period under enquiry.
    ground: Legal obligation, UK GDPR Art 17(3)(b).
    disclosable: true
    review_after: P12M
  LITIGATION:
    authority: legal
    meaning: Counsel has given notice to preserve evidence.
    ground: Legal claims, UK GDPR Art 17(3)(e).
    disclosable: true
    review_after: P6M
  WARRANT:
    authority: legal
    meaning: A sealed order asks for it.
    ground: Secret Act, section 5.
    disclosable: false
    review_after: P6M
  COVERT_INQUIRY:
    authority: legal
    meaning: A member is watched and in silence.
    ground: Secret Act, section 6.
    disclosable: false
    review_after: P6M
sources:
  cashdesk:
    authority: billing
    types: [UNPAID]
    max_age_hours: 30
    max_shrink: 0.5
    owner: finance
  ledgers:
    authority: tax
    types: [TAX]
    max_age_hours: 30
    max_shrink: 0.5
    owner: finance
  counsel:
    authority: legal
    types: [LITIGATION, COVERT_INQUIRY]
    max_age_hours: 54
    max_shrink: 0.2
    owner: counsel
  whisper:
    authority: legal
    types: [WARRANT]
    max_age_hours: 54
    max_shrink: 0.2
    owner: counsel
"""

RULES: dict[str, dict[str, Any]] = {
    "members-2y": {"due": 30, "acted": 28, "held": 3, "oldest": dt.date(2024, 10, 1), "days": 53, "total": 4_000},
    "bookings-6y": {
        "due": 1_200,
        "acted": 1_200,
        "held": 41,
        "oldest": dt.date(2019, 12, 30),
        "days": 237,
        "total": 9_000,
    },
    "tickets-90d": {"refused": 250, "late": 4, "oldest": dt.date(2026, 8, 1), "total": 2_000},
    "cards-13m": {"due": 7, "acted": 7, "waiting": 5, "unknown": 3, "oldest": dt.date(2025, 10, 20), "total": 600},
    "reviews-90d": {"held": 6, "oldest": dt.date(2026, 5, 5), "total": 80},
    "newsletters-13m": {"total": 120},
}
OVER_CAP = {"bookings-6y": ["rows", "share", "overdue"], "members-2y": ["overdue"]}
HELD = (
    ("members-2y", "UNPAID", "billing", True, 3, dt.date(2027, 1, 31), 2),
    ("bookings-6y", "COVERT_INQUIRY", "legal", False, 11, dt.date(2027, 2, 1), 1),
    ("bookings-6y", "LITIGATION", "legal", True, 9, None, 2),
    ("bookings-6y", "TAX", "tax", True, 30, dt.date(2027, 3, 31), 1),
    ("bookings-6y", "UNPAID", "billing", True, 2, None, 2),
    ("reviews-90d", "WARRANT", "legal", False, 6, dt.date(2027, 5, 1), 1),
)
FORECAST = {
    "members-2y": (10, 25, 31),
    "bookings-6y": (0, 0, 400),
    "tickets-90d": (90, 180, 270),
    "cards-13m": (5, 9, 14),
    "reviews-90d": (0, 0, 0),
    "newsletters-13m": (1, 1, 2),
}
NIGHTS_BEFORE = (
    (18, "sealed", "enforce"),
    (19, "superseded", "enforce"),
    (22, "superseded", "enforce"),
    (23, "planned", "dry-run"),
)
COURSE = (
    ("run_started", 1, 12),
    ("hold_source_untrusted", 1, 15),
    ("hold_placed", 3, 16),
    ("plan_made", 1, 40),
    ("cap_exceeded", 1, 41),
    ("approval_given", 1, 300),
    ("batch_deleted", 4, 360),
    ("batch_anonymised", 1, 480),
    ("run_verified", 1, 560),
    ("run_sealed", 1, 600),
)


def write_policy(folder: Path) -> Policy:
    """The three files in `folder/policy`, and what they say."""
    policy = folder / "policy"
    policy.mkdir(parents=True)
    texts = {"data_map.yaml": DATA_MAP, "retention_schedule.yaml": SCHEDULE, "holds.yaml": HOLDS}
    for name, text in texts.items():
        (policy / name).write_text(text, encoding="utf-8")
    return load_policy(policy)


def settings_in(folder: Path) -> Settings:
    """Settings whose policy is the cinema's, and whose reports go below `folder`."""
    return Settings(home=folder / "home", project=folder, database_url=None)


def add(connection: sa.Connection, table: str, **values: object) -> None:
    """One row into a table of the registers."""
    columns = [sa.column(name) for name in values]
    connection.execute(sa.insert(sa.table(table, *columns, schema="holdfast")).values(values))


def open_run(connection: sa.Connection, policy: Policy, **changed: object) -> int:
    """A run of the night; `changed` are columns that differ from those of a sealed one."""
    values: dict[str, object] = {
        "job": JOB,
        "as_of": AS_OF,
        "as_of_date": NIGHT,
        "mode": "enforce",
        "policy_digest": policy.digest,
        "state": "sealed",
        "opened_at": AS_OF + dt.timedelta(seconds=10),
        "holds_as_of": AS_OF + dt.timedelta(seconds=20),
        "plan_digest": PLAN,
        "refused_sources": [],
    }
    add(connection, "run", **{**values, **changed})
    return int(connection.execute(sa.text("SELECT max(run_id) FROM holdfast.run")).scalar_one())


def plan_rule(connection: sa.Connection, run_id: int, rule_id: str, dataset: str, **counts: Any) -> None:
    """One rule's plan and, if `acted` rows were, its one shard. Rows that no count names are not due."""
    given = {name: counts.get(name, 0) for name in ("due", "held", "refused", "waiting", "unknown")}
    total = max(counts.get("total", 0), sum(given.values()))
    add(
        connection,
        "plan_rule",
        run_id=run_id,
        rule_id=rule_id,
        dataset=dataset,
        action=counts.get("action", "delete"),
        wave=1,
        total_rows=total,
        **{f"{name}_rows": number for name, number in given.items()},
        other_rule_rows=0,
        done_rows=0,
        not_started_rows=0,
        not_due_rows=total - sum(given.values()),
        oldest_due=counts.get("oldest"),
        oldest_overdue_days=counts.get("days"),
        due_fingerprint="0" * 16,
        held_fingerprint="0" * 16,
        held_unchanged=counts.get("held_unchanged", True),
        cap_rows=1_000,
        cap_share=0.1,
        cap_overdue_days=30,
        caps_exceeded=counts.get("caps", []),
        survivors=counts.get("survivors", 0),
        late_rows=counts.get("late", 0),
    )
    if counts.get("acted") is not None:
        add(
            connection,
            "shard",
            run_id=run_id,
            rule_id=rule_id,
            wave=1,
            shard_no=1,
            label=f"{rule_id} 1",
            kind="blocks",
            table_schema="cinema",
            table_name=dataset,
            from_block=0,
            to_block=10,
            next_block=10,
            done_rows=counts["acted"],
            finished_at=AS_OF,
        )


def fill(connection: sa.Connection, policy: Policy, **changed: object) -> int:
    """The whole night, for a run with the columns `changed`; its number."""
    nights_before(connection, policy)
    run_id = open_run(connection, policy, **{"refused_sources": ["counsel"], **changed})
    for rule_id, counts in RULES.items():
        rule = policy.schedule.rules[rule_id]
        caps = OVER_CAP.get(rule_id, [])
        plan_rule(connection, run_id, rule_id, rule.dataset, action=rule.action.do, caps=caps, **counts)
        for days, rows in zip((30, 60, 90), FORECAST[rule_id], strict=True):
            add(connection, "plan_forecast", run_id=run_id, rule_id=rule_id, within_days=days, rows_due=rows)
        before, deleted = counts["total"], counts.get("acted", 0) if rule.action.do == "delete" else 0
        add(
            connection,
            "dataset_count",
            run_id=run_id,
            dataset=rule.dataset,
            before_rows=before,
            deleted_rows=deleted,
            after_rows=before - deleted + 2,
            arrived_versions=5,
            sample_rows=50,
            sample_percent=10.0,
            sample_fingerprint="0" * 16,
            sample_unchanged=None if rule.dataset == "cards" else True,
        )
    columns = ("rule_id", "hold_type", "authority", "disclosable", "held_rows", "held_until", "holds")
    for held in HELD:
        add(connection, "plan_held", run_id=run_id, **dict(zip(columns, held, strict=True)))
    add(
        connection,
        "approval",
        run_id=run_id,
        plan_digest=PLAN,
        decision="approved",
        decided_by="Ada <admin> & Co",
        decided_at=AS_OF + dt.timedelta(minutes=5),
    )
    sources(connection)
    holds(connection)
    evidence(connection, run_id)
    return run_id


def nights_before(connection: sa.Connection, policy: Policy) -> None:
    """Sealed on the 18th, failed on the 19th, nothing on the 20th and 21st, unfinished on the 22nd, dry on the 23rd."""
    for day, state, mode in NIGHTS_BEFORE:
        as_of = AS_OF - dt.timedelta(days=24 - day)
        run_id = open_run(connection, policy, as_of=as_of, as_of_date=as_of.date(), state=state, mode=mode)
        if mode == "enforce":
            plan_rule(connection, run_id, "bookings-6y", "bookings", held=40 if day > 18 else 0)


def sources(connection: sa.Connection) -> None:
    """Three believed sources, and counsel's, which is stale."""
    checked = AS_OF + dt.timedelta(seconds=14)
    for source_id, status, hours, read in (
        ("cashdesk", "trusted", 5, 311),
        ("ledgers", "trusted", 6, 1),
        ("counsel", "stale", 90, 777),
        ("whisper", "trusted", 2, 888),
    ):
        add(
            connection,
            "hold_source",
            source_id=source_id,
            status=status,
            checked_at=checked,
            loaded_at=checked - dt.timedelta(hours=hours),
            read_holds=read,
            accepted_holds=read,
        )


def holds(connection: sa.Connection) -> None:
    """What a report reads of holds themselves: when they are to be looked at again."""
    for reference, hold_type, authority, disclosable, review_on in (
        ("U-1", "UNPAID", "billing", True, dt.date(2026, 12, 24)),
        ("U-2", "UNPAID", "billing", True, dt.date(2026, 11, 1)),
        ("T-1", "TAX", "tax", True, None),
        ("W-1", "WARRANT", "legal", False, dt.date(2031, 7, 7)),
        ("C-1", "COVERT_INQUIRY", "legal", False, dt.date(2031, 8, 8)),
    ):
        add(
            connection,
            "hold",
            source_id="cashdesk",
            reference=reference,
            hold_type=hold_type,
            authority=authority,
            ground="code",
            disclosable=disclosable,
            subject_key="4711",
            review_on=review_on,
            placed_at=AS_OF - dt.timedelta(days=9),
            placed_by="import",
        )


def evidence(connection: sa.Connection, run_id: int, course: tuple[tuple[str, int, int], ...] = COURSE) -> None:
    """Ledger entries at fixed times, which the ledger's own function would not give, and the seal over them."""
    seq = 100
    for kind, entries, seconds in course:
        for _ in range(entries):
            seq += 1
            entry = json.dumps({"facts": {}, "kind": kind, "run": run_id, "seq": seq})
            at = AS_OF + dt.timedelta(seconds=seconds)
            digest = hashlib.sha256(entry.encode()).digest()
            values: Mapping[str, object] = {"seq": seq, "at": at, "run_id": run_id, "kind": kind, "entry": entry}
            add(connection, "ledger_entry", **values, prev_hash=bytes(32), hash=digest)
    if any(kind == "run_sealed" for kind, _, _ in course):
        add(
            connection,
            "ledger_seal",
            run_id=run_id,
            job=JOB,
            as_of=NIGHT,
            first_seq=101,
            last_seq=seq - 1,
            entries=seq - 101,
            root=hashlib.sha256(b"root").digest(),
            sealed_seq=seq,
            head_hash=hashlib.sha256(b"head").digest(),
            sealed_at=AS_OF + dt.timedelta(minutes=10),
        )
