"""What the watchdog finds is remembered, told, explained by somebody else, and over once it is no longer there."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.run_history.airflow import World
from typer.testing import CliRunner

from holdfast import cli, settings
from holdfast import database as hf_database
from holdfast.clock import NIGHTS_ZONE, local_date
from holdfast.errors import HistoryDisagrees
from holdfast.evidence import ledger, offline, reported
from holdfast.evidence.reported import Checked
from holdfast.evidence.seal import seal
from holdfast.run_history import steps, watchdog
from holdfast.settings import Settings

DAG = "retention_nightly"
AT = dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)
NIGHT = local_date(AT, NIGHTS_ZONE)


@pytest.fixture
def ran(database: sa.Engine) -> Callable[..., int]:
    """Make a run of ours that is sealed, or as far as `state`; its number."""

    def make(state: str = "sealed", at: dt.datetime = AT, **more: Any) -> int:
        night = local_date(at, NIGHTS_ZONE)
        given = {"job": DAG, "at": at, "night": night, "state": state} | more
        with hf_database.transaction(database) as connection:
            run_id: int = connection.execute(
                sa.text(
                    "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state, opened_at)"
                    " VALUES (:job, :at, :night, 'enforce', 'sha256:0', :state, :at) RETURNING run_id"
                ),
                given,
            ).scalar_one()
            ledger.append(connection, "run_started", {"job": given["job"]}, run_id)
            if state == "sealed":
                seal(connection, run_id, given["job"], night, at)
        return run_id

    return make


def morning(database: sa.Engine, asking: Settings) -> dict[str, int]:
    """Copy and compare, as every morning; how many of each kind are open."""
    steps.copy_history(database, asking)
    found: dict[str, int] = steps.compare(database, asking)["open"]
    return found


def entries(database: sa.Engine, kind: str) -> list[dict[str, Any]]:
    with hf_database.transaction(database) as connection:
        text = sa.text("SELECT entry FROM holdfast.ledger_entry WHERE kind = :kind ORDER BY seq")
        return [json.loads(one)["facts"] for one in connection.execute(text, {"kind": kind}).scalars()]


def marked(world: World) -> str:
    """A run of which somebody marked a task."""
    run = world.run(DAG, AT)
    world.attempt(DAG, run, "seal_run")
    told = {"new_state": "success"}
    world.event("patch_task_instance", AT, "mallory", dag_id=DAG, run_id=run, task_id="seal_run", told=told)
    return run


def test_what_agrees_ends_green(database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]) -> None:
    world.run(DAG, AT)
    ran()
    assert morning(database, asking) == {}
    assert steps.conclude(database, asking) == {"open": 0}
    assert entries(database, "history_compared") == [{}]


def test_a_disagreement_is_found_once_and_ends_the_run_red(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]
) -> None:
    marked(world)
    ran()
    for _ in range(2):
        assert morning(database, asking) == {"marked_by_hand": 1}
        with pytest.raises(HistoryDisagrees, match=r"marked_by_hand: 1"):
            steps.conclude(database, asking)
    (found,) = entries(database, "disagreement_found")
    assert (found["kind"], found["job"], found["night"]) == ("marked_by_hand", DAG, NIGHT.isoformat())
    assert len(entries(database, "history_compared")) == 2


def test_it_is_over_once_it_is_no_longer_there(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]
) -> None:
    """The night that Airflow shows as done, and that was not, is run again."""
    world.run(DAG, AT)
    assert morning(database, asking) == {"success_without_evidence": 1}
    ran()
    assert morning(database, asking) == {}
    assert steps.conclude(database, asking) == {"open": 0}
    assert [one["disagreement"] for one in entries(database, "disagreement_ended")] == [1]


def test_a_task_that_was_cleared_is_listed_and_needs_no_reason(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]
) -> None:
    run = world.run(DAG, AT)
    world.event("post_clear_task_instances", AT, "erin", dag_id=DAG, run_id=run, told={"task_ids": ["seal_run"]})
    ran()
    assert morning(database, asking) == {"cleared_by_hand": 1}
    assert steps.conclude(database, asking) == {"open": 0}


def test_an_act_shows_after_airflow_forgot_it(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]
) -> None:
    marked(world)
    ran()
    steps.copy_history(database, asking)
    world.forget()
    assert morning(database, asking) == {"marked_by_hand": 1}


def test_an_altered_copy_is_named(database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]) -> None:
    world.run(DAG, AT)
    ran()
    assert morning(database, asking) == {}
    with hf_database.transaction(database) as connection:
        connection.execute(sa.text("ALTER TABLE holdfast.airflow_sheet DISABLE TRIGGER refuse_change"))
        connection.execute(sa.text("UPDATE holdfast.airflow_sheet SET sheet = replace(sheet, 'timetable', 'ui')"))
    assert morning(database, asking) == {"copy_altered": 1}


def test_files_that_were_to_be_deleted_and_nothing_more_is_known(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tonight = AT + dt.timedelta(days=1)  # whose hour has not come, whenever these tests run
    world.run(DAG, tonight, "running")
    run_id = ran("executing", at=tonight)
    with hf_database.transaction(database) as connection:
        facts = {"rule": "recordings-90d", "dataset": "recordings", "files": 3}
        ledger.append(connection, "file_batch_intended", facts, run_id)
    assert morning(database, asking) == {}, "it was a moment ago"
    monkeypatch.setattr(watchdog, "_PATIENCE", dt.timedelta(seconds=-1))
    assert morning(database, asking) == {"intent_without_outcome": 1}
    with hf_database.transaction(database) as connection:
        ledger.append(connection, "batch_deleted", {"rule": "recordings-90d", "rows": 3}, run_id)
    assert morning(database, asking) == {}


@pytest.fixture
def command(asking: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run `holdfast evidence`, with the connection in the environment, as the command line has it."""
    connection = dict(asking.api_connection or {})
    monkeypatch.setenv(settings.DATABASE_URL, str(asking.database_url))
    monkeypatch.setenv(settings.API_CONNECTION, json.dumps({"conn_type": "http", **connection}))

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["evidence", *words])
        return done.exit_code, done.output

    return run


def test_somebody_else_explains_it_and_it_alarms_no_more(
    database: sa.Engine,
    asking: Settings,
    world: World,
    ran: Callable[..., int],
    command: Callable[..., tuple[int, str]],
) -> None:
    marked(world)
    ran()
    assert command("history") == (0, "1 runs and days read; 1 said something new.\n")
    code, said = command("watchdog")
    assert code == 1
    assert f"1 marked_by_hand {DAG} {NIGHT}: patch_task_instance seal_run success by p1:" in said
    assert ", who is mallory\n" in said

    code, said = command("explain", "1", "--reason", "known-outage", "--by", "mallory")
    assert (code, "of what you did yourself" in said) == (1, True)
    code, said = command("explain", "1", "--reason", "it was me, on 020 7946 0000", "--by", "dpo")
    assert (code, "LedgerError" in said) == (1, True)
    assert command("explain", "1", "--reason", "known-outage", "--by", "dpo") == (0, "1 is explained: known-outage\n")
    code, said = command("watchdog")
    assert (code, said.splitlines()[-1]) == (0, "1 open, 0 of them unexplained.")
    assert steps.conclude(database, asking) == {"open": 0}
    (explained,) = entries(database, "disagreement_explained")
    assert (explained["reason"], explained["kind"]) == ("known-outage", "marked_by_hand")
    assert command("explain", "1", "--reason", "again", "--by", "dpo")[0] == 1, "the first reason stands"


def test_the_report_says_what_there_is_and_what_to_do(
    database: sa.Engine, asking: Settings, world: World, ran: Callable[..., int]
) -> None:
    marked(world)
    ran()
    morning(database, asking)
    written = steps.write_report(database, asking)
    assert written["unexplained"] == 1
    assert reported.check(database, asking.reports) == Checked(1, (), (), ())
    page = Path(written["report"]).read_text()
    for words in ("A task or run was given its state by hand", "patch_task_instance seal_run success", "by p1:"):
        assert words in page
    table = Path(written["folder"], "disagreements.csv").read_text()
    assert "marked_by_hand" in table
    data = json.loads(Path(written["folder"], "report.json").read_text())
    assert data["verdict"]["clear"] is False
    assert [(one["kind"], one["open"], one["unexplained"]) for one in data["disagreements"]] == [
        ("marked_by_hand", 1, 1)
    ]
    assert "mallory" not in page + table, "auditors read it, and names are for engineers"


def test_a_pack_of_a_run_has_what_airflow_said_of_it_and_who_did_what(
    database: sa.Engine,
    asking: Settings,
    world: World,
    ran: Callable[..., int],
    command: Callable[..., tuple[int, str]],
    tmp_path: Path,
) -> None:
    run = marked(world)
    run_id = ran()
    morning(database, asking)
    code, said = command("pack", str(tmp_path / "run.zip"), "--run", str(run_id))
    assert code == 0, said
    key = offline.PublicKey.parse(command("key", "show")[1])
    assert str(offline.check(tmp_path / "run.zip", [key])).startswith("OK")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        (name,) = [one for one in archive.namelist() if one.startswith("airflow/")]
        sheet = json.loads(archive.read(name))
        contents = {one: archive.read(one) for one in archive.namelist()}
    assert (sheet["run"], sheet["events"][0]["what"]) == (run, "patch_task_instance")
    assert not [one for one, content in contents.items() if b"mallory" in content]


def test_a_pack_whose_copy_of_airflows_history_was_lost_or_altered_does_not_verify(
    database: sa.Engine,
    asking: Settings,
    world: World,
    ran: Callable[..., int],
    command: Callable[..., tuple[int, str]],
    tmp_path: Path,
) -> None:
    world.run(DAG, AT)
    run_id = ran()
    morning(database, asking)
    key = offline.PublicKey.parse(command("key", "show")[1])
    for change in ("UPDATE holdfast.airflow_sheet SET sheet = '{}'", "DELETE FROM holdfast.airflow_sheet"):
        with hf_database.transaction(database) as connection:
            connection.execute(sa.text("ALTER TABLE holdfast.airflow_sheet DISABLE TRIGGER refuse_change"))
            connection.execute(sa.text(change))
        for choice in (("--run", str(run_id)), ("--since", "2026-01-01")):
            command("pack", str(tmp_path / "pack.zip"), *choice)
            report = offline.check(tmp_path / "pack.zip", [key])
            assert report.verdict == offline.Verdict.INVALID, change
            assert "the copy of Airflow's history" in str(report)
