"""A million rows of every kind that enforcement knows, some held in every way, and what must be left of them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from tests.holdfast.retention.shop import Shop

WIDE_CAPS = {"rows": 1_000_000_000, "share": 1, "overdue_days": 100_000}
PEOPLE = 1_000
OWES_EVERY = 33
"""Of a thousand people thirty owe something, which holds all but visits and photos."""

# Shares of all rows. Purchases are eight tenths due; of visits, October is wholly due and free of holds, November has
# held rows, and of December one day is due.
_SHARES = {"purchase": 0.75, "visit_2023_10": 0.1, "visit_2023_11": 0.05, "visit_2023_12": 0.05, "customer": 0.05}
_FIRST_CUSTOMER_OF_MANY = 10_000

_FILL = {
    "purchase": """
        INSERT INTO shop.purchase
        SELECT i, 1 + i % :people, CASE WHEN i % 10 < 8 THEN date '2021-05-05' ELSE date '2024-02-20' END, 'note'
        FROM generate_series(1, :rows) AS i""",
    "visit_2023_10": """
        INSERT INTO shop.visit SELECT i, 1 + i % 500, timestamptz '2023-10-02Z' + i * interval '1 second', 'page'
        FROM generate_series(1, :rows) AS i""",
    "visit_2023_11": """
        INSERT INTO shop.visit SELECT i, 501 + i % 500, timestamptz '2023-11-02Z' + i * interval '1 second', 'page'
        FROM generate_series(1, :rows) AS i""",
    "visit_2023_12": """
        INSERT INTO shop.visit SELECT i, 501 + i % 500, timestamptz '2023-12-01Z' + i * interval '9 seconds', 'page'
        FROM generate_series(1, :rows) AS i""",
    "customer": """
        INSERT INTO shop.customer (customer_no, full_name, email, phone, left_on)
        SELECT :first + i, 'name ' || i, 'e-mail ' || i, 'phone ' || i, date '2021-05-05'
        FROM generate_series(1, :rows) AS i""",
}

# Every row that must be as it was at the end, said once more and without the policy.
_KEPT = {
    "purchase": "bought_on > '2022-03-02' OR customer_no % 33 = 0 OR customer_no = 7 OR purchase_id = 11",
    "visit": "seen_at >= '2023-12-03Z' OR customer_no = 777 OR (seen_at >= '2023-11-03Z' AND seen_at < '2023-11-04Z')",
    "customer": "left_on IS NULL OR customer_no = 10500",
    "photo": "customer_no = 7",
}


def fill(shop: Shop, rows: int, pictures: Path, *, photos: int = 300) -> None:
    """Rows in proportion, holds on a subject, a record, and a class with a period, and a file for each photo."""
    shop.execute("INSERT INTO shop.customer (customer_no) SELECT generate_series(1, :people)", people=PEOPLE)
    for name, statement in _FILL.items():
        bound = {"rows": int(rows * _SHARES[name]), "people": PEOPLE, "first": _FIRST_CUSTOMER_OF_MANY}
        shop.execute(statement, **{key: value for key, value in bound.items() if f":{key}" in statement})
    shop.execute(
        "INSERT INTO shop.debt SELECT 'debt-' || n, n FROM generate_series(33, :people, 33) AS n", people=PEOPLE
    )
    pictures.mkdir()
    for number in range(photos):
        (pictures / f"{number}.jpg").write_bytes(b"a picture")
        bound = {"id": f"{number:032d}", "customer": number % 20, "url": (pictures / f"{number}.jpg").as_uri()}
        shop.add("photo", {"photo_id": bound["id"], "customer_no": bound["customer"], "taken_on": "2021-05-05",
                           "url": bound["url"]})  # fmt: skip
    shop.hold("matter-7", subject_key="7", datasets=["purchases", "photos"])
    shop.hold("matter-777", subject_key="777", datasets=["visits"])
    shop.hold("matter-10500", subject_key="10500")
    shop.hold("record-11", record_key="11", datasets=["purchases"])
    shop.hold("november-3", datasets=["visits"], period_from="2023-11-03", period_to="2023-11-04")
    with shop.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def kept(shop: Shop) -> dict[str, tuple[int, int]]:
    """Number and checksum of the rows that must stay as they are."""
    return {table: _checksum(shop, table, condition) for table, condition in _KEPT.items()}


def everything(shop: Shop) -> dict[str, tuple[int, int]]:
    """Number and checksum of all rows but customers who are nobody any more; at the end this equals `kept`."""
    conditions = dict.fromkeys(_KEPT, "TRUE") | {"customer": "full_name IS NULL OR full_name NOT LIKE 'p1:%'"}
    return {table: _checksum(shop, table, condition) for table, condition in conditions.items()}


def _checksum(shop: Shop, table: str, condition: str) -> tuple[int, int]:
    statement = f"SELECT count(*), bit_xor(hashtextextended(cast(t AS text), 0)) FROM shop.{table} AS t"
    with shop.engine.connect() as connection:
        row = connection.execute(sa.text(f"{statement} WHERE {condition}")).one()
    return row[0], row[1]


def accounts(shop: Shop, run_id: int) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """For each rule the rows that were planned, that the shards say they changed, and that the ledger says."""
    planned = _by_rule(shop, "SELECT rule_id, due_rows FROM holdfast.plan_rule WHERE run_id = :run", run_id)
    done = "SELECT rule_id, cast(sum(done_rows) AS bigint) FROM holdfast.shard WHERE run_id = :run GROUP BY rule_id"
    return planned, _by_rule(shop, done, run_id), {rule: shop.rows_in_ledger(rule) for rule in planned}


def _by_rule(shop: Shop, statement: str, run_id: int) -> dict[str, int]:
    with shop.engine.connect() as connection:
        found = connection.execute(sa.text(statement), {"run": run_id}).all()
    return {row[0]: row[1] for row in found if row[1]}
