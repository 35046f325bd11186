"""The report of a night of requests as it is written for the registers: every file of it, and however far the run came.

A golden file that is missing is written, and the test fails once: read it before it is kept.
"""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pypdf
import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import report_library as library
from tests.holdfast.retention.report import cinema
from tests.holdfast.retention.report.pages import Page, wrong_sums

from holdfast import database as hf_database
from holdfast import settings as hf_settings
from holdfast.deletion_requests import report
from holdfast.deletion_requests.report import figures
from holdfast.deletion_requests.report.page import SECTIONS
from holdfast.errors import RunRefused
from holdfast.policy.model import Policy
from holdfast.reports.files import SUMS
from holdfast.reports.tables import BYTE_ORDER_MARK
from holdfast.settings import Settings

GOLDEN = Path(__file__).with_name("report_golden")
TABLES = ("requests", "matrix", "deadlines", "holds", "kept", "recipients", "breaks", "weeks")
TEXTS = ("index.html", "report.json", *(f"{name}.csv" for name in TABLES))
FILES = (*TEXTS, "report.pdf", "report.xlsx")


@pytest.fixture(scope="module", autouse=True)
def _pseudonym_key() -> Any:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(hf_settings.PSEUDONYM_KEY, library.KEY)
        yield


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return library.write_policy(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, policy: Policy) -> Settings:
    return library.settings_in(tmp_path)


@pytest.fixture(scope="module")
def night(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What writing the report of the whole night returned. Tests that share it only look."""
    folder = tmp_path_factory.mktemp("night")
    policy = library.write_policy(folder)
    with fresh_database() as engine, hf_database.transaction(engine) as connection:
        run_id = library.fill(connection, policy)
        return report.write(connection, library.settings_in(folder), run_id, now=library.WRITTEN)


@pytest.fixture
def folder(night: dict[str, Any]) -> Path:
    return Path(night["folder"])


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_is_the_golden_one(folder: Path, name: str) -> None:
    """Charts have tests of their own, and looks are for people to judge: only the places of both are marked here."""
    text = re.sub(r"<(svg|style).*?</\1>", r"<\1></\1>", (folder / name).read_bytes().decode(), flags=re.DOTALL)
    golden = GOLDEN / name
    if not golden.exists():
        GOLDEN.mkdir(exist_ok=True)
        golden.write_bytes(text.encode())
        pytest.fail(f"read {golden}, which is new")
    assert text == golden.read_bytes().decode()


def test_it_returns_where_the_report_is_and_its_headline(night: dict[str, Any]) -> None:
    assert night["folder"].endswith("/home/reports/deletion_requests_reconcile/2026-11-24")
    assert {name: value for name, value in night.items() if name not in ("folder", "report", "sha256")} == {
        "standing": "partly",
        "pending": 7,
        "partly_completed": 4,
        "completed": 1,
        "refused": 1,
        "withdrawn": 1,
        "decisions": 68,
        "rows_erased": 15,
        "overdue": 1,
        "breaks": 5,
    }


def test_the_sums_verify_and_nobody_else_may_read_it(folder: Path, night: dict[str, Any]) -> None:
    checked = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert sorted(file.name for file in folder.iterdir()) == sorted([*FILES, SUMS])
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_page_is_sound_and_its_sums_are_right(folder: Path) -> None:
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert wrong_sums(page) == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {
        "report.pdf",
        "report.xlsx",
        "report.json",
        SUMS,
    }
    assert not {"script", "iframe", "img", "link", "form", "object"} & page.tags
    headings = [page.text.index(f"{number}{name}") for number, name in enumerate(SECTIONS, start=1)]
    assert headings == sorted(headings)


def test_page_tables_and_json_say_the_same(folder: Path) -> None:
    facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    for name in ("matrix", "requests", "holds", "recipients", "weeks"):
        shown = [{key: _cell(value) for key, value in one.items()} for one in facts[name]]
        assert _rows(folder / f"{name}.csv") == shown, name
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    matrix = page.table("Together", "Dataset")
    assert matrix.foot[1:] == [str(facts["totals"][one]) for one in (*figures.DECISIONS, "decisions")]
    assert facts["sums"]["asked"] == facts["totals"]["decisions"] == sum(int(cell) for cell in matrix.foot[1:-1])
    assert page.table("Datasets of each", "Requests for").foot == ["All", "12", "", "68"]


def test_no_person_no_reference_and_no_key_is_in_it(folder: Path) -> None:
    for file in folder.iterdir():
        text = _text_of(file)
        assert [word for word in library.PRIVATE if word in text] == [], file.name
    assert "p1:" in (folder / "index.html").read_text(), "whoever approved is named by pseudonym"


def test_nothing_tells_of_holds_that_may_not_be_told_of(folder: Path) -> None:
    for file in folder.iterdir():
        text = _text_of(file).lower()
        assert [word for word in (*cinema.SECRETS, "litigation") if word in text] == [], file.name
        shown = re.sub(r"<svg.*?</svg>|[0-9a-f]{32,}", "", text, flags=re.DOTALL)  # coordinates and digests
        assert [figure for figure in ("2031", "888", "8,888") if figure in shown] == [], file.name


def test_what_people_wrote_is_shown_and_not_obeyed(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;law&#39;)&lt;/script&gt;" in page
    laws = {row["kept_by"]: row["law"] for row in _rows(folder / "kept.csv")}
    assert laws["members-2y"].startswith("'+44 is no formula")
    assert laws["other obligations"] == ""


def test_the_pdf_says_what_the_page_says(folder: Path) -> None:
    pdf = pypdf.PdfReader(folder / "report.pdf")
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Deletion requests, 24 November 2026"
    words = " ".join(" ".join(one.extract_text() for one in pdf.pages).split())
    for name in SECTIONS:
        assert name in words
    assert "1 request is past the statutory deadline without an answer." in words


def test_it_is_written_the_same_again(database: sa.Engine, policy: Policy, settings: Settings) -> None:
    """A dry run, which has no seal; the second writing replaces the first."""
    with hf_database.transaction(database) as connection:
        run_id = library.fill(connection, policy, mode="dry-run", state="planned")
        first = report.write(connection, settings, run_id, now=library.WRITTEN)
        again = report.write(connection, settings, run_id, now=library.WRITTEN)
    assert first == again
    assert first["standing"] == "dry-run"
    assert first["rows_erased"] is None
    assert first["breaks"] is None
    folder = Path(str(first["folder"]))
    assert folder.name == "2026-11-24-dry-run"
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert "DRY RUN: nothing was erased and no request was changed" in page.text
    assert "A run on this night would decide 68 pairs of request and dataset" in page.text
    assert wrong_sums(page) == []


def test_a_run_without_a_matrix_still_has_a_report(database: sa.Engine, policy: Policy, settings: Settings) -> None:
    with hf_database.transaction(database) as connection:
        run_id = cinema.open_run(connection, policy, job=library.JOB, state="open", plan_digest=None, holds_as_of=None)
        written = report.write(connection, settings, run_id, now=library.WRITTEN)
    text = Page(Path(str(written["report"])).read_text(encoding="utf-8")).text
    assert written["standing"] == "unfinished"
    assert "The run did not get as far as a plan. Nothing was touched." in text
    assert "The run did not get as far as a matrix." in text
    assert "No hold keeps anything" not in text
    assert "Nobody has looked in this run." in text


@pytest.mark.parametrize("fault", ["unreadable", "changed"])
def test_without_the_policy_of_the_run_every_hold_is_told_as_one_and_no_deadline(
    database: sa.Engine, policy: Policy, settings: Settings, fault: str
) -> None:
    with hf_database.transaction(database) as connection:
        run_id = library.fill(connection, policy)
        holds = settings.policy / "holds.yaml"
        if fault == "unreadable":
            holds.write_text("version: [")
        else:
            holds.write_text(cinema.HOLDS.replace("review_after: P12M", "review_after: P1M"))
        written = report.write(connection, settings, run_id, now=library.WRITTEN)
    folder = Path(str(written["folder"]))
    assert written["overdue"] is None
    assert {row["hold_type"] for row in _rows(folder / "holds.csv")} == {"other obligations"}
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "is no longer the one in force, or cannot be read" in text
    assert "The deadlines are not known" in text
    assert wrong_sums(Page(text)) == []
    for name in ("LITIGATION", "cashdesk", "counsel", *cinema.SECRETS):
        assert name.lower() not in text.lower(), name


def test_a_run_that_never_was_is_refused(database: sa.Engine, settings: Settings) -> None:
    with hf_database.transaction(database) as connection, pytest.raises(RunRefused, match="no run 7"):
        report.write(connection, settings, 7, now=library.WRITTEN)


def _text_of(file: Path) -> str:
    if file.suffix == ".pdf":
        return " ".join(one.extract_text() for one in pypdf.PdfReader(file).pages)
    if file.suffix == ".xlsx":
        return _sheets(file)
    return file.read_bytes().decode()


def _sheets(file: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        return " ".join(archive.read(name).decode() for name in archive.namelist())


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _rows(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode().removeprefix(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text, newline="")))
