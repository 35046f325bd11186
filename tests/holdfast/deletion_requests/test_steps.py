"""A whole night over the invented provider, step by step as the DAG takes them, and the same night once more."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.nights import work_through

from holdfast import settings
from holdfast.deletion_requests import steps
from holdfast.deletion_requests.intake import inbox_of
from holdfast.evidence.verify import verify
from holdfast.settings import Settings
from holdfast.synthetic import provider, requests

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
BEFORE = ("refresh_holds", "check_policy", "take_in_requests", "acknowledge_requests", "assess", "make_plan")
AFTER = (
    "verify_run", "settle_requests", "write_outcomes", "notify_recipients", "find_breaks", "seal_run", "write_report",
    "conclude",
)  # fmt: skip


RETENTION_WAS_HERE = """
UPDATE provider.account
SET
    opened_at = date_trunc('year', opened_at, 'Europe/London'),
    closed_at = date_trunc('year', closed_at, 'Europe/London')
WHERE contract_ended_on < current_date - interval '6 years'
"""
"""Accounts past their period are anonymous already, as they are after the job that runs before this one."""


@pytest.fixture
def loaded(database: sa.Engine, home: Path) -> Settings:
    """The settings of an installation whose provider has one request that may be carried out, in the inbox."""
    found = settings.load()
    provider.make(database, accounts=30, seed=1, as_of=NOW, objects=found.objects)
    assert requests.make(database, inbox_of(found), as_of=NOW) == 1
    with database.begin() as connection:
        connection.execute(sa.text(RETENTION_WAS_HERE))
    return found


def night(engine: sa.Engine, loaded: Settings) -> dict[str, dict[str, Any]]:
    """What each step returned; of the shards, the rows that they changed."""
    told: dict[str, dict[str, Any]] = {"open_run": steps.open_run(engine, loaded, as_of=NOW, dry_run=False)}
    run_id = told["open_run"]["run_id"]
    for name in (*BEFORE, "check_caps"):
        told[name] = getattr(steps, name)(engine, loaded, run_id=run_id)
    assert not told["check_caps"]["exceeded"]
    told["enforce_shards"] = {"rows": work_through(engine, loaded, run_id)}
    for name in AFTER:
        told[name] = getattr(steps, name)(engine, loaded, run_id=run_id)
    return told


def test_a_request_is_taken_in_carried_out_told_and_reported(database: sa.Engine, loaded: Settings) -> None:
    first = night(database, loaded)
    assert first["take_in_requests"]["new"] == first["take_in_requests"]["assessable"] == 1
    asked_for = first["make_plan"]["due"]
    assert asked_for == first["enforce_shards"]["rows"] == first["conclude"]["done"] > 0
    assert first["settle_requests"]["completed"] + first["settle_requests"]["partly_completed"] == 1
    assert first["notify_recipients"]["queued"] == first["notify_recipients"]["sent"] > 0
    assert first["find_breaks"] == {"breaks": 0, "incidents": 0}
    assert {file.suffix for file in (loaded.home / "letters").glob("*/outcome/*")} >= {".html", ".pdf"}
    report = json.loads((Path(first["write_report"]["folder"]) / "report.json").read_text())
    assert report["verdict"]["standing"] == "kept"
    assert report["totals"]["adds_up"]
    assert report["totals"]["rows_erased"] == asked_for
    assert report["breaks"] == []

    again = night(database, loaded)
    assert again["open_run"]["run_id"] == first["open_run"]["run_id"]
    assert again["enforce_shards"]["rows"] == again["write_outcomes"]["written"] == 0
    assert again["seal_run"]["root"] == first["seal_run"]["root"]
    with database.connect() as connection:
        assert verify(connection, loaded.seals).verdict == "ok"
