"""What a person reads at the end of a night: no outcome left out, and an old night is not shown as a new one."""

from __future__ import annotations

import datetime as dt
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
BEGAN = dt.datetime(2026, 11, 24, 22, tzinfo=dt.UTC)
IDLE = {**RULE, "rule_id": "invoices-6y", **{name: 0 for name in RULE if name.endswith("_rows")}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, RULE, IDLE)


def write(folder: Path, *rules: dict[str, Any], sealed_at: str | None = None) -> Path:
    report = {
        "verdict": {"sentence": "1,690 rows were deleted."},
        "rules": rules,
        "run": {"run_id": 1, "as_of_date": "2026-11-24"},
        "seal": None if sealed_at is None else {"sealed_at": sealed_at},
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def shown(folder: Path) -> str:
    file = io.StringIO()
    run = Run("retention_nightly", "manual__2", jobs.SUCCESS, 61.0, [], {"folder": str(folder)})
    table.show(Console(file=file, width=120), [run], BEGAN)
    return file.getvalue()


def test_every_outcome_has_a_column(folder: Path) -> None:
    lines = [line.split() for line in shown(folder).splitlines()]
    assert ["rule", "action", "due", "done", "held", "waiting", "unknown", "refused"] in lines
    assert ["calls-12m", "delete", "1,696", "1,690", "28", "7", "1", "2"] in lines
    assert ["all", "of", "them", "1,696", "1,690", "28", "7", "1", "2"] in lines
    assert "invoices-6y" not in shown(folder)


def test_a_dry_run_has_done_nothing_and_that_is_not_zero(folder: Path) -> None:
    write(folder, {**RULE, "done_rows": None})
    assert ["calls-12m", "delete", "1,696", "-", "28", "7", "1", "2"] in map(str.split, shown(folder).splitlines())


@pytest.mark.parametrize("sealed_at", [None, "2026-11-24T22:01:00+00:00"])
def test_a_night_that_was_done_now_or_is_not_sealed_shows_its_own_figures(folder: Path, sealed_at: str | None) -> None:
    """Whoever triggered it: Airflow's schedule may have been quicker."""
    assert "Nothing was left to do" not in shown(write(folder, RULE, sealed_at=sealed_at))


def test_a_night_that_was_done_before_is_said_to_be_that(folder: Path) -> None:
    said = " ".join(shown(write(folder, RULE, sealed_at="2026-11-24T01:36:00.123456+00:00")).split())
    assert (
        "Nothing was left to do: the night of 2026-11-24 was done before, and sealed at 2026-11-24 01:36 UTC."
        " These are the figures of that run, number 1."
    ) in said


@pytest.mark.parametrize(("found", "line"), [([], None), ([("marked_by_hand", 2, 1)], ["marked_by_hand", "2", "1"])])
def test_the_watchdog_says_what_disagrees(
    folder: Path, found: list[tuple[str, int, int]], line: list[str] | None
) -> None:
    kinds = [{"kind": kind, "open": count, "unexplained": unexplained} for kind, count, unexplained in found]
    report = {"verdict": {"sentence": "They say the same."}, "disagreements": kinds}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    lines = [one.split() for one in shown(folder).splitlines()]
    assert ["They", "say", "the", "same."] in lines
    assert (["disagreement", "open", "unexplained"] in lines) == bool(found)
    assert line is None or line in lines
