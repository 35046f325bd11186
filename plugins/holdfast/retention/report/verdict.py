"""The verdict: one sentence that says whether tonight's promises were kept, and what stands in the way of 'yes'.

'Every promise kept tonight' is said only of a run that is verified and sealed and left nothing past its period but what
a hold keeps. Everything else is named. A hold keeps a promise; a stale source, a waiting row or an unknown start does
not.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.reports.html import counted
from holdfast.retention.report.figures import DatasetLine, Totals
from holdfast.retention.report.registers import Registers

_DONE = ("verified", "sealed")


class Standing(enum.StrEnum):
    """How the night went, from best to worst; a dry run has no standing of that kind."""

    KEPT = "kept"
    PARTLY = "partly"
    UNFINISHED = "unfinished"
    REFUSED = "refused"
    FAILED = "failed"
    DRY_RUN = "dry-run"


@dataclass(frozen=True)
class Verdict:
    """`sentence` is the verdict; `points` say what was not kept, `notes` what a reader should know besides."""

    standing: Standing
    sentence: str
    points: tuple[str, ...]
    notes: tuple[str, ...]


def verdict(registers: Registers, totals: Totals, datasets: list[DatasetLine], missed: int) -> Verdict:
    """Judge the run by the registers alone. `missed` is the number of nights without a run before this one."""
    points = tuple(_points(registers, totals))
    standing = _standing(registers, totals, datasets, points)
    sentence = {
        Standing.KEPT: lambda: f"Every promise kept tonight: {_deeds(totals)}, and the run is verified and sealed.",
        Standing.PARTLY: lambda: (
            f"Kept in part: {_deeds(totals)}, verified and sealed, but not all that was past its "
            "period could be acted on, or not all could be judged."
        ),
        Standing.UNFINISHED: lambda: _unfinished(registers, totals),
        Standing.REFUSED: lambda: _refused(registers),
        Standing.FAILED: lambda: _failed(totals, datasets),
        Standing.DRY_RUN: lambda: _dry(registers, totals),
    }[standing]()
    return Verdict(standing, sentence, points, tuple(_notes(registers, totals, missed)))


def _standing(registers: Registers, totals: Totals, datasets: list[DatasetLine], points: tuple[str, ...]) -> Standing:
    state = registers.run.state
    if registers.run.is_dry:
        return Standing.DRY_RUN
    if totals.survivors or _proof_broken(registers, datasets) or (_ended_badly(registers) and state not in _DONE):
        return Standing.FAILED
    if state == "refused":
        return Standing.REFUSED
    if state != "sealed" or registers.seal is None or totals.survivors is None:
        return Standing.UNFINISHED
    return Standing.PARTLY if points else Standing.KEPT


def _proof_broken(registers: Registers, datasets: list[DatasetLine]) -> bool:
    compared = [one.held_unchanged for one in registers.rules] + [one.sample_unchanged for one in registers.datasets]
    return False in compared or any(line.balances is False for line in datasets)


def _ended_badly(registers: Registers) -> bool:
    return registers.has("verification_failed") or registers.has("run_failed")


def _points(registers: Registers, totals: Totals) -> Iterator[str]:
    if totals.refused:
        sources = len(registers.run.refused_sources)
        yield (
            f"{_rows(totals.refused)} past the period {_were(totals.refused)} refused: "
            f"{counted(sources, 'source')} of holds could not be believed."
        )
    if totals.waiting:
        kept = f"{_rows(totals.waiting)} past the period {_were(totals.waiting)} kept"
        yield f"{kept}, because rows that stay refer to them."
    if totals.unknown:
        yield f"Of {_rows(totals.unknown)} nobody can say whether the period is over; none was touched."
    if totals.late:
        yield f"{_rows(totals.late)} became due after the plan was made, and are left to the next night."
    if not registers.run.is_dry and _over_cap(registers) and not _decisions(registers):
        yield f"The plan is over its caps for {counted(_over_cap(registers), 'rule')} and waits for a person."


def _notes(registers: Registers, totals: Totals, missed: int) -> Iterator[str]:
    if registers.run.is_dry and _over_cap(registers):
        yield f"The plan is over its caps for {counted(_over_cap(registers), 'rule')}: it would wait for a person."
    if "approved" in _decisions(registers):
        yield f"The plan was over its caps for {counted(_over_cap(registers), 'rule')}, and a person approved it."
    if totals.survivors == 0 and totals.not_acted:
        yield f"{_rows(totals.not_acted)} of the plan came under a hold, or went, before their turn."
    if missed:
        yield f"{counted(missed, 'night')} before this one had no run; what fell due then is part of tonight's plan."


def _unfinished(registers: Registers, totals: Totals) -> str:
    match registers.run.state:
        case "open":
            return "Not finished: the run did not get as far as a plan. Nothing was counted, and nothing was touched."
        case "planned":
            return f"Not finished: {_rows(totals.due)} are planned, and none of them was touched."
        case "superseded":
            return f"Not finished: another run has taken this one's place. Until then, {_deeds(totals)}."
        case "verified":
            return f"Not finished: {_deeds(totals)} and verified, but the run is not sealed."
        case "sealed":
            return f"Not finished: the run is sealed without a verification. The registers say that {_deeds(totals)}."
    return f"Not finished: {_deeds(totals)} of {_rows(totals.due)} planned, and none of it is verified yet."


def _refused(registers: Registers) -> str:
    decisions = _decisions(registers)
    if "refused" in decisions:
        return "Refused: the plan was over its caps, and a person refused it. Nothing was touched."
    if "expired" in decisions:
        return "Refused: the plan was over its caps, and nobody answered in time. Nothing was touched."
    return "Refused: the run was not allowed to act. Nothing was touched."


def _failed(totals: Totals, datasets: list[DatasetLine]) -> str:
    if totals.survivors:
        return f"Failed: {_rows(totals.survivors)} that should be gone are still there."
    broken = [line.dataset for line in datasets if line.balances is False]
    if broken:
        return f"Failed: the rows of {counted(len(broken), 'dataset')} do not add up."
    return f"Failed: the run ended before its work was done and proven. The registers say that {_deeds(totals)}."


def _dry(registers: Registers, totals: Totals) -> str:
    if registers.run.state == "open":
        return "Dry run: it did not get as far as a plan."
    delete = sum(one.due_rows for one in registers.rules if one.action == "delete")
    return (
        f"Dry run, nothing was touched: a run on this night would delete {_rows(delete)}, anonymise "
        f"{_rows(totals.due - delete)} and keep {_rows(totals.held)} under a hold."
    )


def _deeds(totals: Totals) -> str:
    if not totals.due and not totals.acted:
        return "nothing was due"
    return (
        f"{_rows(totals.deleted or 0)} {_were(totals.deleted or 0)} deleted and {totals.anonymised or 0:,} anonymised"
    )


def _decisions(registers: Registers) -> set[str]:
    """The answers to this very plan; one to another plan counts for nothing."""
    return {one.decision for one in registers.approvals if one.plan_digest == registers.run.plan_digest}


def _over_cap(registers: Registers) -> int:
    return sum(1 for one in registers.rules if one.caps_exceeded)


def _rows(count: int) -> str:
    return counted(count, "row")


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
