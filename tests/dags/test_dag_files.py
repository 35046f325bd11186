"""A DAG file says when and in which order, and nothing else."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.partition_mappers.base import RollupMapper
from airflow.partition_mappers.temporal import StartOfMonthMapper
from airflow.partition_mappers.window import MonthWindow
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from holdfast import settings
from holdfast.clock import NIGHTS_ZONE
from holdfast.night.jobs import JOBS
from holdfast.policy.load import load_policy
from holdfast.run_history import calendar

PROJECT = Path(__file__).parents[2]
FILES = sorted((PROJECT / "dags").glob("*.py"))
HEADINGS = ("Promise", "When it runs", "What it stops for", "When it is red", "Who decides")
HEAVY = (
    "great_expectations",
    "holdfast.enforcement",
    "holdfast.emergency_data",
    "holdfast.retention",
    "holdfast.suspension_statistics",
    "holdfast.synthetic",
    "matplotlib",
    "pandas",
    "psycopg",
)
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|TRUNCATE|DROP|ALTER|WHERE|HAVING)\b")

each_file = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])


def test_every_file_parses(parsed: dict[str, Any]) -> None:
    assert parsed["import_errors"] == {}
    assert {Path(dag["file"]).stem for dag in parsed["dags"].values()} == {file.stem for file in FILES}


def test_all_files_together_parse_in_under_two_seconds(parsed: dict[str, Any]) -> None:
    assert parsed["seconds"] < 2


def test_parsing_imports_nothing_heavy(parsed: dict[str, Any]) -> None:
    assert not [module for module in parsed["modules"] if module in HEAVY]


@each_file
def test_a_file_is_at_most_120_lines(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 120


@each_file
def test_a_file_holds_no_sql(file: Path) -> None:
    code = ast.unparse(_without_docstring(file))
    assert not SQL.search(code)


@each_file
def test_a_file_names_no_table(file: Path) -> None:
    policy = load_policy(PROJECT / "policy")
    tables = {dataset.table.rpartition(".")[2] for dataset in policy.data_map.datasets.values()}
    words = set(re.findall(r"\w+", ast.unparse(_without_docstring(file))))
    assert tables
    assert not tables & words


@each_file
def test_a_file_decides_nothing_about_data(file: Path) -> None:
    """No branch statement and no loop over anything but a constant; which way a run takes is one expression."""
    tree = _without_docstring(file)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.If | ast.While | ast.Try | ast.Match)]


@each_file
def test_a_file_imports_airflow_and_our_one_module_only(file: Path) -> None:
    allowed = {"airflow", "holdfast_airflow", *sys.stdlib_module_names}
    roots = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").split(".")[0])
    assert roots <= allowed


def test_every_dag_has_a_runbook(parsed: dict[str, Any]) -> None:
    for dag_id, dag in parsed["dags"].items():
        missing = [heading for heading in HEADINGS if f"**{heading}.**" not in (dag["doc"] or "")]
        assert not missing, dag_id


def test_no_dag_runs_twice_at_once_or_makes_up_for_the_past(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"].values():
        assert dag["max_active_runs"] == 1
        assert dag["catchup"] is False


@pytest.mark.parametrize(
    ("job", "hours"), [("retention_nightly", 2), ("deletion_requests_reconcile", 2), ("emergency_data_999", 1.5)]
)
def test_people_hear_of_a_run_that_failed_or_has_not_ended_by_its_hour(
    parsed: dict[str, Any], job: str, hours: float
) -> None:
    assert parsed["dags"][job]["on_failure"] == ["Alert"]
    assert parsed["dags"][job]["deadlines"] == [[hours, "holdfast_alerts.Alert"]]


def test_the_night_starts_at_half_past_one_in_london(parsed: dict[str, Any]) -> None:
    schedule = parsed["dags"]["retention_nightly"]["schedule"]
    assert (schedule["expression"], schedule["timezone"]) == ("30 1 * * *", "Europe/London")


def test_unpausing_starts_no_night_that_has_passed(parsed: dict[str, Any]) -> None:
    """False would mean up to a tenth of a day late in Airflow 3.3.2, in spite of what it says."""
    timetable = CronTriggerTimetable.deserialize(parsed["dags"]["retention_nightly"]["schedule"])
    assert isinstance(timetable, CronTriggerTimetable)
    assert timetable._calc_first_run() == timetable._align_to_next(pendulum.now("UTC"))
    assert parsed["dags"]["retention_nightly"]["schedule"]["run_immediately"] == 0


@pytest.mark.parametrize("clocks_change", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_a_night_when_clocks_change_starts_once(parsed: dict[str, Any], clocks_change: dt.date) -> None:
    schedule = parsed["dags"]["retention_nightly"]["schedule"]
    timetable = CronTriggerTimetable(schedule["expression"], timezone=schedule["timezone"])
    day_before = pendulum.instance(dt.datetime.combine(clocks_change, dt.time(), tzinfo=dt.UTC)) - dt.timedelta(days=1)
    restriction = TimeRestriction(earliest=day_before, latest=None, catchup=True)
    starts: list[dt.date] = []
    last = None
    for _ in range(4):
        following = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert following is not None
        starts.append(following.run_after.in_timezone("Europe/London").date())
        last = following.data_interval
    assert starts == [day_before.date() + dt.timedelta(days=n) for n in range(4)]


def test_a_night_deletes_unless_told_otherwise(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["retention_nightly"]["params"] == {"dry_run": False}


def test_a_failed_night_still_has_a_report_and_is_red(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["retention_nightly"]["tasks"]
    assert tasks["write_report"]["trigger_rule"] == "all_done"
    assert [task_id for task_id, task in tasks.items() if not task["downstream"]] == ["complete"]
    assert tasks["complete"]["trigger_rule"] == "none_failed"
    assert tasks["complete"]["upstream"] == ["conclude", "count_objects", "seal_run"]
    assert tasks["count_objects"]["upstream"] == ["seal_run"], "what it finds, or meets, keeps nothing from being done"


def test_a_killed_task_is_tried_again_and_a_server_that_restarts_is_waited_for(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"].values():
        # For a person, a file, another job, a store that may hang.
        waiting = ("ask_a_person", "files_arrive", "wave_1.list_shards", "count_objects")
        ours = {name: task for name, task in dag["tasks"].items() if name not in waiting}
        assert {(task["retries"], task["retry_delay"], task["retry_backoff"]) for task in ours.values()} == {(3, 30, 2)}
    for job in ("retention_nightly", "deletion_requests_reconcile"):
        waits = parsed["dags"][job]["tasks"]["wave_1.list_shards"]  # for another job that is deleting
        assert (waits["retries"], waits["retry_delay"], waits["retry_backoff"]) == (24, 300, 0)
    assert parsed["dags"]["retention_nightly"]["tasks"]["count_objects"]["retries"] == 1


def test_no_task_waits_for_a_value_before_it_starts(parsed: dict[str, Any]) -> None:
    tasks = [(dag_id, name, one) for dag_id, dag in parsed["dags"].items() for name, one in dag["tasks"].items()]
    assert [(dag_id, name) for dag_id, name, one in tasks if not one["can_start"]] == []


def test_an_answer_is_asked_for_once_and_recorded_whatever_it_is(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["retention_nightly"]["tasks"]
    assert tasks["ask_a_person"]["retries"] == 0
    assert tasks["record_approval"]["upstream"] == ["ask_a_person"]
    assert tasks["record_approval"]["trigger_rule"] == "one_done"


def test_a_wave_starts_after_the_whole_wave_before_even_if_that_was_empty(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["retention_nightly"]["tasks"]
    for wave in (2, 3, 4):
        task = tasks[f"wave_{wave}.list_shards"]
        assert task["upstream"] == [f"wave_{wave - 1}.enforce_shards", f"wave_{wave - 1}.list_shards"]
        assert task["trigger_rule"] == "none_failed_min_one_success"


def test_emergency_data_is_reported_whatever_failed_and_no_failure_looks_green(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["emergency_data_999"]["tasks"]
    for task_id in ("prepare", "deliver_files", "reconcile", "write_report"):
        assert tasks[task_id]["trigger_rule"] == "all_done"
    assert [task_id for task_id, task in tasks.items() if not task["downstream"]] == ["complete"]
    assert tasks["complete"]["upstream"] == [
        "conclude", "deliver_files", "files_arrive", "read_calls", "read_responses", "work_through"
    ]  # fmt: skip


def test_files_that_may_leave_are_released_before_a_person_is_asked_about_others(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["emergency_data_999"]["tasks"]
    assert tasks["work_through"]["downstream"] == ["complete", "find_waiting"]
    assert tasks["ask_a_person"]["retries"] == 0
    assert tasks["ask_a_person"]["downstream"] == ["list_decided"]
    assert tasks["work_through_decided"]["downstream"] == ["deliver_files"]


def test_a_month_of_statistics_waits_for_every_day_of_it(parsed: dict[str, Any]) -> None:
    """By the asset that the nightly run announces day by day; Airflow's own mapper says which days a month has."""
    schedule = json.dumps(parsed["dags"]["suspension_statistics_monthly"]["schedule"])
    for part in ("suspension_days", "RollupMapper", "StartOfMonthMapper", "MonthWindow", "WaitForAll", "%Y-%m-%d"):
        assert part in schedule
    mapper = RollupMapper(
        upstream_mapper=StartOfMonthMapper(input_format="%Y-%m-%d", output_format="%Y-%m"), window=MonthWindow()
    )
    assert mapper.to_downstream("2028-02-29") == "2028-02"
    assert sorted(mapper.to_upstream("2028-02")) == [f"2028-02-{day:02}" for day in range(1, 30)]


def test_facts_are_taken_before_the_hour_at_which_anything_is_deleted(parsed: dict[str, Any]) -> None:
    assert parsed["dags"]["suspension_facts_nightly"]["schedule"]["expression"] == "40 0 * * *"
    tasks = parsed["dags"]["suspension_facts_nightly"]["tasks"]
    assert tasks["take_facts"]["upstream"] == []
    assert tasks["announce_days"]["upstream"] == ["settled_days"]
    assert tasks["alert_people"]["upstream"] == ["write_report"]
    assert tasks["conclude_night"]["upstream"] == ["alert_people", "announce_days"]


def test_the_watchdogs_calendar_is_that_of_the_dags(parsed: dict[str, Any]) -> None:
    assert set(calendar.NAMES) == set(parsed["dags"]) == set(JOBS)
    for job in calendar.JOBS:
        schedule = parsed["dags"][job.dag]["schedule"]
        if job.monthly:
            assert "MonthWindow" in json.dumps(schedule)
        else:
            expected = (f"{job.at.minute} {job.at.hour} * * *", NIGHTS_ZONE)
            assert (schedule["expression"], schedule["timezone"]) == expected


def _without_docstring(file: Path) -> ast.Module:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree), "the docstring is the runbook"
    return ast.Module(body=tree.body[1:], type_ignores=[])


def test_what_deletes_goes_to_the_pool_and_the_queue_that_the_settings_name(
    parsed: dict[str, Any], parse: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them it is bounded per run, and goes where all tasks go."""
    monkeypatch.setenv(settings.DELETIONS_POOL, "narrow")
    monkeypatch.setenv(settings.DELETIONS_QUEUE, "apart")
    for given, where in ((parsed, ("default_pool", "default", 2)), (parse(), ("narrow", "apart", None))):
        for job in ("retention_nightly", "deletion_requests_reconcile"):
            tasks = given["dags"][job]["tasks"]
            deleting = [one for name, one in tasks.items() if name.endswith("enforce_shards")]
            assert len(deleting) == 4
            assert {(one["pool"], one["queue"], one["at_once"]) for one in deleting} == {where}
            others = [one for name, one in tasks.items() if not name.endswith("enforce_shards")]
            assert {(one["pool"], one["queue"]) for one in others} == {("default_pool", "default")}
