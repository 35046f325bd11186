"""The page: what the template is given, in the order in which it is read."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from holdfast.policy import wording
from holdfast.reports import charts, html
from holdfast.reports.verdict import STANDINGS
from holdfast.retention.report.advice import FIXES
from holdfast.retention.report.edition import Edition
from holdfast.retention.report.figures import DatasetLine, ForecastLine, RuleLine, known_sum

TEMPLATE = Path(__file__).with_name("report.html.j2")

SECTIONS = (
    "The verdict",
    "The night in figures",
    "Deleted or anonymised, and why",
    "Held, by whom and until when",
    "Retention debt",
    "Falling due in the next 90 days",
    "Unknown or refused, and what to do",
    "Exempt tables",
    "Sources of holds",
    "Caps and approvals",
    "Proof",
    "Nights that did not run",
    "How to read this report",
)
_RESUME = (
    "Clear the failed task in Airflow: the run goes on after its last commit. After the day has passed, the next night "
    "takes over."
)

# What became of a row: its number in a line, and colour and hatch of its piece, told apart in grey print as well.
_OUTCOMES: dict[str, tuple[Callable[[RuleLine], int], str, str]] = {
    "done": (lambda line: line.acted or 0, "#1d4b57", ""),
    "held": (lambda line: line.held, "#8fb3bb", ""),
    "planned, not done": (lambda line: line.not_acted, "#ffffff", "xxxx"),
    "refused": (lambda line: line.refused, "#c9763f", "////"),
    "waiting": (lambda line: line.waiting, "#e3d3a4", "...."),
    "unknown": (lambda line: line.unknown, "#ffffff", "||||"),
}

_SHADES = ("#1d4b57", "#7fa9b2", "#d5e2e5")


@dataclass(frozen=True)
class HeldType:
    """The rows of all rules under one type of hold. `until` None: some of it has no end."""

    hold_type: str
    is_named: bool
    authority: str
    meaning: str
    rows: int
    until: dt.date | None
    next_review: dt.date | None
    overdue_reviews: int


def html_of(edition: Edition, *, with_charts: bool = True) -> str:
    """The whole page as text. Without charts it is made in milliseconds, which the tests of its figures need."""
    order = _order(edition)
    lines = sorted(edition.lines, key=lambda line: order[line.rule_id])
    with_work = _with_work(lines)
    forecast = sorted(edition.forecast, key=lambda line: order[line.rule_id])
    standing, tone = STANDINGS[edition.verdict.standing]
    held_by_rule = {line.rule_id: [one for one in edition.held if one.rule_id == line.rule_id] for line in lines}
    context = {
        "edition": edition,
        "sections": SECTIONS,
        "words": wording,
        "standing": standing,
        "tone": tone,
        "resume": _RESUME,
        "headline": _headline(edition),
        "outcome_chart": Markup(_outcome_chart(lines)) if with_charts else "",
        "forecast_chart": Markup(_forecast_chart(edition.horizons, forecast)) if with_charts else "",
        "acted": with_work,
        "idle": [line for line in lines if line not in with_work],
        "describe": functools.partial(wording.describe, edition.policy),
        "held_types": _held_types(edition),
        "held_rules": [(line, held_by_rule[line.rule_id]) for line in lines if line.held],
        "forecast_sums": [sum(column) for column in zip(*(one.rows for one in edition.forecast), strict=True)],
        "advice": sorted(edition.advice, key=lambda one: order[one.rule_id]),
        "forecast": forecast,
        "fixes": [
            (reason, fix) for reason, fix in FIXES.items() if any(one.reason == reason for one in edition.advice)
        ],
        "advice_sum": sum(one.rows for one in edition.advice),
        "dataset_sums": _dataset_sums(edition.datasets),
        "answer": _answer,
        "unchanged": _unchanged,
    }
    return html.render(TEMPLATE, context, zone=edition.zone)


def _order(edition: Edition) -> dict[str, int]:
    """The place of each rule: as the schedule lists them, which is how its readers know them."""
    listed = list(edition.policy.schedule.rules) if edition.policy else []
    return {
        rule_id: place for place, rule_id in enumerate(dict.fromkeys([*listed, *(o.rule_id for o in edition.lines)]))
    }


def _with_work(lines: Sequence[RuleLine]) -> list[RuleLine]:
    """The rules that had something to do, and those without a count that others have: their sums need them shown."""
    counted_for_some = (
        any(line.survivors is not None for line in lines),
        any(line.late is not None for line in lines),
    )
    return [
        line
        for line in lines
        if any((line.due, line.acted, line.survivors, line.late))
        or (line.survivors is None and counted_for_some[0])
        or (line.late is None and counted_for_some[1])
    ]


def _headline(edition: Edition) -> list[tuple[str, int | None]]:
    totals = edition.totals
    kept = [
        ("Held", totals.held),
        ("Refused", totals.refused),
        ("Waiting", totals.waiting),
        ("Unknown", totals.unknown),
    ]
    if edition.run.is_dry:
        to_delete = sum(line.due for line in edition.lines if line.action == "delete")
        planned = [("Would delete", to_delete), ("Would anonymise", totals.due - to_delete)]
        return [("Planned", totals.due), *planned, *kept, ("Rules over a cap", len(edition.capped))]
    done = [("Deleted", totals.deleted), ("Anonymised", totals.anonymised)]
    return [("Planned", totals.due), *done, *kept, ("Survivors", totals.survivors)]


def _held_types(edition: Edition) -> list[HeldType]:
    """Named types by authority, as the hold matrix orders them; the others last."""
    order = list(edition.policy.holds.types) if edition.policy else []
    shown = {one.hold_type for one in edition.held}
    found = []
    for code in [*(code for code in order if code in shown), *sorted(shown.difference(order))]:
        lines = [one for one in edition.held if one.hold_type == code]
        review = edition.reviews.get(code)
        ends = [one.held_until for one in lines]
        found.append(
            HeldType(
                hold_type=code,
                is_named=lines[0].is_named,
                authority=lines[0].authority,
                meaning=edition.policy.holds.types[code].meaning if edition.policy and lines[0].is_named else "",
                rows=sum(one.held_rows for one in lines),
                until=max((end for end in ends if end is not None), default=None) if None not in ends else None,
                next_review=review.next_review if review else None,
                overdue_reviews=review.overdue_reviews if review else 0,
            )
        )
    return found


def _dataset_sums(lines: Sequence[DatasetLine]) -> list[int | None]:
    return [
        sum(line.before for line in lines),
        known_sum(line.deleted for line in lines),
        known_sum(line.arrived for line in lines),
        known_sum(line.after for line in lines),
    ]


def _outcome_chart(lines: Sequence[RuleLine]) -> str:
    """What became of the rows past their period, dataset by dataset; datasets without any are left out."""
    datasets = list(dict.fromkeys(line.dataset for line in lines if any(of(line) for of, _, _ in _OUTCOMES.values())))
    if not datasets:
        return ""
    series = [
        charts.Series(name, [sum(of(line) for line in lines if line.dataset == one) for one in datasets], colour, hatch)
        for name, (of, colour, hatch) in _OUTCOMES.items()
    ]
    return charts.stacked_bars(
        "outcomes",
        "What became of the rows past their period",
        "A bar for each dataset, divided by what became of its rows.",
        [wording.title(name) for name in datasets],
        [one for one in series if any(one.values)],
        as_shares=True,
    )


def _forecast_chart(horizons: Sequence[int], forecast: Sequence[ForecastLine]) -> str:
    """Rows falling due, each in the stretch of days in which it does."""
    if not forecast:
        return ""
    datasets = list(dict.fromkeys(one.dataset for one in forecast))
    series = []
    for place, (after, upto) in enumerate(zip((0, *horizons), horizons, strict=False)):
        rows = [(one.dataset, one.rows[place] - (one.rows[place - 1] if place else 0)) for one in forecast]
        values = [sum(number for name, number in rows if name == dataset) for dataset in datasets]
        series.append(charts.Series(f"day {after + 1} to {upto}", values, _SHADES[place % len(_SHADES)]))
    return charts.stacked_bars(
        "forecast",
        "Rows falling due",
        "A bar for each dataset, divided by when its rows fall due.",
        [wording.title(name) for name in datasets],
        series,
        as_shares=False,
    )


def _answer(fits: bool | None) -> str:
    return {True: "yes", False: "no", None: "not counted"}[fits]


def _unchanged(same: bool | None) -> str:
    return {True: "unchanged", False: "changed", None: "not compared"}[same]
