"""Suspensions: the last frozen month in figures, every version, what the next month waits for, broken safeguards.

Everybody reads what was published. What is exact, or tells of single cases, is for those who may read what is not for
publication, as it is with the reports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from holdfast import clock, queries
from holdfast.pages.access import Permission
from holdfast.pages.reports import readable
from holdfast.pages.visit import Entry, Visit, Visitor, needs
from holdfast.suspension_statistics import months, publication, rules, store
from holdfast.suspension_statistics.months import Awaited
from holdfast.suspension_statistics.report import JOB, SAFEGUARDS
from holdfast.suspension_statistics.report.page import BREAKDOWNS, HEADLINE, in_words, shown
from holdfast.suspension_statistics.safeguards import KINDS

ENTRY = Entry("Suspensions", "suspensions", "Suspensions in figures, and broken safeguards")
router = APIRouter()

VERSIONS, BREAKS = 60, 20
Place = tuple[str, str, str, str]
Numbers = Mapping[Place, int | str | None]


@router.get("/suspensions", name="suspensions", dependencies=[needs(Permission.READ)])
def suspensions(visit: Visitor) -> Response:
    """Figures of the last frozen month, versions, what is awaited, and what is broken."""
    is_internal = visit.user.may(Permission.READ_INTERNAL)
    today = clock.local_date(visit.now, visit.site.zone())
    with visit.reading() as connection:
        versions = queries.run(connection, "pages/statistics_versions", {"versions": VERSIONS}).all()
        last = versions[0].month if versions else None
        editions = _editions(connection, last, is_internal=is_internal) if last else []
        awaited = _awaited(visit, connection, last)
        now = queries.run(connection, "pages/suspensions_now").one()
        breaks = _breaks(connection, today) if is_internal else None
    reports = {(one.job, one.period, one.edition): one for one in readable(visit) if one.job in (JOB, SAFEGUARDS)}
    looked = max((one for one in reports.values() if one.job == SAFEGUARDS), key=lambda one: one.period, default=None)
    return visit.page(
        "suspensions.html.j2",
        month=last,
        editions=editions,
        tables=_tables(editions),
        shown=shown,
        in_words=in_words,
        versions=versions,
        has_more=len(versions) == VERSIONS,
        awaited=awaited,
        now=now,
        breaks=breaks,
        shown_breaks=BREAKS,
        kinds=KINDS,
        today=today,
        job=JOB,
        reports=reports,
        looked=looked,
    )


@dataclass(frozen=True)
class Printed:
    """The figures of the month as one edition has them, by their places. `version` None: there is no such edition."""

    name: str
    version: int | None
    numbers: Numbers


def _editions(connection: sa.Connection, month: dt.date, *, is_internal: bool) -> list[Printed]:
    """What was published last of a month and, for those who may read it, what is true."""
    published = [one for one in publication.published(connection, month) if one.month == month]
    if published:
        made = [Printed("Published", published[-1].version, {cell.place: cell.n for cell in published[-1].cells})]
    else:
        made = [Printed("Published", None, {})]
    if is_internal:
        latest = store.versions(connection, month)[-1]
        true = {one.place: one.n for one in rules.figures_of(latest.figures)}
        made.append(Printed("Internal", latest.version, true))
    return made


def _tables(editions: Sequence[Printed]) -> list[tuple[str, list[tuple[str, Place]]]]:
    """Title -> its rows: what each is called, and its place in every edition."""
    places = list(dict.fromkeys(place for one in editions for place in one.numbers))
    broken_down = [
        (title, [(in_words(place[3]), place) for place in places if place[:3] == cut]) for _, title, cut in BREAKDOWNS
    ]
    return [("In short", list(HEADLINE)), *((title, rows) for title, rows in broken_down if rows)] if places else []


def _awaited(visit: Visit, connection: sa.Connection, last: dt.date | None) -> Awaited | None:
    """What the next month waits for; None also while the policy on statistics cannot be read."""
    terms = visit.site.statistics()
    if terms is None:
        return None
    return months.awaited(
        connection, last=last, settling_days=terms.settling_days, zone=visit.site.zone(), now=visit.now
    )


def _breaks(connection: sa.Connection, today: dt.date) -> dict[str, list[Any]]:
    """Kind -> its oldest breaks, each with how many there are of the kind."""
    found: dict[str, list[Any]] = {}
    for row in queries.run(connection, "pages/safeguard_breaks", {"today": today, "most": BREAKS}):
        found.setdefault(row.kind, []).append(row)
    return found
