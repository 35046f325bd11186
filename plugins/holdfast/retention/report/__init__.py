"""The compliance report of a retention run, for those who answer for it: a page, two CSV files, one JSON file.

It tells of any run, however far it came, and of a dry run as such. It holds counts, digests, codes and the words of the
policy: no personal data, no key of a record, no reference of a hold, and nothing of holds that may not be told of.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import sqlalchemy as sa

from holdfast.errors import PolicyError
from holdfast.evidence import reported
from holdfast.policy.load import load_policy
from holdfast.policy.model import Policy
from holdfast.reports import charts
from holdfast.retention.report import exports, page, registers
from holdfast.retention.report.edition import compose
from holdfast.retention.report.nights import missed_nights
from holdfast.settings import Settings

__all__ = ["missed_nights", "write"]

PAGE = "index.html"


def write(
    connection: sa.Connection, settings: Settings, run_id: int, *, now: dt.datetime
) -> dict[str, str | int | None]:
    """Write the report of a run into `reports/<job>/<date>/`, in place of an earlier one of the same run.

    Returns the path of the page (`report`), its `folder`, `sha256`, the digest of the SHA256SUMS there, and the sums of
    the headline. Raises RunRefused if there is no such run. Ask in one transaction, for figures of one moment.
    """
    charts.keep_cache_in(settings.home / "matplotlib")
    composed = compose(registers.read(connection, run_id), _policy(settings), now)
    edition = dataclasses.replace(composed, database=settings.database)
    texts = {
        PAGE: page.html_of(edition),
        "report.csv": exports.rules_csv(edition),
        "held.csv": exports.held_csv(edition),
        "report.json": exports.json_text(edition),
    }
    shelf = (edition.run.job, edition.run.folder_name)
    written = reported.write(connection.engine, settings.reports, shelf, texts, run_id)
    totals = edition.totals
    return {
        "report": str(written.folder / PAGE),
        "folder": str(written.folder),
        "sha256": written.sha256,
        "due": totals.due,
        "deleted": totals.deleted,
        "anonymised": totals.anonymised,
        "held": totals.held,
        "refused": totals.refused,
        "waiting": totals.waiting,
        "unknown": totals.unknown,
    }


def _policy(settings: Settings) -> Policy | None:
    """What is in force in this database. A report must be written even on the night on which the policy failed."""
    try:
        return load_policy(settings.policy).at(settings.database)
    except PolicyError:
        return None
