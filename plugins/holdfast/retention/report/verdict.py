"""The verdict: one sentence that says whether tonight's promises were kept, and what stands in the way of 'yes'.

'Every promise kept tonight' is said only of a run that is verified and sealed and left nothing past its period but what
a hold keeps. Everything else is named. A hold keeps a promise; a stale source, a waiting row or an unknown start does
not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.reports.html import counted
from holdfast.reports.verdict import Standing, Verdict, capital, is_, rows, was
from holdfast.retention.report.figures import DatasetLine, Totals
from holdfast.retention.report.objects import ObjectLine
from holdfast.retention.report.registers import Registers
from holdfast.retention.report.sources import SourceLine

_PROVEN = ("verified", "sealed")


@dataclass(frozen=True)
class Case:
    """All that is judged. `missed` is the number of nights without a run before this one."""

    registers: Registers
    totals: Totals
    datasets: Sequence[DatasetLine]
    sources: Sequence[SourceLine]
    missed: int
    objects: Sequence[ObjectLine] = ()

    @property
    def state(self) -> str:
        return self.registers.run.state

    @property
    def decisions(self) -> set[str]:
        """The answers to this very plan; one to another plan counts for nothing."""
        run = self.registers.run
        return {one.decision for one in self.registers.approvals if one.plan_digest == run.plan_digest}

    @property
    def over_cap(self) -> int:
        return sum(1 for one in self.registers.rules if one.caps_exceeded)

    @property
    def changed(self) -> bool:
        """Rows that were to stay as they are were not found so."""
        held = any(one.held_unchanged is False for one in self.registers.rules)
        return held or any(one.sample_unchanged is False for one in self.datasets)

    @property
    def outstayed(self) -> int:
        """Rows whose undo window is over, kept on because nobody can say whether a hold wants them."""
        return sum(one.kept_rows for one in self.registers.undo_kept if one.why == "unknown")

    @property
    def deeds(self) -> str:
        deleted, anonymised = self.totals.deleted or 0, self.totals.anonymised or 0
        if not self.totals.due and not deleted and not anonymised:
            return "nothing was due"
        return f"{rows(deleted)} {was(deleted)} deleted and {anonymised:,} anonymised"


def verdict(case: Case) -> Verdict:
    """Judge the run by the registers alone."""
    points = tuple(_points(case))
    standing = _standing(case, points)
    return Verdict(standing, _SENTENCES[standing](case), points, tuple(_notes(case)))


def _standing(case: Case, points: tuple[str, ...]) -> Standing:
    if case.registers.run.is_dry:
        return Standing.DRY_RUN
    if _failed(case):
        return Standing.FAILED
    if case.state == "refused" or (case.state == "planned" and "expired" in case.decisions):
        return Standing.REFUSED
    if case.state != "sealed" or case.registers.seal is None or case.totals.survivors is None:
        return Standing.UNFINISHED
    return Standing.PARTLY if points else Standing.KEPT


def _failed(case: Case) -> bool:
    broken = case.changed or any(line.balances is False for line in case.datasets)
    ended_badly = case.registers.has("verification_failed") or case.registers.has("run_failed")
    # A later attempt of the same run may have passed what an earlier one had failed.
    return bool(case.totals.survivors) or broken or (ended_badly and case.state not in _PROVEN)


def _points(case: Case) -> Iterator[str]:
    totals = case.totals
    distrusted = ", ".join(f"{one.name} ({one.status})" for one in case.sources if one.was_refused)
    if totals.refused:
        refused = f"{rows(totals.refused)} past the period {was(totals.refused)} refused"
        yield f"{refused}, because a source of holds could not be believed: {distrusted}."
    elif distrusted and case.registers.rules:
        yield f"A source of holds could not be believed, and nothing that it could protect was due: {distrusted}."
    if totals.waiting:
        kept = f"{rows(totals.waiting)} past the period {was(totals.waiting)} kept"
        yield f"{kept}, because rows that stay refer to them or their facts were not taken."
    if totals.unknown:
        yield f"Of {rows(totals.unknown)} nobody can say whether the period is over; none was touched."
    if totals.late:
        yield f"{rows(totals.late)} became due after the plan, and {is_(totals.late)} left to the next night."
    if case.outstayed:
        still = f"{rows(case.outstayed)} whose undo window is over {is_(case.outstayed)} still kept encrypted"
        yield f"{still}, because nobody can say whether a hold wants them."
    yield from _of_objects(case.objects)
    if case.over_cap and not case.decisions and not case.registers.run.is_dry:
        yield f"The plan is over its caps for {counted(case.over_cap, 'rule')} and waits for a person."


def _of_objects(lines: Sequence[ObjectLine]) -> Iterator[str]:
    for one in lines:
        if one.without_row:
            has, it = ("has", "it") if one.without_row == 1 else ("have", "them")
            lie = f"{counted(one.without_row, 'object')} in the folders of {one.dataset}"
            yield f"{lie} {has} no row, so no rule will ever delete {it}."
        elif one.is_missing:
            yield f"Nobody can say which objects in the folders of {one.dataset} have no row ({one.why})."


def _notes(case: Case) -> Iterator[str]:
    over_cap = counted(case.over_cap, "rule")
    if case.over_cap and case.registers.run.is_dry:
        yield f"The plan is over its caps for {over_cap}: it would wait for a person."
    if "approved" in case.decisions:
        yield f"The plan was over its caps for {over_cap}, and a person approved it."
    if case.totals.survivors == 0 and case.totals.not_acted:
        yield f"{rows(case.totals.not_acted)} of the plan came under a hold, or went, before their turn."
    if case.missed:
        nights = counted(case.missed, "night")
        yield f"{nights} before this one had no run; what fell due then is part of tonight's plan."


def _kept_sentence(case: Case) -> str:
    return f"Every promise kept tonight: {case.deeds}, and the run is verified and sealed."


def _partly_sentence(case: Case) -> str:
    totals = case.totals
    reservations = []
    if totals.refused or totals.waiting or totals.late:
        reservations.append("not all that was past its period could be acted on")
    if totals.unknown:
        reservations.append("not every row could be judged")
    if case.outstayed:
        reservations.append("not every undo window that is over could be ended")
    if any(one.without_row or one.is_missing for one in case.objects):
        reservations.append("not every object in a store is known to have a row")
    but = " and ".join(reservations) or "a source of holds could not be believed"
    return f"{capital(case.deeds)}, verified and sealed; but {but}."


def _unfinished_sentence(case: Case) -> str:
    due = case.totals.due
    match case.state:
        case "open":
            return "The run did not get as far as a plan. Nothing was counted, and nothing was touched."
        case "planned":
            return f"{rows(due)} {is_(due)} planned, and nothing was touched."
        case "superseded":
            return f"A later run has taken this one's place. Until then, {case.deeds}."
        case "verified":
            return f"{capital(case.deeds)}, and that is verified, but the run is not sealed."
        case "sealed":
            return f"The run is sealed without a verification. The registers say that {case.deeds}."
    return f"{capital(case.deeds)}, of {rows(due)} planned, and nothing is verified yet."


def _refused_sentence(case: Case) -> str:
    if "refused" in case.decisions:
        return "The plan was over its caps, and a person refused it. Nothing was touched."
    if "expired" in case.decisions:
        return "The plan was over its caps, and nobody answered in time. Nothing was touched."
    return "The run was not allowed to act. Nothing was touched."


def _failed_sentence(case: Case) -> str:
    survivors = case.totals.survivors
    if survivors:
        return f"{rows(survivors)} that should be gone {is_(survivors)} still there."
    unbalanced = sum(1 for line in case.datasets if line.balances is False)
    if unbalanced:
        return f"The rows of {counted(unbalanced, 'dataset')} do not add up."
    if case.changed:
        return "Rows that were to stay as they are have changed."
    return f"The run ended before its work was done and proven. The registers say that {case.deeds}."


def _dry_sentence(case: Case) -> str:
    if case.state == "open":
        return "The dry run did not get as far as a plan."
    delete = sum(one.due_rows for one in case.registers.rules if one.action == "delete")
    anonymise = case.totals.due - delete
    return (
        f"Nothing was touched. A run on this night would delete {rows(delete)} and anonymise {anonymise:,}; "
        f"{rows(case.totals.held)} {is_(case.totals.held)} kept by a hold."
    )


_SENTENCES = {
    Standing.KEPT: _kept_sentence,
    Standing.PARTLY: _partly_sentence,
    Standing.UNFINISHED: _unfinished_sentence,
    Standing.REFUSED: _refused_sentence,
    Standing.FAILED: _failed_sentence,
    Standing.DRY_RUN: _dry_sentence,
}
