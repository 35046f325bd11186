"""The provider in one database and an archive of log-ins in another, and nights over both, task by task."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.holdfast.deletion_requests import nights as shipped
from tests.holdfast.deletion_requests.nights import LONG_AGO, Nights

from holdfast import settings
from holdfast.deletion_requests import steps

ARCHIVE = "archive"
TABLES = """
CREATE SCHEMA old;
CREATE TABLE old.login (login_id bigint PRIMARY KEY, account_id bigint, occurred_at timestamptz);
"""


@dataclass(frozen=True)
class Both:
    """The provider and an archive of log-ins, each with its own nights."""

    main: Nights
    archive: sa.Engine

    def ids(self) -> set[int]:
        with self.archive.connect() as connection:
            return set(connection.execute(sa.text("SELECT login_id FROM old.login")).scalars())

    def log_in(self, account: int, *ids: int, at: object = LONG_AGO) -> None:
        with self.archive.begin() as connection:
            for one in ids:
                values = {"id": one, "account": account, "at": at}
                connection.execute(sa.text("INSERT INTO old.login VALUES (:id, :account, :at)"), values)

    def begin(self, before: int, *, replay_since: object = None) -> int:
        """The main night up to its plan."""
        return self.main.plan(before, replay_since=replay_since)

    def share(self, before: int, *, replay_since: object = None) -> int:
        """The archive's whole share of the night."""
        engine, given = self.archive, settings.load().at(ARCHIVE)
        as_of = self.main.today - before * shipped.DAY
        since = None if replay_since is None else str(replay_since)
        opened = steps.open_run(engine, given, as_of=as_of, dry_run=False, replay_since=since)
        run_id = int(str(opened["run_id"]))
        for step in (steps.refresh_holds, steps.check_policy, steps.take_over_requests, steps.assess, steps.make_plan):
            step(engine, given, run_id=run_id)
        shipped.work_through(engine, given, run_id)
        for step in (steps.verify_run, steps.settle_requests, steps.seal_run, steps.conclude):
            step(engine, given, run_id=run_id)
        return run_id

    def end(self, run_id: int) -> None:
        """The rest of the main night."""
        engine, given = self.main.engine, settings.load()
        shipped.work_through(engine, given, run_id)
        for step in (
            *(steps.verify_run, steps.settle_requests, steps.write_outcomes, steps.notify_recipients),
            *(steps.find_breaks, steps.seal_run, steps.write_report, steps.conclude),
        ):
            step(engine, given, run_id=run_id)

    def night(self, before: int, *, replay_since: object = None) -> int:
        run_id = self.begin(before, replay_since=replay_since)
        self.share(before, replay_since=replay_since)
        self.end(run_id)
        return run_id

    def decision(self, run_id: int, request: int) -> sa.Row[Any]:
        [row] = self.main.sql(
            "SELECT decision, reason, rows_acted, rows_held FROM holdfast.request_decision"
            " WHERE run_id = :run AND request_id = :request AND dataset = 'old_logins'",
            run=run_id,
            request=request,
        )
        return row

    def breaks(self) -> list[str]:
        rows = self.main.sql("SELECT entry FROM holdfast.ledger_entry WHERE kind = 'break_found'")
        return [json.loads(row.entry)["facts"]["kind"] for row in rows]


def add_archive(project: Path) -> None:
    """What the provider's policy has besides its own."""
    files = {name: project / "policy" / f"{name}.yaml" for name in ("data_map", "retention_schedule")}
    data_map, schedule = (json.loads(file.read_text()) for file in files.values())
    data_map["connections"] = {ARCHIVE: {"description": "Log-ins of earlier years.", "schemas": ["old"]}}
    logins = data_map["datasets"]["login_events"]
    data_map["datasets"]["old_logins"] = {
        **{name: logins[name] for name in ("subject", "event", "owner", "description")},
        "connection": ARCHIVE,
        "table": "old.login",
        "key": ["login_id"],
        "columns": {name: logins["columns"][name] for name in ("account_id", "occurred_at")},
        "not_personal": ["login_id"],
    }
    schedule["rules"]["old-logins-12m"] = {**schedule["rules"]["login-events-12m"], "dataset": "old_logins"}
    letters = project / "policy" / "letters"
    theirs = letters.resolve()
    letters.unlink()
    shutil.copytree(theirs, letters)
    words = (letters / "words.j2").read_text()
    one = next(line for line in words.splitlines() if line.strip().startswith('"login_events"'))
    (letters / "words.j2").write_text(words.replace(one, one + "\n" + one.replace("login_events", "old_logins")))
    for file, document in zip(files.values(), (data_map, schedule), strict=True):
        file.write_text(json.dumps(document, indent=1))
