"""The first page, and the tabs on DAGs and runs."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.holdfast.pages import nights
from tests.holdfast.pages.conftest import Client

from holdfast import settings
from holdfast.pages.jobs import JOBS

DAY = dt.date(2026, 11, 24)


@pytest.fixture
def night(database: sa.Engine, home: Path) -> int:
    """Retention ran, and not all of it was kept; the others did not."""
    run_id = nights.run(database, "retention_nightly", DAY)
    nights.report(home / "reports", "retention_nightly", "2026-11-24", **nights.retention(run_id, nights.PARTLY))
    nights.report(home / "reports", "retention_nightly", "2026-11-25-dry-run", **nights.retention(9))
    nights.report(home / "reports", "suspension_statistics", "2026-10", "published")
    nights.report(home / "reports", "suspension_statistics", "2026-10", "internal", all=True)
    return run_id


def test_before_the_first_night_nobody_can_say(home: Path, as_auditor: TestClient) -> None:
    text = as_auditor.get("/").text
    assert "0 of 6 are kept" in text
    assert text.count("It has not reported yet.") == 3
    assert "nothing is signed yet" in text


def test_the_night_is_told_job_by_job_and_leads_to_its_reports(night: int, as_auditor: TestClient) -> None:
    text = as_auditor.get("/").text
    assert "Of 45 rows nobody can say" in text
    assert "Not all of it" in text
    assert "Every promise kept tonight" not in text, "a dry run says nothing of what was kept"
    link = re.search(r'href="/holdfast(/reports/[0-9a-f]{64})">2026-11-24', text)
    assert link is not None
    assert as_auditor.get(link.group(1)).status_code == 200


def test_a_policy_that_cannot_be_read_is_the_first_thing_to_see(
    night: int, as_auditor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.errors import PolicyError
    from holdfast.pages import site

    def broken(folder: Path) -> None:
        raise PolicyError("It is broken.", fix="mend it.")

    monkeypatch.setattr(site, "load_policy", broken)
    assert "The policy cannot be read" in as_auditor.get("/").text


def test_a_report_that_was_changed_is_not_believed_and_the_page_opens(
    night: int, home: Path, as_auditor: TestClient
) -> None:
    (home / "reports" / "retention_nightly" / "2026-11-24" / "report.json").write_text("{}")
    text = as_auditor.get("/").text
    assert "report.json of the report retention_nightly 2026-11-24 is not what was written." in text


def test_a_dag_leads_to_its_reports_and_its_evidence(night: int, as_auditor: TestClient) -> None:
    text = as_auditor.get("/jobs/retention_nightly").text
    assert ">2026-11-24</a>" in text
    assert f"run={night}" in text


def test_a_run_of_airflow_leads_to_the_reports_of_its_night_and_no_others(night: int, as_auditor: TestClient) -> None:
    text = as_auditor.get("/jobs/retention_nightly/runs/scheduled__2026-11-24").text
    assert ">2026-11-24</a>" in text
    assert "2026-11-25" not in text
    assert f"run={night}" in text


def test_a_run_for_a_month_leads_to_its_published_edition(night: int, as_user: Client) -> None:
    path = "/jobs/suspension_statistics_monthly/runs/manual"
    assert ">2026-10, published</a>" in as_user("auditor").get(path).text
    assert "internal" not in as_user("auditor").get(path).text
    assert ">2026-10, internal</a>" in as_user("dpo").get(path).text


def test_a_dag_that_airflow_does_not_show_is_not_shown_here(as_auditor: TestClient) -> None:
    assert as_auditor.get("/jobs/somebody_elses").status_code == 403
    assert as_auditor.get("/jobs/somebody_elses/runs/scheduled__2026-11-24").status_code == 403


def test_what_is_none_of_our_jobs_is_not_found(as_auditor: TestClient) -> None:
    assert as_auditor.get("/jobs/another_dag").status_code == 404
    assert as_auditor.get("/jobs/retention_nightly/runs/unknown").status_code == 404


def test_every_job_has_a_page_about_what_it_works_on(pages_app: FastAPI) -> None:
    assert {job.page for job in JOBS} <= {entry.route for entry in pages_app.state.entries}


@pytest.mark.parametrize("dag", [file.stem for file in (settings.load().project / "dags").glob("*.py")])
def test_every_dag_has_its_tab(dag: str, as_auditor: TestClient) -> None:
    assert as_auditor.get(f"/jobs/{dag}").status_code == 200
