"""The benchmark's own provider for deletion requests: accounts that 20 datasets are about, and people who ask.

What decides an erasure is all there: plain records, statutory periods that run, records that lead to their account
through others, records that are needed as long as the account is live, records that are anonymised; holds on accounts
for ever and for a period, some of which may not be named, and holds on single records.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy

PLAIN = tuple(f"notes_{n}" for n in range(1, 11))
KEPT_BY_LAW = ("ledger_1", "ledger_2", "ledger_3")
PARENTS = {"tickets": "replies", "orders": "order_lines"}
ANONYMISED = ("profiles",)
WHILE_LIVE = ("tariffs",)
HOUSEHOLD = "accounts"
"""Every other dataset's account; anonymised itself, and live until it ends."""
DATASETS = (HOUSEHOLD, *PLAIN, *KEPT_BY_LAW, *PARENTS, *PARENTS.values(), *ANONYMISED, *WHILE_LIVE)
ASK = 0.5
"""The share of accounts of which somebody asks for erasure."""

_DATASET = """\
  {name}:
    table: carrier.{name}
    key: [id]
    subject: {subject}
    {event}
    owner: network
    description: Invented records of an invented provider.
    columns:
      {link}: {{category: account, sensitivity: ordinary, legal_basis: contract}}
      at: {{category: activity, sensitivity: ordinary, legal_basis: contract}}
      words: {{category: content, sensitivity: confidential, legal_basis: contract}}
    not_personal: {rest}
"""

_RULE = """\
  {name}-rule:
    dataset: {name}
    deletion_class: {period}
    start: {start}
    action: {action}
    strength: {strength}
    law: Nothing but this benchmark rests on it.
    source: nowhere at all
    owner: network
"""

_SCHEDULE = """\
version: 1
time_zone: Europe/London
accounting_year_end: "03-31"
caps: {rows: 1000000000, share: 1, overdue_days: 100000}
approvers: {dpo: Data protection officer}
classes:
  year: {period: P12M, starts: creation}
  six-years: {period: P6Y, starts: creation}
rules:
"""

_HOLDS = """\
version: 1
types:
  COURT:
    authority: legal
    meaning: A court wants the record.
    ground: Legal claims, UK GDPR Art 17(3)(e).
    disclosable: false
    review_after: P6M
    by_hand: true
  BILL:
    authority: billing
    meaning: A bill is open.
    ground: Performance of the contract.
    disclosable: true
    review_after: P6M
    by_hand: true
sources: {}
"""

_ADDRESSEE = """\
-- To whom do letters about these subjects go?
-- params:  subject_keys text[]
-- returns: one row for each (subject_key text, full_name text, address_lines text[], email text)
-- locks:   none
SELECT key AS subject_key, 'Sam Sample' AS full_name, ARRAY['1 Sample Street', 'EX1 1ZZ'] AS address_lines,
    'sam@example.com' AS email
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
"""
_EXISTS = """\
-- Which of these subjects are customers of ours?
-- params:  subject_keys text[]
-- returns: one row for each that exists (given text, subject_key text)
-- locks:   none
SELECT given.key AS given, cast(account.id AS text) AS subject_key
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
INNER JOIN carrier.accounts AS account
    ON account.id = CASE WHEN given.key ~ '^[0-9]{1,18}$' THEN cast(given.key AS bigint) END
"""
# No number here has an address for the emergency services.
_CEASES = """\
-- Which 999 records of these subjects are of numbers that serve no longer? None.
-- params:  subject_keys text[]
-- returns: no row
-- locks:   none
SELECT key AS subject_key, key AS dataset, key AS record_key, FALSE AS is_ceased, FALSE AS is_acknowledged
FROM unnest(cast(:subject_keys AS text [])) AS given (key)
WHERE FALSE
"""
_BALANCES = """\
-- Of which subjects do two systems disagree on what they owe? None.
-- params:  subject_keys text[]
-- returns: no row
-- locks:   none
SELECT key AS subject_key FROM unnest(cast(:subject_keys AS text [])) AS given (key) WHERE FALSE
"""
_QUERIES = {
    "balances": _BALANCES,
    "letter_addressee": _ADDRESSEE,
    "subject_exists": _EXISTS,
    "emergency_ceases": _CEASES,
}


@dataclass(frozen=True)
class Size:
    """How much of everything: `rows` in all 20 datasets together, and one request for each of `requests` accounts."""

    rows: int
    requests: int

    @property
    def accounts(self) -> int:
        return int(self.requests / ASK)

    @property
    def rows_each(self) -> int:
        return (self.rows - self.accounts) // (len(DATASETS) - 1)


def project(folder: Path) -> Path:
    """A project with the shipped SQL and letters, and this provider's policy and queries, for `HOLDFAST_PROJECT`."""
    shipped = settings.load()
    (folder / "policy").mkdir(parents=True)
    (folder / "sql" / "provider").mkdir(parents=True)
    for one in shipped.sql.iterdir():
        if one.name != "provider":
            (folder / "sql" / one.name).symlink_to(one)
    for name, text in _QUERIES.items():
        (folder / "sql" / "provider" / f"{name}.sql").write_text(text)
    data_map = "version: 1\nschemas: [carrier]\ndatasets:\n" + "".join(map(_dataset, DATASETS))
    (folder / "policy" / "data_map.yaml").write_text(data_map)
    (folder / "policy" / "retention_schedule.yaml").write_text(_SCHEDULE + "".join(map(_rule, DATASETS)))
    (folder / "policy" / "holds.yaml").write_text(_HOLDS)
    (folder / "policy" / "bank_holidays.yaml").symlink_to(shipped.policy / "bank_holidays.yaml")
    rules = (shipped.policy / "deletion_requests.yaml").read_text()
    rules = rules.replace("address_from: [contacts]", f"address_from: [{HOUSEHOLD}]")
    (folder / "policy" / "deletion_requests.yaml").write_text(rules)
    shutil.copytree(shipped.policy / "letters", folder / "policy" / "letters")
    words = folder / "policy" / "letters" / "words.j2"
    names = "".join(f'  "{name}": "{name}",\n' for name in DATASETS)
    words.write_text(words.read_text().replace("{% set RECORDS = {\n", "{% set RECORDS = {\n" + names))
    return folder


def policy(folder: Path) -> Policy:
    return load_policy(folder / "policy")


def make(connection: sa.Connection, size: Size) -> None:
    """The provider's tables, filled, and holds."""
    run = database.run_script
    run(
        connection,
        f"""
        CREATE TABLE carrier.accounts (id bigint NOT NULL, at timestamptz NOT NULL, ended_at timestamptz, words text);
        INSERT INTO carrier.accounts
        SELECT i, timestamptz '2015-01-01Z' + i * interval '1 minute',
            CASE WHEN i % 10 > 0 THEN timestamptz '2024-01-01Z' + i * interval '1 minute' END, 'words of ' || i
        FROM generate_series(1, {size.accounts}) AS i;
        ALTER TABLE carrier.accounts ADD PRIMARY KEY (id);
        """,
    )
    children = {child: parent for parent, child in PARENTS.items()}
    for name in DATASETS[1:]:
        number = sum(name.encode())
        parent = children.get(name)
        most = size.rows_each if parent else size.accounts
        link = "parent_id" if parent else "account_id"
        points_to = f"REFERENCES carrier.{parent} (id)" if parent else ""
        run(
            connection,
            f"""
            CREATE TABLE carrier.{name} (id bigint NOT NULL, {link} bigint NOT NULL, at timestamptz NOT NULL,
                words text, amount integer NOT NULL);
            INSERT INTO carrier.{name}
            SELECT i, 1 + (hashint8extended(i, {number}) & 1073741823) % {most},
                timestamptz '2026-11-01Z' - (hashint8extended(i, {number + 1}) & 1073741823) % 3650 * interval '1 day',
                'words of ' || i, i % 600
            FROM generate_series(1, {size.rows_each}) AS i;
            ALTER TABLE carrier.{name} ADD PRIMARY KEY (id);
            CREATE INDEX ON carrier.{name} ({link});
            """,
        )
        if points_to:
            run(connection, f"ALTER TABLE carrier.{name} ADD FOREIGN KEY ({link}) {points_to}")
    run(connection, _PLACE.format(accounts=size.accounts))


def ask(connection: sa.Connection, size: Size, *, state: str = "executing") -> None:
    """One request for the whole account from every other account, in this state."""
    database.run_script(
        connection,
        f"""
        INSERT INTO holdfast.deletion_request (reference, channel, subject_key, state, received_at, withdraw_until)
        SELECT 'web-' || i, 'form', (i * 2)::text, '{state}', '2026-11-02 09:00Z', '2026-11-09'
        FROM generate_series(1, {size.requests}) AS i;
        INSERT INTO holdfast.request_addressee (request_id, content_pseudonym, taken_at)
        SELECT request_id, 'p1:none', received_at FROM holdfast.deletion_request;
        """,
    )


# 3% of accounts under an order that may not be named, 4% with an open bill of one year of records, which ends; and one
# record in a thousand of one dataset.
_PLACE = """
INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets,
    record_key, period_from, period_to, ends_on, review_on, placed_at, placed_by)
SELECT 'hand', 'CASE-' || n, 'COURT', 'legal', 'claim', false, (n * 33)::text, NULL::text[], NULL, NULL::date,
    NULL::date, NULL::date, date '2027-01-01', clock_timestamp(), 'bench'
FROM generate_series(1, {accounts} / 33) AS n
UNION ALL
SELECT 'hand', 'BILL-' || n, 'BILL', 'billing', 'contract', true, (n * 25)::text, NULL, NULL, '2024-01-01',
    '2025-01-01', '2027-06-30', NULL, clock_timestamp(), 'bench'
FROM generate_series(1, {accounts} / 25) AS n
UNION ALL
SELECT 'hand', 'RECORD-' || n, 'BILL', 'billing', 'contract', true, NULL, ARRAY['notes_1'], (n * 1000)::text, NULL,
    NULL, '2027-12-31', NULL, clock_timestamp(), 'bench'
FROM generate_series(1, {accounts} / 1000) AS n
"""


def _dataset(name: str) -> str:
    parent = next((parent for parent, child in PARENTS.items() if child == name), None)
    if name == HOUSEHOLD:
        return _DATASET.format(name=name, subject="{column: id}", link="ended_at", event="", rest="[id]")
    subject = f"{{through: {{columns: [parent_id], dataset: {parent}}}}}" if parent else "{column: account_id}"
    link = "parent_id" if parent else "account_id"
    return _DATASET.format(name=name, subject=subject, link=link, event="event: at", rest="[id, amount]")


def _rule(name: str) -> str:
    anonymise = '{do: anonymise, columns: {words: {to: "null"}}}'
    start, period, strength, action = "{column: at}", "year", "maximum", "{do: delete}"
    if name in (HOUSEHOLD, *ANONYMISED):
        action = anonymise
    if name == HOUSEHOLD:
        start = "{column: ended_at, missing: not_started}"
    if name in KEPT_BY_LAW:
        period, strength = "six-years", "statutory"
    if name in WHILE_LIVE:
        start = "{dataset: accounts, link: key, by: [account_id], column: ended_at, missing: not_started}"
        period, strength = "six-years", "business"
    return _RULE.format(name=name, period=period, start=start, action=action, strength=strength)
