"""The figures of the report, derived from the registers: the matrix with its sums, and how the requests stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.deletion_requests.report.registers import Cell, StateCount, Sums

DECISIONS = ("erase", "anonymise", "held", "exempt", "not_held", "waiting", "unknown")
"""Every decision that the matrix knows, in the order in which they are shown."""


@dataclass(frozen=True)
class MatrixLine:
    """One dataset: its decisions of each kind, and the rows they are about.

    `rows_acted` are those erased or made anonymous, or planned to be; what waits is not among them.
    """

    dataset: str
    erase: int
    anonymise: int
    held: int
    exempt: int
    not_held: int
    waiting: int
    unknown: int
    rows_acted: int
    rows_held: int
    rows_exempt: int

    @property
    def decisions(self) -> int:
        return sum(int(getattr(self, decision)) for decision in DECISIONS)


@dataclass(frozen=True)
class Totals:
    """Sums over the matrix and the register of requests. `rows_erased` None: what was done is not settled."""

    requests: int
    decisions: int
    erase: int
    anonymise: int
    held: int
    exempt: int
    not_held: int
    waiting: int
    unknown: int
    rows_planned: int
    rows_erased: int | None
    pending: int
    partly_completed: int
    completed: int
    refused: int
    withdrawn: int
    adds_up: bool


def matrix_lines(cells: Iterable[Cell]) -> list[MatrixLine]:
    """One line for each dataset, in the order of the cells."""
    by_dataset: dict[str, list[Cell]] = {}
    for cell in cells:
        by_dataset.setdefault(cell.dataset, []).append(cell)
    return [_line(dataset, found) for dataset, found in by_dataset.items()]


def _line(dataset: str, cells: Sequence[Cell]) -> MatrixLine:
    counts = {decision: sum(one.decisions for one in cells if one.decision == decision) for decision in DECISIONS}
    return MatrixLine(
        dataset,
        **counts,
        rows_acted=sum(one.rows_acted for one in cells if one.decision in ("erase", "anonymise")),
        rows_held=sum(one.rows_held for one in cells),
        rows_exempt=sum(one.rows_exempt for one in cells),
    )


def totals(lines: Sequence[MatrixLine], states: Sequence[StateCount], sums: Sums) -> Totals:
    """The sums over all datasets and all requests."""

    def in_state(*names: str) -> int:
        return sum(one.requests for one in states if one.state in names)

    open_requests = sum(one.requests for one in states if not one.is_final)
    return Totals(
        requests=sums.whole_requests + sums.part_requests,
        decisions=sum(line.decisions for line in lines),
        **{decision: sum(int(getattr(line, decision)) for line in lines) for decision in DECISIONS},
        rows_planned=sum(line.rows_acted for line in lines),
        rows_erased=sums.erased_rows if sums.is_settled else None,
        pending=open_requests - in_state("partly_completed"),
        partly_completed=in_state("partly_completed"),
        completed=in_state("completed"),
        refused=in_state("refused"),
        withdrawn=in_state("withdrawn"),
        adds_up=adds_up(lines, sums),
    )


def adds_up(lines: Sequence[MatrixLine], sums: Sums) -> bool:
    """There are as many decisions as requests times their datasets: no request was passed over anywhere."""
    decisions = sum(line.decisions for line in lines)
    everywhere = sums.fewest_datasets == sums.most_datasets
    whole = sums.whole_requests * sums.most_datasets == sums.whole_decisions
    together = sums.whole_decisions + sums.part_decisions == decisions
    return everywhere and whole and together and sums.asked in (None, decisions)
