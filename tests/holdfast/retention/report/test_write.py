"""The report as it is written for a run in the registers: all four files, word for word, and however far it came."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import stat
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.pages import Page, wrong_sums

from holdfast import database as hf_database
from holdfast.errors import RunRefused
from holdfast.policy.model import Policy
from holdfast.reports.files import SUMS
from holdfast.reports.tables import BYTE_ORDER_MARK
from holdfast.retention import report
from holdfast.retention.report.page import SECTIONS
from holdfast.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
FILES = ("index.html", "report.csv", "held.csv", "report.json")


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return cinema.write_policy(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, policy: Policy) -> Settings:
    return cinema.settings_in(tmp_path)


@pytest.fixture(scope="module")
def night(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What writing the report of the whole night returned. Tests that share it only look."""
    folder = tmp_path_factory.mktemp("night")
    policy = cinema.write_policy(folder)
    with fresh_database() as engine, hf_database.transaction(engine) as connection:
        run_id = cinema.fill(connection, policy)
        return report.write(connection, cinema.settings_in(folder), run_id, now=cinema.WRITTEN)


@pytest.fixture
def folder(night: dict[str, Any]) -> Path:
    return Path(night["folder"])


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_the_golden_one(folder: Path, tmp_path: Path, name: str) -> None:
    """Charts have tests of their own, and looks are for people to judge: only the places of both are marked here."""
    text = re.sub(r"<(svg|style).*?</\1>", r"<\1></\1>", (folder / name).read_bytes().decode(), flags=re.DOTALL)
    actual = tmp_path / name
    actual.write_bytes(text.encode())
    golden = (GOLDEN / name).read_bytes().decode() if (GOLDEN / name).exists() else ""
    assert text == golden, f"read {actual}; if it is right, copy it to {GOLDEN}"


def test_it_returns_where_the_report_is_and_its_headline(night: dict[str, Any]) -> None:
    assert night["folder"].endswith("/home/reports/retention_nightly/2026-11-24")
    assert night["report"] == night["folder"] + "/index.html"
    counts = {name: value for name, value in night.items() if name not in ("folder", "report", "sha256")}
    assert counts == {
        "due": 1_237,
        "deleted": 1_207,
        "anonymised": 28,
        "held": 50,
        "refused": 250,
        "waiting": 5,
        "unknown": 3,
    }


def test_the_sums_verify_and_nobody_else_may_read_it(folder: Path, night: dict[str, Any]) -> None:
    checked = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    digest = subprocess.run(["sha256sum", SUMS], cwd=folder, capture_output=True, text=True, check=True)
    assert digest.stdout.split()[0] == night["sha256"]
    assert sorted(file.name for file in folder.iterdir()) == sorted([*FILES, SUMS])
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_page_is_sound_and_its_sums_are_right(folder: Path) -> None:
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert wrong_sums(page) == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {*FILES[1:], SUMS}
    assert not {"script", "iframe", "img", "link", "form", "object"} & page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    headings = [page.text.index(f"{number}{name}") for number, name in enumerate(SECTIONS, start=1)]
    assert headings == sorted(headings)


def test_what_people_wrote_is_shown_and_not_obeyed(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(&#39;law&#39;)&lt;/script&gt;" in page
    assert "Ada &lt;admin&gt; &amp; Co" in page
    law = next(row["law"] for row in _rows(folder / "report.csv") if row["rule_id"] == "members-2y")
    assert law.startswith("'+44 is no formula")


def test_page_spreadsheets_and_json_say_the_same(folder: Path) -> None:
    facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rows = _rows(folder / "report.csv")
    assert [row["rule_id"] for row in rows] == [rule["rule_id"] for rule in facts["rules"]]
    for name, total in (("planned", "due"), ("done", "acted"), ("held", "held"), ("overdue", "kept_late")):
        assert sum(int(row[f"{name}_rows"]) for row in rows) == facts["totals"][total]
    assert _rows(folder / "held.csv") == [
        {name: "" if value is None else str(value) for name, value in one.items()} for one in facts["held"]
    ]
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert page.table("Planned").foot == ["All rules", "", "1,237", "1,235", "0", "4"]
    assert page.table("Together").foot[1:6] == ["2", "250", "5", "50", "307"]


def test_nothing_tells_of_holds_that_may_not_be_told_of(folder: Path) -> None:
    for file in folder.iterdir():
        text = file.read_bytes().decode().lower()
        assert [word for word in cinema.SECRETS if word in text] == [], file.name
        figures = re.sub(r"<svg.*?</svg>|[0-9a-f]{32,}", "", text, flags=re.DOTALL)  # coordinates and digests
        assert [figure for figure in cinema.SECRET_FIGURES if figure in figures] == [], file.name


def test_no_subject_and_no_reference_of_a_hold_is_in_it(folder: Path) -> None:
    for file in folder.iterdir():
        text = file.read_bytes().decode()
        assert not re.search(r"\b4711\b|\b[UTWC]-[12]\b", text), file.name


def test_an_earlier_report_of_the_run_is_replaced(database: sa.Engine, policy: Policy, settings: Settings) -> None:
    hours = [dt.timedelta(), dt.timedelta(hours=9)]
    with hf_database.transaction(database) as connection:
        run_id = cinema.open_run(connection, policy, state="executing")
        written = [report.write(connection, settings, run_id, now=cinema.WRITTEN + later) for later in hours]
    assert written[0]["folder"] == written[1]["folder"]
    facts = json.loads(Path(str(written[1]["folder"]), "report.json").read_bytes())
    assert facts["written_at"] == "2026-11-24T10:52:08+00:00"


def test_a_second_run_of_the_night_does_not_hide_the_first(
    database: sa.Engine, policy: Policy, settings: Settings
) -> None:
    with hf_database.transaction(database) as connection:
        runs = [cinema.open_run(connection, policy, policy_digest=digest, state="open") for digest in ("one", "two")]
        folders = [report.write(connection, settings, run_id, now=cinema.WRITTEN)["folder"] for run_id in runs]
    assert folders[1] == f"{folders[0]}-run-{runs[1]}"
    assert all(Path(str(folder), SUMS).exists() for folder in folders)


def test_a_dry_run_says_so_everywhere(database: sa.Engine, policy: Policy, settings: Settings) -> None:
    with hf_database.transaction(database) as connection:
        run_id = cinema.fill(connection, policy, mode="dry-run", state="planned")
        connection.execute(sa.text("DELETE FROM holdfast.shard"))
        connection.execute(sa.text("UPDATE holdfast.plan_rule SET survivors = NULL, late_rows = NULL"))
        written = report.write(connection, settings, run_id, now=cinema.WRITTEN)
    folder = Path(str(written["folder"]))
    assert folder.name == "2026-11-24-dry-run"
    assert written["deleted"] is None
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "DRY RUN: nothing was deleted or anonymised" in text
    assert "<title>Retention report, 24 November 2026, DRY RUN</title>" in text
    assert 'content: "Retention report 2026-11-24 (DRY RUN)"' in text
    page = Page(text)
    assert "would delete 1,207 rows and anonymise 30; 50 rows are kept by a hold" in page.text
    assert wrong_sums(page) == []
    assert page.table("Planned").foot == ["All rules", "", "1,237", "none", "not counted", "not counted"]
    facts = json.loads((folder / "report.json").read_bytes())
    assert facts["run"]["mode"] == "dry-run"
    assert facts["verdict"]["standing"] == "dry-run"
    assert facts["totals"]["acted"] is None
    assert {row["mode"] for row in _rows(folder / "report.csv")} == {"dry-run"}


def test_a_run_without_a_plan_still_has_a_report(database: sa.Engine, policy: Policy, settings: Settings) -> None:
    with hf_database.transaction(database) as connection:
        run_id = cinema.open_run(connection, policy, state="open", plan_digest=None, holds_as_of=None)
        written = report.write(connection, settings, run_id, now=cinema.WRITTEN)
    text = Path(str(written["report"])).read_text(encoding="utf-8")
    assert "The run did not get as far as a plan. Nothing was counted, and nothing was touched." in text
    assert "Nothing was counted: the run has no plan." in text
    assert "None: every row could be judged" not in text
    folder = Path(str(written["folder"]))
    assert _rows(folder / "report.csv") == []
    assert json.loads((folder / "report.json").read_bytes())["rules"] == []


@pytest.mark.parametrize("fault", ["unreadable", "changed"])
def test_without_the_policy_of_the_run_figures_stay_and_every_hold_is_told_as_one(
    database: sa.Engine, policy: Policy, settings: Settings, fault: str
) -> None:
    with hf_database.transaction(database) as connection:
        run_id = cinema.fill(connection, policy)
        holds = settings.policy / "holds.yaml"
        if fault == "unreadable":
            holds.write_text("version: [")
        else:
            holds.write_text(cinema.HOLDS.replace("review_after: P12M", "review_after: P1M"))
        written = report.write(connection, settings, run_id, now=cinema.WRITTEN)
    folder = Path(str(written["folder"]))
    assert [row["hold_type"] for row in _rows(folder / "held.csv")] == ["other obligations"] * 3
    assert [row["held_rows"] for row in _rows(folder / "held.csv")] == ["41", "3", "6"]
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "is no longer the one in force, or cannot be read" in text
    assert wrong_sums(Page(text)) == []
    for name in ("UNPAID", "LITIGATION", "cashdesk", "counsel", *cinema.SECRETS):
        assert name.lower() not in text.lower(), name


def test_a_run_that_never_was_is_refused(database: sa.Engine, settings: Settings) -> None:
    with hf_database.transaction(database) as connection, pytest.raises(RunRefused, match="no run 7"):
        report.write(connection, settings, 7, now=cinema.WRITTEN)


def _rows(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode().removeprefix(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text, newline="")))
