"""The ordinary edition: everything that the page and the data files show, put together once.

What may not be told is taken out here and reaches no file: page and data files see an `Edition`, never the registers.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.deletion_requests.break_kinds import MEANINGS
from holdfast.deletion_requests.breaks import OTHERS, Break
from holdfast.deletion_requests.outbox import Ageing
from holdfast.deletion_requests.report import figures, words
from holdfast.deletion_requests.report.due import Deadlines
from holdfast.deletion_requests.report.registers import (
    Keeper,
    OpenReason,
    Registers,
    Rest,
    StateCount,
    Sums,
    Week,
    Work,
)
from holdfast.deletion_requests.report.verdict import Case, verdict
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.reports.runs import Approval, Milestone, Review, Run, Seal
from holdfast.reports.verdict import Verdict


@dataclass(frozen=True)
class BreakLine:
    """A break as it may be shown. `count` None, and no numbers: they may tell of a hold that must not be disclosed."""

    kind: str
    is_incident: bool
    about: str | None
    count: int | None
    counts: str
    what: str
    fix: str
    requests: tuple[int, ...]
    holds: tuple[int, ...]


@dataclass(frozen=True)
class Blocker:
    """A type of hold, or all that may not be named as one, and the requests of which it keeps something.

    `until` and `review` are None for the others; so is `authority` where the policy does not say.
    """

    hold_type: str
    is_named: bool
    authority: str | None
    meaning: str
    requests: int
    alone: int
    decisions: int
    oldest_received_on: dt.date
    until: dt.date | None
    is_open: bool
    review: Review | None


@dataclass(frozen=True)
class Kept:
    """What stays in one dataset, and each thing that keeps some of it."""

    rest: Rest
    keepers: tuple[Keeper, ...]


@dataclass(frozen=True)
class Edition:
    """One night, told to those who may not know of every hold.

    `policy` None: not that run's policy, or unreadable; then there are no `deadlines` either. `breaks` None: nobody
    looked.
    """

    run: Run
    policy: Policy | None
    zone: str
    written_at: dt.datetime
    verdict: Verdict
    totals: figures.Totals
    states: tuple[StateCount, ...]
    matrix: tuple[figures.MatrixLine, ...]
    sums: Sums
    open_reasons: tuple[OpenReason, ...]
    refused_sources: tuple[str, ...]
    deadlines: Deadlines | None
    blockers: tuple[Blocker, ...]
    exempt: tuple[Keeper, ...]
    kept: tuple[Kept, ...]
    recipients: tuple[Ageing, ...]
    breaks: tuple[BreakLine, ...] | None
    weeks: tuple[Week, ...]
    work: Work
    approvals: tuple[Approval, ...]
    seal: Seal | None
    course: tuple[Milestone, ...]


@dataclass(frozen=True)
class Given:
    """What an edition is made from, beside the registers. `staff` gives the pseudonym of whoever approved."""

    policy: Policy | None
    zone: str
    deadlines: Deadlines | None
    written_at: dt.datetime
    staff: Callable[[str], str]


def compose(registers: Registers, given: Given) -> Edition:
    """The edition of a run."""
    disclosure = Disclosure.of(given.policy)
    matrix = figures.matrix_lines(registers.cells)
    totals = figures.totals(matrix, registers.states, registers.sums)
    breaks = None if registers.breaks is None else tuple(_break(one) for one in registers.breaks)
    refused = tuple(sorted({disclosure.source_name(one) for one in registers.run.refused_sources}))
    return Edition(
        run=registers.run,
        policy=given.policy,
        zone=given.zone,
        written_at=given.written_at,
        verdict=verdict(Case(registers, totals, given.deadlines, refused)),
        totals=totals,
        states=registers.states,
        matrix=tuple(matrix),
        sums=registers.sums,
        open_reasons=registers.open_reasons,
        refused_sources=refused,
        deadlines=given.deadlines,
        blockers=tuple(_blockers(registers, given.policy, disclosure)),
        exempt=tuple(one for one in registers.keepers if one.dataset is None and _is_rule(one)),
        kept=tuple(_kept(registers.rest, registers.keepers)),
        recipients=registers.recipients,
        breaks=breaks,
        weeks=registers.weeks,
        work=registers.work,
        approvals=tuple(
            dataclasses.replace(one, decided_by=given.staff(one.decided_by)) for one in registers.approvals
        ),
        seal=registers.seal,
        course=registers.course,
    )


def _break(one: Break) -> BreakLine:
    meaning = MEANINGS[one.kind]
    return BreakLine(
        kind=one.kind.value,
        is_incident=one.is_incident,
        about=words.keeper(one.about) or None,
        count=one.count if one.may_be_counted else None,
        counts=str(meaning.counted),
        what=meaning.what,
        fix=meaning.fix,
        requests=one.requests if one.may_be_counted else (),
        holds=one.holds if one.may_be_counted else (),
    )


def _blockers(registers: Registers, policy: Policy | None, disclosure: Disclosure) -> list[Blocker]:
    """Those that block the most requests first."""
    reviews: Mapping[str, Review] = {one.hold_type: one for one in registers.reviews}
    found = []
    for one in registers.keepers:
        if one.dataset is not None or not one.is_hold:
            continue
        kind = policy.holds.types.get(one.keeper) if policy else None
        is_named = one.keeper != OTHERS
        found.append(
            Blocker(
                hold_type=words.keeper(one.keeper),
                is_named=is_named,
                authority=kind.authority.value if kind else disclosure.other_authorities,
                meaning=kind.meaning if kind else "",
                requests=one.requests,
                alone=one.alone,
                decisions=one.decisions,
                oldest_received_on=one.oldest_received_on,
                until=one.until if is_named else None,
                is_open=is_named and one.ends_open > 0,
                review=reviews.get(one.keeper) if is_named else None,
            )
        )
    return sorted(found, key=lambda one: (-one.requests, not one.is_named, one.hold_type))


def _is_rule(one: Keeper) -> bool:
    return not one.is_hold and one.keeper not in words.WAITS


def _kept(rest: Sequence[Rest], keepers: Sequence[Keeper]) -> list[Kept]:
    return [Kept(one, tuple(keeper for keeper in keepers if keeper.dataset == one.dataset)) for one in rest]
