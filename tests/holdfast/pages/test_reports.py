"""Find a report, read it, take its files away, compare it: never by a path, and never what was changed since."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import Client

from holdfast.evidence import reported
from holdfast.reports import shelf
from holdfast.reports.files import write_set

SECRET = "what is in the keys"


@pytest.fixture
def root(home: Path) -> Path:
    """Two nights of retention, a dry run, a month of statistics in two editions, and something that is no report."""
    root = home / "reports"
    nights.report(root, "retention_nightly", "2026-11-23", **nights.retention(1, nights.PARTLY))
    nights.report(root, "retention_nightly", "2026-11-24", **nights.retention(2))
    nights.report(root, "retention_nightly", "2026-11-24-dry-run", **nights.retention(3))
    nights.report(root, "suspension_statistics", "2026-10", "published")
    nights.report(root, "suspension_statistics", "2026-10", "internal", all=True)
    nights.report(root, "suspension_safeguards", "2026-11-24", broken=2)
    (home / "keys").mkdir()
    (home / "keys" / "ledger.key").write_text(SECRET)
    (root / "unfinished" / "2026-11-24").mkdir(parents=True)
    return root


def id_of(root: Path, job: str, *period: str) -> str:
    return hashlib.sha256(root.joinpath(job, *period, "SHA256SUMS").read_bytes()).hexdigest()


def listed(page: str) -> set[str]:
    return set(re.findall(r'/holdfast/reports/([0-9a-f]{64})"', page))


def test_the_reports_that_are_for_an_auditor_are_listed(root: Path, as_auditor: TestClient) -> None:
    text = as_auditor.get("/reports").text
    assert "2026-10" in text
    assert "unfinished" not in text
    assert len(listed(text)) == 4


def test_what_is_not_for_publication_is_for_compliance_staff(root: Path, as_user: Client) -> None:
    internal = id_of(root, "suspension_statistics", "2026-10", "internal")
    for user, status in (("auditor", 404), ("engineer", 404), ("dpo", 200), ("admin", 200)):
        browser = as_user(user)
        assert browser.get(f"/reports/{internal}").status_code == status
        assert browser.get(f"/reports/{internal}/files/report.json").status_code == status
        assert (internal in listed(browser.get("/reports").text)) == (status == 200)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("?job=retention_nightly", 3),
        ("?job=retention_nightly&period=2026-11-24", 2),
        ("?period=2026-10", 1),
        ("?job=nothing", 0),
        ("?job=../keys", 0),
        ("?period=%25", 0),
    ],
)
def test_reports_are_found_by_job_and_period(root: Path, as_auditor: TestClient, question: str, found: int) -> None:
    assert len(listed(as_auditor.get(f"/reports{question}").text)) == found


def test_what_was_typed_comes_back_as_text(root: Path, as_auditor: TestClient) -> None:
    text = as_auditor.get("/reports", params={"period": '"><script>alert(1)</script>'}).text
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_report_shows_its_verdict_its_files_and_what_it_can_be_compared_with(
    root: Path, as_auditor: TestClient
) -> None:
    first, second = (id_of(root, "retention_nightly", day) for day in ("2026-11-23", "2026-11-24"))
    text = as_auditor.get(f"/reports/{second}").text
    assert nights.KEPT["sentence"] in text  # type: ignore[operator]
    assert hashlib.sha256(nights.PAGE.encode()).hexdigest() in text
    assert f'<option value="{first}">' in text


def test_its_page_is_read_and_its_data_are_taken_away(root: Path, as_auditor: TestClient) -> None:
    report = id_of(root, "retention_nightly", "2026-11-24")
    page = as_auditor.get(f"/reports/{report}/files/index.html")
    assert page.text == nights.PAGE
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    table = as_auditor.get(f"/reports/{report}/files/report.csv")
    assert table.headers["content-disposition"] == 'attachment; filename="retention_nightly-2026-11-24-report.csv"'
    sums = as_auditor.get(f"/reports/{report}").text
    assert hashlib.sha256(table.content).hexdigest() in sums


PATHS = (
    "../../../keys/ledger.key", "..%2f..%2f..%2fkeys%2fledger.key", "%2e%2e/%2e%2e/%2e%2e/keys/ledger.key",
    "..\\..\\..\\keys\\ledger.key", "/etc/passwd", "%2fetc%2fpasswd", "SHA256SUMS", "%2e%2e", "index.html%00.csv",
    "index.html/", "INDEX.HTML", "%2e%2findex.html", "report.json%20",
)  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_no_path_leads_out_of_a_report(root: Path, as_auditor: TestClient, name: str) -> None:
    report = id_of(root, "retention_nightly", "2026-11-24")
    answer = as_auditor.get(f"/reports/{report}/files/{name}", follow_redirects=False)
    assert answer.status_code in (307, 404)
    assert SECRET not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("report", ["..", "0" * 64, "0" * 63, "A" * 64, "retention_nightly", "%2e%2e%2fkeys"])
def test_no_report_is_found_by_anything_but_its_digest(root: Path, as_auditor: TestClient, report: str) -> None:
    assert as_auditor.get(f"/reports/{report}/files/ledger.key").status_code in (404, 422)


def test_a_link_on_the_shelf_is_not_followed(root: Path, home: Path, as_auditor: TestClient) -> None:
    outside = nights.report(home / "elsewhere", "job", "2026-11-24").folder
    (root / "linked").symlink_to(outside.parent)
    (root / "retention_nightly" / "2026-11-25").symlink_to(outside)
    assert len(listed(as_auditor.get("/reports").text)) == 4


def test_a_sum_that_names_a_path_is_no_file_of_the_report(root: Path, home: Path, as_auditor: TestClient) -> None:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    folder = root / "retention_nightly" / "2026-11-24"
    (folder / "SHA256SUMS").write_text(f"{digest}  ../../../keys/ledger.key\n")
    report = id_of(root, "retention_nightly", "2026-11-24")
    assert SECRET not in as_auditor.get(f"/reports/{report}").text
    (found,) = [one for one in shelf.reports(root) if one.id == report]
    assert found.files == {}


def test_a_file_that_was_changed_since_is_not_shown(root: Path, as_auditor: TestClient) -> None:
    report = id_of(root, "retention_nightly", "2026-11-24")
    (root / "retention_nightly" / "2026-11-24" / "index.html").write_text("<p>Nothing to see.</p>")
    answer = as_auditor.get(f"/reports/{report}/files/index.html")
    assert answer.status_code == 409
    assert "is not what was written" in answer.text
    assert "Nothing to see" not in answer.text


def test_a_report_says_whether_the_ledger_has_it(root: Path, database: sa.Engine, as_auditor: TestClient) -> None:
    files = {"index.html": nights.PAGE, "report.json": json.dumps(nights.retention(4))}
    reported.write(database, root, ("retention_nightly", "2026-11-25"), files)
    assert (
        "entry 1 has this digest" in as_auditor.get(f"/reports/{id_of(root, 'retention_nightly', '2026-11-25')}").text
    )
    assert "not entered" in as_auditor.get(f"/reports/{id_of(root, 'retention_nightly', '2026-11-24')}").text
    page = as_auditor.get("/reports").text
    assert (page.count("<td>entry 1</td>"), page.count("<td>not entered</td>"), page.count("ALTERED")) == (1, 4, 0)


def test_a_report_that_was_changed_with_its_sums_is_shown_nowhere_as_good(
    root: Path, database: sa.Engine, as_user: Client
) -> None:
    today = ("retention_nightly", "2026-11-25")
    told = json.dumps(nights.retention(4, nights.PARTLY))
    reported.write(database, root, today, {"index.html": nights.PAGE, "report.json": told})
    write_set(root, today, {"index.html": nights.PAGE, "report.json": json.dumps(nights.retention(4))})
    report, before = id_of(root, *today), id_of(root, "retention_nightly", "2026-11-24")
    browser = as_user("dpo")
    for path in ("", "/files/index.html", "/files/report.json"):
        answer = browser.get(f"/reports/{report}{path}")
        assert answer.status_code == 409
        assert "is not that of the ledger&#39;s entry 1" in answer.text
    assert browser.get("/reports/compare", params={"before": before, "after": report}).status_code == 409
    assert "<strong>ALTERED</strong>" in browser.get("/reports").text
    overview = browser.get("/").text
    assert "is not that of the ledger&#39;s entry 1" in overview
    assert nights.KEPT["sentence"] not in overview  # type: ignore[operator]


def test_two_nights_are_compared_figure_by_figure(root: Path, as_auditor: TestClient) -> None:
    first, second = (id_of(root, "retention_nightly", day) for day in ("2026-11-23", "2026-11-24"))
    text = as_auditor.get("/reports/compare", params={"before": first, "after": second}).text
    assert "verdict / standing" in text
    assert "totals / due" not in text
    same = as_auditor.get("/reports/compare", params={"before": first, "after": first}).text
    assert "They say the same." in same


def test_reports_of_two_jobs_are_not_compared(root: Path, as_auditor: TestClient) -> None:
    one = id_of(root, "retention_nightly", "2026-11-24")
    other = id_of(root, "suspension_statistics", "2026-10", "published")
    assert as_auditor.get("/reports/compare", params={"before": one, "after": other}).status_code == 404
