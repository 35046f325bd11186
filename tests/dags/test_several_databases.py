"""Each further database has a night of its own beside the main one's, in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.dags import sample_steps

import holdfast_airflow
import holdfast_calls
from holdfast import roles, settings

STEPS = sample_steps.__name__
MAP = "version: 1\nconnections:\n  archive: {}\n  no name: {}\n"


def test_with_one_database_the_graph_has_no_groups_but_waves(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["retention_nightly"]["tasks"]
    assert {name.split(".")[0] for name in tasks if "." in name} == {"wave_1", "wave_2", "wave_3", "wave_4"}


def test_each_database_takes_every_step_in_the_same_order(
    parsed: dict[str, Any], parsed_with_archive: dict[str, Any]
) -> None:
    alone = parsed["dags"]["retention_nightly"]["tasks"]
    tasks = parsed_with_archive["dags"]["retention_nightly"]["tasks"]
    assert parsed_with_archive["import_errors"] == {}
    for name, task in alone.items():
        if name == "complete":
            continue
        assert tasks[name] == task
        same = tasks[f"archive.{name}"]
        inside = sorted(one if one == "complete" else f"archive.{one}" for one in task["downstream"])
        assert same == {**task, "downstream": inside, "upstream": [f"archive.{one}" for one in task["upstream"]]}


def test_no_database_waits_for_another_and_the_run_is_done_only_if_all_are(
    parsed_with_archive: dict[str, Any],
) -> None:
    tasks = parsed_with_archive["dags"]["retention_nightly"]["tasks"]
    ends = ["conclude", "count_objects", "seal_run"]
    assert tasks["complete"]["upstream"] == [*(f"archive.{name}" for name in ends), *ends]
    assert tasks["complete"]["trigger_rule"] == "none_failed"
    between = {
        (name, one) for name, task in tasks.items() for one in task["downstream"]
        if name.startswith("archive.") != one.startswith("archive.") and one != "complete"
    }  # fmt: skip
    assert between == set()


def test_a_step_works_in_the_database_that_it_is_given(
    database: sa.Engine, empty_database: sa.Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _project(tmp_path, monkeypatch)
    monkeypatch.setattr(roles.Matrix, "of_step", lambda *_: "holdfast_reader")
    monkeypatch.setenv(settings.DATABASE_URL, _url(empty_database))
    monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", _url(database))
    result: Any = holdfast_calls.call_step(STEPS, "count", {"run_id": 7, "database": "archive"})
    assert result["database"] == database.url.database


def test_airflows_connection_comes_first_for_each_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _project(tmp_path, monkeypatch)
    monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", "postgresql://nobody@localhost:1/nowhere")
    monkeypatch.setenv("AIRFLOW_CONN_HOLDFAST_ARCHIVE", "postgres://keeper@localhost:5/there")
    found = holdfast_calls.database_settings("archive")
    assert found.database == "archive"
    assert found.database_url is not None
    assert "there" in found.database_url


def test_a_data_map_that_cannot_be_read_leaves_the_main_night_which_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = _project(tmp_path, monkeypatch)
    assert [night.database for night in holdfast_airflow.nights()] == [settings.MAIN, "archive"]
    for broken in ("connections: [", "[]", "connections: 7", ""):
        policy.write_text(broken)
        assert [night.database for night in holdfast_airflow.nights()] == [settings.MAIN]
    policy.unlink()
    assert [night.database for night in holdfast_airflow.nights()] == [settings.MAIN]


def _project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with ours SQL and a data map that names a further database."""
    monkeypatch.setenv(settings.PROJECT, str(folder))
    (folder / "sql").symlink_to(Path(__file__).parents[2] / "sql")
    (folder / "policy").mkdir()
    (folder / "policy" / "data_map.yaml").write_text(MAP)
    return folder / "policy" / "data_map.yaml"


def _url(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)
