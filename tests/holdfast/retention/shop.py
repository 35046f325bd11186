"""A small shop with its policy, and whole nights of retention over it, step by step as the DAG takes them.

`NIGHT` is the first night. Periods are 90 days (visits, photos) and two years (customers, purchases, items): `OLD` is
due under each of them, `NEW` under none.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import database, settings
from holdfast.enforcement import execute, plan, runs
from holdfast.enforcement import shards as cut
from holdfast.enforcement.execute import Done
from holdfast.enforcement.undo.keys import Keys
from holdfast.evidence import verify
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import VerifyResult
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.retention import steps
from holdfast.settings import Settings

NIGHT = dt.datetime(2024, 3, 2, 1, 30, tzinfo=dt.UTC)
TODAY = NIGHT.date()
TOMORROW = NIGHT + dt.timedelta(days=1)
OLD, NEW = "2021-05-05", "2024-02-20"
FAT = "x" * 1500  # a note of which five fit into a block
WAVES = (1, 2, 3, 4)
Document = dict[str, Any]

TABLES = """
CREATE SCHEMA shop;
CREATE TABLE shop.customer (
    customer_no bigint PRIMARY KEY, full_name text, email text, phone text, signup_ip inet, postcode text,
    birthday date, joined_at timestamptz, left_on date
);
CREATE TABLE shop.purchase (
    purchase_id bigint PRIMARY KEY, customer_no bigint REFERENCES shop.customer, bought_on date,
    note text STORAGE PLAIN
);
CREATE TABLE shop.item (
    purchase_id bigint REFERENCES shop.purchase, line_no integer, label text, PRIMARY KEY (purchase_id, line_no)
);
CREATE TABLE shop.visit (
    visit_id bigint, customer_no bigint, seen_at timestamptz, page text, PRIMARY KEY (visit_id, seen_at)
) PARTITION BY RANGE (seen_at);
CREATE TABLE shop.visit_2023_10 PARTITION OF shop.visit FOR VALUES FROM ('2023-10-01') TO ('2023-11-01');
CREATE TABLE shop.visit_2023_11 PARTITION OF shop.visit FOR VALUES FROM ('2023-11-01') TO ('2023-12-01');
CREATE TABLE shop.visit_2023_12 PARTITION OF shop.visit FOR VALUES FROM ('2023-12-01') TO ('2024-01-01');
CREATE TABLE shop.visit_2024_02 PARTITION OF shop.visit FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE shop.photo (photo_id uuid PRIMARY KEY, customer_no bigint, taken_on date, url text);
CREATE TABLE shop.debt (reference text PRIMARY KEY, customer_no bigint);
CREATE TABLE shop.feed (loaded_at timestamptz);
INSERT INTO shop.feed VALUES (clock_timestamp());
"""

TILL = """\
-- Who owes the shop money?
-- params: as_of date
-- returns: reference text, hold_type text, subject_key text, datasets text[], record_key text, period_from date,
--     period_to date, ground text, disclosable boolean, ends_on date, review_on date
-- locks: none
SELECT
    reference, 'UNPAID' AS hold_type, cast(customer_no AS text) AS subject_key, cast(NULL AS text []) AS datasets,
    cast(NULL AS text) AS record_key, cast(NULL AS date) AS period_from, cast(NULL AS date) AS period_to,
    'contract' AS ground, TRUE AS disclosable, cast(NULL AS date) AS ends_on, cast(NULL AS date) AS review_on
FROM shop.debt
WHERE cast(:as_of AS date) IS NOT NULL
"""
TILL_FRESHNESS = """\
-- When did the till last report?
-- params: none
-- returns: one row (loaded_at timestamptz)
-- locks: none
SELECT loaded_at FROM shop.feed
"""


def _dataset(
    table: str, key: str, subject: Document, description: str, personal: str, rest: str, **more: Any
) -> Document:
    column = {"category": "any", "sensitivity": "ordinary", "legal_basis": "contract"}
    return {
        "table": f"shop.{table}",
        "key": key.split(),
        "subject": subject,
        "owner": "sales",
        "description": description,
        "columns": dict.fromkeys(personal.split(), column),
        "not_personal": rest.split(),
        **more,
    }


_OWN = {"column": "customer_no"}
_EXEMPT = {"reason": "Feeds the holds and names nobody.", "owner": "sales", "review_by": "2040-01-01"}


def _rule(dataset: str, deletion_class: str, start: Document, strength: str, **more: Any) -> Document:
    return {
        "dataset": dataset,
        "deletion_class": deletion_class,
        "start": start,
        "action": {"do": "delete"},
        "strength": strength,
        "law": "Whatever the test says.",
        "source": "nowhere",
        "owner": "sales",
        **more,
    }


_BLANK = {
    "full_name": {"to": "pseudonym", "purpose": "name"},
    "email": {"to": "constant", "value": "gone"},
    "phone": {"to": "null"},
    "signup_ip": {"to": "ip_network"},
    "postcode": {"to": "outward_postcode"},
    "birthday": {"to": "date", "precision": "year"},
    "joined_at": {"to": "date", "precision": "month"},
}

DOCUMENTS: dict[str, Document] = {
    "data_map": {
        "version": 1,
        "schemas": ["shop"],
        "datasets": {
            "customers": _dataset(
                "customer", "customer_no", _OWN, "People who bought something.", " ".join(_BLANK), "customer_no left_on"
            ),
            "purchases": _dataset(
                "purchase", "purchase_id", _OWN, "What they bought.", "customer_no note", "purchase_id bought_on",
                event="bought_on",
            ),
            "items": _dataset(
                "item", "purchase_id line_no", {"through": {"columns": ["purchase_id"], "dataset": "purchases"}},
                "Lines of a purchase.", "label", "purchase_id line_no",
            ),
            "visits": _dataset(
                "visit", "visit_id seen_at", _OWN, "Pages they looked at.", "customer_no page", "visit_id seen_at",
                event="seen_at",
            ),
            "photos": _dataset(
                "photo", "photo_id", _OWN, "Pictures they sent.", "customer_no url", "photo_id taken_on",
                event="taken_on", files={"url": "url"},
            ),
        },
        "exemptions": {"shop.debt": _EXEMPT, "shop.feed": _EXEMPT},
    },
    "retention_schedule": {
        "version": 1,
        "time_zone": "Europe/London",
        "accounting_year_end": "03-31",
        "caps": {"rows": 1000, "share": 1, "overdue_days": 10000},
        "approvers": {"anna": "Data protection officer", "7": "Deputy, by the number that FAB gives"},
        "classes": {
            "two-years": {"period": "P2Y", "starts": "creation"},
            "ninety-days": {"period": "P90D", "starts": "creation"},
        },
        "rules": {
            "customers-2y": _rule(
                "customers", "two-years", {"column": "left_on", "missing": "not_started"}, "business",
                action={"do": "anonymise", "columns": _BLANK},
            ),
            "purchases-2y": _rule("purchases", "two-years", {"column": "bought_on"}, "business"),
            "items-2y": _rule(
                "items", "two-years", {"dataset": "purchases", "link": "path", "column": "bought_on"}, "business"
            ),
            "visits-90d": _rule("visits", "ninety-days", {"column": "seen_at"}, "maximum", holds=["COURT"]),
            "photos-90d": _rule("photos", "ninety-days", {"column": "taken_on"}, "maximum", holds=["COURT"]),
        },
    },
    "holds": {
        "version": 1,
        "types": {
            "COURT": {
                "authority": "legal",
                "meaning": "A court wants the record.",
                "ground": "Legal claims, UK GDPR Art 17(3)(e).",
                "disclosable": False,
                "review_after": "P6M",
                "by_hand": True,
            },
            "UNPAID": {
                "authority": "billing",
                "meaning": "The purchase is not paid.",
                "ground": "Performance of the contract.",
                "disclosable": True,
                "review_after": "P6M",
            },
        },
        "sources": {
            "till": {
                "authority": "billing",
                "types": ["UNPAID"],
                "max_age_hours": 30,
                "max_shrink": 1,
                "owner": "finance",
            }
        },
    },
}  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """The shop's database and project folder, and what happens there."""

    engine: sa.Engine
    settings: Settings

    # --- data -----------------------------------------------------------------------------------------------------

    def add(self, table: str, *rows: Document) -> None:
        """Insert rows; columns that they leave out stay empty. A purchase's customer is made if need be."""
        with self.engine.begin() as connection:
            insert(connection, f"shop.{table}", rows)

    def purchases(self, ids: Iterable[int], *, bought_on: str = OLD, customer_no: int = 1, note: str = "") -> None:
        """Purchases of one customer, all on one day."""
        self.execute("INSERT INTO shop.customer (customer_no) VALUES (:n) ON CONFLICT DO NOTHING", n=customer_no)
        values = {"customer_no": customer_no, "bought_on": bought_on, "note": note}
        self.add("purchase", *({"purchase_id": one, **values} for one in ids))

    def execute(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def scalars(self, statement: str, **values: object) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values).scalars())

    def one(self, statement: str, **values: object) -> Any:
        return self.scalars(statement, **values)[0]

    def ids(self, table: str, key: str) -> set[Any]:
        return set(self.scalars(f"SELECT {key} FROM shop.{table}"))

    def contents(self, table: str) -> list[str]:
        """Every row as text."""
        return sorted(self.scalars(f"SELECT cast(t AS text) FROM shop.{table} AS t"))

    # --- holds ----------------------------------------------------------------------------------------------------

    def hold(self, reference: str, **scope: Any) -> None:
        """A court's hold, placed by hand."""
        with database.transaction(self.engine) as connection:
            names = {"hold_type": "COURT", "reference": reference, "placed_by": "anna"}
            register.place(connection, self.policy, **names, **scope)

    def release(self, reference: str) -> None:
        with database.transaction(self.engine) as connection:
            register.release(connection, self.policy, reference, released_by="anna", reason=ReleaseReason.ENDED)

    # --- policy ---------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """What the shop's database has of it."""
        return load_policy(self.settings.policy).at(self.settings.database)

    def set_policy(self, edit: Callable[[dict[str, Document]], object] = lambda _: None) -> None:
        """Write the shop's policy with what `edit` changes in its documents."""
        documents = copy.deepcopy(DOCUMENTS)
        edit(documents)
        self.settings.policy.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            (self.settings.policy / f"{name}.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")

    # --- nights ---------------------------------------------------------------------------------------------------

    def plan(self, as_of: dt.datetime = NIGHT, *, dry_run: bool = False) -> int:
        """Open a run and plan it; its number."""
        run_id = int(str(steps.open_run(self.engine, self.settings, as_of=as_of, dry_run=dry_run)["run_id"]))
        steps.refresh_holds(self.engine, self.settings, run_id=run_id)
        steps.check_policy(self.engine, self.settings, run_id=run_id)
        steps.end_windows(self.engine, self.settings, run_id=run_id)
        steps.make_plan(self.engine, self.settings, run_id=run_id)
        return run_id

    def approve(self, run_id: int, decision: str = "approved") -> None:
        digest = str(steps.check_caps(self.engine, self.settings, run_id=run_id)["plan_digest"])
        values = {"plan_digest": digest, "decision": decision, "decided_by": "anna"}
        steps.record_approval(self.engine, self.settings, run_id=run_id, **values)

    def groups(self, run_id: int, wave: int) -> list[dict[str, Any]]:
        """What the tasks of a wave are given. The first call begins the execution."""
        return steps.list_shards(self.engine, self.settings, run_id=run_id, wave=wave)

    def shards(self, run_id: int, wave: int) -> list[dict[str, Any]]:
        """The shards of a wave, one by one. The first call begins the execution."""
        self.groups(run_id, wave)
        with database.transaction(self.engine) as connection:
            found = [one for one in cut.of_run(connection, run_id) if one.wave == wave]
        return [{"run_id": run_id, "shard_id": one.shard_id, "label": one.label} for one in found]

    def enforce_shard(self, run_id: int, shard_id: int, label: str) -> int:
        """One shard, as a group of its own; the rows that were changed."""
        group = {"run_id": run_id, "shard_ids": [shard_id], "label": label}
        return int(str(steps.enforce_shards(self.engine, self.settings, **group)["rows"]))

    def enforce(self, run_id: int, *waves: int) -> int:
        """Work through the shards of these waves, or of all; the rows that were changed."""
        done = 0
        for wave in waves or WAVES:
            for group in self.groups(run_id, wave):
                done += int(str(steps.enforce_shards(self.engine, self.settings, **group)["rows"]))
        return done

    def attempt(self, run_id: int, shard_id: int, reached: Callable[[str], None]) -> Done:
        """One attempt at a shard, told of each point that it reaches; what `reached` raises ends it there."""
        with database.transaction(self.engine) as connection:
            setting = plan.setting_of(connection, self.policy, runs.get(connection, run_id))
        keys = Keys(self.settings.undo_keys)
        return execute.enforce(self.engine, setting, shard_id, self.settings.pseudonym_key(), reached, undo_keys=keys)

    def verify(self, run_id: int) -> steps.Result:
        return steps.verify_run(self.engine, self.settings, run_id=run_id)

    def close(self, run_id: int) -> steps.Result:
        """Verify, seal and conclude."""
        self.verify(run_id)
        steps.seal_run(self.engine, self.settings, run_id=run_id)
        return steps.conclude(self.engine, self.settings, run_id=run_id)

    def night(self, as_of: dt.datetime = NIGHT) -> int:
        """A whole night, approved if it must be; the run's number."""
        run_id = self.plan(as_of)
        if steps.check_caps(self.engine, self.settings, run_id=run_id)["exceeded"]:
            self.approve(run_id)
        self.enforce(run_id)
        self.close(run_id)
        return run_id

    @contextmanager
    def while_running(self, words: str, do: Callable[[], object]) -> Iterator[None]:
        """Have something done by others, once, right after our first statement that contains these words."""
        waiting = [do]

        def ran(_: object, __: object, statement: str, *___: object) -> None:
            if waiting and words in statement:
                waiting.pop()()

        sa.event.listen(self.engine, "after_cursor_execute", ran)
        try:
            yield
        finally:
            sa.event.remove(self.engine, "after_cursor_execute", ran)
        assert not waiting, f"no statement contained {words!r}"

    # --- evidence -------------------------------------------------------------------------------------------------

    def planned(self, run_id: int, rule_id: str) -> sa.Row[Any]:
        """What the plan found for a rule."""
        with self.engine.connect() as connection:
            found = "SELECT * FROM holdfast.plan_rule WHERE run_id = :run AND rule_id = :rule"
            return connection.execute(sa.text(found), {"run": run_id, "rule": rule_id}).one()

    def digest(self, run_id: int) -> str:
        return str(self.one("SELECT plan_digest FROM holdfast.run WHERE run_id = :run", run=run_id))

    def state(self, run_id: int) -> str:
        return str(self.one("SELECT state FROM holdfast.run WHERE run_id = :run", run=run_id))

    def entries(self, *kinds: str) -> list[Document]:
        """The facts of the ledger's entries of these kinds, in order."""
        statement = "SELECT entry FROM holdfast.ledger_entry WHERE kind = any(:kinds) ORDER BY seq"
        return [json.loads(entry)["facts"] for entry in self.scalars(statement, kinds=list(kinds))]

    def rows_in_ledger(self, rule_id: str) -> int:
        """How many rows the ledger says went or were anonymised under a rule."""
        entries = self.entries("batch_deleted", "batch_anonymised", "partition_dropped")
        return sum(one["rows"] for one in entries if one["rule"] == rule_id)

    def verify_ledger(self) -> VerifyResult:
        with self.engine.connect() as connection:
            return verify.verify(connection, self.settings.seals, Copies(self.settings.checkpoints))


class Crash(Exception):
    """The worker is gone."""


def once(point: str, do: Callable[[], object], *, after: int = 0) -> Callable[[str], None]:
    """Have something done when an attempt reaches a point, the first time or after so many times."""
    left = [after]

    def reached(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] == -1:
                do()

    return reached


def crash() -> None:
    raise Crash


def build(engine: sa.Engine, project: Path) -> Shop:
    """Make the shop's tables and its project folder, which `HOLDFAST_PROJECT` must name."""
    lay_out(project)
    with engine.begin() as connection:
        database.run_script(connection, TABLES)
    shop = Shop(engine, settings.load())
    assert shop.settings.project == project.resolve()
    shop.set_policy()
    return shop


def lay_out(project: Path) -> None:
    """The folder that holds the shop's own hold source, and everybody's queries."""
    ours = project / "sql"
    (ours / "provider" / "holds").mkdir(parents=True)
    for folder in (Path(__file__).parents[3] / "sql").iterdir():
        if folder.is_dir() and folder.name != "provider":
            (ours / folder.name).symlink_to(folder)
    (ours / "provider" / "holds" / "till.sql").write_text(TILL, encoding="utf-8")
    (ours / "provider" / "holds" / "till_freshness.sql").write_text(TILL_FRESHNESS, encoding="utf-8")


def insert(connection: sa.Connection, table: str, rows: Iterable[Document]) -> None:
    statement = f"INSERT INTO {table} SELECT * FROM json_populate_recordset(cast(NULL AS {table}), :rows)"
    connection.execute(sa.text(statement), {"rows": json.dumps(list(rows))})
