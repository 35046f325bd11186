"""A file above its bounds waits for a person; the answer is for the file with that digest and for no other.

Whose answer counts is the policy's to say (`approvers`), not Airflow's. The first answer that counts stands, also for a
file that comes again with the very same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.emergency_data import rules
from holdfast.errors import ApprovalRefused, ExtractRefused
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym
from holdfast.holds.register import STAFF
from holdfast.policy.load import load_policy
from holdfast.settings import Settings

DECISIONS = {"approved": "approved", "refused": "declined"}
"""What a person may answer, and what a file then is."""
_KINDS = {"approved": "extract_approved", "refused": "extract_declined"}
_REASON = re.compile(r"[a-z][a-z0-9-]{2,60}")
_MOST_LISTED = 20


@dataclass(frozen=True)
class Answer:
    """What somebody said, and when. `reason` is a code of small letters, digits and hyphens.

    `airflow_run` is the run in which it was asked; None: by command.
    """

    decision: str
    decided_by: str
    reason: str | None
    at: dt.datetime
    airflow_run: str | None = None


def approvers(settings: Settings) -> Mapping[str, str]:
    """The user ids of those who may answer, each with who that is."""
    return load_policy(settings.policy).schedule.approvers


def waiting(connection: sa.Connection) -> list[str]:
    """The digests of the files that nobody has decided on, in the order in which they came."""
    return [row.sha256 for row in queries.run(connection, "emergency/waiting_extracts")]


def question(connection: sa.Connection, who: Mapping[str, str], *, title: str, report: str) -> dict[str, Any]:
    """What to ask about the files that wait, as Markdown, and whom. It has figures and digests, and no record."""
    files = queries.run(connection, "emergency/waiting_extracts").all()
    figures = queries.run(connection, "emergency/waiting_figures").all()
    listed = [
        f"| {row.extract_id} | {rules.FIGURES[row.figure]} | {row.value:.1%} | {row.bound:.1%} |" for row in figures
    ]
    parts = [
        "Nothing of these files has left. They would change more of what the authority holds than their bounds allow:",
        "\n".join(["| extract | figure | value | bound |", "| --- | --- | ---: | ---: |", *listed[:_MOST_LISTED]]),
        *(
            f"Extract {row.extract_id}: number {row.sequence} of {row.provider}, {row.records:,} records, of which"
            f" {row.quarantined:,} are stopped in any case. File `{row.sha256}`"
            for row in files
        ),
        "**Approve** only if you know why. Exactly these files leave then; one that differs in a single byte is another"
        " file. **Refuse**, and nothing of them leaves: the sender may use their sequence numbers again. Without an"
        " answer they go on waiting, and you are asked again tomorrow.",
        f"Only {', '.join(f'`{user}` ({name})' for user, name in list(who.items())[:_MOST_LISTED])} can answer.",
        f"The report: `{report}`",
    ]
    counted = f"{len(files)} extract" + ("" if len(files) == 1 else "s")
    return {
        "subject": f"{title}: {counted} above the bounds",
        "body": "\n\n".join(parts) + "\n",
        "about": {"digests": [row.sha256 for row in files]},
        "approvers": dict(who),
    }


def record(engine: sa.Engine, settings: Settings, digests: Sequence[str], answer: Answer) -> None:
    """Record an answer for all of these files or for none."""
    by = pseudonym(settings.pseudonym_key(), STAFF, answer.decided_by)
    counts = answer.decided_by in approvers(settings)
    with database.transaction(engine) as connection:
        for sha256 in digests:
            facts: dict[str, ledger.JSON] = {"file": f"sha256:{sha256}", "by": by}
            if answer.airflow_run is not None:  # its digest: whoever triggers a run may call it anything
                facts["airflow_run"] = f"sha256:{hashlib.sha256(answer.airflow_run.encode()).hexdigest()}"
            if not counts:
                ledger.append(connection, "approval_unauthorised", facts)
            else:
                _record(connection, sha256, answer, by, facts)
    if not counts:
        raise ApprovalRefused(
            f"{by} answered for {len(digests)} extracts, but is no approver by the policy; nothing leaves.",
            fix="clear ask_a_person, and let somebody answer whom retention_schedule.yaml names under `approvers`.",
            by=by,
        )


def _record(connection: sa.Connection, sha256: str, answer: Answer, by: str, facts: dict[str, ledger.JSON]) -> None:
    if answer.reason is None or not _REASON.fullmatch(answer.reason):
        raise ApprovalRefused(
            "The answer has no reason, or one that is no code.",
            fix="clear ask_a_person and answer with a reason of the list.",
        )
    row = queries.run(connection, "emergency/extract_by_digest", {"sha256": sha256}).one_or_none()
    if row is None or row.state != "waiting":
        raise ExtractRefused("No file with this digest waits for a decision.", fix="see `holdfast emergency list`.")
    values = {
        "sha256": sha256,
        "decision": DECISIONS[answer.decision],
        "decided_by": by,
        "reason": answer.reason,
        "at": answer.at,
    }
    if queries.run(connection, "emergency/record_decision", values).one_or_none() is not None:
        facts |= {"extract": row.extract_id, "reason": answer.reason}
        ledger.append(connection, _KINDS[answer.decision], facts)
