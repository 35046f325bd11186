"""The report of a night of deletion requests, from which compliance runs its day: a page, as PDF too, and data files.

It tells of any run, however far it came, and of a dry run as such. It holds counts, digests, codes, numbers of requests
and holds, pseudonyms and the words of the policy: no personal data, no reference, and nothing of holds that may not be
told of. docs/decisions/0005-reports.md has the reasons.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from holdfast.deletion_requests import past_nights
from holdfast.deletion_requests.agenda import agenda
from holdfast.deletion_requests.deadlines import Terms
from holdfast.deletion_requests.report import exports, page, registers
from holdfast.deletion_requests.report.due import deadlines
from holdfast.deletion_requests.report.edition import Edition, Given, compose
from holdfast.errors import PolicyError
from holdfast.evidence import reported
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import load_requests_policy
from holdfast.reports import charts, pdf, runs
from holdfast.settings import Settings

__all__ = ["edition_of", "write"]

PAGE = "index.html"


def write(
    connection: sa.Connection, settings: Settings, run_id: int, *, now: dt.datetime
) -> dict[str, str | int | None]:
    """Write the report of a run into `reports/<job>/<date>/`, in place of an earlier one of the same run.

    Returns the path of the page (`report`), its `folder`, `sha256`, the digest of the SHA256SUMS there, and the sums of
    the headline. Raises RunRefused if there is no such run, or its matrix
    is forgotten. Ask in one transaction, for figures of one moment.
    """
    charts.keep_cache_in(settings.home / "matplotlib")
    past_nights.refuse_forgotten(connection, run_id)
    edition = edition_of(connection, settings, run_id, now=now)
    text = page.html_of(edition)
    made: dict[str, str | bytes] = {
        PAGE: text,
        "report.pdf": pdf.pdf_of(text, on=edition.run.as_of_date),
        "report.xlsx": exports.workbook(edition),
        "report.json": exports.json_text(edition),
        **exports.csv_files(edition),
    }
    shelf = (edition.run.job, edition.run.folder_name)
    written = reported.write(connection.engine, settings.reports, shelf, made, run_id)
    totals, due = edition.totals, edition.deadlines
    return {
        "report": str(written.folder / PAGE),
        "folder": str(written.folder),
        "sha256": written.sha256,
        "standing": edition.verdict.standing.value,
        "pending": totals.pending,
        "partly_completed": totals.partly_completed,
        "completed": totals.completed,
        "refused": totals.refused,
        "withdrawn": totals.withdrawn,
        "decisions": totals.decisions,
        "rows_erased": totals.rows_erased,
        "overdue": due.count("overdue") if due else None,
        "breaks": None if edition.breaks is None else len(edition.breaks),
    }


def edition_of(connection: sa.Connection, settings: Settings, run_id: int, *, now: dt.datetime) -> Edition:
    """What the report of a run says. Raises RunRefused if there is no such run."""
    policy, terms = _policy(settings, runs.run(connection, run_id))
    zone = policy.schedule.time_zone if policy else "UTC"
    due = None
    if terms is not None:
        today = terms.day_of(now)
        due = deadlines(agenda(connection, terms, today), terms, today)
    nameable = Disclosure.of(policy).nameable_types
    read = registers.read(connection, run_id, zone=zone, nameable=nameable, now=now)
    key = settings.pseudonym_key()
    return compose(read, Given(policy, zone, due, now, staff=lambda person: pseudonym(key, STAFF, person)))


def _policy(settings: Settings, run: runs.Run) -> tuple[Policy | None, Terms | None]:
    """The policy in force, if it is that of the run. A report must be written even when the policy is what failed."""
    try:
        policy = load_policy(settings.policy)
        if policy.digest != run.policy_digest:
            return None, None
        return policy, Terms.of(policy, load_requests_policy(settings.policy))
    except PolicyError:
        return None, None
