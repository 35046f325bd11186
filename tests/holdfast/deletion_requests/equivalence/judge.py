"""What ought to become of each request, row by row in plain Python, judged by `decide_erasure` alone."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.holdfast.deletion_requests.equivalence.inn import ABOUT_SOMEBODY, Ask, Inn
from tests.holdfast.retention.equivalence.hotel import HOLD_TYPES, SHAPES, World, key_of, zone_of
from tests.holdfast.retention.equivalence.oracle import Oracle, Row, day_of

from holdfast.holds.decide import Decision, Outcome, Record, covers, decide_erasure
from holdfast.policy import parts
from holdfast.policy.model import Delete, Missing, Strategy, Strength, ToConstant, ToNull

NOT_ASKED = Decision(Outcome.NO_RULE, None)
CLOSED = ("completed", "refused", "withdrawn")
ORDER = ("erase", "anonymise", "unknown", "held", "waiting", "exempt", "not_held")
RANK = {"legal": "1", "audit": "2", "tax": "3", "billing": "4"}


@dataclass(frozen=True)
class Scope:
    """What one request asks for in one dataset: all of it, some records, or some categories of all."""

    is_whole: bool
    records: frozenset[str]
    categories: frozenset[str]


@dataclass
class Cell:
    """One decision of the matrix, or a part of one."""

    decision: str
    reason: str
    found: int = 0
    acted: int = 0
    held: int = 0
    exempt: int = 0
    until: dt.date | None = None
    disclosable: bool = True


class Judge(Oracle):
    """The decisions about one inn. A row is decided as one that ready requests ask for, or not at all."""

    def __init__(self, world: World, asks: Iterable[Ask], *, only_disclosable: bool = False) -> None:
        if only_disclosable:
            world = replace(world, holds=[one for one in world.holds if one.hold_type != "COURT"])
        super().__init__(world)
        self.as_of = world.as_of
        self.open = [one for one in asks if one.state not in CLOSED]
        self.decided = functools.cache(self._decided)

    # --- what is asked for ---------------------------------------------------------------------------------------

    def waits_for(self, ask: Ask) -> str | None:
        """Why a request may not be carried out yet; None if it may."""
        match ask.state:
            case "received" | "identity_pending":
                return "identity"
            case "verified":
                assert ask.withdraw_until is not None
                return "cool_off" if ask.withdraw_until >= self.as_of else "approval"
            case "assessed":
                return "approval"
            case "approved":
                return None if ask.has_address else "address"
        return None

    def scope(self, ask: Ask, name: str) -> Scope | None:
        """None: the request asks for nothing in the dataset."""
        dataset = self.policy.data_map.datasets[name]
        is_whole = not ask.parts or (name, None, None) in ask.parts
        records = frozenset(key for one, _, key in ask.parts if one == name and key is not None)
        asked = {category for _, category, _ in ask.parts if category is not None}
        is_whole = is_whole or any(parts.goes_whole(dataset, one) for one in asked & set(parts.categories(dataset)))
        cuts = frozenset(one for one in asked if parts.cut_out(dataset, one))
        if is_whole:
            return Scope(True, frozenset(), frozenset())
        return Scope(False, records, cuts) if records or cuts else None

    def asks_for_all_of(self, ask: Ask, name: str, row: Row) -> bool:
        """The request asks for the record itself: by its subject, or by its key."""
        scope, subject = self.scope(ask, name), self._subject(name, row)
        if scope is None:
            return False
        by_key = key_of(name, row) in scope.records and subject in (None, ask.subject)
        return by_key or (scope.is_whole and self._is_reached(ask, name, row))

    def asks_for_some_of(self, ask: Ask, name: str, row: Row) -> frozenset[str]:
        """The categories of it that the request asks for, where no ready request asks for the record itself."""
        scope = self.scope(ask, name)
        if scope is None or not self._is_reached(ask, name, row) or key_of(name, row) in scope.records:
            return frozenset()
        if any(self.asks_for_all_of(one, name, row) for one in self.ready):
            return frozenset()
        return scope.categories

    @property
    def ready(self) -> list[Ask]:
        return [one for one in self.open if self.waits_for(one) is None]

    def _is_reached(self, ask: Ask, name: str, row: Row) -> bool:
        """The record is the subject's, and was made by the day up to which the request asks."""
        event = SHAPES[name].event
        made = None if event is None else day_of(row[event], zone_of(name))
        is_theirs = self._subject(name, row) == ask.subject
        return is_theirs and (ask.until is None or made is None or made <= ask.until)

    # --- what becomes of a row -----------------------------------------------------------------------------------

    def _decision(self, dataset: str, place: int) -> Decision:
        """What is done to the row itself tonight, for all ready requests together."""
        row = self.world.rows[dataset][place]
        if any(self.asks_for_all_of(one, dataset, row) for one in self.ready):
            return self.decided(dataset, place)
        return NOT_ASKED

    def _decided(self, dataset: str, place: int, cuts: frozenset[str] = frozenset()) -> Decision:
        """What would become of the row at a request that may be carried out: of the row itself, or some categories."""
        row = self.world.rows[dataset][place]
        return decide_erasure(
            self.record(dataset, row),
            [self._as_cut(one, cuts) for one in self._rules(dataset, row)],
            self._holds,
            self.as_of,
            already_done=self.is_done(dataset, row, cuts),
            untrusted_types=self._untrusted,
        )

    def record(self, dataset: str, row: Row) -> Record:
        subject, event = self._subject(dataset, row), SHAPES[dataset].event
        return Record(
            dataset=dataset,
            key=key_of(dataset, row),
            subject=None if subject is None else str(subject),
            event=None if event is None else day_of(row[event], zone_of(dataset)),
            needed_by_others=self._needed(dataset, row),
        )

    def is_done(self, dataset: str, row: Row, cuts: frozenset[str]) -> bool:
        known = self.policy.data_map.datasets[dataset]
        if cuts:
            return all(_is_done(row[c], how) for one in cuts for c, how in parts.cut_out(known, one).items())
        first: dict[str, Strategy] = {}
        for rule in self.policy.rules_for(dataset).values():
            if isinstance(rule.action, Delete):
                return False
            first = {**rule.action.columns, **first}
        return all(_is_done(row[column], how) for column, how in first.items())

    def _rules(self, dataset: str, row: Row) -> list[Any]:
        return [self._rule(dataset, row, name, rule) for name, rule in self.policy.rules_for(dataset).items()]

    @staticmethod
    def _as_cut(rule: Any, cuts: frozenset[str]) -> Any:
        """Where only categories go, nothing is deleted."""
        return replace(rule, deletes=False) if cuts else rule

    def deletes(self, dataset: str) -> bool:
        return any(isinstance(one.action, Delete) for one in self.policy.rules_for(dataset).values())

    def _stays(self, dataset: str, place: int) -> bool:
        return not (self.decision(dataset, place).acts and self.deletes(dataset))

    # --- what is written into the matrix -------------------------------------------------------------------------

    def cells(self, told: Judge) -> dict[tuple[str, str], Cell]:
        """The matrix: (reference, dataset) -> the decision. `told` is the same without holds that must not be named."""
        return {
            (ask.reference, name): self._cell(ask, name, scope, told)
            for ask in self.open
            for name in ABOUT_SOMEBODY
            if (scope := self.scope(ask, name)) is not None
        }

    def due_keys(self, dataset: str) -> set[str]:
        """The records that go tonight, or are made anonymous."""
        rows = enumerate(self.world.rows[dataset])
        return {key_of(dataset, row) for place, row in rows if self.decision(dataset, place).acts}

    def emptied_keys(self, dataset: str) -> set[str]:
        """The records of which tonight categories are emptied."""
        found = set()
        for place, row in enumerate(self.world.rows[dataset]):
            cuts = frozenset().union(*(self.asks_for_some_of(one, dataset, row) for one in self.ready))
            if cuts and self.decided(dataset, place, cuts).acts:
                found.add(key_of(dataset, row))
        return found

    def _cell(self, ask: Ask, name: str, scope: Scope, told: Judge) -> Cell:
        works: list[Cell] = []
        if scope.is_whole or scope.records:
            works.append(self._counted(ask, name, self._of_whole(ask, name), told, None))
        if scope.categories:
            works.append(self._counted(ask, name, self._of_some(ask, name), told, scope.categories))
        return functools.reduce(_both, works)

    def _of_whole(self, ask: Ask, name: str) -> list[int]:
        rows = enumerate(self.world.rows[name])
        return [place for place, row in rows if self.asks_for_all_of(ask, name, row)]

    def _of_some(self, ask: Ask, name: str) -> list[int]:
        rows = enumerate(self.world.rows[name])
        return [place for place, row in rows if self.asks_for_some_of(ask, name, row)]

    def _counted(self, ask: Ask, name: str, places: list[int], told: Judge, cuts: frozenset[str] | None) -> Cell:
        deletes = cuts is None and self.deletes(name)
        outcomes: Counter[Outcome] = Counter()
        holds, is_secret = [], False
        for place in places:
            row = self.world.rows[name][place]
            decision = self.decided(name, place, cuts or frozenset())
            outcomes[decision.outcome] += 1
            if decision.outcome not in (Outcome.HELD, Outcome.REFUSED, Outcome.WAITING, Outcome.DUE):
                continue
            record = self.record(name, row)
            reached = [one for one in self._holds_on(name) if covers(one, record, self.as_of)]
            holds += reached
            waits_secretly = deletes and self._needed(name, row) and not told._needed(name, row)
            is_secret = is_secret or waits_secretly or any(one.hold_type == "COURT" for one in reached)
        due = outcomes[Outcome.DUE]
        refused = outcomes[Outcome.REFUSED]
        if refused and deletes:
            # Those that would wait for other rows are no fault of the source's.
            waiting = [p for p in places if self._would_wait(name, p)]
            refused -= len(waiting)
            outcomes[Outcome.WAITING] += len(waiting)
        exempt = outcomes[Outcome.NOT_DUE] + outcomes[Outcome.NOT_STARTED]
        cell = Cell(
            *self._named(ask, name, "erase" if deletes else "anonymise", outcomes, due, refused, exempt, holds),
            found=len(places),
            acted=due,
            held=outcomes[Outcome.HELD],
            exempt=exempt,
            disclosable=not is_secret,
        )
        cell.until = _latest([one.ends_on for one in holds])
        return cell

    def _would_wait(self, name: str, place: int) -> bool:
        row = self.world.rows[name][place]
        return self.decided(name, place).outcome is Outcome.REFUSED and self._needed(name, row)

    def _holds_on(self, name: str) -> list[Any]:
        heard = {kind for rule_id in self.policy.rules_for(name) for kind in self.policy.holds_of(rule_id)}
        return [one for one in self._holds if one.hold_type in heard]

    def _named(
        self,
        ask: Ask,
        name: str,
        acts: str,
        outcomes: Counter[Outcome],
        due: int,
        refused: int,
        exempt: int,
        holds: list[Any],
    ) -> tuple[str, str]:
        if (waits_for := self.waits_for(ask)) is not None:
            return "waiting", waits_for
        if refused:
            return "unknown", "source"
        if due:
            return acts, "requested"
        if outcomes[Outcome.UNKNOWN]:
            return "unknown", "start"
        if outcomes[Outcome.HELD]:
            return "held", min(RANK[HOLD_TYPES[one.hold_type]] + one.hold_type for one in holds)[1:]
        if outcomes[Outcome.WAITING]:
            return "waiting", "dataset"
        if exempt:
            return "exempt", self._keeping_rule(name)
        return "not_held", "none"

    def _keeping_rule(self, name: str) -> str:
        rules = self.policy.rules_for(name)
        by_law = [one for one, rule in rules.items() if rule.strength is Strength.STATUTORY]
        needed = [one for one, rule in rules.items() if rule.start.missing is Missing.NOT_STARTED]
        needed.sort(key=lambda one: not isinstance(rules[one].action, Delete))
        return next(iter([*by_law, *needed]), "none")


def _both(one: Cell, other: Cell) -> Cell:
    first = min((one, other), key=lambda cell: ORDER.index(cell.decision))
    return Cell(
        first.decision,
        first.reason,
        one.found + other.found,
        one.acted + other.acted,
        one.held + other.held,
        one.exempt + other.exempt,
        _latest([cell.until for cell in (one, other) if cell.held]),
        one.disclosable and other.disclosable,
    )


def _latest(ends: list[dt.date | None]) -> dt.date | None:
    """None if one of them has none."""
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def _is_done(value: str | None, strategy: Strategy) -> bool:
    if value is None or isinstance(strategy, ToNull):
        return value is None
    return value == "gone" if isinstance(strategy, ToConstant) else value.startswith("p1:")


def judged(inn: Inn) -> tuple[Judge, Judge]:
    """The judge, and the one who knows of no hold that must not be named."""
    return Judge(inn.world, inn.asks), Judge(inn.world, inn.asks, only_disclosable=True)
