"""The matrix of deletion requests as somebody would write it in SQL who knows these 20 tables and nothing else.

It fills the same table with the same decisions, which `differences` proves: all but what letters may tell. What it need
not do: it knows which columns lead to an account, which rule a dataset has, and which kinds of hold there are.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from tests.bench import estate

from holdfast import database

TARGET = "matrix_by_hand"

_PREPARE = """
CREATE TABLE holdfast.matrix_by_hand (LIKE holdfast.request_decision INCLUDING ALL);
CREATE TEMPORARY TABLE asked ON COMMIT DROP AS
SELECT
    r.request_id, cast(r.subject_key AS bigint) AS account,
    r.state IN ('executing', 'partly_completed') OR (r.state = 'approved' AND a.request_id IS NOT NULL) AS is_ready,
    CASE
        WHEN r.state = 'approved' AND a.request_id IS NULL THEN 'address'
        WHEN r.state IN ('received', 'identity_pending') THEN 'identity'
        WHEN r.state = 'verified' AND r.withdraw_until >= date '{today}' THEN 'cool_off'
        WHEN r.state IN ('verified', 'assessed') THEN 'approval'
    END AS waits_for
FROM holdfast.deletion_request AS r
LEFT JOIN holdfast.request_addressee AS a ON a.request_id = r.request_id
WHERE r.closed_at IS NULL;
ANALYZE asked;
CREATE TEMPORARY TABLE active ON COMMIT DROP AS
SELECT
    cast(subject_key AS bigint) AS account, cast(record_key AS bigint) AS id, datasets, hold_type, disclosable, ends_on,
    review_on, daterange(period_from, period_to) AS days,
    CASE authority WHEN 'legal' THEN 1 WHEN 'audit' THEN 2 WHEN 'tax' THEN 3 WHEN 'billing' THEN 4 ELSE 5 END AS rank
FROM holdfast.hold
WHERE released_at IS NULL AND (ends_on IS NULL OR ends_on >= date '{today}');
ANALYZE active;
"""

_DATASET = """
INSERT INTO holdfast.matrix_by_hand
WITH mine AS (
    SELECT
        a.request_id, t.id, a.account, {day} AS day, {unknown} AS is_unknown, {exempt} AS is_exempt, {done} AS is_done
    FROM {source}
),
reached AS (
    SELECT m.request_id, m.id, h.hold_type, h.disclosable, h.ends_on, h.review_on, h.rank
    FROM mine AS m
    INNER JOIN active AS h ON h.account = m.account AND (h.days @> m.day OR m.day IS NULL)
    WHERE NOT (m.is_unknown OR m.is_exempt OR m.is_done)
    {records}
),
held_rows AS (
    SELECT request_id, id, bool_or(disclosable) AS named, bool_or(NOT disclosable) AS unnamed
    FROM reached GROUP BY request_id, id
),
needed AS ({needed}),
held AS (
    SELECT
        request_id, count(*) AS held, count(*) FILTER (WHERE unnamed) AS unnamed,
        count(*) FILTER (WHERE NOT named AND id NOT IN (SELECT id FROM needed)) AS only_unnamed
    FROM held_rows GROUP BY request_id
),
waiting AS (
    SELECT m.request_id, count(*) AS waiting
    FROM mine AS m INNER JOIN needed AS n ON n.id = m.id
    WHERE NOT EXISTS (SELECT FROM held_rows AS h WHERE h.id = m.id)
    GROUP BY m.request_id
),
why AS (
    SELECT
        request_id,
        CASE WHEN count(*) = count(ends_on) THEN max(ends_on) END AS until,
        min(review_on) AS review_on,
        substr(min(rank || hold_type), 2) AS hold_type,
        array_agg(DISTINCT hold_type) FILTER (WHERE disclosable) AS named_types,
        CASE
            WHEN count(*) FILTER (WHERE disclosable) = count(ends_on) FILTER (WHERE disclosable)
                THEN max(ends_on) FILTER (WHERE disclosable)
        END AS named_until
    FROM reached GROUP BY request_id
),
counts AS (
    SELECT
        request_id, count(*) AS found, count(*) FILTER (WHERE is_unknown) AS unknown,
        count(*) FILTER (WHERE is_exempt AND NOT is_unknown) AS exempt,
        count(*) FILTER (WHERE NOT (is_unknown OR is_exempt OR is_done)) AS past
    FROM mine GROUP BY request_id
),
together AS (
    SELECT
        a.*, coalesce(c.found, 0) AS found, coalesce(c.unknown, 0) AS unknown, coalesce(c.exempt, 0) AS exempt,
        coalesce(h.held, 0) AS held, coalesce(h.unnamed, 0) AS unnamed, coalesce(h.only_unnamed, 0) AS only_unnamed,
        coalesce(w.waiting, 0) AS waiting,
        coalesce(c.past, 0) - coalesce(h.held, 0) - coalesce(w.waiting, 0) AS due,
        y.until, y.review_on, y.hold_type, y.named_types, y.named_until
    FROM asked AS a
    LEFT JOIN counts AS c ON c.request_id = a.request_id
    LEFT JOIN held AS h ON h.request_id = a.request_id
    LEFT JOIN waiting AS w ON w.request_id = a.request_id
    LEFT JOIN why AS y ON y.request_id = a.request_id
)
SELECT
    {run_id}, request_id, '{name}',
    CASE
        WHEN NOT is_ready THEN 'waiting' WHEN due > 0 THEN '{act}' WHEN unknown > 0 THEN 'unknown'
        WHEN held > 0 THEN 'held' WHEN waiting > 0 THEN 'waiting' WHEN exempt > 0 THEN 'exempt' ELSE 'not_held'
    END,
    CASE
        WHEN NOT is_ready THEN waits_for WHEN due > 0 THEN 'requested' WHEN unknown > 0 THEN 'start'
        WHEN held > 0 THEN hold_type WHEN waiting > 0 THEN 'dataset' WHEN exempt > 0 THEN '{name}-rule' ELSE 'none'
    END,
    found, due, held, exempt, until, review_on, unnamed = 0,
    CASE WHEN is_ready AND due + only_unnamed > 0 THEN '{act}' END,
    coalesce(named_types, '{{}}') || CASE WHEN exempt > 0 THEN ARRAY['{name}-rule'] ELSE '{{}}' END,
    named_until
FROM together
"""

_RECORDS = """UNION ALL
    SELECT m.request_id, m.id, h.hold_type, h.disclosable, h.ends_on, h.review_on, h.rank
    FROM mine AS m INNER JOIN active AS h ON h.id = m.id AND h.datasets = ARRAY['{name}']"""

_NEEDED = """
    SELECT DISTINCT t.parent_id AS id
    FROM carrier.{child} AS t
    INNER JOIN carrier.{name} AS p ON p.id = t.parent_id
    INNER JOIN asked AS a ON a.account = p.account_id
    LEFT JOIN active AS h ON h.account = a.account AND h.days @> {day}
    WHERE h.account IS NOT NULL OR NOT a.is_ready
"""
# One request at a time: everything is found by an index, and the plans know that there is one request.
_LOOP = """
CREATE INDEX ON active (account);
CREATE INDEX ON active (id);
CREATE TEMPORARY TABLE every AS SELECT * FROM asked;
DELETE FROM asked WHERE request_id > (SELECT min(request_id) FROM asked);
ANALYZE asked;
"""
_NEXT = """
DELETE FROM asked;
INSERT INTO asked SELECT * FROM every WHERE request_id = {request_id};
"""
_ERASE = """
{verb} {source}
WHERE {link} AND NOT ({exempt}) AND NOT EXISTS (
    SELECT FROM active AS h
    WHERE
        (h.account = a.account AND (h.days @> {day} OR {day} IS NULL))
        OR (h.id = t.id AND h.datasets = ARRAY['{name}'])
){unneeded}
"""
_COMPARE = """
SELECT count(*)
FROM (SELECT * FROM holdfast.request_decision WHERE run_id = :run_id) AS ours
FULL JOIN holdfast.matrix_by_hand AS hand ON hand.request_id = ours.request_id AND hand.dataset = ours.dataset
WHERE (
    ours.decision, ours.reason, ours.rows_found, ours.rows_acted, ours.rows_held, ours.rows_exempt, ours.held_until,
    ours.review_on, ours.disclosable
) IS DISTINCT FROM (
    hand.decision, hand.reason, hand.rows_found, hand.rows_acted, hand.rows_held, hand.rows_exempt, hand.held_until,
    hand.review_on, hand.disclosable
)
"""
_DAY = "cast(timezone('Europe/London', t.at) AS date)"


def fill(connection: sa.Connection, run_id: int, today: str) -> None:
    """Make the matrix of these 20 tables."""
    database.run_script(connection, _PREPARE.format(today=today))
    for name in estate.DATASETS:
        database.run_script(connection, _statement(name, run_id, today))


def differences(connection: sa.Connection, run_id: int) -> int:
    """How many decisions are not the same in both matrices; the product's must be in `request_decision`."""
    return int(connection.execute(sa.text(_COMPARE), {"run_id": run_id}).scalar_one())


def forget(connection: sa.Connection) -> None:
    database.run_script(connection, f"DROP TABLE holdfast.{TARGET}")


def loop(engine: sa.Engine, run_id: int, today: str, requests: int) -> float:
    """Assess and erase so many requests one by one, each in a transaction of its own; the seconds it took.

    No ledger, no second look at the holds, nothing of what makes the night safe.
    """
    children_first = sorted(estate.DATASETS, key=lambda name: (name in estate.PARENTS, name))
    each = [
        *(_statement(name, run_id, today) for name in estate.DATASETS),
        *(_erase(one, today) for one in children_first),
    ]
    prepare = _PREPARE.format(today=today).replace(" ON COMMIT DROP", "")
    with engine.connect() as connection:
        with connection.begin():
            database.run_script(connection, prepare + _LOOP)
            listed = "SELECT request_id FROM every ORDER BY md5(cast(request_id AS text)) LIMIT :requests"
            chosen = connection.execute(sa.text(listed), {"requests": requests}).scalars().all()
        started = time.monotonic()
        for request_id in chosen:
            with connection.begin():
                database.run_script(connection, _NEXT.format(request_id=request_id) + ";".join(each))
        return time.monotonic() - started


def _erase(name: str, today: str) -> str:
    parent = next((parent for parent, child in estate.PARENTS.items() if child == name), None)
    child = estate.PARENTS.get(name)
    verb, link, more = f"DELETE FROM carrier.{name} AS t", "t.account_id = a.account", ""
    day, exempt, unneeded = _DAY, "false", ""
    if parent:
        more, link = f", carrier.{parent} AS p", "p.account_id = a.account AND t.parent_id = p.id"
    if child:
        unneeded = f" AND NOT EXISTS (SELECT FROM carrier.{child} AS c WHERE c.parent_id = t.id)"
    if name in (estate.HOUSEHOLD, *estate.ANONYMISED):
        verb = f"UPDATE carrier.{name} AS t SET words = NULL"
    if name == estate.HOUSEHOLD:
        link, day, exempt = "t.id = a.account", "cast(NULL AS date)", "t.ended_at IS NULL"
    if name in estate.WHILE_LIVE:
        more, link, exempt = ", carrier.accounts AS o", f"{link} AND o.id = a.account", "o.ended_at IS NULL"
    if name in estate.KEPT_BY_LAW:
        exempt = f"{_DAY} > cast(date '{today}' - interval '6 years' AS date) - 1"
    source = f"FROM asked AS a{more}" if verb.startswith("UPDATE") else f"USING asked AS a{more}"
    return _ERASE.format(verb=verb, source=source, link=link, exempt=exempt, day=day, name=name, unneeded=unneeded)


def _statement(name: str, run_id: int, today: str) -> str:
    parent = next((parent for parent, child in estate.PARENTS.items() if child == name), None)
    source = f"asked AS a INNER JOIN carrier.{name} AS t ON t.account_id = a.account"
    day, exempt, done, unknown = _DAY, "false", "false", "false"
    if parent:
        source = (
            f"carrier.{name} AS t INNER JOIN carrier.{parent} AS p ON p.id = t.parent_id"
            " INNER JOIN asked AS a ON a.account = p.account_id"
        )
    if name in (estate.HOUSEHOLD, *estate.ANONYMISED):
        done = "t.words IS NULL"
    if name == estate.HOUSEHOLD:
        source, day = "asked AS a INNER JOIN carrier.accounts AS t ON t.id = a.account", "cast(NULL AS date)"
        exempt = "t.ended_at IS NULL"
    if name in estate.WHILE_LIVE:
        source += " INNER JOIN carrier.accounts AS o ON o.id = t.account_id"
        exempt = "o.ended_at IS NULL"
    if name in estate.KEPT_BY_LAW:
        exempt = f"{_DAY} > cast(date '{today}' - interval '6 years' AS date) - 1"
        unknown = f"{_DAY} > date '{today}' OR {_DAY} < date '1900-01-01'"
    child = estate.PARENTS.get(name)
    return _DATASET.format(
        name=name,
        run_id=run_id,
        source=source,
        day=day,
        unknown=unknown,
        exempt=exempt,
        done=done,
        act="anonymise" if done != "false" else "erase",
        records=_RECORDS.format(name=name) if name == "notes_1" else "",
        needed=_NEEDED.format(name=name, child=child, day=_DAY)
        if child
        else "SELECT cast(NULL AS bigint) AS id LIMIT 0",
    )
