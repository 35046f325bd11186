"""The record of processing, the retention schedule and the history of the policy say what the policy says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from holdfast import settings
from holdfast.errors import PolicyError
from holdfast.policy import papers, wording
from holdfast.policy.diff import Kind
from holdfast.policy.history import history
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy

FOLDER = settings.load().policy


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(FOLDER)


def test_the_record_has_every_dataset_with_its_categories_bases_recipients_and_periods(policy: Policy) -> None:
    page = papers.record_of_processing(policy)
    assert policy.digest in page
    rows = page.split("<tbody>")[1].split("<tr>")[1:]
    assert len(rows) == len(policy.data_map.datasets)
    for row, (name, dataset) in zip(rows, policy.data_map.datasets.items(), strict=True):
        assert f"<code>{dataset.table}</code>" in row
        for column in dataset.columns.values():
            assert column.category in row
            assert all(recipient in row for recipient in column.recipients)
        for rule_id, rule in policy.schedule.rules.items():
            if rule.dataset == name:
                assert wording.period(policy.period_of(rule_id)) in row


def test_what_is_special_is_marked_and_what_the_data_map_lacks_is_named(policy: Policy) -> None:
    page = papers.record_of_processing(policy)
    special = [
        name
        for name, one in policy.data_map.datasets.items()
        if any(column.sensitivity == "special" for column in one.columns.values())
    ]
    assert page.count("Arts 9 and 10") == len(special) > 0
    assert "does not hold the name and contact of the controller" in page


def test_the_schedule_has_every_rule_with_its_law_and_what_stops_it(policy: Policy) -> None:
    page = papers.retention_schedule(policy)
    for rule_id, rule in policy.schedule.rules.items():
        assert f"<code>{rule_id}</code>" in page
        assert rule.source.split("&")[0].split("'")[0] in page
    assert page.count('<tr class="says">') == len(policy.schedule.rules)


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=Ann Example", "-c", "user.email=ann@example.org")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_the_history_names_who_changed_what_and_when(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "policy"
    shutil.copytree(FOLDER, folder)
    git(folder.parent, "init", "--quiet")
    git(folder.parent, "add", ".")
    git(folder.parent, "commit", "--quiet", "-m", "The first policy")
    schedule = folder / "retention_schedule.yaml"
    schedule.write_text(schedule.read_text().replace("share: 0.05", "share: 0.04", 1))
    git(folder.parent, "commit", "--quiet", "-am", "Ask a person earlier")
    schedule.write_text("version: 1\n")
    git(folder.parent, "commit", "--quiet", "-am", "Break it")
    broken, changed, first = history(folder)
    assert (changed.by, changed.subject, changed.digest) == (
        "Ann Example",
        "Ask a person earlier",
        first_digest(tmp_path),
    )
    assert [(one.kind, one.what) for one in changed.changes] == [(Kind.CHANGED, "setting")]
    assert (broken.digest, broken.changes) == (None, ())
    assert (first.subject, first.digest, first.changes) == ("The first policy", load_policy(FOLDER).digest, ())


def first_digest(tmp_path: Path) -> str:
    """Of the shipped policy with the changed share."""
    folder = shutil.copytree(FOLDER, tmp_path / "changed")
    schedule = folder / "retention_schedule.yaml"
    schedule.write_text(schedule.read_text().replace("share: 0.05", "share: 0.04", 1))
    return load_policy(folder).digest


def test_a_policy_without_version_control_has_no_history(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "policy")
    with pytest.raises(PolicyError, match="is not under version control"):
        list(history(tmp_path / "policy"))
