"""Look for disagreements, remember those that are open, and take the reasons that people give.

One that is there again the next night is the same one. It is over when it is no longer found; one that a person
explained is found on and no longer alarms.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.database import transaction
from holdfast.errors import HistoryDisagrees
from holdfast.evidence import ledger
from holdfast.run_history import calendar, rules
from holdfast.run_history.rules import Disagreement, Elsewhere, Known, LedgerRun, Trace

_LOOK_BACK = dt.timedelta(days=400)
_PATIENCE = dt.timedelta(hours=1)  # for what was intended to be followed by what came of it


@dataclass(frozen=True)
class Open:
    """A disagreement that is open."""

    disagreement_id: int
    kind: str
    job: str | None
    night: dt.date | None
    subject: str
    told: str | None
    by: str | None
    found_at: dt.datetime
    explained_at: dt.datetime | None
    explained_by: str | None
    reason: str | None

    @property
    def alarms(self) -> bool:
        """Whether somebody has to look."""
        return rules.KINDS[self.kind].is_alarm and self.explained_at is None

    @property
    def line(self) -> str:
        """What there is to say of it, in one line."""
        who = f" by {self.by}" if self.by else ""
        night = f" {self.night}" if self.night else ""
        why = f" (explained: {self.reason})" if self.reason else ""
        return f"{self.disagreement_id} {self.kind} {self.job or '-'}{night}: {self.told or self.subject}{who}{why}"


def users(connection: sa.Connection) -> dict[str, str]:
    """Pseudonym -> the name in Airflow of whoever did something there; for engineers, never for a report."""
    return {row.pseudonym: row.user_name for row in queries.run(connection, "run_history/users")}


def known(connection: sa.Connection, now: dt.datetime) -> Known:
    """All that is compared, from our own tables."""
    since = now - _LOOK_BACK
    kinds = sorted({kind for job in calendar.JOBS for kind in job.leaves or ()})
    night = clock.local_date(since, clock.NIGHTS_ZONE)
    runs = queries.run(connection, "run_history/ledger_runs", {"since": night})
    traces = queries.run(connection, "run_history/traces", {"kinds": kinds, "since": since})
    intents = queries.run(connection, "run_history/open_intents", {"before": now - _PATIENCE})
    sheets = queries.run(connection, "run_history/sheets", {"since": night})
    return Known(
        sheets=[json.loads(row.sheet) for row in sheets],
        runs=[LedgerRun(**row._mapping) for row in runs],
        traces=[Trace(row.kind, row.at, dt.date.fromisoformat(row.month) if row.month else None) for row in traces],
        lost=list(queries.run(connection, "run_history/altered_sheets").scalars()),
        intents=[(row.seq, row.job, row.night) for row in intents],
    )


def elsewhere(engine: sa.Engine | None, database: str, now: dt.datetime) -> Elsewhere:
    """What a further database says of its nights; None for one that does not answer."""
    if engine is None:
        return Elsewhere(database, clock.local_date(now, clock.NIGHTS_ZONE), None)
    with transaction(engine) as connection:
        made = queries.run(connection, "run_history/made_at").scalar_one()
        since = max(clock.local_date(made, clock.NIGHTS_ZONE), clock.local_date(now - _LOOK_BACK, clock.NIGHTS_ZONE))
        runs = queries.run(connection, "run_history/ledger_runs", {"since": since})
        intents = queries.run(connection, "run_history/open_intents", {"before": now - _PATIENCE})
        return Elsewhere(
            database,
            since + dt.timedelta(days=1),
            [LedgerRun(**row._mapping) for row in runs],
            [(row.seq, row.job, row.night) for row in intents],
        )


def look(connection: sa.Connection, now: dt.datetime, others: Sequence[Elsewhere] = ()) -> list[Open]:
    """Compare, note what is new and what is over, and enter both; every disagreement that is open.

    `others` is what the ledgers of further databases say.
    """
    queries.run(connection, "run_history/lock_read")
    before = {_key(one): one for one in listed(connection)}
    there = {_key(one): one for one in rules.disagreements(replace(known(connection, now), elsewhere=others), now)}
    for key, one in there.items():
        if key not in before:
            row = {**vars(one), "now": now}
            number = queries.run(connection, "run_history/add_disagreement", row).scalar_one()
            ledger.append(connection, "disagreement_found", {"disagreement": number, **_facts(one)})
    for key, gone in before.items():
        if key not in there:
            given = {"disagreement_id": gone.disagreement_id, "now": now}
            queries.run(connection, "run_history/end_disagreement", given)
            ledger.append(connection, "disagreement_ended", {"disagreement": gone.disagreement_id, **_facts(gone)})
    found = listed(connection)
    ledger.append(connection, "history_compared", dict(sorted(Counter(one.kind for one in found).items())))
    return found


def listed(connection: sa.Connection) -> list[Open]:
    """Every disagreement that was open when it was last looked for, the oldest first."""
    return [Open(**row._mapping) for row in queries.run(connection, "run_history/open_disagreements")]


def explain(
    connection: sa.Connection, disagreement_id: int, *, by: str, pseudonym: str, reason: str, now: dt.datetime
) -> None:
    """Record why there is a disagreement. Raises HistoryDisagrees if there is none that still lacks a reason, or if it
    is of what they did themselves.

    `reason` is a code, so that nothing about a person can be written there. LedgerError if it is none.
    """
    given = {
        "disagreement_id": disagreement_id,
        "explained_by": by,
        "pseudonym": pseudonym,
        "reason": reason,
        "now": now,
    }
    kind = queries.run(connection, "run_history/explain_disagreement", given).scalar_one_or_none()
    if kind is None:
        raise HistoryDisagrees(
            f"There is no disagreement {disagreement_id} that lacks a reason and is not of what you did yourself.",
            fix="see `holdfast evidence watchdog` for those that are open; let another person explain your act.",
        )
    facts: dict[str, ledger.JSON] = {"disagreement": disagreement_id, "kind": kind, "by": pseudonym, "reason": reason}
    ledger.append(connection, "disagreement_explained", facts)


def _key(one: Disagreement | Open) -> tuple[str, str, str]:
    return one.kind, one.job or "", one.subject


def _facts(one: Disagreement | Open) -> dict[str, ledger.JSON]:
    """Not the subject: an id of Airflow's has signs that an entry may not have."""
    facts = {"kind": one.kind, "job": one.job, "night": one.night.isoformat() if one.night else None, "by": one.by}
    return {name: value for name, value in facts.items() if value is not None}
