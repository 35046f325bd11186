"""A small policy and its database, neither of them the provider's: what the tests break, one thing at a time.

`Edit` changes one place of one document; a place that is not there exactly once is a fault of the test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from holdfast.policy.load import Text, parse_policy
from holdfast.policy.model import Policy
from holdfast.policy.problems import Check, Problem

DATA_MAP = """\
version: 1
schemas: [shop]
datasets:
  customers:
    table: shop.customer
    key: [customer_no]
    subject: {column: customer_no}
    owner: sales
    description: People who bought something.
    columns:
      customer_no: {category: account, sensitivity: ordinary, legal_basis: contract}
      full_name: {category: name, sensitivity: ordinary, legal_basis: contract, recipients: [courier]}
    not_personal: [left_on]
  purchases:
    table: shop.purchase
    key: [purchase_id]
    subject: {column: customer_no}
    event: bought_at
    owner: sales
    description: What was bought, and from where.
    columns:
      customer_no: {category: account, sensitivity: ordinary, legal_basis: contract}
      bought_at: {category: activity, sensitivity: ordinary, legal_basis: contract}
      ip: {category: ip-address, sensitivity: ordinary, legal_basis: legitimate_interests}
      postcode: {category: address, sensitivity: ordinary, legal_basis: contract}
    not_personal: [purchase_id, channel]
  items:
    table: shop.item
    key: [purchase_id, line_no]
    subject: {through: {columns: [purchase_id], dataset: purchases}}
    owner: sales
    description: The lines of a purchase, with a note.
    columns:
      note: {category: correspondence, sensitivity: ordinary, legal_basis: contract}
    not_personal: [purchase_id, line_no]
  photos:
    table: shop.photo
    key: [photo_id]
    subject: {through: {columns: [purchase_id, line_no], dataset: items}}
    event: taken_on
    files: {url: url}
    owner: sales
    description: Pictures that customers sent with a complaint.
    columns:
      taken_on: {category: activity, sensitivity: ordinary, legal_basis: contract}
      url: {category: content, sensitivity: confidential, legal_basis: contract}
    not_personal: [photo_id, purchase_id, line_no]
exemptions:
  shop.turnover:
    reason: A view of purchases without data of its own.
    owner: sales
    review_by: 2030-06-30
"""

SCHEDULE = """\
version: 1
time_zone: Europe/London
accounting_year_end: "03-31"
caps: {rows: 1000, share: 0.1, overdue_days: 30}
approvers: {dpo: Data protection officer}
classes:
  parted: {period: P2Y, starts: end_of_relationship}
  made: {period: P6Y, starts: creation}
  brief: {period: P90D, starts: creation}
rules:
  customers-2y:
    dataset: customers
    deletion_class: parted
    start: {column: left_on, missing: not_started}
    action:
      do: anonymise
      columns:
        full_name: {to: "null"}
    strength: business
    law: Claims out of the contract.
    source: nowhere
    owner: sales
  purchases-6y:
    dataset: purchases
    deletion_class: made
    start: {column: bought_at, counts_from: end_of_accounting_period}
    action: {do: delete}
    strength: statutory
    holds: [COURT, UNPAID]
    law: Records of an accounting period.
    source: nowhere
    owner: finance
  items-6y:
    dataset: items
    deletion_class: made
    start: {dataset: purchases, link: path, column: bought_at}
    action: {do: delete}
    strength: statutory
    law: Records of an accounting period.
    source: nowhere
    owner: finance
  photos-90d:
    dataset: photos
    deletion_class: brief
    start: {column: taken_on}
    action: {do: delete}
    strength: maximum
    law: No longer needed after a complaint.
    source: nowhere
    owner: sales
"""

HOLDS = """\
version: 1
types:
  COURT:
    authority: legal
    meaning: A court wants the record.
    ground: Legal claims, UK GDPR Art 17(3)(e).
    disclosable: false
    review_after: P6M
    by_hand: true
  UNPAID:
    authority: billing
    meaning: The purchase is not paid.
    ground: Performance of the contract.
    disclosable: true
    review_after: P6M
sources:
  till:
    authority: billing
    types: [UNPAID]
    max_age_hours: 30
    max_shrink: 0.5
    owner: finance
"""

TEXTS = {"data_map.yaml": DATA_MAP, "retention_schedule.yaml": SCHEDULE, "holds.yaml": HOLDS}

DATABASE = """
CREATE SCHEMA shop;
CREATE TABLE shop.customer (customer_no text PRIMARY KEY, full_name text, left_on date);
CREATE TABLE shop.purchase (
    purchase_id bigint PRIMARY KEY,
    customer_no text NOT NULL REFERENCES shop.customer,
    bought_at timestamptz NOT NULL,
    ip inet,
    postcode varchar(8),
    channel text NOT NULL
);
CREATE TABLE shop.item (
    purchase_id bigint REFERENCES shop.purchase,
    line_no integer,
    note text,
    PRIMARY KEY (purchase_id, line_no)
);
CREATE TABLE shop.photo (
    photo_id uuid PRIMARY KEY,
    purchase_id bigint,
    line_no integer,
    taken_on date,
    url text NOT NULL,
    FOREIGN KEY (purchase_id, line_no) REFERENCES shop.item
);
CREATE VIEW shop.turnover AS SELECT date_trunc('month', bought_at) AS month, count(*) AS n FROM shop.purchase GROUP BY 1
"""


@dataclass(frozen=True)
class Edit:
    """Replace `old`, which stands there exactly once, by `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Expected:
    """A finding: its check, the line that is or contains `at` in the edited file, its path, words of what and fix."""

    check: Check
    file: str
    at: str
    path: str
    what: str
    fix: str


def edited(*edits: Edit) -> dict[str, str]:
    """The texts of the small policy with these edits."""
    texts = dict(TEXTS)
    for edit in edits:
        assert texts[edit.file].count(edit.old) == 1, (edit.old, texts[edit.file].count(edit.old))
        texts[edit.file] = texts[edit.file].replace(edit.old, edit.new)
    return texts


def policy_of(texts: dict[str, str]) -> Policy:
    return parse_policy({name: Text(name, text.encode()) for name, text in texts.items()})


def write(folder: Path, texts: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def agrees(found: Iterable[Problem], expected: Iterable[Expected], texts: dict[str, str]) -> None:
    """Exactly the expected findings, in the order of file and line, each at its place and with its words."""
    found = list(found)
    wanted = sorted(expected, key=lambda e: (e.file, line_of(e, texts), e.path))
    places = [(p.rule, Path(p.file).name, p.line, p.path) for p in found]
    assert places == [(e.check, e.file, line_of(e, texts), e.path) for e in wanted]
    for problem, one in zip(found, wanted, strict=True):
        assert one.what in problem.what
        assert one.fix in problem.fix


def line_of(expected: Expected, texts: dict[str, str]) -> int:
    lines = list(enumerate(texts[expected.file].splitlines(), start=1))
    exact = [i for i, line in lines if line == expected.at]
    found = exact or [i for i, line in lines if expected.at in line]
    assert len(found) == 1, (expected.at, found)
    return found[0]
