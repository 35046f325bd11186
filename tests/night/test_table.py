"""What a person reads at the end of a night: no outcome left out, and an old night is not shown as a new one."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from holdfast.night import jobs, table
from holdfast.night.jobs import Run

RULE = {
    "rule_id": "calls-12m", "action": "delete", "planned_rows": 1696, "done_rows": 1690, "held_rows": 28,
    "waiting_rows": 7, "unknown_rows": 1, "refused_rows": 2,
}  # fmt: skip
IDLE = {**RULE, "rule_id": "invoices-6y", **{name: 0 for name in RULE if name.endswith("_rows")}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, RULE, IDLE)


def write(folder: Path, *rules: dict[str, Any]) -> Path:
    report = {"verdict": {"sentence": "1,690 rows were deleted."}, "rules": rules}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def shown(folder: Path, state: str) -> str:
    file = io.StringIO()
    opened = {"run_id": 1, "as_of": "2026-11-24", "state": state}
    run = Run("retention_nightly", "manual__2", jobs.SUCCESS, 61.0, [], opened, {"folder": str(folder)})
    table.show(Console(file=file, width=120), [run])
    return file.getvalue()


def test_every_outcome_has_a_column(folder: Path) -> None:
    lines = [line.split() for line in shown(folder, "open").splitlines()]
    assert ["rule", "action", "due", "done", "held", "waiting", "unknown", "refused"] in lines
    assert ["calls-12m", "delete", "1,696", "1,690", "28", "7", "1", "2"] in lines
    assert ["all", "of", "them", "1,696", "1,690", "28", "7", "1", "2"] in lines
    assert "invoices-6y" not in shown(folder, "open")


def test_a_dry_run_has_done_nothing_and_that_is_not_zero(folder: Path) -> None:
    write(folder, {**RULE, "done_rows": None})
    assert ["calls-12m", "delete", "1,696", "-", "28", "7", "1", "2"] in map(
        str.split, shown(folder, "open").splitlines()
    )


@pytest.mark.parametrize("state", ["open", "planned", "executing", "verified"])
def test_a_night_that_was_opened_or_carried_on_shows_its_own_figures(folder: Path, state: str) -> None:
    assert "Nothing was left to do" not in shown(folder, state)


def test_a_night_that_was_done_before_is_said_to_be_that(folder: Path) -> None:
    said = " ".join(shown(folder, "sealed").split())
    assert (
        "Nothing was left to do: the night of 2026-11-24 is done and sealed since run 1."
        " These are the figures of that run."
    ) in said
