"""Freeze a month, restate it, compute it again: versions only grow, and each names the facts it was made from.

A version is made of what was known by a moment. For the first one that moment follows from the month alone: the end of
its settling period or, where that was later, when its last day arrived; so whoever freezes it, and whenever, gets the
same digest. A restatement takes what is known when it is made, under the terms that hold then.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from holdfast import clock
from holdfast.errors import StatisticsError
from holdfast.evidence import ledger
from holdfast.suspension_facts import days, take_in
from holdfast.suspension_statistics import definitions, rules, store
from holdfast.suspension_statistics.rules import Difference, Figure
from holdfast.suspension_statistics.store import Version
from holdfast.suspension_statistics.terms import Terms, load_rules, terms_of, zone_of

FROZEN = "frozen"
_COMPARED = 12


@dataclass(frozen=True)
class Reproduced:
    """A frozen month computed again. `differs` holds the figures that are not those that were frozen: none, if all is
    well.
    """

    version: Version
    digest: str
    differs: list[Difference]
    same_definitions: bool


@dataclass(frozen=True)
class Awaited:
    """The month that is frozen next: which of its days are over and did not arrive, how many are not over, and the day
    from which it may be frozen.
    """

    month: dt.date
    missing: list[dt.date]
    to_come: int
    settled_on: dt.date


def awaited(
    connection: sa.Connection, *, last: dt.date | None, settling_days: int, zone: str, now: dt.datetime
) -> Awaited | None:
    """What the month after the last frozen one (None: the first of which a day arrived) still waits for.

    None where no day ever arrived.
    """
    first = rules.after(last) if last else days.first(connection)
    if first is None:
        return None
    month = first.replace(day=1)
    end, today = rules.after(month), clock.local_date(now, zone)
    gone = days.missing(connection, since=month, until=min(end, today), known_until=now)
    return Awaited(month, gone, max(0, (end - max(month, today)).days), end + dt.timedelta(days=settling_days))


def freeze(connection: sa.Connection, policy: Path, month: dt.date, *, made_by: str) -> tuple[Version, bool]:
    """The first version of a month, and whether it was made now.

    Raises StatisticsError while days are missing, which it names, or before the month has settled.
    """
    now = take_in.begin(connection)
    known = store.versions(connection, month)
    if known:
        return known[0], False
    zone = zone_of(policy)
    settled = clock.midnight(rules.after(month) + dt.timedelta(days=load_rules(policy).settling_days), zone)
    gone = days.missing(connection, since=month, until=rules.after(month), known_until=now)
    if gone:
        raise StatisticsError(
            f"{month:%Y-%m} cannot be computed: {', '.join(day.isoformat() for day in gone)} did not arrive.",
            fix="see that the provider completes these days, then let the facts of them be taken.",
            missing=len(gone),
        )
    if now < settled:
        raise StatisticsError(
            f"{month:%Y-%m} settles until {settled:%Y-%m-%d %H:%M %Z}.",
            fix="run it again then: late facts are awaited.",
        )
    arrived = store.arrived_at(connection, month)
    assert arrived is not None, "no day is missing"
    return _make(connection, policy, month, 1, max(settled, arrived), now, FROZEN, made_by), True


def restate(
    connection: sa.Connection, policy: Path, month: dt.date, *, reason: str, made_by: str
) -> tuple[Version, bool]:
    """A further version of what is known now, and whether there was anything to restate: else the last one stands.

    Raises StatisticsError for a month that was never frozen, or a reason that is no code.
    """
    now = take_in.begin(connection)
    last = _last(connection, month)
    if not ledger.CODE.fullmatch(reason) or reason == FROZEN:
        raise StatisticsError("The reason is no code.", fix="write it with small letters and hyphens: late-facts.")
    figures = _figures(connection, policy, month, now)
    if rules.digest_of(rules.text_of(figures)) == last.digest:
        return last, False
    return _make(connection, policy, month, last.version + 1, now, now, reason, made_by), True


def reproduce(connection: sa.Connection, policy: Path, month: dt.date, number: int | None = None) -> Reproduced:
    """Compute a version again from the facts that were known for it, under its own terms; entered in the ledger."""
    versions = store.versions(connection, month)
    if not versions:
        raise _never_frozen(month)
    version = next((one for one in versions if one.version == number), None) if number else versions[-1]
    if version is None:
        raise StatisticsError(f"{month:%Y-%m} has no version {number}.", fix=f"there are {len(versions)}.")
    defined, digest_of_definitions = definitions.load(policy)
    terms = Terms.model_validate_json(version.terms)
    figures = store.compute(connection, defined, terms, month, version.known_until)
    digest = rules.digest_of(rules.text_of(figures))
    facts: dict[str, ledger.JSON] = {"month": month.isoformat(), "version": version.version, "digest": digest}
    ledger.append(connection, "statistics_reproduced", {**facts, "is_same": digest == version.digest})
    differs = rules.differences(rules.figures_of(version.figures), figures)
    return Reproduced(version, digest, differs, digest_of_definitions == version.definitions)


def late_facts(connection: sa.Connection, month: dt.date) -> dict[dt.date, int]:
    """Frozen months from a year before this one on, and how many facts of theirs came, or were put right, too late."""
    return store.late_facts(connection, rules.after(month, -_COMPARED))


def _last(connection: sa.Connection, month: dt.date) -> Version:
    versions = store.versions(connection, month)
    if not versions:
        raise _never_frozen(month)
    return versions[-1]


def _never_frozen(month: dt.date) -> StatisticsError:
    return StatisticsError(f"{month:%Y-%m} was never frozen.", fix="run the job for that month first.")


def _figures(connection: sa.Connection, policy: Path, month: dt.date, known_until: dt.datetime) -> list[Figure]:
    defined, _ = definitions.load(policy)
    return store.compute(connection, defined, terms_of(policy, month), month, known_until)


def _make(
    connection: sa.Connection,
    policy: Path,
    month: dt.date,
    number: int,
    known_until: dt.datetime,
    now: dt.datetime,
    reason: str,
    made_by: str,
) -> Version:
    defined, digest_of_definitions = definitions.load(policy)
    terms = terms_of(policy, month)
    figures = store.compute(connection, defined, terms, month, known_until)
    broken = rules.broken_controls(figures, defined)
    if broken:
        raise StatisticsError(
            f"{month:%Y-%m} does not add up: {'; '.join(broken)}.",
            fix="freeze nothing, and look at the facts of the month.",
        )
    text = rules.text_of(figures)
    version = Version(
        month=month,
        version=number,
        known_until=known_until,
        made_at=now,
        reason=reason,
        made_by=made_by,
        terms=terms.model_dump_json(),
        definitions=digest_of_definitions,
        figures=text,
        digest=rules.digest_of(text),
    )
    store.add(connection, version)
    return version
