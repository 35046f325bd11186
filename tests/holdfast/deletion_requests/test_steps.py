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
from holdfast.deletion_requests import confirmation, register, steps
from holdfast.deletion_requests.intake import inbox_of
from holdfast.errors import LedgerError, RequestError
from holdfast.evidence import certificate
from holdfast.evidence.copies import Copies
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
    assert {file.suffix for file in loaded.letters.glob("*/outcome/*")} >= {".html", ".pdf"}
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
        assert verify(connection, loaded.seals, Copies(loaded.checkpoints)).verdict == "ok"


def test_letters_past_their_period_are_erased_by_the_night(database: sa.Engine, loaded: Settings) -> None:
    first = night(database, loaded)
    assert first["write_outcomes"]["expired"] == 0
    folder = loaded.letters / "1"
    assert folder.exists()
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE holdfast.deletion_request SET closed_at = now() - interval '20 years'"))
    told = steps.write_outcomes(database, loaded, run_id=first["open_run"]["run_id"])
    assert told["expired"] == 1
    assert not folder.exists()


def test_a_night_is_certified_and_its_request_confirmed(database: sa.Engine, loaded: Settings) -> None:
    told = night(database, loaded)
    run_id, rows = told["open_run"]["run_id"], told["enforce_shards"]["rows"]
    with database.connect() as connection:
        certified = certificate.compose(connection, run_id)
        confirmed = confirmation.compose(connection, 1, loaded.pseudonym_key())
        subject = register.get(connection, 1).subject_key
    assert sum(one.rows for one in certified.destroyed) == rows
    assert certified.checkpoint is not None
    assert certified.checkpoint.size >= certified.seal.sealed_seq
    page = certificate.page_of(certified, "Europe/London")
    assert certified.seal.root.hex() in page
    assert "none of Clear, Purge and Destroy" in page
    assert confirmed.outcome == "carried out"
    assert 0 < sum(one.gone_rows for one in confirmed.gone) <= rows
    assert {one.kind for one in confirmed.letters} >= {"outcome"}
    assert all(one.root == certified.seal.root for one in confirmed.gone)
    page = confirmation.page_of(confirmed, "Europe/London")
    assert confirmed.subject in page
    assert subject not in page.replace(confirmed.subject, "")


def test_what_is_not_over_is_neither_certified_nor_confirmed(database: sa.Engine, loaded: Settings) -> None:
    run_id = steps.open_run(database, loaded, as_of=NOW, dry_run=False)["run_id"]
    steps.refresh_holds(database, loaded, run_id=run_id)
    steps.take_in_requests(database, loaded, run_id=run_id)
    with database.connect() as connection:
        with pytest.raises(LedgerError, match="is not sealed"):
            certificate.compose(connection, run_id)
        with pytest.raises(RequestError, match="nothing to confirm yet"):
            confirmation.compose(connection, 1, loaded.pseudonym_key())
