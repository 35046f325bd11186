"""Requests, people and nights in any order against a plain model of the life cycle: the register always agrees with it.

Whatever the model forbids must be refused and leave nothing behind, and so must whatever is cut off before its commit.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.holdfast.deletion_requests.desk import MAY_FOLLOW, NOW, Desk, asked, terms

from holdfast import database
from holdfast import settings as holdfast_settings
from holdfast.deletion_requests import lifecycle, moves, night, register
from holdfast.deletion_requests.deadlines import Deadline, clock_of
from holdfast.deletion_requests.receipt import Taken
from holdfast.deletion_requests.register import BEFORE_EXECUTION, UNANSWERED, Extension, Refusal, State
from holdfast.errors import RequestError
from holdfast.evidence.copies import Copies
from holdfast.evidence.verify import Verdict, verify

DAY = dt.timedelta(days=1)
SMALL = terms().rules.approval.automatic_up_to_rows or 0
LARGE = terms().rules.approval.second_approver_above_rows
SCOPES = ["account", "messages", "contacts"]
NUMBERS = itertools.count(1)


@dataclass
class Model:
    """One request, as the law and the policy would have it."""

    reference: str
    subject: str
    scope: str
    received: dt.datetime
    duplicate_of: int | None
    state: State = State.RECEIVED
    asked: dt.datetime | None = None
    answered: dt.datetime | None = None
    fee: dt.datetime | None = None
    paid: dt.datetime | None = None
    until: dt.date | None = None
    extended: bool = False
    approvals: list[str] = field(default_factory=list)
    course: list[State] = field(default_factory=lambda: [State.RECEIVED])

    def go(self, state: State) -> None:
        self.state = state
        self.course.append(state)

    @property
    def is_closed(self) -> bool:
        return self.state in (State.COMPLETED, State.REFUSED, State.WITHDRAWN)

    def overlaps(self, subject: str, scope: str) -> bool:
        return self.subject == subject and (self.scope == scope or "account" in (self.scope, scope))


EARLY = (State.RECEIVED, State.IDENTITY_PENDING, State.VERIFIED)
DEEDS = [
    *["verify"] * 4, *["approve"] * 3, "ask_identity", "answer", "answer", "ask_fee", "pay", "pay", "refuse",
    "withdraw", "extend",
]  # fmt: skip
Deed = tuple[Callable[[sa.Connection], object], bool, Callable[[], object]]
"""What is done, whether the model allows it, and what it does to the model."""


class Cut(Exception):
    """The work was cut off before its commit."""


class Life(RuleBasedStateMachine):
    """The desk and the nights; every rule says what the model allows and compares."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.model: dict[int, Model] = {}
        self.matrix: dict[int, int] = {}
        self.first_entry = len(self.desk.entries())

    # --- Requests come in -------------------------------------------------------------------------------------------

    @initialize(days=st.integers(0, 400), scopes=st.lists(st.sampled_from(SCOPES), min_size=2, max_size=4))
    def some_day(self, days: int, scopes: list[str]) -> None:
        self.now = NOW + days * DAY
        for n, scope in enumerate(scopes):
            self.receive("12"[n % 2], scope)

    @rule(subject=st.sampled_from("12"), scope=st.sampled_from(SCOPES))
    def another(self, subject: str, scope: str) -> None:
        self.receive(subject, scope)

    def receive(self, subject: str, scope: str) -> None:
        reference = f"r-{next(NUMBERS)}"
        written = asked(reference, subject_key=subject, scope=scope, received_at=self.now.isoformat(timespec="minutes"))
        [taken] = self.desk.receive(written, now=self.now)
        assert isinstance(taken, Taken)
        open_ones = [number for number, one in self.model.items() if not one.is_closed and one.overlaps(subject, scope)]
        self.model[taken.request_id] = Model(reference, subject, scope, self.now, min(open_ones, default=None))

    @rule(minutes=st.integers(1, 50_000))
    def time_passes(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)

    # --- People -----------------------------------------------------------------------------------------------------

    @rule(data=st.data(), deeds=st.lists(st.sampled_from(DEEDS), min_size=2, max_size=10))
    def people(self, data: st.DataObject, deeds: list[str]) -> None:
        """Each deed meets some request, in whatever state; one in six is cut off."""
        for deed in deeds:
            number = data.draw(st.sampled_from(sorted(self.model)))
            self._change(number, deed, cut=data.draw(st.integers(1, 6)) == 6)

    def _change(self, number: int, deed: str, cut: bool) -> None:
        one = self.model[number]
        work, is_allowed, effect = getattr(self, f"_{deed}")(number, one)
        try:
            self._transaction(work, cut)
        except RequestError:
            assert not is_allowed
        except Cut:
            assert is_allowed
        else:
            assert is_allowed
            effect()

    def _ask_identity(self, number: int, one: Model) -> Deed:
        def effect() -> None:
            one.asked = self.now
            one.go(State.IDENTITY_PENDING)

        work = partial(lifecycle.request_identity, request_id=number, by="clerk", at=self.now)
        return work, one.state is State.RECEIVED, effect

    def _answer(self, number: int, one: Model) -> Deed:
        work = partial(lifecycle.identity_received, request_id=number, by="clerk", at=self.now)
        is_allowed = one.state is State.IDENTITY_PENDING and one.answered is None
        return work, is_allowed, lambda: setattr(one, "answered", self.now)

    def _ask_fee(self, number: int, one: Model) -> Deed:
        work = partial(lifecycle.request_fee, request_id=number, by="clerk", at=self.now)
        return work, one.state in EARLY and one.fee is None, lambda: setattr(one, "fee", self.now)

    def _pay(self, number: int, one: Model) -> Deed:
        work = partial(lifecycle.fee_paid, request_id=number, by="clerk", at=self.now)
        is_allowed = one.state in EARLY and one.fee is not None and one.paid is None
        return work, is_allowed, lambda: setattr(one, "paid", self.now)

    def _verify(self, number: int, one: Model) -> Deed:
        def effect() -> None:
            one.until = self._today() + 7 * DAY
            one.go(State.VERIFIED)

        work = partial(lifecycle.verify, terms=terms(), request_id=number, by="clerk", at=self.now)
        has_answer = one.state is State.IDENTITY_PENDING and one.answered is not None
        return work, one.state is State.RECEIVED or has_answer, effect

    def _approve(self, number: int, one: Model) -> Deed:
        by = "officer" if self.now.minute % 2 else "clerk"

        def effect() -> None:
            one.approvals.append(by)
            if self.matrix[number] <= LARGE or len(one.approvals) == 2:
                one.go(State.APPROVED)

        work = partial(lifecycle.approve, terms=terms(), request_id=number, by=by, at=self.now)
        return work, one.state is State.ASSESSED and number in self.matrix and by not in one.approvals, effect

    def _refuse(self, number: int, one: Model) -> Deed:
        work = partial(lifecycle.refuse, request_id=number, reason=Refusal.EXCESSIVE, by="clerk", at=self.now)
        return work, one.state in BEFORE_EXECUTION, lambda: one.go(State.REFUSED)

    def _withdraw(self, number: int, one: Model) -> Deed:
        work = partial(lifecycle.withdraw, terms=terms(), request_id=number, by="clerk", at=self.now)
        is_in_time = one.until is None or self._today() <= one.until
        return work, one.state in BEFORE_EXECUTION and is_in_time, lambda: one.go(State.WITHDRAWN)

    def _extend(self, number: int, one: Model) -> Deed:
        extend = partial(lifecycle.extend, terms=terms(), request_id=number, reason=Extension.COMPLEXITY)
        work = partial(extend, notified_at=self.now, by="clerk")
        return work, self._may_extend(one), lambda: setattr(one, "extended", True)

    # --- Nights -----------------------------------------------------------------------------------------------------

    @rule(
        days=st.sampled_from([0, 1, 8, 20]),
        rows=st.lists(st.sampled_from([0, SMALL, SMALL + 1, LARGE, LARGE + 1]), min_size=1, max_size=4),
        cut_after=st.integers(0, 8),
        is_whole=st.booleans(),
    )
    def night(self, days: int, rows: list[int], cut_after: int, is_whole: bool) -> None:
        """Cool-offs end, the matrix is made, small requests are approved and all that are approved are carried out.

        Cut off before a commit, what was committed stays; the same again, as a retried task would, changes nothing.
        """
        self.now += days * DAY + dt.timedelta(minutes=7)
        try:
            ready = self._numbers(self._is_ready)
            self._step(
                ready, State.ASSESSED, partial(night.advance, terms=terms(), now=self.now, run_id=None), cut_after == 1
            )
            pending = self._numbers(lambda one: one.state is State.ASSESSED)
            self.matrix = dict(zip(pending, itertools.cycle(rows), strict=False)) or self.matrix
            run_id = self.desk.assess(self.matrix)
            small = [n for n in pending if self.matrix[n] <= SMALL and not self.model[n].approvals]
            approve = partial(night.approve_small, terms=terms(), now=self.now, run_id=run_id)
            self._step(small, State.APPROVED, approve, cut_after == 2)
            begun = self._numbers(lambda one: one.state in (State.EXECUTING, State.PARTLY_COMPLETED))
            self._carry_out(begun if is_whole else [], State.COMPLETED, cut_after == 3)
            begun = self._numbers(lambda one: one.state is State.EXECUTING)
            self._carry_out(begun, State.PARTLY_COMPLETED, cut_after == 4)
            approved = self._numbers(lambda one: one.state is State.APPROVED)
            self._carry_out(approved, State.EXECUTING, cut_after == 5)
        except Cut:
            return

    def _carry_out(self, numbers: list[int], to: State, cut: bool) -> None:
        self._step(numbers, to, partial(moves.move, requests=numbers, to=to, by=moves.NIGHT, at=self.now), cut)

    def _step(self, numbers: list[int], to: State, work: Callable[[sa.Connection], int], cut: bool) -> None:
        assert self._transaction(work, cut) == len(numbers)
        assert self._transaction(work) == 0
        for number in numbers:
            self.model[number].go(to)

    def _numbers(self, is_meant: Callable[[Model], bool]) -> list[int]:
        return sorted(number for number, one in self.model.items() if is_meant(one))

    @rule(data=st.data(), to=st.sampled_from(State))
    def jump(self, data: st.DataObject, to: State) -> None:
        """No way leads past the life cycle, for an engine that is in error either."""
        number = data.draw(st.sampled_from(sorted(self.model)))
        one = self.model[number]
        if to not in MAY_FOLLOW[one.state] and to is not one.state:
            with pytest.raises(RequestError, match="may not become"):
                self._transaction(lambda c: moves.move(c, [number], to, by=moves.NIGHT, at=self.now))

    # --- What must always be so -------------------------------------------------------------------------------------

    @invariant()
    def the_register_agrees(self) -> None:
        with database.transaction(self.desk.engine) as connection:
            known = register.by_reference(connection, [one.reference for one in self.model.values()])
        assert len(known) == len(self.model)
        for request in known.values():
            one = self.model[request.request_id]
            approved_by = [by for by in (request.first_approved_by, request.second_approved_by) if by is not None]
            moments = request.moments
            assert (request.state, request.subject_key, request.duplicate_of) == (
                one.state,
                one.subject,
                one.duplicate_of,
            )
            assert (request.closed_at is not None) is one.is_closed
            assert (request.withdraw_until, approved_by) == (one.until, one.approvals)
            assert (moments.identity_requested_at, moments.identity_received_at) == (one.asked, one.answered)
            assert (moments.fee_requested_at, moments.fee_paid_at) == (one.fee, one.paid)
            assert (request.extension_reason is not None) is one.extended
            assert (request.refusal_reason is not None) is (one.state is State.REFUSED)
            clock = clock_of(moments, terms())
            if isinstance(clock, Deadline):
                assert clock.due_on >= clock.first_due_on
                assert (clock.due_on > clock.first_due_on) is one.extended

    def teardown(self) -> None:
        """The transitions and the ledger tell the same course; then clear the desk for the next life."""
        told: dict[int, list[str]] = defaultdict(lambda: [State.RECEIVED])
        for kind, facts in self.desk.entries()[self.first_entry :]:
            if kind == "request_changed" and "to" in facts:
                for number in facts["requests"]:
                    assert told[number][-1] == facts["from"]
                    told[number].append(facts["to"])
        for number, one in self.model.items():
            assert [State.RECEIVED, *(to for _, to, _ in self.desk.course(number))] == one.course == told[number]
        leaving = sorted(number for number, one in self.model.items() if one.state in BEFORE_EXECUTION)
        ending = sorted(n for n, one in self.model.items() if one.state in (State.EXECUTING, State.PARTLY_COMPLETED))
        self._transaction(lambda c: moves.move(c, leaving, State.WITHDRAWN, by=moves.NIGHT, at=self.now))
        self._transaction(lambda c: moves.move(c, ending, State.COMPLETED, by=moves.NIGHT, at=self.now))

    # --- Helpers ----------------------------------------------------------------------------------------------------

    def _transaction(self, work: Callable[[sa.Connection], object], cut: bool = False) -> object:
        with database.transaction(self.desk.engine) as connection:
            done = work(connection)
            if cut:
                raise Cut
        return done

    def _is_ready(self, one: Model) -> bool:
        is_over = one.until is not None and self._today() > one.until
        return one.state is State.VERIFIED and is_over and (one.fee is None or one.paid is not None)

    def _may_extend(self, one: Model) -> bool:
        waits = (one.asked is not None and one.answered is None) or (one.fee is not None and one.paid is None)
        if one.state not in UNANSWERED or one.extended or waits:
            return False
        start = max(terms().day_of(moment) for moment in (one.received, one.answered, one.paid) if moment is not None)
        month, day = start.month % 12 + 1, start.day
        while True:
            try:
                last = dt.date(start.year + start.month // 12, month, day)
                break
            except ValueError:
                day -= 1
        return self._today() <= terms().working_days.on_or_after(last)

    def _today(self) -> dt.date:
        return terms().day_of(self.now)


def test_the_register_agrees_with_the_model_whatever_happens(desk: Desk) -> None:
    Life.desk = desk
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    with desk.engine.connect() as connection:
        assert (
            verify(connection, holdfast_settings.load().seals, Copies(holdfast_settings.load().checkpoints)).verdict
            is Verdict.OK
        )
