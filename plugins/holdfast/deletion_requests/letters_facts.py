"""What a letter says, as a frozen value: made from the request, the matrix as it may be told, and the policy. Pure.

A letter knows nothing but this value and the address. It holds no number of records, and nothing of a hold that may not
be named: what is told of the matrix comes from holdfast.request_told, where such a hold does not exist, and records
whose very existence may not be told are left out (docs/decisions/0008-letters.md).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from holdfast.clock import Period
from holdfast.deletion_requests import deadlines, letters_scope
from holdfast.deletion_requests.deadlines import Deadline, Moments, Terms, Waiting
from holdfast.deletion_requests.scope import Scope
from holdfast.deletion_requests.told import NEEDED, OTHERS, START
from holdfast.errors import LetterRefused
from holdfast.policy import parts
from holdfast.policy.model import Policy, Strength, Subject
from holdfast.policy.requests_model import Letters as LettersPolicy

_ELECTRONIC = frozenset(("form", "email"))


class Kind(enum.StrEnum):
    """The letters of a request, in the order in which they can be written."""

    ACKNOWLEDGEMENT = "acknowledgement"
    EXTENSION = "extension"
    OUTCOME = "outcome"
    FINAL = "final"
    REFUSAL = "refusal"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class LetterRules:
    """What the policy says of letters.

    `keep`: for how long after the request is closed. `unspoken`: datasets that no letter mentions, because that there
    is such a record of somebody may be what must not be told. `address_from`: those that addresses are taken from.
    """

    keep: Period
    unspoken: frozenset[str]
    address_from: frozenset[str]

    @classmethod
    def of(cls, policy: LettersPolicy) -> LetterRules:
        return cls(Period.parse(policy.keep), frozenset(policy.unspoken), frozenset(policy.address_from))


@dataclass(frozen=True)
class Request:
    """A request as its letters need it. `rest` and `outcome_at` are those of its outcome letter, if it has one."""

    request_id: int
    reference: str
    channel: str
    moments: Moments
    withdraw_until: dt.date | None
    extension_reason: str | None
    refusal_reason: str | None
    scope: Scope
    rest: tuple[str, ...]
    outcome_at: dt.datetime | None


@dataclass(frozen=True)
class Told:
    """What may be told of one dataset: what was done to some of it at least, and what keeps some, until when.

    `until` is None where something has no end; `review_on` is when somebody looks again at what has none.
    """

    dataset: str
    action: Literal["erase", "anonymise"] | None
    reasons: tuple[str, ...]
    until: dt.date | None
    review_on: dt.date | None = None


@dataclass(frozen=True)
class Reason:
    """Why something stays; a hold has its meaning and ground, a law its name.

    needed: what it is for has not ended. others: records that stay refer to it. start: a law keeps it, from a day that
    is still to be found out.
    """

    kind: Literal["hold", "law", "needed", "others", "start"]
    why: str = ""
    ground: str = ""


@dataclass(frozen=True)
class Kept:
    """A dataset of which something stays.

    `until` is the last day on which it must; None: no day is fixed, and `review_on` is when somebody looks at it again,
    if that is fixed.
    """

    dataset: str
    reasons: tuple[Reason, ...]
    until: dt.date | None
    review_on: dt.date | None = None


@dataclass(frozen=True)
class CategoryFacts:
    """In which datasets information of one category was erased, was made anonymous, and stays."""

    category: str
    erased: tuple[str, ...]
    anonymised: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class LetterFacts:
    """All that a letter of any kind can say; what its kind does not say is empty.

    `code` is keyed, so that nobody can make a letter that we did not write, or guess a name and try it against the
    letter's digest. `in_part`: datasets of which something went and something stays. `inseparable`: those in whose
    records something stays of a category that was asked for, because the record says nothing without it; whether there
    are any such records is not said.
    """

    kind: Kind
    reference: str
    code: str
    is_electronic: bool
    received_on: dt.date
    written_on: dt.date
    scope: Scope
    cool_off_days: int
    withdraw_until: dt.date | None = None
    waits_for: Literal["identity", "fee"] | None = None
    first_due_on: dt.date | None = None
    due_on: dt.date | None = None
    extension_reason: str | None = None
    refusal_reason: str | None = None
    categories: tuple[CategoryFacts, ...] = ()
    kept: tuple[Kept, ...] = ()
    in_part: frozenset[str] = frozenset()
    inseparable: tuple[str, ...] = ()
    outcome_on: dt.date | None = None
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """What a letter is made from. `told` is empty but for an outcome."""

    kind: Kind
    request: Request
    told: Sequence[Told]
    code: str
    written_at: dt.datetime


def facts_of(case: Case, policy: Policy, terms: Terms, rules: LetterRules) -> LetterFacts:
    """What the letter says.

    Raises LetterRefused if the matrix has a reason that cannot be told, PolicyError if a deadline cannot be counted.
    """
    request = case.request
    clock = _clock(case, terms)
    deadline = clock if isinstance(clock, Deadline) else None
    told = _in_order(case.told, policy, rules)
    kept = tuple(_kept(one, told, policy) for one in told if one.reasons)
    is_outcome = case.kind is Kind.OUTCOME
    return LetterFacts(
        kind=case.kind,
        reference=request.reference,
        code=case.code,
        is_electronic=request.channel in _ELECTRONIC,
        received_on=terms.day_of(request.moments.received_at),
        written_on=terms.day_of(case.written_at),
        scope=request.scope,
        cool_off_days=terms.rules.cool_off_days,
        withdraw_until=request.withdraw_until,
        waits_for=clock.waits_for if isinstance(clock, Waiting) else None,
        first_due_on=deadline.first_due_on if deadline else None,
        due_on=deadline.due_on if deadline else None,
        extension_reason=request.extension_reason,
        refusal_reason=request.refusal_reason,
        categories=tuple(_categories(told, policy, request.scope)),
        kept=kept,
        in_part=frozenset(one.dataset for one in told if one.action and one.reasons),
        inseparable=letters_scope.inseparable(policy, request.scope, rules.unspoken) if is_outcome else (),
        outcome_on=terms.day_of(request.outcome_at) if request.outcome_at else None,
        rest=tuple(one.dataset for one in kept) if is_outcome else request.rest,
    )


def _clock(case: Case, terms: Terms) -> Deadline | Waiting | None:
    """Only the letters that name a deadline count one: bank holidays are not known for ever."""
    if case.kind in (Kind.ACKNOWLEDGEMENT, Kind.EXTENSION):
        return deadlines.clock_of(case.request.moments, terms)
    return None


def _in_order(told: Iterable[Told], policy: Policy, rules: LetterRules) -> list[Told]:
    """In the order of the data map, without what is not spoken of and without what says nothing."""
    order = {name: place for place, name in enumerate(policy.data_map.datasets)}
    shown = [one for one in told if one.dataset not in rules.unspoken and (one.action or one.reasons)]
    if unknown := sorted({one.dataset for one in shown} - order.keys()):
        raise LetterRefused(
            f"The matrix names {', '.join(unknown)}, which the policy does not.", fix="use the policy of that night."
        )
    return sorted(shown, key=lambda one: order[one.dataset])


def _kept(told: Told, all_told: Sequence[Told], policy: Policy) -> Kept:
    until = told.until
    if OTHERS in told.reasons:
        until = _end_of_others(told, all_told, policy)
    return Kept(told.dataset, _reasons(told, policy), until, None if until else told.review_on)


def _end_of_others(told: Told, all_told: Sequence[Told], policy: Policy) -> dt.date | None:
    """The last day of what refers to this dataset as well, where all of that is known."""
    ends = [] if told.reasons == (OTHERS,) else [told.until]
    children = [one for one in all_told if one.reasons and told.dataset in _leads_to(one.dataset, policy)]
    ends += [_end_of_others(one, all_told, policy) if OTHERS in one.reasons else one.until for one in children]
    known = [day for day in ends if day is not None]
    return max(known) if known and len(known) == len(ends) else None


def _leads_to(dataset: str, policy: Policy) -> set[str]:
    """The datasets whose rows this one cannot do without: for its subject, or to count a period from."""
    subject = policy.data_map.datasets[dataset].subject
    through = {subject.through.dataset} if isinstance(subject, Subject) and subject.through else set()
    starts = {rule.start.dataset for rule in policy.rules_for(dataset).values() if rule.start.dataset}
    return (through | starts) - {dataset}


def _reasons(told: Told, policy: Policy) -> tuple[Reason, ...]:
    return tuple(_reason(code, told.dataset, policy) for code in told.reasons)


def _reason(code: str, dataset: str, policy: Policy) -> Reason:
    hold = policy.holds.types.get(code)
    if hold is not None:
        if not hold.disclosable:
            raise LetterRefused(
                f"What may be told of {dataset} names a type of hold that must not be disclosed.",
                fix="find out how it got into holdfast.request_told; write no letter until then.",
            )
        return Reason("hold", hold.meaning, hold.ground)
    rule = policy.schedule.rules.get(code)
    if rule is not None and rule.strength is Strength.STATUTORY:
        return Reason("law", ground=rule.law)
    if code == NEEDED or rule is not None:
        return Reason("needed")
    if code == OTHERS:
        return Reason("others")
    if code == START:
        return Reason("start")
    raise LetterRefused(
        f"The matrix keeps {dataset} for a reason that is none to tell a person: the request is not decided.",
        fix="let the next night decide it.",
        reason=code,
    )


def _categories(told: Sequence[Told], policy: Policy, scope: Scope) -> Iterable[CategoryFacts]:
    """In the order in which the data map first names them."""
    known = policy.data_map.datasets
    wanted = {one.dataset: letters_scope.wanted(known[one.dataset], one.dataset, scope) for one in told}
    order = dict.fromkeys(category for dataset in known.values() for category in parts.categories(dataset))
    for category in order:
        of_category = [one for one in told if category in wanted[one.dataset]]
        # Of a record that stays without them, the columns of a category are gone, whatever its row is called.
        gone = [
            one.dataset
            for one in of_category
            if one.action == "erase" or (one.action and letters_scope.is_cut(one.dataset, scope))
        ]
        if of_category:
            yield CategoryFacts(
                category,
                erased=tuple(gone),
                anonymised=tuple(one.dataset for one in of_category if one.action and one.dataset not in gone),
                kept=tuple(one.dataset for one in of_category if one.reasons),
            )
