"""The benchmark's own provider: call records, and nothing that the shipped policy or its synthetic provider names.

Two tables have the same rows and differ in where the due ones lie: `call_mixed` everywhere, `call_timed` all at the
beginning, as in a table that grows by the day.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy

AS_OF = dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC)
FIRST_NOT_DUE = dt.datetime(2025, 11, 24, tzinfo=dt.UTC)
"""With a period of twelve months, calls of 23 November 2025 are the last that are due on AS_OF."""
ACCOUNTS = 100_000
HELD_EVERY = 33
"""One account in so many is held: 3%."""

_DATASET = """\
  {name}:
    table: carrier.{name}
    key: [{key}]
    subject: {{column: account_id}}
    event: started_at
    owner: network
    description: Who called whom, when and for how long.
    columns:
      account_id: {{category: account, sensitivity: ordinary, legal_basis: contract}}
      started_at: {{category: traffic, sensitivity: confidential, legal_basis: contract}}
      calling: {{category: traffic, sensitivity: confidential, legal_basis: contract}}
      called: {{category: traffic, sensitivity: confidential, legal_basis: contract}}
    not_personal: [call_id, seconds, pence]
"""

_RULE = """\
  {name}-12m:
    dataset: {name}
    deletion_class: year
    start: {{column: started_at}}
    action: {action}
    undo_days: {undo_days}
    strength: maximum
    law: Traffic data is not kept for longer.
    source: nowhere
    owner: network
"""

_SCHEDULE = """\
version: 1
time_zone: Europe/London
accounting_year_end: "03-31"
caps: {rows: 1000000000, share: 1, overdue_days: 100000}
approvers: {dpo: Data protection officer, deputy: Deputy}
classes:
  year: {period: PERIOD, starts: creation}
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
sources: {}
"""

_DELETE = "{do: delete}"
_ANONYMISE = '{do: anonymise, columns: {calling: {to: "null"}, called: {to: "null"}}}'

_COLUMNS = """
    call_id bigint NOT NULL,
    account_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    calling text,
    called text,
    seconds integer NOT NULL,
    pence integer NOT NULL
"""

_ROWS = """
    SELECT
        i AS call_id,
        (hashint8extended(i, 1) & 1048575) % {accounts} AS account_id,
        {started} AS started_at,
        '+441632960' || lpad((i % 1000)::text, 3, '0') AS calling,
        '+441632960' || lpad((i % 997)::text, 3, '0') AS called,
        (i % 600)::integer AS seconds,
        (i % 100)::integer AS pence
    FROM generate_series(1, {rows}) AS i
"""


def project(
    folder: Path,
    *names: str,
    anonymise: bool = False,
    key: str = "call_id",
    period: str = "P12M",
    undo_days: int | None = None,
) -> Path:
    """A project with the shipped SQL and a policy of these tables, for `HOLDFAST_PROJECT`."""
    (folder / "policy").mkdir(parents=True)
    (folder / "sql").symlink_to(settings.load().sql)
    action = _ANONYMISE if anonymise else _DELETE
    data_map = "version: 1\nschemas: [carrier]\ndatasets:\n"
    data_map += "".join(_DATASET.format(name=name, key=key) for name in names)
    rules = "".join(_RULE.format(name=name, action=action, undo_days=undo_days or "null") for name in names)
    (folder / "policy" / "data_map.yaml").write_text(data_map)
    (folder / "policy" / "retention_schedule.yaml").write_text(_SCHEDULE.replace("PERIOD", period) + rules)
    (folder / "policy" / "holds.yaml").write_text(_HOLDS)
    return folder


def policy(folder: Path) -> Policy:
    return load_policy(folder / "policy")


def make_calls(
    connection: sa.Connection,
    name: str,
    rows: int,
    *,
    mixed: bool,
    days: int = 100,
    boundary: dt.datetime = FIRST_NOT_DUE,
) -> None:
    """A table of `rows` calls, three in ten of them due, with a primary key and two more indexes.

    Due are those of so many days before the boundary.
    """
    seconds = days * 86_400 / (0.3 * rows)
    order = f"(hashint8extended(i, 2) & 2147483647) % {rows}" if mixed else "i"
    start = boundary - dt.timedelta(days=days)
    started = f"timestamptz '{start.isoformat()}' + ({order}) * interval '{seconds:.6f} seconds'"
    insert = _ROWS.format(accounts=ACCOUNTS, started=started, rows=rows)
    database.run_script(connection, f"CREATE TABLE carrier.{name} ({_COLUMNS})")
    database.run_script(connection, f"INSERT INTO carrier.{name} {insert}")
    database.run_script(connection, f"ALTER TABLE carrier.{name} ADD PRIMARY KEY (call_id)")
    database.run_script(connection, f"CREATE INDEX ON carrier.{name} (account_id, started_at)")
    database.run_script(connection, f"CREATE INDEX ON carrier.{name} (started_at)")


def make_partitions(connection: sa.Connection, name: str, rows: int) -> None:
    """One wholly expired month of `rows` calls of accounts that are not held, and one month that is not due."""
    database.run_script(
        connection,
        f"""
        CREATE TABLE carrier.{name} ({_COLUMNS}, PRIMARY KEY (started_at, call_id)) PARTITION BY RANGE (started_at);
        CREATE TABLE carrier.{name}_old PARTITION OF carrier.{name}
            FOR VALUES FROM ('2025-09-01Z') TO ('2025-10-01Z');
        CREATE TABLE carrier.{name}_new PARTITION OF carrier.{name}
            FOR VALUES FROM ('2026-10-01Z') TO ('2026-11-01Z');
        CREATE INDEX ON carrier.{name} (account_id, started_at);
        """,
    )
    every = f"interval '{29.0 * 86_400 / (rows + 1):.6f} seconds'"
    for month, number in (("2025-09-01Z", rows), ("2026-10-01Z", 1_000)):
        insert = _ROWS.format(accounts=ACCOUNTS, started=f"timestamptz '{month}' + i * {every}", rows=number)
        free = (
            f"SELECT call_id, account_id - account_id % {HELD_EVERY} + 1, started_at, calling, called, seconds, pence"
        )
        database.run_script(connection, f"INSERT INTO carrier.{name} {free} FROM ({insert}) AS made")


def make_held_calls(connection: sa.Connection, name: str, rows: int, *, mixed: bool) -> None:
    """The same, with 3% of accounts held."""
    make_calls(connection, name, rows, mixed=mixed)
    place_holds(connection)


def make_held_partitions(connection: sa.Connection, name: str, rows: int) -> None:
    """The same, with 3% of accounts held, none of them among those of the expired month."""
    make_partitions(connection, name, rows)
    place_holds(connection)


def place_holds(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO holdfast.hold (source_id, reference, hold_type, authority, ground, disclosable, subject_key,"
            " placed_at, placed_by) SELECT 'hand', 'CASE-' || n, 'COURT', 'legal', 'claim', false, (n * :every)::text,"
            " clock_timestamp(), 'bench' FROM generate_series(1, :last) AS n"
        ),
        {"every": HELD_EVERY, "last": ACCOUNTS // HELD_EVERY},
    )


_HELD = """
    SELECT h.subject_key::bigint FROM holdfast.hold AS h
    WHERE h.released_at IS NULL AND (h.ends_on IS NULL OR h.ends_on >= :today)
"""
# NOT EXISTS reads more naturally, but PostgreSQL then visits the rows in the order of a hash, which takes many times
# longer as soon as the table is larger than its memory. We compare with the statement at its best.
_PAST = "t.started_at < :first_not_due"
_DUE = f"{_PAST} AND t.account_id NOT IN ({_HELD})"
HAND_DELETE = f"DELETE FROM carrier.{{name}} AS t WHERE {_DUE}"
HAND_DELETE_AS_USUAL = f"""
DELETE FROM carrier.{{name}} AS t WHERE {_PAST} AND NOT EXISTS (
    SELECT FROM ({_HELD}) AS held (account_id) WHERE held.account_id = t.account_id
)
"""
HAND_UPDATE = f"UPDATE carrier.{{name}} AS t SET calling = NULL, called = NULL WHERE {_DUE}"
COUNT_DUE = f"SELECT count(*) FROM carrier.{{name}} AS t WHERE {_DUE}"
COUNT_THREE = f"""
SELECT count(*), count(*) FILTER (WHERE {_DUE}), count(*) FILTER (WHERE {_PAST} AND t.account_id IN ({_HELD}))
FROM carrier.{{name}} AS t
"""
# What a plan answers, as somebody would write it who answers nothing else.
COUNT_ALL = (
    f"""
SELECT
    count(*),
    count(*) FILTER (WHERE t.started_at < '1900-01-01' OR t.started_at >= cast(:today AS date) + 1),
    count(*) FILTER (WHERE NOT ({_PAST}) AND t.started_at < :first_not_due + interval '30 days'),
    count(*) FILTER (WHERE NOT ({_PAST}) AND t.started_at < :first_not_due + interval '60 days'),
    count(*) FILTER (WHERE NOT ({_PAST}) AND t.started_at < :first_not_due + interval '90 days'),
    count(*) FILTER (WHERE {_DUE}),
    min(t.started_at) FILTER (WHERE {_DUE}),
    bit_xor(hashint8extended(t.call_id, 0)) FILTER (WHERE {_DUE})
FROM carrier.{{name}} AS t""",
    f"""
SELECT h.hold_type, count(*), min(t.started_at), bit_xor(hashtextextended(t::text, 0)), count(DISTINCT h.hold_id)
FROM carrier.{{name}} AS t
INNER JOIN holdfast.hold AS h ON h.subject_key::bigint = t.account_id AND h.released_at IS NULL
WHERE {_PAST} AND (h.ends_on IS NULL OR h.ends_on >= :today)
GROUP BY h.hold_type""",
)
