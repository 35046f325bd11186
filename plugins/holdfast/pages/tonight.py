"""Is every promise kept tonight? One line for each job, judged by its last report and the registers. Pure.

'Kept' is said only of a job whose last report is tonight's and says so itself. An old report, however good, says
nothing of tonight; neither does none.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from holdfast.pages.jobs import Job
from holdfast.reports.html import counted, short_day
from holdfast.run_history.rules import KINDS

ENDED_BY_HOUR = 8
"""A night that has not been reported by eight in the morning, local time, is missing; before, the last one counts."""


class Standing(enum.StrEnum):
    """What can be said of a promise tonight."""

    KEPT = "kept"
    PARTLY = "not all of it"
    BROKEN = "not kept"
    SILENT = "nobody can say"


TONES = {Standing.KEPT: "good", Standing.PARTLY: "warn", Standing.BROKEN: "bad", Standing.SILENT: "bad"}


@dataclass(frozen=True)
class LastRun:
    """The last run of a job in the register."""

    run_id: int
    as_of_date: dt.date
    state: str


@dataclass(frozen=True)
class Suspensions:
    """How far the facts have come, and what is broken."""

    last_day: dt.date | None
    last_month: dt.date | None
    open_breaks: int
    oldest_break: dt.date | None


@dataclass(frozen=True)
class Night:
    """What is judged: of each job (by shelf) the period and data of its last report, and of each the last run.

    `disagreements`: the kinds of those that the watchdog found and nobody explained, each as often as it is there.
    """

    reports: Mapping[str, tuple[str, Mapping[str, Any]]]
    runs: Mapping[str, LastRun]
    suspensions: Suspensions
    disagreements: tuple[str, ...]
    expected: dt.date
    expected_month: dt.date | None


@dataclass(frozen=True)
class Line:
    """One job: `debt` is what it owes, `deadlines` what is due when, `alerts` what needs somebody."""

    job: Job
    standing: Standing
    sentence: str
    period: str | None
    debt: tuple[str, ...]
    deadlines: tuple[str, ...]
    alerts: tuple[str, ...]

    @property
    def tone(self) -> str:
        return TONES[self.standing]


def expected_night(now: dt.datetime, zone: str) -> dt.date:
    """The last night that must have been reported by now."""
    local = now.astimezone(ZoneInfo(zone))
    return local.date() if local.hour >= ENDED_BY_HOUR else local.date() - dt.timedelta(days=1)


def lines(jobs: Sequence[Job], night: Night) -> list[Line]:
    """One for each job, in order."""
    return [_line(job, night) for job in jobs]


def _line(job: Job, night: Night) -> Line:
    if job.shelf == "suspension_safeguards":
        return _safeguards(job, night)
    if job.shelf == "evidence_nightly":
        return _evidence(job, night)
    if job.is_monthly:
        return _statistics(job, night)
    return _nightly(job, night)


def _nightly(job: Job, night: Night) -> Line:
    found = night.reports.get(job.shelf)
    alerts = list(_of_run(night.runs.get(job.runs_as or ""), found))
    if found is None:
        return Line(job, Standing.SILENT, "It has not reported yet.", None, (), (), tuple(alerts))
    period, data = found
    verdict = data.get("verdict") or {}
    alerts += [*verdict.get("points", ()), *verdict.get("notes", ()), *_sources(data)]
    standing, sentence = _standing(verdict), str(verdict.get("sentence", "Its report has no verdict."))
    if dt.date.fromisoformat(period[:10]) < night.expected:
        standing = Standing.SILENT
        sentence = f"Nothing was reported since {short_day(dt.date.fromisoformat(period[:10]))}. Then: {sentence}"
    return Line(job, standing, sentence, period, tuple(_debt(data)), tuple(_deadlines(data)), tuple(alerts))


def _standing(verdict: Mapping[str, Any]) -> Standing:
    if "clear" in verdict:
        return Standing.KEPT if verdict["clear"] else Standing.PARTLY
    return {"kept": Standing.KEPT, "partly": Standing.PARTLY}.get(verdict.get("standing", ""), Standing.BROKEN)


def tone_of(verdict: Mapping[str, Any]) -> str:
    """The colour of a report's verdict, the same on every page; a dry run has none."""
    return "" if verdict.get("standing") == "dry-run" else TONES[_standing(verdict)]


def _of_run(last: LastRun | None, found: tuple[str, Mapping[str, Any]] | None) -> Iterator[str]:
    """What the register knows that the report does not: a run that came later, or has not ended."""
    if last is None:
        return
    reported = found[1].get("run", {}).get("run_id") if found else None
    if last.run_id != reported:
        yield f"Run {last.run_id} of {short_day(last.as_of_date)} is {last.state}, and has no report."
    elif last.state not in ("sealed", found[1]["run"]["state"] if found else ""):
        yield f"Run {last.run_id} of {short_day(last.as_of_date)} is {last.state}."


def _sources(data: Mapping[str, Any]) -> Iterator[str]:
    for source in data.get("sources", ()):
        if source["status"] != "trusted":
            yield f"The source of holds {source['name']} is {source['status']}; what it could protect is kept."


def _debt(data: Mapping[str, Any]) -> Iterator[str]:
    totals = data.get("totals", {})
    for key, words in (
        ("refused", "past the period, refused"),
        ("waiting", "waiting for others"),
        ("late", "due after the plan"),
        ("unknown", "not judged"),
    ):
        if "rules" in totals and totals.get(key):
            yield f"{counted(totals[key], 'row')} {words}"
    if "requests" in totals and totals.get("pending"):
        yield f"{counted(totals['pending'], 'request')} not decided yet"
    for gap in data.get("gaps", ()):
        yield f"{counted(gap['gaps'], 'number')} with {gap['rule_id']}"
    if (data.get("quarantine") or {}).get("records"):
        yield f"{counted(data['quarantine']['records'], 'record')} in quarantine"
    rejects = sum(one.get("rejects", 0) for one in data.get("rejects", ()))
    if rejects:
        yield f"{counted(rejects, 'rejected record')} open"


def _deadlines(data: Mapping[str, Any]) -> Iterator[str]:
    levels = {one["alert"]: one["requests"] for one in (data.get("deadlines") or {}).get("levels", ())}
    for level, words in (
        ("overdue", "overdue"),
        ("within_2_days", "due in 2 days"),
        ("within_7_days", "due in 7 days"),
    ):
        if levels.get(level):
            yield f"{counted(levels[level], 'request')} {words}"


def _safeguards(job: Job, night: Night) -> Line:
    now, found = night.suspensions, night.reports.get(job.shelf)
    period = found[0] if found else None
    debt = (f"{counted(now.open_breaks, 'safeguard')} broken",) if now.open_breaks else ()
    since = (f"the oldest since {short_day(now.oldest_break)}",) if now.oldest_break else ()
    if period is None:
        return Line(job, Standing.SILENT, "Nobody has looked yet.", None, debt, since, ())
    looked = dt.date.fromisoformat(period)
    if looked < night.expected:
        sentence = f"Nobody has looked since {short_day(looked)}."
        return Line(job, Standing.SILENT, sentence, period, debt, since, ())
    if now.open_breaks:
        return Line(job, Standing.PARTLY, "Not everybody was told, or answered, in time.", period, debt, since, ())
    return Line(job, Standing.KEPT, "Everybody was told, and answered in time.", period, (), (), ())


def _evidence(job: Job, night: Night) -> Line:
    found = night.reports.get(job.shelf)
    kinds = Counter(night.disagreements)
    alerts = tuple(f"{number} x {KINDS[kind].meaning}" for kind, number in sorted(kinds.items()))
    debt = (counted(kinds.total(), "disagreement"),) if kinds else ()
    if found is None:
        return Line(job, Standing.SILENT, "Nobody has compared them yet.", None, debt, (), alerts)
    period = found[0]
    compared = dt.date.fromisoformat(period)
    if compared < night.expected:
        sentence = f"Nobody has compared them since {short_day(compared)}."
        return Line(job, Standing.SILENT, sentence, period, debt, (), alerts)
    if kinds:
        return Line(job, Standing.PARTLY, "They do not, and nobody has said why.", period, debt, (), alerts)
    return Line(job, Standing.KEPT, "They do, or somebody has said why not.", period, (), (), ())


def _statistics(job: Job, night: Night) -> Line:
    found, last = night.reports.get(job.shelf), night.suspensions.last_month
    period = found[0] if found else None
    if last is None:
        return Line(job, Standing.SILENT, "No month is frozen yet.", period, (), (), ())
    if night.expected_month is not None and last < night.expected_month:
        sentence = f"{night.expected_month:%B %Y} has settled and is not frozen; the last one is {last:%B %Y}."
        return Line(job, Standing.BROKEN, sentence, period, (), (), ())
    return Line(job, Standing.KEPT, f"{last:%B %Y} is frozen and reported.", period, (), (), ())
