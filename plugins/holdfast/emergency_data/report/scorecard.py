"""What the figures of a day come to: the scorecard, what needs somebody, and the day in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from holdfast import clock
from holdfast.emergency_data.report.figures import ANSWER_DAYS, Edition
from holdfast.emergency_data.rules import RECONCILIATION
from holdfast.emergency_data.taking_in import ZONE
from holdfast.reports.html import counted, day
from holdfast.reports.verdict import is_


@dataclass(frozen=True)
class Card:
    """One line of the scorecard. `value` None: nothing to measure yet, which is not zero."""

    name: str
    meaning: str
    value: float | int | None
    unit: Literal["share", "count", "hours"] = "count"


@dataclass(frozen=True)
class Verdict:
    """`points` are what needs somebody, the worst first; without one the day is clear."""

    sentence: str
    points: tuple[str, ...]

    @property
    def is_clear(self) -> bool:
        return not self.points


def scorecard(edition: Edition) -> list[Card]:
    """The figures by which the data is judged, in the order of the harm that they show."""
    now, answers = edition.standing, edition.answers
    taken = sum(row["records"] for row in edition.left)
    first = (answers["accepted_first"] or 0) + (answers["rejected_first"] or 0)
    weeks = f"in the last {ANSWER_DAYS} days"
    calls = sum(row["calls"] for row in edition.calls)
    rejects = sum(row["rejects"] for row in edition.rejects)
    return [
        Card("calls_without_data", "999 calls without data, not mended yet", calls),
        Card("coverage", "live numbers that have a record", _share(now.get("covered"), now.get("needing")), "share"),
        Card("stale", "records of numbers that are not live", _share(now.get("stale"), now.get("told")), "share"),
        Card(
            "verified",
            "addresses checked with the customer within a year",
            _share(now.get("verified"), now.get("needing")),
            "share",
        ),
        Card("passed", "records of the day that passed every critical rule", _share(edition.released, taken), "share"),
        Card(
            "accepted_first",
            f"records accepted at the first time {weeks}",
            _share(answers["accepted_first"], first),
            "share",
        ),
        Card("mean_hours", f"hours from a change to its acceptance, mean {weeks}", answers["mean_hours"], "hours"),
        Card("late_hours", f"hours in which 95 of 100 changes were accepted {weeks}", answers["late_hours"], "hours"),
        Card("rejects", "records that the authority rejected, not accepted since", rejects),
        Card("quarantine", "records in quarantine", edition.quarantined["records"]),
        Card("late_answers", "records without an answer in time", edition.gaps_of("W507")),
        Card("exceptions", "accepted exceptions in force", len(edition.exceptions)),
    ]


def verdict(edition: Edition) -> Verdict:
    """What needs somebody. A dated 'all clear' if nothing does."""
    points = tuple(_points(edition))
    came = counted(len(edition.extracts), "extract")
    left = f"{edition.released:,} of {edition.records:,} records left"
    if not points:
        return Verdict(f"All clear on {day(edition.day)}: {came} came, {left}, and nothing needs anybody.", points)
    need = "1 matter needs" if len(points) == 1 else f"{len(points)} matters need"
    return Verdict(f"On {day(edition.day)} {came} came, {left}, and {need} somebody.", points)


def _points(edition: Edition) -> Iterator[str]:
    calls = sum(row["calls"] for row in edition.calls)
    if calls:
        made = "was made from a number" if calls == 1 else "were made from numbers"
        yield f"{counted(calls, 'call')} to 999 {made} without data, and the data is not there yet."
    if not edition.extracts:
        yield "No extract came on this day."
    for state, one, many in (
        ("refused", "was refused", "were refused"),
        ("waiting", "waits for a person", "wait for a person"),
        ("declined", "was declined by a person", "were declined by a person"),
    ):
        number = sum(row["state"] == state for row in edition.extracts)
        if number:
            yield f"{counted(number, 'file')} {one if number == 1 else many}."
    undelivered = sum(row["state"] == "released" for row in edition.extracts)
    if undelivered:
        yield f"{counted(undelivered, 'released file')} {is_(undelivered)} not delivered."
    if edition.quarantined["records"]:
        number, oldest = edition.quarantined["records"], clock.local_date(edition.quarantined["oldest"], ZONE)
        yield f"{counted(number, 'record')} {is_(number)} in quarantine, the oldest since {day(oldest)}."
    if not edition.standing:
        yield "Records and inventory were not compared."
    for row in edition.gaps:
        yield f"{row['gaps']:,} × {row['rule_id']}: {RECONCILIATION[row['rule_id']]}"


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
