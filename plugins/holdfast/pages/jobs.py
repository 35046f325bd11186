"""The jobs, as the pages speak of them: what each promises, and where its reports stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """`dag` is its DAG, `runs_as` its name in the register of runs if it has one, `shelf` the folder of its reports.

    `page` is the route of the page about what it works on, to which its figures lead.
    """

    dag: str
    title: str
    promise: str
    shelf: str
    page: str
    runs_as: str | None = None
    is_monthly: bool = False


JOBS = (
    Job(
        "retention_nightly",
        "Retention",
        "Personal data is stored only as long as needed.",
        "retention_nightly",
        "retention",
        runs_as="retention_nightly",
    ),
    Job(
        "deletion_requests_reconcile",
        "Deletion requests",
        "A request to delete is honoured, unless the data must be kept.",
        "deletion_requests_reconcile",
        "requests",
        runs_as="deletion_requests_reconcile",
    ),
    Job(
        "emergency_data_999",
        "999 data",
        "The emergency services know where a caller is.",
        "emergency_data_999",
        "emergency",
    ),
    Job(
        "suspension_facts_nightly",
        "Suspension safeguards",
        "Who is suspended by a machine is told, and can ask a person.",
        "suspension_safeguards",
        "suspensions",
    ),
    Job(
        "suspension_statistics_monthly",
        "Suspension statistics",
        "How often that happens is counted so that nobody can be told.",
        "suspension_statistics",
        "suspensions",
        is_monthly=True,
    ),
    Job(
        "evidence_nightly",
        "Evidence",
        "Airflow, the ledger and the calendar say the same of each night.",
        "evidence_nightly",
        "evidence",
    ),
)
TITLES = {job.shelf: job.title for job in JOBS}
BY_DAG = {job.dag: job for job in JOBS}
