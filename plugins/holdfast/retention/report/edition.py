"""The ordinary edition: everything that the page and the data files show, put together once.

What may not be told is taken out here and reaches no file: page and data files see an `Edition`, never the registers'
lines of holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.enforcement import rules
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.reports.runs import Approval, Milestone, Review, Run, Seal
from holdfast.reports.verdict import Verdict
from holdfast.retention.report import figures
from holdfast.retention.report.advice import Advice, advice
from holdfast.retention.report.confidential import HeldLine, held_lines
from holdfast.retention.report.nights import missed_nights, unfinished_nights
from holdfast.retention.report.objects import ObjectLine, object_lines
from holdfast.retention.report.registers import EndedKey, Kept, PlannedRule, Registers
from holdfast.retention.report.sources import SourceLine, source_lines
from holdfast.retention.report.verdict import Case, verdict
from holdfast.settings import MAIN


@dataclass(frozen=True)
class Exempt:
    """A table without a rule, and why."""

    table: str
    reason: str
    owner: str
    review_by: dt.date
    is_overdue: bool


@dataclass(frozen=True)
class Debt:
    """Rows of a rule past their period and not acted on; the oldest as it was when the run planned."""

    line: figures.RuleLine
    overdue_days: int | None


@dataclass(frozen=True)
class Edition:
    """One run, told to those who may not know of every hold. `policy` None: not that run's policy, or unreadable."""

    run: Run
    policy: Policy | None
    written_at: dt.datetime
    verdict: Verdict
    lines: tuple[figures.RuleLine, ...]
    totals: figures.Totals
    held: tuple[HeldLine, ...]
    reviews: Mapping[str, Review]
    debts: tuple[Debt, ...]
    horizons: tuple[int, ...]
    forecast: tuple[figures.ForecastLine, ...]
    advice: tuple[Advice, ...]
    exempt: tuple[Exempt, ...]
    sources: tuple[SourceLine, ...]
    capped: tuple[PlannedRule, ...]
    approvals: tuple[Approval, ...]
    datasets: tuple[figures.DatasetLine, ...]
    held_proofs: tuple[tuple[str, bool | None], ...]
    seal: Seal | None
    course: tuple[Milestone, ...]
    missed: tuple[dt.date, ...]
    unfinished: tuple[dt.date, ...]
    shards: tuple[int, int]
    database: str = MAIN
    undo_kept: tuple[Kept, ...] = ()
    undo_ended: tuple[EndedKey, ...] = ()
    objects: tuple[ObjectLine, ...] = ()

    @property
    def has_plan(self) -> bool:
        return bool(self.lines)

    @property
    def zone(self) -> str:
        """The controller's time zone."""
        return self.policy.schedule.time_zone if self.policy else "UTC"


def compose(registers: Registers, policy: Policy | None, written_at: dt.datetime) -> Edition:
    """The edition of a run. A policy that is not the run's own describes other rules and is not used."""
    run = registers.run
    if policy is not None and policy.digest != run.policy_digest:
        policy = None
    disclosure = Disclosure.of(policy)
    lines = figures.rule_lines(registers)
    datasets = figures.dataset_lines(registers.datasets)
    totals = figures.totals(lines, registers.rules)
    sources = source_lines(registers, policy, disclosure)
    objects = object_lines(registers, policy)
    missed = missed_nights(registers.nights, run.as_of_date)
    horizons, forecast = figures.forecast_lines(
        registers.forecast, {plan.rule_id: plan.dataset for plan in registers.rules}
    )
    return Edition(
        run=run,
        policy=policy,
        written_at=written_at,
        verdict=verdict(Case(registers, totals, datasets, sources, len(missed), objects)),
        lines=tuple(lines),
        totals=totals,
        held=tuple(held_lines(disclosure, registers.held, {plan.rule_id: plan for plan in registers.rules})),
        reviews={one.hold_type: one for one in registers.reviews if one.hold_type in disclosure.nameable_types},
        debts=tuple(_debts(registers, lines, policy)),
        horizons=horizons,
        forecast=tuple(forecast),
        advice=tuple(advice(lines, run, policy, disclosure)),
        exempt=tuple(_exempt(policy, run.as_of_date)),
        sources=tuple(sources),
        capped=tuple(plan for plan in registers.rules if plan.caps_exceeded),
        approvals=registers.approvals,
        datasets=tuple(datasets),
        held_proofs=tuple((plan.rule_id, plan.held_unchanged) for plan in registers.rules if plan.held_rows),
        seal=registers.seal,
        course=registers.course,
        missed=missed,
        unfinished=unfinished_nights(registers.nights, run.as_of_date),
        undo_kept=registers.undo_kept,
        undo_ended=registers.undo_ended,
        objects=tuple(objects),
        shards=(sum(plan.finished_shards for plan in registers.rules), sum(plan.shards for plan in registers.rules)),
    )


def _debts(registers: Registers, lines: list[figures.RuleLine], policy: Policy | None) -> list[Debt]:
    """The longest overdue first."""
    found = []
    for line in lines:
        if not line.kept_late:
            continue
        days = line.oldest_overdue_days
        if policy is not None:
            days = rules.overdue_days(policy, line.rule_id, line.oldest_start, registers.run.as_of_date)
        found.append(Debt(line, days))
    return sorted(found, key=lambda debt: (-(debt.overdue_days or 0), debt.line.rule_id))


def _exempt(policy: Policy | None, as_of_date: dt.date) -> list[Exempt]:
    if policy is None:
        return []
    data_map = policy.data_map
    tables = {name: (one.reason, one.owner, one.review_by) for name, one in data_map.exemptions.items()}
    for dataset in data_map.datasets.values():
        if dataset.no_rule is not None:
            one = dataset.no_rule
            tables[dataset.table] = (one.reason, one.owner, one.review_by)
    return [
        Exempt(name, reason, owner, review_by, review_by < as_of_date)
        for name, (reason, owner, review_by) in sorted(tables.items())
    ]
