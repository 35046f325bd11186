"""The job's tasks, one function each. What they return is counts, days, digests and paths.

Every step may be repeated: facts that are known give none, a frozen month stays as it is, a report is written again.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import sqlalchemy as sa

from holdfast import clock, database
from holdfast.errors import StatisticsError
from holdfast.evidence import checkpoint, known_key
from holdfast.settings import Settings
from holdfast.suspension_facts import days, take_in, unlink
from holdfast.suspension_statistics import months, report, rules, safeguards, store
from holdfast.suspension_statistics.terms import load_rules, zone_of

Result = dict[str, Any]
_log = logging.getLogger(__name__)
JOB = "suspension-statistics"
_LOOK_BACK_MONTHS = 3


def take_facts(engine: sa.Engine, settings: Settings) -> Result:
    """Take facts from the provider's rows as they are now, note complete days, and cut old facts loose."""
    zone = zone_of(settings.policy)
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        taken = take_in.take_in(connection, key=known_key.require(connection, settings), zone=zone, now=now)
        today = clock.local_date(now, zone)
        since = _awaited_from(connection, today)
        arrived = days.arrive(connection, since=since, until=today, now=now)
        oldest = rules.after(today.replace(day=1), -load_rules(settings.policy).link_months)
        cut = unlink.unlink(connection, before=oldest, now=now)
    return {**vars(taken), "days": arrived, "months_unlinked": len(cut)}


def check_safeguards(engine: sa.Engine, settings: Settings) -> Result:
    """Look for broken safeguards; `alert` is what people are told, empty where none is broken."""
    zone = zone_of(settings.policy)
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        found = safeguards.look(connection, load_rules(settings.policy).safeguards, zone, now)
    said = safeguards.in_words(found)
    if found:
        _log.error("%s", said)
    return {"open": sum(one.open for one in found), "alert": said if found else ""}


def write_safeguards(engine: sa.Engine, settings: Settings) -> Result:
    """The list of broken safeguards that are open, for compliance."""
    zone = zone_of(settings.policy)
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        today = clock.local_date(now, zone)
        broken = safeguards.open_breaks(connection, today, zone)
    return dict(report.write_safeguards(engine, settings, broken, on=today, now=now, zone=zone))


def settled_days(engine: sa.Engine, settings: Settings) -> list[str]:
    """The days that have arrived and settled, of months that are not frozen: what the monthly run waits for."""
    zone, settling = zone_of(settings.policy), load_rules(settings.policy).settling_days
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        today = clock.local_date(now, zone)
        since = _awaited_from(connection, today)
        until = today - dt.timedelta(days=settling)
        frozen = {version.month for version in store.versions(connection)}
        gone = set(days.missing(connection, since=since, until=until, known_until=now))
    span = (since + dt.timedelta(days=n) for n in range(max(0, (until - since).days)))
    return [day.isoformat() for day in span if day not in gone and day.replace(day=1) not in frozen]


def conclude_night(engine: sa.Engine, settings: Settings) -> Result:
    """Sign what the ledger has. Green only if no day is late; raises StatisticsError otherwise, and names the days.

    A broken safeguard is no failure of the night, which has found it: people are told of it in every night it is open.
    """
    _sign(engine, settings)
    zone, settling = zone_of(settings.policy), load_rules(settings.policy).settling_days
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        today = clock.local_date(now, zone)
        since = _awaited_from(connection, today)
        gone = days.missing(connection, since=since, until=today - dt.timedelta(days=settling), known_until=now)
    if gone:
        raise StatisticsError(
            f"{len(gone)} days are late: {', '.join(day.isoformat() for day in gone)}.",
            fix="see that the provider completes them, then let facts be taken again.",
            late=len(gone),
        )
    return {"late": 0}


def freeze_month(engine: sa.Engine, settings: Settings, *, month: str | None, reason: str | None = None) -> Result:
    """Freeze a month, or with a reason restate one that is frozen. Without a month, the last that has settled.

    Raises StatisticsError where days are missing, which it names, or the month does not add up.
    """
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        first = _month(settings, month, now)
        days.arrive(connection, since=first, until=rules.after(first), now=now)
    with database.transaction(engine) as connection:
        if reason:
            version, is_new = months.restate(connection, settings.policy, first, reason=reason, made_by=JOB)
        else:
            version, is_new = months.freeze(connection, settings.policy, first, made_by=JOB)
    return {"month": f"{first:%Y-%m}", "version": version.version, "digest": version.digest, "is_new": is_new}


def reproduce_month(engine: sa.Engine, settings: Settings, *, month: str) -> Result:
    """Compute the latest version of a month again. Raises StatisticsError if its digest is another."""
    with database.transaction(engine) as connection:
        found = months.reproduce(connection, settings.policy, rules.month_of(month))
    if found.digest != found.version.digest:
        raise StatisticsError(
            f"{month} was frozen as {found.version.digest} and is now {found.digest}:"
            f" {len(found.differs)} figures differ.",
            fix="see whether the definitions or the program changed since; the frozen version stands.",
            figures=len(found.differs),
        )
    return {"month": month, "version": found.version.version, "digest": found.digest}


def write_report(engine: sa.Engine, settings: Settings, *, month: str) -> Result:
    """The report of a frozen month, in both editions."""
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
        first = rules.month_of(month)
        late = months.late_facts(connection, first)
    return report.write(engine, settings, first, late=late, now=now)


def _awaited_from(connection: sa.Connection, today: dt.date) -> dt.date:
    """The first day of the oldest month that is awaited: of the last three, or one that is not frozen since the first
    day ever arrived: a day that is missing is named for as long as it takes.
    """
    recent = rules.after(today.replace(day=1), -_LOOK_BACK_MONTHS)
    month = (days.first(connection) or recent).replace(day=1)
    frozen = {version.month for version in store.versions(connection)}
    while month < recent and month in frozen:
        month = rules.after(month)
    return min(month, recent)


def conclude_month(engine: sa.Engine, settings: Settings) -> Result:
    """Sign what the ledger has."""
    _sign(engine, settings)
    return {}


def _sign(engine: sa.Engine, settings: Settings) -> None:
    with database.transaction(engine) as connection:
        now = take_in.begin(connection)
    checkpoint.sign(engine, checkpoint.open_log(settings), now)


def _month(settings: Settings, month: str | None, now: dt.datetime) -> dt.date:
    if month:
        return rules.month_of(str(month)[:7])
    settled = clock.local_date(now, zone_of(settings.policy)) - dt.timedelta(
        days=load_rules(settings.policy).settling_days
    )
    return rules.after(settled.replace(day=1), -1)
