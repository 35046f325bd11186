"""Three months of suspension statistics in the real Airflow: each starts by itself once all of its days are there.

Days settle at once here, so that the last three months are whole whatever today is. The tests follow one another.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from rich.console import Console
from tests.night.installation import HOLDFAST, NIGHT_SECONDS, PROJECT, Installation, installed, read, status, token

from holdfast import clock, database
from holdfast.night import postgres, start
from holdfast.night.progress import Progress
from holdfast.suspension_statistics import rules, store
from holdfast.suspension_statistics.store import Version

FACTS, MONTHS = "suspension_facts_nightly", "suspension_statistics_monthly"
SETTLING = "settling_days: 10"
ENDED = ("success", "failed")
SUSPEND = """
INSERT INTO provider.suspension (account_id, decided_at, automation, restriction, reason, detection_source,
    lawful_basis, rule_version, ends_at, case_closed_at, restored_at, restored_because)
SELECT accounts.ids[1 + n % cardinality(accounts.ids)], made.moment, 'fully', 'total', 'fraud', 'detector', 'contract',
    'rules-1', made.later, made.later, made.later, 'ended'
FROM generate_series(1, :number) AS n
CROSS JOIN (SELECT array_agg(account_id ORDER BY account_id) AS ids FROM provider.account) AS accounts
CROSS JOIN LATERAL (
    SELECT moment, moment + interval '2 days' AS later
    FROM (SELECT cast(:month AS date) + interval '1 day 12 hours' + n * interval '11 hours' AS moment) AS one
) AS made
"""


@dataclass(frozen=True)
class Running:
    """An Airflow that is up, and the provider's database."""

    installation: Installation
    engine: sa.Engine
    address: str
    token: str
    months: tuple[str, str, str]

    def sql(self, statement: str, **values: object) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def get(self, path: str) -> Any:
        return read(f"{self.address}{path}", token=self.token)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Oldest first."""
        found: list[dict[str, Any]] = self.get(f"/api/v2/dags/{dag}/dagRuns?order_by=run_after")["dag_runs"]
        return found

    def trigger(self, dag: str, name: str, **params: str) -> dict[str, Any]:
        """As a person does in Airflow; the run, when it has ended."""
        body = {"dag_run_id": name, "logical_date": None, "conf": params}
        assert status(f"{self.address}/api/v2/dags/{dag}/dagRuns", body=body, token=self.token) == 200
        return self.ended(dag, lambda runs: [one for one in runs if one["dag_run_id"] == name])[0]

    def ended(self, dag: str, which: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The runs that are chosen, when there are any and all of them have ended."""
        deadline = time.monotonic() + NIGHT_SECONDS
        while not (chosen := which(self.runs(dag))) or any(one["state"] not in ENDED for one in chosen):
            assert time.monotonic() < deadline, self.runs(dag)
            time.sleep(1)
        return chosen

    def by_itself(self, *months: str) -> dict[str, str]:
        """Month -> the end of the run that Airflow started for it because its days had come."""

        def chosen(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            some = [one for one in runs if one["run_type"] == "asset_triggered" and one["partition_key"] in months]
            return some if {one["partition_key"] for one in some} == set(months) else []

        return {one["partition_key"]: self.state(MONTHS, one) for one in self.ended(MONTHS, chosen)}

    def state(self, dag: str, run: dict[str, Any]) -> str:
        """How a run ended; of one that failed, with the end of the log of each task that did."""
        if run["state"] == "success":
            return "success"
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run['dag_run_id'])}/taskInstances"
        failed = [one["task_id"] for one in self.get(path)["task_instances"] if one["state"] == "failed"]
        return "; ".join(f"{task} failed: {self.why(dag, run['dag_run_id'], task)[-1500:]}" for task in failed)

    def result(self, dag: str, run: str, task: str) -> Any:
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/xcomEntries/return_value"
        return json.loads(value) if isinstance(value := self.get(path)["value"], str) else value

    def why(self, dag: str, run: str, task: str) -> str:
        """The log of a task."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}/logs/1?full_content=true"
        return json.dumps(self.get(path)["content"])

    def versions(self, month: str) -> list[Version]:
        with database.transaction(self.engine) as connection:
            return store.versions(connection, rules.month_of(month))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Airflow over a provider with suspensions in each of the last three months, one day of which has not arrived."""
    project = tmp_path_factory.mktemp("project")
    for name in ("dags", "plugins", "expectations", "sql", "docs"):
        (project / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "policy", project / "policy")
    file = project / "policy" / "suspension_statistics.yaml"
    assert SETTLING in file.read_text()
    file.write_text(file.read_text().replace(SETTLING, "settling_days: 0"))
    today = clock.local_date(dt.datetime.now(dt.UTC), "Europe/London").replace(day=1)
    months = [rules.after(today, -n) for n in (3, 2, 1)]
    first, second, third = (f"{month:%Y-%m}" for month in months)
    with installed(project) as made:
        command = [HOLDFAST, "data", "make", "--accounts", "60"]
        subprocess.run(command, env=made.environment, check=True, capture_output=True, timeout=NIGHT_SECONDS)
        progress = Progress(Console(file=io.StringIO()))
        try:
            # Its own ports: a free one may be taken by another Airflow while this one is starting.
            with start.airflow(made.settings, progress, 20_000 + os.getpid() % 10_000) as (engine, configured, kept):
                start.logged_in(configured, kept, progress)
                key = token(made, configured.address, "admin")
                up = Running(made, engine, configured.address, key, (first, second, third))
                for month in months:
                    up.sql(SUSPEND, month=month, number=50)
                up.sql("DELETE FROM provider.suspension_day WHERE day = :day", day=missing(up))
                for dag in (MONTHS, FACTS):
                    on: dict[str, object] = {"is_paused": False}
                    assert status(f"{up.address}/api/v2/dags/{dag}", body=on, token=key, method="PATCH") == 200
                yield up
                engine.dispose()
        finally:
            postgres.stop(made.settings.postgres_data)


def missing(running: Running) -> dt.date:
    """The day that has not arrived: the seventeenth of the second month."""
    return rules.month_of(running.months[1]).replace(day=17)


def test_a_month_starts_by_itself_when_every_day_of_it_has_arrived(running: Running) -> None:
    first, _, third = running.months
    night = running.trigger(FACTS, "first")
    assert running.by_itself(first, third) == {first: "success", third: "success"}
    assert [len(running.versions(month)) for month in running.months] == [1, 0, 1]
    assert night["state"] == "failed", "a day is late"


def test_a_day_that_is_missing_is_named_and_its_month_does_not_start(running: Running) -> None:
    _, second, _ = running.months
    day = missing(running).isoformat()
    assert f"1 days are late: {day}" in running.why(FACTS, "first", "conclude_night")
    waiting = running.get(f"/ui/pending_partitioned_dag_run/{MONTHS}?partition_key={second}")
    [asset] = waiting["assets"]
    assert set(asset["required_keys"]) - set(asset["received_keys"]) == {day}, "as Airflow's own page shows"
    assert [one for one in running.runs(MONTHS) if one["partition_key"] == second] == []
    by_hand = running.trigger(MONTHS, "too-early", month=second)
    assert by_hand["state"] == "failed"
    assert f"{day} did not arrive" in running.why(MONTHS, "too-early", "freeze_month")
    assert running.versions(second) == []


def test_once_the_day_is_there_its_month_starts_and_no_other(running: Running) -> None:
    _, second, _ = running.months
    day = missing(running)
    running.sql("INSERT INTO provider.suspension_day (day, individuals, businesses) VALUES (:day, 100, 20)", day=day)
    before = {one["dag_run_id"] for one in running.runs(MONTHS)}
    assert running.trigger(FACTS, "second")["state"] == "success"
    assert running.by_itself(second) == {second: "success"}
    assert [one["partition_key"] for one in running.runs(MONTHS) if one["dag_run_id"] not in before] == [second]


def test_a_fact_that_comes_late_changes_no_month_that_is_frozen(running: Running) -> None:
    first = running.months[0]
    [frozen] = running.versions(first)
    runs = len(running.runs(MONTHS))
    running.sql(SUSPEND, month=rules.month_of(first), number=9)
    assert running.trigger(FACTS, "third")["state"] == "success"
    assert running.result(FACTS, "third", "take_facts")["new"] >= 9
    again = running.trigger(MONTHS, "again", month=first)
    assert again["state"] == "success", "it is reproduced from what was known then"
    assert running.result(MONTHS, "again", "freeze_month") == {
        "month": first, "version": 1, "digest": frozen.digest, "is_new": False
    }  # fmt: skip
    assert running.versions(first) == [frozen]
    assert len(running.runs(MONTHS)) == runs + 1
    page = Path(running.result(MONTHS, "again", "write_report")["report"]).read_text(encoding="utf-8")
    assert f"after these months were frozen: {first} (" in page


def test_a_restatement_is_a_new_version_with_a_reason_and_what_it_changed(running: Running) -> None:
    first = running.months[0]
    done = running.trigger(MONTHS, "restated", month=first, reason="late-facts")
    assert done["state"] == "success"
    before, after = running.versions(first)
    assert (after.version, after.reason) == (2, "late-facts")
    changed = rules.differences(rules.figures_of(before.figures), rules.figures_of(after.figures))
    total = next(one for one in changed if one.place == ("M01", "decision", "all", "all"))
    assert (total.n_after or 0) - (total.n_before or 0) == 9
    folder = Path(running.result(MONTHS, "restated", "write_report")["folder"])
    changes = {(row["metric"], row["category"]): row for row in _rows(folder / "differences.csv")}
    assert int(changes["M01", "all"]["n_after"]) - int(changes["M01", "all"]["n_before"]) == 9
    assert [row["version"] for row in _rows(folder / "versions.csv")] == ["1", "2"]


def _rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
