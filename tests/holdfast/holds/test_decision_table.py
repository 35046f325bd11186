"""docs/decision_table.md and `decide` say the same, for every combination of the words of each table."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.holdfast.holds.records import (
    LONG_AGO,
    OTHER_TYPE,
    STARTS,
    TODAY,
    TOMORROW,
    TYPE,
    YESTERDAY,
    hold,
    record,
    rule,
)

from holdfast.clock import Period
from holdfast.holds.decide import Decision, Outcome, RecordHold, RecordRule, covers, decide, decide_erasure
from holdfast.policy.model import Strength

DOCUMENT = Path(__file__).parents[3] / "docs" / "decision_table.md"
ANYTHING = "·"


def table(heading: str) -> list[dict[str, str]]:
    """The rows of the first table below a heading, each by its column names."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    lines = itertools.takewhile(
        lambda line: line.startswith("|"),
        itertools.dropwhile(lambda line: not line.startswith("|"), section.splitlines()),
    )
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


class FirstMatch:
    """A table of which the first row that fits decides; it knows which of its rows ever did."""

    def __init__(self, heading: str) -> None:
        self.rows = table(heading)
        self.result = list(self.rows[0])[-1]
        self.used: set[int] = set()

    def look_up(self, **facts: str) -> str:
        for number, row in enumerate(self.rows):
            if all(row[column] in (ANYTHING, value) for column, value in facts.items()):
                self.used.add(number)
                return row[self.result]
        raise AssertionError(f"no row fits {facts}")

    def every_row_was_used(self) -> None:
        assert self.used == set(range(len(self.rows)))


def test_every_outcome_is_explained() -> None:
    assert [row["outcome"] for row in table("## Outcomes")] == [outcome.value for outcome in Outcome]


# --- one rule ---------------------------------------------------------------------------------------------------

HOLDS: dict[str, tuple[list[RecordHold], str]] = {
    "none": ([], "no"),
    "reaches": ([hold()], "yes"),
    "reaches, of a type that no rule lists": ([hold(hold_type=OTHER_TYPE)], "no"),
    "does not reach": ([hold(subject="8")], "no"),
    "two, of which one reaches": ([hold(ends_on=YESTERDAY), hold(datasets=frozenset({"calls"}))], "yes"),
}
UNTRUSTED = {
    "none": (frozenset[str](), "believed"),
    "a type that the rule lists": (frozenset({TYPE}), "not believed"),
    "a type that no rule lists": (frozenset({OTHER_TYPE}), "believed"),
}
SUBJECTS = {
    "there": ({"subject": "7"}, "there"),
    "missing": ({"subject": None}, "missing"),
    "not needed": ({"subject": None, "needs_subject": False}, "there"),
}


def test_one_rule() -> None:
    stands = FirstMatch("## Where a rule stands")
    outcomes = FirstMatch("## One rule")
    yes_no = (True, False)
    tried = 0
    for start, normal, applies, explicit, strength, deletes, done in itertools.product(
        STARTS, yes_no, yes_no, yes_no, Strength, yes_no, yes_no
    ):
        if deletes and done:
            continue  # only a rule that anonymises can have nothing left to do
        standing = stands.look_up(
            **{
                "start event": start if start not in ("running", "over") else "known",
                "a missing start means": "it has not happened" if normal else "nobody knows",
                "period": start if start in ("running", "over") else ANYTHING,
            }
        )
        one = rule(
            start=STARTS[start], missing_is_normal=normal, applies=applies, explicit=explicit, strength=strength,
            deletes=deletes, already_done=done,
        )  # fmt: skip
        for erasure, held, untrusted, subject, needed in itertools.product(yes_no, HOLDS, UNTRUSTED, SUBJECTS, yes_no):
            of_record = record(**SUBJECTS[subject][0], needed_by_others=needed)
            known = {"untrusted_types": UNTRUSTED[untrusted][0]}
            if erasure:
                decision = decide_erasure(of_record, [one], HOLDS[held][0], TODAY, already_done=done, **known)
            else:
                decision = decide(of_record, [one], HOLDS[held][0], TODAY, **known)
            outcome = outcomes.look_up(
                applies=_word(applies),
                erasure=_word(erasure),
                strength=strength.value,
                stands=standing,
                subject=SUBJECTS[subject][1],
                anonymised=_word(done),
                hold=HOLDS[held][1],
                source=UNTRUSTED[untrusted][1],
                needed=_word(needed and deletes),
            )
            by_law = outcome == "unknown" and standing == "unknown" and strength is Strength.STATUTORY
            is_rule_s = applies and (not erasure or by_law or outcome in ("not_started", "not_due"))
            assert decision == Decision(
                Outcome(outcome), one.rule_id if is_rule_s else None, (TYPE,) if outcome == "held" else ()
            )
            tried += 1
    assert tried == 64_800
    stands.every_row_was_used()
    outcomes.every_row_was_used()


def _word(fact: bool) -> str:
    return "yes" if fact else "no"


# --- several rules ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """The rules of one record, as the tables of several rules speak of them."""

    rules: tuple[RecordRule, ...]

    @property
    def applicable(self) -> list[RecordRule]:
        """The shortest first."""
        return sorted((one for one in self.rules if one.applies), key=lambda one: (one.period.days, one.rule_id))

    @property
    def unknown(self) -> list[RecordRule]:
        return [one for one in self.applicable if standing(one) == "unknown"]

    @property
    def unknown_by_law(self) -> list[RecordRule]:
        return [one for one in self.unknown if one.strength is Strength.STATUTORY]

    @property
    def keeping(self) -> list[RecordRule]:
        obliging = (Strength.STATUTORY, Strength.BUSINESS)
        return [one for one in self.applicable if one.strength in obliging and standing(one) != "over"]

    @property
    def keeping_from_a_request(self) -> list[RecordRule]:
        return [
            one
            for one in self.applicable
            if standing(one) == "not started" or (one.strength is Strength.STATUTORY and standing(one) != "over")
        ]

    @property
    def may_act(self) -> list[RecordRule]:
        return [one for one in self.applicable if one.explicit] or self.applicable

    @property
    def acting(self) -> list[RecordRule]:
        over = [one for one in self.may_act if standing(one) == "over"]
        return [one for one in over if one.deletes] or over

    @property
    def is_done(self) -> bool:
        """Nothing is left to make anonymous."""
        return all(one.already_done for one in self.rules)


def standing(one: RecordRule) -> str:
    """Where a rule stands, of those that `several` makes."""
    if one.start is None:
        return "not started" if one.missing_is_normal else "unknown"
    return "over" if one.start == LONG_AGO else "running"


def kept_by(one: RecordRule) -> Decision:
    return Decision(Outcome.NOT_STARTED if standing(one) == "not started" else Outcome.NOT_DUE, one.rule_id)


def acted_on_by(one: RecordRule) -> Decision:
    return Decision(Outcome.DONE if one.already_done else Outcome.DUE, one.rule_id)


Table = dict[tuple[str, str, str], tuple[Callable[[Case], bool], Callable[[Case], Decision]]]

SEVERAL: Table = {
    ("no rule applies", "no_rule", "none"): (
        lambda case: not case.applicable,
        lambda case: Decision(Outcome.NO_RULE, None),
    ),
    ("an applicable rule is unknown", "unknown", "the shortest such rule"): (
        lambda case: bool(case.unknown),
        lambda case: Decision(Outcome.UNKNOWN, case.unknown[0].rule_id),
    ),
    (
        "an applicable rule obliges and is not over",
        "not_started or not_due, as it stands",
        "the longest such rule",
    ): (
        lambda case: bool(case.keeping),
        lambda case: kept_by(case.keeping[-1]),
    ),
    (
        "no rule that may act is over",
        "not_started or not_due, as it stands",
        "the shortest rule that may act",
    ): (
        lambda case: not case.acting,
        lambda case: kept_by(case.may_act[0]),
    ),
    (
        "otherwise",
        "as in the table above, from the row of the subject on",
        "of the rules that may act and are over: the shortest that deletes, or else the shortest",
    ): (
        lambda case: True,
        lambda case: acted_on_by(case.acting[0]),
    ),
}
AT_REQUEST: Table = {
    ("an applicable statutory rule is unknown", "unknown", "the shortest such rule"): (
        lambda case: bool(case.unknown_by_law),
        lambda case: Decision(Outcome.UNKNOWN, case.unknown_by_law[0].rule_id),
    ),
    (
        "an applicable rule has not started, or is statutory and not over",
        "not_started or not_due, as it stands",
        "the longest such rule",
    ): (
        lambda case: bool(case.keeping_from_a_request),
        lambda case: kept_by(case.keeping_from_a_request[-1]),
    ),
    (
        "otherwise",
        "as in the table above, from the row of the subject on",
        "the request: deleted if any rule of the dataset deletes, or else made anonymous in every column that any of "
        "them names",
    ): (
        lambda case: True,
        lambda case: Decision(Outcome.DONE if case.is_done else Outcome.DUE, None),
    ),
}


def several(rule_id: str) -> Iterator[RecordRule]:
    """Every rule that can differ in its effect on another, apart from its period."""
    starts = ((None, False), (None, True), (STARTS["running"], False), (LONG_AGO, False))
    actions = ((True, False), (False, False), (False, True))
    for (start, normal), strength, explicit, (deletes, done) in itertools.product(
        starts, Strength, (True, False), actions
    ):
        yield rule(
            rule_id=rule_id, start=start, missing_is_normal=normal, strength=strength, explicit=explicit,
            deletes=deletes, already_done=done,
        )  # fmt: skip
    yield rule(rule_id=rule_id, applies=False)


@pytest.mark.parametrize(
    ("heading", "rows"),
    [("## Several rules", SEVERAL), ("## Several rules after a request for erasure", AT_REQUEST)],
)
def test_two_rules(heading: str, rows: Table) -> None:
    assert [tuple(row.values()) for row in table(heading)] == list(rows)
    used = set()
    periods = [(Period(0, one), Period(0, two)) for one, two in ((200, 300), (300, 200), (300, 300))]
    for first, second in itertools.product(several("a"), several("b")):
        for one, two in periods:
            case = Case((_lasting(first, one), _lasting(second, two)))
            name, (_, expected) = next((name, row) for name, row in rows.items() if row[0](case))
            used.add(name)
            assert decided(case, at_request=rows is AT_REQUEST) == expected(case)
    assert used == set(rows)


def decided(case: Case, *, at_request: bool) -> Decision:
    if at_request:
        return decide_erasure(record(), case.rules, [], TODAY, already_done=case.is_done)
    return decide(record(), case.rules, [], TODAY)


def _lasting(one: RecordRule, period: Period) -> RecordRule:
    return RecordRule(**{**vars(one), "period": period})


@pytest.mark.parametrize("lists", [("a",), ("b",), ("a", "b")])
def test_a_type_that_any_rule_lists_stops_every_rule(lists: tuple[str, ...]) -> None:
    for applies, explicit in itertools.product((True, False), repeat=2):
        types = {name: frozenset({TYPE}) if name in lists else frozenset[str]() for name in ("a", "b")}
        rules = [
            rule(rule_id="a", hold_types=types["a"]),
            rule(rule_id="b", hold_types=types["b"], applies=applies, explicit=explicit),
        ]
        deciding = "b" if applies and explicit else "a"
        assert decide(record(), rules, [hold()], TODAY) == Decision(Outcome.HELD, deciding, (TYPE,))
        assert decide(record(), rules, [], TODAY, untrusted_types=frozenset({TYPE})).outcome is Outcome.REFUSED
        assert decide_erasure(record(), rules, [hold()], TODAY) == Decision(Outcome.HELD, None, (TYPE,))
        assert decide_erasure(record(), rules, [], TODAY, untrusted_types=frozenset({TYPE})).outcome is Outcome.REFUSED


# --- whether a hold reaches a record ----------------------------------------------------------------------------


def test_whether_a_hold_reaches_a_record() -> None:
    reaches = FirstMatch("## Whether a hold reaches a record")
    day = dt.date(2026, 1, 15)
    before, after = day - dt.timedelta(days=1), day + dt.timedelta(days=1)
    ends = {None: "no", YESTERDAY: "yes", TODAY: "no", TOMORROW: "no"}
    datasets = {None: "all", ("calls",): "this", ("bills",): "others", ("bills", "calls"): "this", (): "others"}
    records = {None: "none", "k1": "this one", "k2": "another"}
    subjects = {None: "all", "7": "this", "8": "another"}
    firsts = {None: True, before: True, day: True, after: False}
    ends_before = {None: True, before: False, day: False, after: True}
    for ends_on, names, key, subject, (first, begun), (until, not_over), event in itertools.product(
        ends, datasets, records, subjects, firsts.items(), ends_before.items(), (day, None)
    ):
        one = hold(
            ends_on=ends_on, datasets=None if names is None else frozenset(names), record=key, subject=subject,
            period_from=first, period_to=until,
        )  # fmt: skip
        expected = reaches.look_up(
            ended=ends[ends_on],
            datasets=datasets[names],
            record=records[key],
            subject=subjects[subject],
            period="its day" if event is None or (begun and not_over) else "before or after its day",
        )
        assert covers(one, record(event=event), TODAY) is (expected == "yes")
    reaches.every_row_was_used()


def test_a_hold_on_a_subject_does_not_reach_what_is_about_nobody() -> None:
    assert not covers(hold(subject="7"), record(subject=None, needs_subject=False), TODAY)
    assert covers(hold(), record(subject=None, needs_subject=False), TODAY)
