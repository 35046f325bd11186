"""Broken safeguards of suspensions (UK GDPR Arts 22A to 22D), looked for every night and followed until they are
mended.

They are named by the pseudonym of the decision or request; `holdfast statistics pseudonym` gives that of a record.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import clock, queries
from holdfast.evidence import ledger
from holdfast.suspension_statistics.terms import Safeguards

KINDS: Mapping[str, str] = {
    "not_told": "Suspended and not told (Art 22C(2)(a)).",
    "no_review_offered": "Told, without the offer of a review (Art 22C(2)(c)).",
    "review_not_assigned": "A review was asked for, and nobody was given it.",
    "reviewer_is_decider": "Whoever reviewed is who had decided.",
    "not_restored": "A review overturned the decision, and service did not come back.",
    "fully_on_recognised_interest": "Decided by a machine alone on recognised legitimate interests (Art 22B(4)).",
    "fully_without_basis": "Decided by a machine alone, without a lawful basis on record.",
    "fully_without_rule_version": "Decided by a machine alone, without the version of its rules on record.",
    "fully_without_reasons": "Decided by a machine alone, without reasons on record.",
    "bars_emergency_calls": "The suspension bars 999 and 112.",
}


@dataclass(frozen=True)
class Break:
    """One broken safeguard that is open. `since` is the day on which it was owed or happened; `age` in days."""

    kind: str
    pseudonym: str
    since: dt.date
    age: int
    found_on: dt.date


@dataclass(frozen=True)
class Kind:
    """How many breaks of a kind are open, how many of them were found today, and the age of the oldest in days."""

    kind: str
    open: int
    new: int
    oldest: int


def look(connection: sa.Connection, terms: Safeguards, zone: str, now: dt.datetime) -> list[Kind]:
    """Compare what is broken now with what was: open new breaks, end those that were mended; what is open, by kind."""
    today = clock.local_date(now, zone)
    values = {
        "today": today,
        "notice_days": -(-terms.notice_hours // 24),  # facts know days: one that is not over is not counted
        "assign_days": terms.assign_days,
        "restore_days": terms.restore_days,
    }
    queries.run(connection, "suspension_statistics/safeguards_stage", values)
    queries.run(connection, "suspension_statistics/safeguards_end", {"now": now})
    opened = queries.run(connection, "suspension_statistics/safeguards_open", {"now": now}).scalars().all()
    found = by_kind(open_breaks(connection, today, zone), today)
    counts = {one.kind: one.open for one in found}
    ledger.append(connection, "safeguards_checked", {"opened": len(opened), "open": counts})
    return found


def by_kind(broken: Sequence[Break], today: dt.date) -> list[Kind]:
    """What is open, oldest first, by kind."""
    counts = Counter(one.kind for one in broken)
    new = Counter(one.kind for one in broken if one.found_on == today)
    oldest = {one.kind: one.age for one in reversed(broken)}
    return [Kind(kind, number, new[kind], oldest[kind]) for kind, number in sorted(counts.items())]


def in_words(kinds: Sequence[Kind]) -> str:
    """What people are told, in counts and codes."""
    if not kinds:
        return "No safeguard of a suspension is broken."
    listed = ", ".join(f"{one.kind} {one.open}" for one in kinds)
    number, new = sum(one.open for one in kinds), sum(one.new for one in kinds)
    some = "1 safeguard of a suspension is" if number == 1 else f"{number:,} safeguards of suspensions are"
    return (
        f"{some} broken, {new:,} of them found today, the oldest {max(one.oldest for one in kinds)} days ago: {listed}."
    )


def open_breaks(connection: sa.Connection, today: dt.date, zone: str) -> list[Break]:
    """Every break that is open, the oldest first."""
    rows = queries.run(connection, "suspension_statistics/safeguards_listed", {"today": today, "zone": zone})
    return [Break(row.kind, row.pseudonym, row.since, row.age, row.found_on) for row in rows]
