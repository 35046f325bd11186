"""What Airflow said stays as it was said: copied once, never lost, and altered by nobody unseen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.run_history.airflow import SECRET, World

from holdfast import database as hf_database
from holdfast import queries
from holdfast.errors import SettingsError
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF
from holdfast.run_history import steps
from holdfast.run_history.client import AirflowRefused, AirflowSilent
from holdfast.settings import Settings

DAG = "retention_nightly"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=123456)
AT = NOW - dt.timedelta(hours=6)


def copy(database: sa.Engine, asking: Settings) -> tuple[int, int]:
    copied = steps.copy_history(database, asking)
    return copied["read"], copied["new"]


def copies(database: sa.Engine) -> list[dict[str, Any]]:
    """Every sheet, oldest first."""
    with hf_database.transaction(database) as connection:
        rows = connection.execute(sa.text("SELECT sheet FROM holdfast.airflow_sheet ORDER BY sheet_id")).scalars()
        return [json.loads(one) for one in rows]


def who(asking: Settings, user: str) -> str:
    return pseudonym(asking.pseudonym_key(), STAFF, user)


@pytest.fixture
def night(world: World) -> str:
    """A run with two attempts at one task, an answer, and a task that was marked."""
    run = world.run(DAG, AT, triggering_user_name="erin", triggered_by="rest_api")
    world.attempt(DAG, run, "make_plan")
    world.attempt(DAG, run, "wave_1.enforce_shards", "failed", 1, map_index=0)
    world.attempt(DAG, run, "wave_1.enforce_shards", "success", 2, map_index=0)
    world.answer(DAG, run, "dpo", "Approve", AT)
    told = {"new_state": "success", "include_future": False}
    world.event("patch_task_instance", AT, "erin", dag_id=DAG, run_id=run, task_id="seal_run", told=told)
    world.event("running", AT, "data-engineering", dag_id=DAG, run_id=run, task_id="seal_run")
    world.event("state mismatch", AT, "data-engineering", dag_id=DAG, run_id=run, task_id="seal_run")
    for state in ("up_for_retry", "up_for_reschedule", "upstream_failed", "awaiting_input"):
        world.event(state, AT, "data-engineering", dag_id=DAG, run_id=run, task_id="seal_run")
    return run


def test_a_sheet_has_attempts_answers_and_who_did_what(database: sa.Engine, asking: Settings, night: str) -> None:
    assert copy(database, asking) == (1, 1)
    (sheet,) = copies(database)
    assert (sheet["dag"], sheet["run"], sheet["state"], sheet["version"]) == (DAG, night, "success", 3)
    assert sheet["by"] == who(asking, "erin")
    assert [(one["task"], one["map_index"], one["try"], one["state"]) for one in sheet["tries"]] == [
        ("make_plan", -1, 1, "success"),
        ("wave_1.enforce_shards", 0, 1, "failed"),
        ("wave_1.enforce_shards", 0, 2, "success"),
    ]
    (answer,) = sheet["answers"]
    assert (answer["by"], answer["chose"]) == (who(asking, "dpo"), ["Approve"])
    marked, mismatch, failed = sheet["events"]
    assert (marked["what"], marked["task"], marked["by"]) == ("patch_task_instance", "seal_run", who(asking, "erin"))
    assert marked["told"] == {"include_future": False, "new_state": "success"}
    assert (mismatch["what"], mismatch["by"]) == ("state mismatch", None), "Airflow did that, not a person"
    assert (failed["what"], failed["by"]) == ("upstream_failed", None), "and that; it leaves no attempt"


def test_what_somebody_may_have_typed_is_never_copied(
    database: sa.Engine, asking: Settings, world: World, night: str
) -> None:
    chosen = world.run(DAG, AT, run=f"for {SECRET}")
    world.event("trigger_dag_run", AT, "erin", dag_id=DAG, run_id=chosen)
    copy(database, asking)
    with hf_database.transaction(database) as connection:
        texts = [
            str(row)
            for table in ("airflow_sheet", "ledger_entry", "disagreement")
            for row in connection.execute(sa.text(f"SELECT * FROM holdfast.{table}"))
        ]
    assert len(texts) == 4
    for word in ("Alice", "Example", "7946", "dpo", "erin"):
        assert not [text for text in texts if word in text]
    digest = f"sha256:{hashlib.sha256(chosen.encode()).hexdigest()}"
    assert digest in {sheet["run"] for sheet in copies(database)}


def test_names_of_users_are_kept_apart_and_can_go(database: sa.Engine, asking: Settings, night: str) -> None:
    copy(database, asking)
    with hf_database.transaction(database) as connection:
        kept = dict(connection.execute(sa.text("SELECT user_name, pseudonym FROM holdfast.airflow_user")).all())  # type: ignore[arg-type]
        connection.execute(sa.text("DELETE FROM holdfast.airflow_user"))
        assert not queries.run(connection, "run_history/altered_sheets").all()
    assert kept == {user: who(asking, user) for user in ("dpo", "erin")}


def test_reading_again_copies_nothing_twice(database: sa.Engine, asking: Settings, world: World, night: str) -> None:
    assert copy(database, asking) == (1, 1)
    assert copy(database, asking) == (0, 0), "it changed hours ago"
    world.run(DAG, NOW)
    assert copy(database, asking) == (1, 1)
    assert copy(database, asking) == (1, 0), "what is newer than an hour is read again, and is known"


def test_what_changes_later_is_another_sheet_and_the_first_one_stays(
    database: sa.Engine, asking: Settings, world: World, night: str
) -> None:
    copy(database, asking)
    told = {"new_state": "failed"}
    world.event("patch_task_instance", NOW, "mallory", dag_id=DAG, run_id=night, task_id="make_plan", told=told)
    world.tries[DAG, night][0]["state"] = "failed"
    assert copy(database, asking) == (1, 1), "the audit log names it, though the run itself did not change"
    first, second = copies(database)
    assert [sheet["tries"][0]["state"] for sheet in (first, second)] == ["success", "failed"]
    assert second["events"][-1]["by"] == who(asking, "mallory")


def test_what_airflow_forgets_is_not_lost(database: sa.Engine, asking: Settings, world: World, night: str) -> None:
    copy(database, asking)
    before = copies(database)
    world.forget()
    assert copy(database, asking) == (0, 0)
    assert copies(database) == before


def test_what_airflow_forgets_in_part_is_not_lost_either(
    database: sa.Engine, asking: Settings, world: World, night: str
) -> None:
    copy(database, asking)
    world.tries[DAG, night].clear()
    world.events.clear()
    world.runs[DAG, night].update(state="failed", updated_at=NOW)
    assert copy(database, asking) == (1, 1)
    first, second = copies(database)
    assert second == first | {"state": "failed"}


def test_a_run_that_was_deleted_before_it_was_copied_is_told_of_by_the_audit_log(
    database: sa.Engine, asking: Settings, world: World
) -> None:
    run = "scheduled__2026-11-24T01:30:00+00:00"
    world.event("delete_dag_run", AT, "mallory", dag_id=DAG, run_id=run)
    assert copy(database, asking) == (1, 1)
    (sheet,) = copies(database)
    assert (sheet["run"], sheet["state"], sheet["events"][0]["what"]) == (run, "gone", "delete_dag_run")


def test_what_names_no_run_is_kept_by_day_and_other_teams_dags_not_at_all(
    database: sa.Engine, asking: Settings, world: World
) -> None:
    world.event("patch_dag", AT, "erin", dag_id=DAG, told={"is_paused": True})
    world.event("patch_connection", AT, "erin", told={"connection_id": "holdfast"})
    world.event("patch_dag", AT, "somebody", dag_id="marketing")
    copy(database, asking)
    sheets = copies(database)
    assert {sheet["run"] for sheet in sheets} == {AT.date().isoformat()}
    events = [event for sheet in sheets for event in sheet["events"]]
    assert [(one["what"], one["dag"]) for one in events] == [("patch_dag", DAG), ("patch_connection", None)]


def test_a_list_of_several_pages_is_read_to_its_end(database: sa.Engine, asking: Settings, world: World) -> None:
    world.page = 2
    run = world.run(DAG, AT)
    for number in range(5):
        world.attempt(DAG, run, "enforce_shards", map_index=number)
    copy(database, asking)
    (sheet,) = copies(database)
    assert [one["map_index"] for one in sheet["tries"]] == [0, 1, 2, 3, 4]


def test_fewer_items_than_airflow_says_are_refused_and_read_again_the_next_time(
    database: sa.Engine, asking: Settings, world: World, night: str
) -> None:
    world.lies = 1
    with pytest.raises(AirflowRefused, match="gave"):
        copy(database, asking)
    assert copies(database) == []
    world.lies = 0
    assert copy(database, asking) == (1, 1)


def test_the_digest_of_each_copy_is_in_the_ledger_and_tells_of_an_altered_one(
    database: sa.Engine, asking: Settings, night: str
) -> None:
    copy(database, asking)
    with hf_database.transaction(database) as connection:
        assert not queries.run(connection, "run_history/altered_sheets").all()
        with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), connection.begin_nested():
            connection.execute(sa.text("UPDATE holdfast.airflow_sheet SET sheet = '{}'"))
        connection.execute(sa.text("ALTER TABLE holdfast.airflow_sheet DISABLE TRIGGER refuse_change"))
        connection.execute(sa.text("UPDATE holdfast.airflow_sheet SET sheet = replace(sheet, 'failed', 'success')"))
        assert queries.run(connection, "run_history/altered_sheets").scalars().all() == [1]
        connection.execute(sa.text("DELETE FROM holdfast.airflow_sheet"))
        assert queries.run(connection, "run_history/altered_sheets").scalars().all() == [1]


def test_silence_a_wrong_password_and_no_connection_are_errors_and_no_history(
    database: sa.Engine, asking: Settings, night: str
) -> None:
    parts = dict(asking.api_connection or {})
    for connection, error in (
        ({**parts, "port": 1}, AirflowSilent),
        ({**parts, "host": "airflow.example"}, SettingsError),
        ({**parts, "password": "guess"}, AirflowRefused),
        (None, SettingsError),
    ):
        with pytest.raises(error):
            copy(database, dataclasses.replace(asking, api_connection=connection))
    assert copies(database) == []
