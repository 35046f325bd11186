"""The verdict: one sentence that says whether tonight's promises were kept, and what stands in the way of 'yes'.

'Every promise kept tonight' is said only of a run that is verified, settled and sealed, whose matrix adds up with no
decision that could not be made, and when no deadline is missed and nothing disagrees. What a hold or a law keeps, and
what waits for a person, breaks no promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.deletion_requests.break_kinds import MEANINGS, Kind
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.report import words
from holdfast.deletion_requests.report.due import Deadlines
from holdfast.deletion_requests.report.figures import Totals
from holdfast.deletion_requests.report.registers import Registers
from holdfast.reports.html import counted
from holdfast.reports.verdict import Standing, Verdict, capital, is_, rows, waits, was

_PROVEN = ("verified", "sealed")


@dataclass(frozen=True)
class Case:
    """All that is judged. `deadlines` None: they could not be counted; `refused` names the sources, as they may be."""

    registers: Registers
    totals: Totals
    deadlines: Deadlines | None
    refused: Sequence[str]

    @property
    def state(self) -> str:
        return self.registers.run.state

    @property
    def answers(self) -> set[str]:
        """The answers to this very plan; one to another plan counts for nothing."""
        run = self.registers.run
        return {one.decision for one in self.registers.approvals if one.plan_digest == run.plan_digest}

    @property
    def incidents(self) -> list[Break]:
        return [one for one in self.registers.breaks or () if one.is_incident]

    @property
    def deeds(self) -> str:
        sums, erased = self.registers.sums, self.totals.rows_erased
        if erased is None:
            return "what was erased is not settled yet"
        if not erased:
            return "nothing was to be erased"
        return f"{rows(erased)} of {counted(sums.erased_requests, 'request')} {was(erased)} erased or made anonymous"


def verdict(case: Case) -> Verdict:
    """Judge the run by the registers alone."""
    points = tuple(_points(case))
    standing = _standing(case, points)
    return Verdict(standing, _SENTENCES[standing](case), points, tuple(_notes(case)))


def _standing(case: Case, points: tuple[str, ...]) -> Standing:
    if case.incidents:
        return Standing.INCIDENT
    if _failed(case):
        return Standing.FAILED
    if case.registers.run.is_dry:
        return Standing.DRY_RUN
    if case.state == "refused" or (case.state == "planned" and "expired" in case.answers):
        return Standing.REFUSED
    work = case.registers.work
    is_sealed = case.state == "sealed" and case.registers.seal is not None
    if not is_sealed or work.survivors is None or not case.registers.sums.is_settled:
        return Standing.UNFINISHED
    return Standing.PARTLY if points else Standing.KEPT


def _failed(case: Case) -> bool:
    work = case.registers.work
    ended_badly = case.registers.has("verification_failed") or case.registers.has("run_failed")
    # A later attempt of the same run may have passed what an earlier one had failed.
    is_broken = ended_badly and case.state not in _PROVEN
    return not case.totals.adds_up or bool(work.survivors) or work.has_changed or is_broken


def _points(case: Case) -> Iterator[str]:
    if case.deadlines is None:
        yield "The deadlines are not known: the policy cannot be read, or is not that of this run."
    elif overdue := case.deadlines.count("overdue"):
        yield f"{counted(overdue, 'request')} {is_(overdue)} past the statutory deadline without an answer."
    yield from _unknown(case)
    if case.registers.work.late:
        late = case.registers.work.late
        yield f"{rows(late)} became due after the plan, and {is_(late)} left to the next night."
    over = case.registers.work.over_cap
    if over and not case.answers and not case.registers.run.is_dry:
        yield f"The plan is over its caps for {counted(over, 'dataset')} and waits for a person."
    yield from _broken(case)


def _unknown(case: Case) -> Iterator[str]:
    unknown = {one.reason: one for one in case.registers.open_reasons if one.decision == "unknown"}
    if "source" in unknown:
        one = unknown.pop("source")
        names = ", ".join(case.refused) or "not known which"
        yield (
            f"{counted(one.decisions, 'decision')} of {counted(one.requests, 'request')} could not be made, because a "
            f"source of holds was not believed: {names}."
        )
    elif case.refused:
        names = ", ".join(case.refused)
        yield f"A source of holds was not believed, and nothing that it could protect was due: {names}."
    for reason, one in unknown.items():
        yield f"{counted(one.decisions, 'decision')} could not be made: {words.WAITS.get(reason, reason)}."


def _broken(case: Case) -> Iterator[str]:
    found = case.registers.breaks
    if found is None:
        if not case.registers.run.is_dry:
            yield "Nobody has looked for what does not agree."
        return
    for kind in Kind:
        of_kind = [one for one in found if one.kind is kind]
        # A missed deadline is told above.
        if of_kind and kind is not Kind.PAST_DEADLINE:
            yield f"{MEANINGS[kind].what.removesuffix('.')} {_how_many(kind, of_kind)}."


def _how_many(kind: Kind, breaks: Sequence[Break]) -> str:
    """How often; where it may not be told of some, only that there are more."""
    unit = MEANINGS[kind].counted
    count = sum(one.count for one in breaks if one.may_be_counted)
    told = counted(count, unit.one, unit.many)
    if all(one.may_be_counted for one in breaks):
        return f"({told})"
    return f"({told}, and others that are not counted here)" if count else "(not counted here)"


def _notes(case: Case) -> Iterator[str]:
    if case.deadlines is not None:
        yield from _of_deadlines(case.deadlines)
    for reason, what in (("approval", "approval"), ("second_approval", "a second, different person's approval")):
        waiting = sum(one.requests for one in case.registers.states if one.reason == reason)
        if waiting:
            yield f"{counted(waiting, 'request')} {waits(waiting)} for {what}."
    over = case.registers.work.over_cap
    if over and case.registers.run.is_dry:
        yield f"The plan is over its caps for {counted(over, 'dataset')}: it would wait for a person."
    if "approved" in case.answers:
        yield f"The plan was over its caps for {counted(over, 'dataset')}, and a person approved it."
    if case.registers.has("nights_missed"):
        yield "Nights before this one had no run; what they missed is part of tonight's work."


def _of_deadlines(deadlines: Deadlines) -> Iterator[str]:
    soon, ageing, target = deadlines.count(deadlines.soon), deadlines.count("ageing"), deadlines.past_target
    if soon:
        yield f"{counted(soon, 'request')} must be answered {words.alert(deadlines.soon).lower()}."
    if target:
        yield f"{counted(target, 'request')} {is_(target)} past the day by which we mean to be done."
    if ageing:
        yield f"{counted(ageing, 'request')} {waits(ageing)} for an answer that was asked for too long ago."


def _kept_sentence(case: Case) -> str:
    return f"Every promise kept tonight: every request is decided, {case.deeds}, and nothing disagrees."


def _partly_sentence(case: Case) -> str:
    return f"{capital(case.deeds)}, verified and sealed; but not everything is as it should be."


def _unfinished_sentence(case: Case) -> str:
    planned = case.totals.rows_planned
    match case.state:
        case "open":
            return "The run did not get as far as a plan. Nothing was touched."
        case "planned":
            return f"{rows(planned)} {is_(planned)} planned, and nothing was touched."
        case "superseded":
            return f"A later run has taken this one's place. Until then, {case.deeds}."
        case "verified":
            return f"The erasure is done and verified, but the run is not sealed; {case.deeds}."
        case "sealed":
            return f"The run is sealed without its requests being settled or verified; {case.deeds}."
    return f"The erasure has begun and is not finished: {rows(case.registers.work.done)} of {planned:,} so far."


def _refused_sentence(case: Case) -> str:
    if "refused" in case.answers:
        return "The plan was over its caps, and a person refused it. Nothing was touched."
    if "expired" in case.answers:
        return "The plan was over its caps, and nobody answered in time. Nothing was touched."
    return "The run was not allowed to act. Nothing was touched."


def _failed_sentence(case: Case) -> str:
    survivors = case.registers.work.survivors
    if not case.totals.adds_up:
        return "The matrix does not add up: there are not as many decisions as requests times their datasets."
    if survivors:
        return f"{rows(survivors)} that should be gone {is_(survivors)} still there."
    if case.registers.work.has_changed:
        return "Rows that a hold keeps have changed."
    return "The run ended before its work was done and proven."


def _incident_sentence(case: Case) -> str:
    return f"INCIDENT: {MEANINGS[case.incidents[0].kind].what} {MEANINGS[case.incidents[0].kind].fix}"


def _dry_sentence(case: Case) -> str:
    if not case.registers.cells:
        return "The dry run did not get as far as a matrix, or no request is open."
    pairs = counted(case.totals.decisions, "pair")
    return (
        f"Nothing was touched. A run on this night would decide {pairs} of request and dataset, and erase or make "
        f"anonymous {rows(case.totals.rows_planned)}."
    )


_SENTENCES = {
    Standing.KEPT: _kept_sentence,
    Standing.PARTLY: _partly_sentence,
    Standing.UNFINISHED: _unfinished_sentence,
    Standing.REFUSED: _refused_sentence,
    Standing.FAILED: _failed_sentence,
    Standing.INCIDENT: _incident_sentence,
    Standing.DRY_RUN: _dry_sentence,
}
