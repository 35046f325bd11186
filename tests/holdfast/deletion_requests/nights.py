"""Whole nights of requests over a few accounts, with the shipped policy, and backups of them that are restored."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from ruamel.yaml import YAML
from tests.holdfast.deletion_requests.desk import Desk, make
from tests.holdfast.retention.shop import WAVES

from holdfast import database, settings
from holdfast.deletion_requests import steps
from holdfast.holds import register
from holdfast.holds.register import ReleaseReason
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.settings import Settings

TABLES = (
    "account", "contact", "login_event", "message", "number", "number_assignment", "emergency_address", "suspension",
    "suspension_notice", "review_request", "review_outcome",
)  # fmt: skip
"""The tables that a backup here is made of, parents first."""
DAY = dt.timedelta(days=1)
LONG_AGO = "2024-02-01 12:00+00"

Rows = dict[str, list[dict[str, Any]]]


def work_through(engine: sa.Engine, given: Settings, run_id: int) -> int:
    """Every wave of a planned run, as its tasks do it; the rows that were changed."""
    groups = (group for wave in WAVES for group in steps.list_shards(engine, given, run_id=run_id, wave=wave))
    done: list[Any] = [steps.enforce_shards(engine, given, **group)["rows"] for group in groups]  # type: ignore[arg-type]
    return sum(done)


@dataclass(frozen=True)
class Nights:
    """A provider whose accounts 1 to 9 have left, and the nights over it."""

    desk: Desk
    today: dt.datetime

    @property
    def engine(self) -> sa.Engine:
        return self.desk.engine

    @property
    def policy(self) -> Policy:
        return load_policy(settings.load().policy)

    def sql(self, statement: str, **values: object) -> list[sa.Row[Any]]:
        return self.desk.sql(statement, **values)

    def count(self, table: str, where: str = "TRUE") -> int:
        return int(self.sql(f"SELECT count(*) AS n FROM provider.{table} WHERE {where}")[0].n)

    def fill(self, account: int, logins: int = 3) -> None:
        """A contact and some log-ins of an account."""
        self.sql(
            "INSERT INTO provider.contact (account_id, role, full_name, email, address_line, post_town, postcode,"
            " created_at) VALUES (:a, 'owner', 'Zoe Example', 'zoe@example.com', '1 Any Street', 'Anytown', 'ZY1 1AA',"
            " :day)",
            a=account,
            day=LONG_AGO,
        )
        self.log_in(account, *[LONG_AGO] * logins)

    def log_in(self, account: int, *moments: object) -> None:
        for moment in moments:
            self.sql(
                "INSERT INTO provider.login_event (account_id, occurred_at, ip, user_agent, succeeded)"
                " VALUES (:a, :moment, '192.0.2.1', 'Any', TRUE)",
                a=account,
                moment=moment,
            )

    def ask(self, account: int, reference: str, *parts: tuple[str, str | None], state: str = "approved") -> int:
        """A request for the account, or for datasets or records of them."""
        [row] = self.sql(
            "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, state, received_at)"
            " VALUES (:reference, 'form', :subject, :state, now() - interval '9 days') RETURNING request_id",
            reference=reference,
            subject=str(account),
            state=state,
        )
        for number, (dataset, record) in enumerate(parts, start=1):
            self.sql(
                "INSERT INTO holdfast.request_part VALUES (:request, :number, :dataset, NULL, :record)",
                request=row.request_id,
                number=number,
                dataset=dataset,
                record=record,
            )
        self.sql(
            "INSERT INTO holdfast.request_addressee VALUES (:request, 'p1:0', now(), NULL)", request=row.request_id
        )
        return int(row.request_id)

    def state(self, request: int) -> str:
        return str(self.sql("SELECT state FROM holdfast.deletion_request WHERE request_id = :r", r=request)[0].state)

    def hold(self, reference: str, account: int, *datasets: str) -> None:
        names = {"hold_type": "LITIGATION", "reference": reference, "placed_by": "anna"}
        with database.transaction(self.engine) as connection:
            register.place(connection, self.policy, **names, subject_key=str(account), datasets=list(datasets) or None)

    def release(self, reference: str) -> None:
        with database.transaction(self.engine) as connection:
            register.release(connection, self.policy, reference, released_by="anna", reason=ReleaseReason.ENDED)

    def backup(self) -> Rows:
        """What the provider's tables hold."""
        found: Rows = {}
        for table in TABLES:
            rows = self.sql(f"SELECT to_jsonb(one) AS row FROM provider.{table} AS one")
            found[table] = [row.row for row in rows]
        return found

    def restore(self, rows: Rows) -> None:
        """Bring back what is gone since; what came since stays, as after a table was restored beside it."""
        for table in TABLES:
            self.sql(
                f"INSERT INTO provider.{table} SELECT * FROM jsonb_populate_recordset(cast(NULL AS provider.{table}),"
                " cast(:rows AS jsonb)) ON CONFLICT DO NOTHING",
                rows=json.dumps(rows[table]),
            )

    def plan(self, before: int, *, dry_run: bool = False, replay_since: object = None) -> int:
        """Open and plan the run of so many days before today; its number."""
        engine, given = self.engine, settings.load()
        self.sql("UPDATE provider.feed SET loaded_at = clock_timestamp()")
        as_of = self.today - before * DAY
        since = None if replay_since is None else str(replay_since)
        run_id = int(str(steps.open_run(engine, given, as_of=as_of, dry_run=dry_run, replay_since=since)["run_id"]))
        steps.refresh_holds(engine, given, run_id=run_id)
        steps.check_policy(engine, given, run_id=run_id)
        steps.replay_erasures(engine, given, run_id=run_id, replay_since=since)
        steps.assess(engine, given, run_id=run_id)
        steps.make_plan(engine, given, run_id=run_id)
        return run_id

    def night(self, before: int, *, replay_since: object = None) -> int:
        """A whole night, without letters; the run's number."""
        engine, given = self.engine, settings.load()
        run_id = self.plan(before, replay_since=replay_since)
        work_through(engine, given, run_id)
        steps.verify_run(engine, given, run_id=run_id)
        steps.settle_requests(engine, given, run_id=run_id)
        steps.notify_recipients(engine, given, run_id=run_id)
        steps.find_breaks(engine, given, run_id=run_id)
        steps.seal_run(engine, given, run_id=run_id)
        steps.conclude(engine, given, run_id=run_id)
        return run_id

    def breaks(self, run_id: int, kind: str) -> dict[str, int]:
        """The breaks of a kind that a run reported: what each is about, and how often."""
        rows = self.sql(
            "SELECT cast(entry AS jsonb) -> 'facts' AS facts FROM holdfast.ledger_entry"
            " WHERE run_id = :run AND kind = 'break_found'",
            run=run_id,
        )
        return {row.facts["about"]: row.facts["count"] for row in rows if row.facts["kind"] == kind}

    def long_ago(self, days: int) -> None:
        """Let everything that was erased and completed so far have been so many days ago."""
        self.sql("UPDATE holdfast.deletion_request SET closed_at = closed_at - make_interval(days => :n)", n=days)
        self.sql("UPDATE holdfast.erasure SET erased_at = erased_at - make_interval(days => :n)", n=days)

    def at(self, engine: sa.Engine) -> Nights:
        """The same nights in another database."""
        return Nights(Desk(engine), self.today)


def lay_out(project: Path, datasets: Sequence[str]) -> None:
    """A project with the shipped policy for these datasets alone: a night over them takes a fraction of the time."""
    shipped = settings.load().project
    (project / "policy").mkdir(parents=True)
    for folder in ("sql", "expectations"):
        (project / folder).symlink_to(shipped / folder)
    for path in (shipped / "policy").iterdir():
        if path.name not in ("data_map.yaml", "retention_schedule.yaml"):
            (project / "policy" / path.name).symlink_to(path)
    yaml = YAML(typ="safe")
    data_map = yaml.load((shipped / "policy" / "data_map.yaml").read_text(encoding="utf-8"))
    schedule = yaml.load((shipped / "policy" / "retention_schedule.yaml").read_text(encoding="utf-8"))
    exempt = {"reason": "No part of what is tried here.", "owner": "tests", "review_by": "2036-12-31"}
    for name in set(data_map["datasets"]) - set(datasets):
        data_map["exemptions"][data_map["datasets"].pop(name)["table"]] = exempt
    schedule["rules"] = {name: rule for name, rule in schedule["rules"].items() if rule["dataset"] in datasets}
    used = {rule["deletion_class"] for rule in schedule["rules"].values()}
    schedule["classes"] = {name: one for name, one in schedule["classes"].items() if name in used}
    for name, document in (("data_map", data_map), ("retention_schedule", schedule)):
        text = json.dumps(document, default=str, indent=1)
        (project / "policy" / f"{name}.yaml").write_text(text, encoding="utf-8")


def build(engine: sa.Engine) -> Nights:
    desk = make(engine)
    for table in ("payment", "invoice", "complaint", "message", "support_ticket"):
        desk.sql(f"DELETE FROM provider.{table}")
    desk.sql(
        "UPDATE provider.account SET status = 'closed', closed_at = '2024-06-01', contract_ended_on = '2024-06-01'"
    )
    desk.sql(
        "INSERT INTO provider.feed SELECT one, clock_timestamp()"
        " FROM unnest(ARRAY['billing', 'tax', 'audit', 'legal', 'service']) AS one"
    )
    with database.transaction(engine) as connection:
        now = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return Nights(desk, now)
