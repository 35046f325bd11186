"""The figures of a report, derived from the registers: for each rule, for each dataset, and their sums.

A sum over anything that was not counted is not counted either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.retention.report.registers import DatasetCount, Forecast, PlannedRule, Registers


@dataclass(frozen=True)
class RuleLine:
    """One rule's rows, by what became of them. `acted` is None in a dry run, which acts on nothing.

    `oldest_start` is the earliest start day of all rows past their period, held ones included.
    """

    rule_id: str
    dataset: str
    action: str
    due: int
    acted: int | None
    survivors: int | None
    late: int | None
    held: int
    refused: int
    waiting: int
    unknown: int
    oldest_start: dt.date | None
    oldest_overdue_days: int | None
    kept_since: dt.date | None

    @property
    def deleted(self) -> int | None:
        return self.acted if self.action == "delete" else 0

    @property
    def anonymised(self) -> int | None:
        return self.acted if self.action == "anonymise" else 0

    @property
    def not_acted(self) -> int:
        """Planned and not done: still to do, or held since the plan was made."""
        return max(self.due - (self.acted or 0), 0)

    @property
    def kept_late(self) -> int:
        """Past the period when the run planned, and not acted on: the retention debt."""
        return self.not_acted + self.held + self.refused + self.waiting


@dataclass(frozen=True)
class Totals:
    """Sums over rules. `datasets` and `rows` are what the run looked at, each row once."""

    rules: int
    datasets: int
    rows: int
    due: int
    acted: int | None
    deleted: int | None
    anonymised: int | None
    survivors: int | None
    late: int | None
    held: int
    refused: int
    waiting: int
    unknown: int
    not_acted: int
    kept_late: int


@dataclass(frozen=True)
class DatasetLine:
    """Before and after for one dataset: before - deleted + arrived = after."""

    dataset: str
    before: int
    deleted: int | None
    after: int | None
    arrived_versions: int | None
    sample_rows: int
    sample_unchanged: bool | None

    @property
    def arrived(self) -> int | None:
        """Rows that came meanwhile, those that went again included; below zero means that rows are missing."""
        if self.deleted is None or self.after is None:
            return None
        return self.after - self.before + self.deleted

    @property
    def balances(self) -> bool | None:
        """No row is missing, and there are no more than were there or written since the plan."""
        if self.arrived is None or self.after is None or self.arrived_versions is None:
            return None
        return self.arrived >= 0 and self.after <= self.before + self.arrived_versions


@dataclass(frozen=True)
class ForecastLine:
    """Rows of one rule that fall due within each horizon (in days, ascending), before holds."""

    rule_id: str
    dataset: str
    rows: tuple[int, ...]


def rule_lines(registers: Registers) -> list[RuleLine]:
    """One line for each rule of the plan, in the order of the registers."""
    kept_since = dict(registers.kept_since)
    return [
        RuleLine(
            rule_id=plan.rule_id,
            dataset=plan.dataset,
            action=plan.action,
            due=plan.due_rows,
            acted=None if registers.run.is_dry else plan.acted_rows,
            survivors=plan.survivors,
            late=plan.late_rows,
            held=plan.held_rows,
            refused=plan.refused_rows,
            waiting=plan.waiting_rows,
            unknown=plan.unknown_rows,
            oldest_start=plan.oldest_due,
            oldest_overdue_days=plan.oldest_overdue_days,
            kept_since=kept_since.get(plan.rule_id),
        )
        for plan in registers.rules
    ]


def totals(lines: Sequence[RuleLine], plans: Iterable[PlannedRule]) -> Totals:
    """The sums over all rules. Rules of one dataset look at the same rows, which count once."""
    rows_of = {plan.dataset: plan.total_rows for plan in plans}
    return Totals(
        rules=len(lines),
        datasets=len(rows_of),
        rows=sum(rows_of.values()),
        due=sum(line.due for line in lines),
        acted=known_sum(line.acted for line in lines),
        deleted=known_sum(line.deleted for line in lines),
        anonymised=known_sum(line.anonymised for line in lines),
        survivors=known_sum(line.survivors for line in lines),
        late=known_sum(line.late for line in lines),
        held=sum(line.held for line in lines),
        refused=sum(line.refused for line in lines),
        waiting=sum(line.waiting for line in lines),
        unknown=sum(line.unknown for line in lines),
        not_acted=sum(line.not_acted for line in lines),
        kept_late=sum(line.kept_late for line in lines),
    )


def dataset_lines(counts: Iterable[DatasetCount]) -> list[DatasetLine]:
    return [
        DatasetLine(
            dataset=count.dataset,
            before=count.before_rows,
            deleted=count.deleted_rows,
            after=count.after_rows,
            arrived_versions=count.arrived_versions,
            sample_rows=count.sample_rows,
            sample_unchanged=count.sample_unchanged,
        )
        for count in counts
    ]


def forecast_lines(
    forecast: Sequence[Forecast], dataset_of: Mapping[str, str]
) -> tuple[tuple[int, ...], list[ForecastLine]]:
    """The horizons, and one line for each rule that has something falling due within the longest."""
    horizons = tuple(sorted({one.within_days for one in forecast}))
    rows = {(one.rule_id, one.within_days): one.rows_due for one in forecast}
    lines = [
        ForecastLine(rule_id, dataset_of[rule_id], tuple(rows.get((rule_id, days), 0) for days in horizons))
        for rule_id in sorted({one.rule_id for one in forecast})
    ]
    return horizons, [line for line in lines if any(line.rows)]


def known_sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
