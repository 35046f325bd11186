"""deletion_requests.yaml and bank_holidays.yaml: what is refused, where and why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.holdfast.deletion_requests.desk import requests_policy

from holdfast import settings
from holdfast.policy.problems import PolicyRefused
from holdfast.policy.requests_model import Nation, load_requests_policy

FILES = ("deletion_requests.yaml", "bank_holidays.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(settings.load().policy / name, tmp_path)
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    [file] = [folder / name for name in FILES if old in (folder / name).read_text(encoding="utf-8")]
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def test_what_is_shipped() -> None:
    rules = requests_policy().rules
    assert (rules.nation, rules.cool_off_days) == (Nation.ENGLAND_AND_WALES, 7)
    assert (rules.clock.internal_target_days, rules.clock.alert_days) == (28, (14, 7, 2))
    assert rules.approval.automatic_up_to_rows is not None


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("nation: ENG", "nation: WLS", "nation", "'ENG', 'SCT' or 'NIR'"),
        ("cool_off_days: 7", "cool_off_days: -1", "cool_off_days", "greater than or equal to 0"),
        ("cool_off_days: 7", "cool_off_days: 31", "cool_off_days", "less than or equal to 14"),
        ("cool_off_days: 7", "cool_of_days: 7", "cool_of_days", "nothing here is called"),
        (
            "internal_target_days: 28",
            "internal_target_days: 29",
            "clock.internal_target_days",
            "less than or equal to 28",
        ),
        ("alert_days: [14, 7, 2]", "alert_days: [2, 7, 14]", "clock", "from the largest to the smallest"),
        ("alert_days: [14, 7, 2]", "alert_days: []", "clock.alert_days", "at least 1 item"),
        ("automatic_up_to_rows: 10000", "automatic_up_to_rows: 200000", "approval", "lower automatic_up_to_rows"),
        ("automatic_up_to_rows: 10000", "", "approval.automatic_up_to_rows", "is missing"),
        ("2026-12-28: Boxing Day (moved)", "2026-12-26: Boxing Day", "", "on a Saturday or Sunday"),
        ("2026-12-28: Boxing Day (moved)", "2026-02-30: Boxing Day", "nations.ENG.2026-02-30", "date"),
        ("last_year: 2030", "last_year: 2031", "", "years of ENG are not 2024 to 2031"),
        ("  NIR:", "  WLS:", "nations.WLS", "'ENG', 'SCT' or 'NIR'"),
        ("    2026-12-28: Boxing Day", "    2026-12-25: again\n    2026-12-28: Boxing Day", "", "second time"),
    ],
)
def test_a_fault_is_told_with_its_file_line_and_fix(folder: Path, old: str, new: str, path: str, what: str) -> None:
    change(folder, old, new)
    with pytest.raises(PolicyRefused) as refused:
        load_requests_policy(folder)
    [problem] = [one for one in refused.value.problems if what in one.what]
    assert Path(problem.file).name in FILES
    assert problem.line > 1 or path == ""
    assert problem.path.startswith(path)
    assert problem.fix


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(PolicyRefused, match="cannot be read"):
        load_requests_policy(folder)


def test_the_digest_names_what_both_files_say(folder: Path) -> None:
    before = load_requests_policy(folder).digest
    change(folder, "cool_off_days: 7", "cool_off_days: 7  # a week")
    assert load_requests_policy(folder).digest == before
    change(folder, "cool_off_days: 7", "cool_off_days: 8")
    changed = load_requests_policy(folder).digest
    assert changed != before
    change(folder, "Boxing Day (moved)", "Boxing Day, moved")
    assert load_requests_policy(folder).digest not in (before, changed)
