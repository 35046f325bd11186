"""The published edition is attacked with everything in it, and with its earlier versions: no small number is told."""

from __future__ import annotations

import datetime as dt
import functools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.holdfast.suspension_statistics import oracle
from tests.holdfast.suspension_statistics.feed import at, decision, ending, notice, request

from holdfast import settings
from holdfast.suspension_statistics import attack, definitions, rules
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.disclosure import HIDDEN, Cell, publish
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.terms import Published, load_rules

POLICY = settings.load().policy
AUTOMATION, KINDS, REASONS = ("fully", "partially", "not"), ("individual", "business"), ("fraud", "identity", "aup")
KINDS_OF_FACT = ("decision", "notice", "request", "ending", "restoration", "escalation", "check")
MAY, HOUR = at("2026-05-01"), dt.timedelta(hours=1)
OUTCOMES = ("upheld", "overturned", "varied", "withdrawn", "omitted")


@functools.cache
def defined() -> Definitions:
    return definitions.load(POLICY)[0]


def terms(rule: str = "round5-supp7") -> Published:
    return load_rules(POLICY).published.model_copy(update={"rule": rule})


def world(people: list[tuple[str, str, str]], ends: list[str]) -> list[Figure]:
    """A month of decisions (automation, kind of account, ground), the first of which were reviewed with these
    outcomes.
    """
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS_OF_FACT}
    for n, (automation, kind, reason) in enumerate(people):
        made = MAY + n * HOUR
        about = {"subject_key": str(n), "automation": automation, "account_kind": kind, "reason": reason}
        rows["decision"].append(decision(f"d{n}", made, **about, has_reasons=reason != "aup"))
        rows["notice"].append(notice(f"n{n}", f"d{n}", made + HOUR, made))
        if n < len(ends):
            rows["request"].append(request(f"r{n}", f"d{n}", made + 2 * HOUR, made))
            rows["ending"].append(ending(f"e{n}", f"d{n}", f"r{n}", made + 9 * HOUR, made + 2 * HOUR, ends[n]))
    days = {dt.date(2026, 5, n): (900, 90, None, None) for n in range(1, 32)}
    found = oracle.month_figures(rows, days, dt.date(2026, 5, 1), MAY + 60 * 24 * HOUR)
    return rules.complete([Figure(*place, *value) for place, value in found.items()], defined())


# --- the attacker: everything is written down again -----------------------------------------------------------------


class Attacker:
    """Knows the published cells, how they were rounded and how figures hang together; solves for what is hidden."""

    SUMS = (
        [("M01/all", 1)] + [(f"M02/{name}", -1) for name in AUTOMATION],
        [("M01/all", 1)] + [(f"M05/{name}", -1) for name in KINDS],
        [("M01/all", 1)] + [(f"M04/{name}", -1) for name in REASONS],
        [("M18/all", 1), ("M22/upheld", -1), ("M22/overturned", -1), ("M22/varied", -1)],
        [("M23/of_decided", 1), ("M22/overturned", -1), ("M22/varied", -1)],
        [("M23/of_all_ended_or_open#", 1)] + [(f"M22/{name}", -1) for name in OUTCOMES],
        [
            ("M19/asked_for", 1),
            ("M19/decided", -1),
            ("M19/withdrawn", -1),
            ("M19/omitted", -1),
            ("M19/open_at_the_end", -1),
        ],
        [("M01/all", 1), ("M42/reasons#", -1)],
        [("M02/fully", 1), ("M40/all#", -1)],
        [("M18/all", 1), ("M23/of_decided#", -1)],
        [("M18/all", 1), ("M19/decided", -1)],
        [("M19/withdrawn", 1), ("M22/withdrawn", -1)],
        [("M19/omitted", 1), ("M22/omitted", -1)],
        [("M23/of_decided", 1), ("M23/of_all_ended_or_open", -1)],
        [("M19/asked_for", 1), ("M13/all", -1)],
    )
    CUTS = (
        ("M01", "decision", "all"), ("M02", "decision", "automation"), ("M05", "decision", "account_kind"),
        ("M04", "decision", "reason"), ("M40", "decision", "all"), ("M42", "decision", "missing"),
        ("M22", "event", "outcome"), ("M18", "event", "all"), ("M23", "event", "all"), ("M19", "event", "flow"),
        ("M13", "event", "all"),
    )  # fmt: skip

    def __init__(self, cells: list[Cell], rule: str) -> None:
        self.rule = rule
        self.bounds: dict[str, tuple[float, float | None]] = {}
        for cell in cells:
            if (cell.metric, cell.basis, cell.dimension) in self.CUTS:
                name = f"{cell.metric}/{cell.category}"
                self.bounds[name] = self.read(cell.n)
                if cell.of_n is not None:
                    self.bounds[f"{name}#"] = self.read(cell.of_n)

    def read(self, printed: int | str | None) -> tuple[float, float | None]:
        if not isinstance(printed, int):
            return 0, None
        if printed == 0 or self.rule == "exact":
            return printed, printed
        return max(8, printed - 2), printed + 2

    def also(self, other: Attacker, unchanged: set[str]) -> None:
        """Use another version for what has not changed."""
        for name in unchanged & self.bounds.keys() & other.bounds.keys():
            (low, high), (low_too, high_too) = self.bounds[name], other.bounds[name]
            tops = [top for top in (high, high_too) if top is not None]
            self.bounds[name] = (max(low, low_too), min(tops) if tops else None)

    def range_of(self, name: str) -> tuple[float, float]:
        names = sorted({one for row in self.SUMS for one, _ in row} | self.bounds.keys())
        matrix = np.zeros((len(self.SUMS), len(names)))
        for n, row in enumerate(self.SUMS):
            if all(one in self.bounds for one, _ in row):
                for one, sign in row:
                    matrix[n, names.index(one)] = sign
        bounds = [self.bounds.get(one, (0, None)) for one in names]
        found = []
        for sign in (1, -1):
            goal = np.zeros(len(names))
            goal[names.index(name)] = sign
            solved = linprog(goal, A_eq=matrix, b_eq=np.zeros(len(matrix)), bounds=bounds)
            found.append(sign * solved.fun if solved.status == 0 else -sign * 1e9)
        return found[0], found[1]


def true_values(figures: list[Figure]) -> dict[str, int]:
    found: dict[str, int] = {}
    for figure in figures:
        if figure.cut in Attacker.CUTS:
            name = f"{figure.metric}/{figure.category}"
            found |= {name: figure.n or 0} | ({} if figure.of_n is None else {f"{name}#": figure.of_n})
    return found


def assert_nothing_small_is_told(figures: list[Figure], attacker: Attacker) -> None:
    for name, value in true_values(figures).items():
        if 1 <= value <= 7:
            low, high = attacker.range_of(name)
            assert low <= value + 1e-6
            assert high >= value - 1e-6, "what is published is not false"
            assert round(high - low, 6) >= 5, f"{name} is told to be between {low} and {high}"


def test_figures_hang_together_as_their_definitions_say() -> None:
    """Every equation that disclosure control reckons with holds for true figures, else it would reckon wrongly."""
    draw = random.Random(1)
    crowd = [(draw.choice(AUTOMATION), draw.choice(KINDS), draw.choice(REASONS)) for _ in range(60)]
    true = attack.quantities(world(crowd, draw.choices(OUTCOMES, k=40)))
    known = attack.system(list(true), defined())
    values: dict[int, set[int]] = {}
    for name, variable in known.variable_of.items():
        values.setdefault(variable, set()).add(true[name])
    assert {name: values[variable] for name, variable in known.variable_of.items() if len(values[variable]) > 1} == {}
    for equation in known.equations:
        terms_of_it = {variable: factor * min(values[variable]) for variable, factor in equation.items()}
        named = {name for name, variable in known.variable_of.items() if variable in equation}
        assert sum(terms_of_it.values()) == 0, named


people = st.lists(
    st.tuples(
        st.sampled_from(AUTOMATION + ("fully",) * 9),
        st.sampled_from(KINDS + ("individual",) * 9),
        st.sampled_from(REASONS + ("fraud",) * 9),
    ),
    max_size=90,
)
ended = st.lists(st.sampled_from(OUTCOMES + ("upheld",) * 8), max_size=70)


@pytest.mark.parametrize("rule", ["round5-supp7", "exact"])
@run_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=people, ends=ended)
def test_no_small_number_can_be_solved_for(rule: str, people: list[tuple[str, str, str]], ends: list[str]) -> None:
    figures = world(people, ends)
    cells, _ = publish(figures, defined(), terms(rule))
    assert_nothing_small_is_told(figures, Attacker(cells, rule))


@pytest.mark.parametrize("rule", ["round5-supp7", "exact"])
@pytest.mark.parametrize("seed", range(5))
def test_nor_by_a_restatement_next_to_what_it_replaces(rule: str, seed: int) -> None:
    draw = random.Random(seed)
    crowd = [
        (draw.choice(AUTOMATION + ("fully",) * 9), draw.choice(KINDS), draw.choice(REASONS + ("fraud",) * 7))
        for _ in range(80)
    ]
    ends = draw.choices(OUTCOMES, (30, 4, 2, 3, 1), k=40)
    late = [(draw.choice(AUTOMATION), draw.choice(KINDS), draw.choice(REASONS)) for _ in range(draw.randint(1, 4))]
    before, after = world(crowd, ends), world(crowd + late, [*ends, "overturned"])
    first, edition = publish(before, defined(), terms(rule))
    second, _ = publish(after, defined(), terms(rule), [edition])
    old, new = true_values(before), true_values(after)
    attacker, earlier = Attacker(second, rule), Attacker(first, rule)
    attacker.also(earlier, {name for name in new if old.get(name) == new[name]})
    assert_nothing_small_is_told(after, attacker)


def test_an_attacker_would_find_what_is_only_hidden_by_itself() -> None:
    """The attack finds something where there is something: one small number beside an exact total."""
    figures = world([("fully", "individual", "fraud")] * 40 + [("not", "individual", "fraud")] * 3, [])
    careless = [Cell(*one.place, HIDDEN if one.n == 3 else one.n, one.of_n, "exact") for one in figures]
    assert Attacker(careless, "exact").range_of("M02/not") == (3, 3)


def one(cells: list[Cell], metric: str, category: str) -> Cell:
    return next(cell for cell in cells if (cell.metric, cell.category) == (metric, category))


def test_nothing_stays_nothing_few_are_hidden_and_others_are_rounded() -> None:
    crowd = (
        [("fully", "individual", "fraud")] * 38
        + [("not", "business", "identity")] * 5
        + [("partially", "business", "aup")] * 41
    )
    cells, _ = publish(world(crowd, []), defined(), terms())
    assert one(cells, "M02", "not").n == HIDDEN
    assert one(cells, "M02", "partially").n == 40
    assert one(cells, "M01", "all").n == 85, "84, rounded on its own"
    assert one(cells, "M22", "withdrawn").n == 0
    assert {cell.rule_id for cell in cells} == {"round5-supp7"}


def test_a_breakdown_with_one_kind_of_everybody_is_hidden_whole() -> None:
    cells, _ = publish(world([("fully", "individual", "fraud")] * 50, []), defined(), terms())
    assert {cell.n for cell in cells if cell.metric == "M02" and cell.dimension == "automation"} == {HIDDEN}


def test_a_share_of_few_is_hidden() -> None:
    crowd = [("fully", "individual", "aup")] * 12 + [("not", "business", "fraud")] * 17
    cells, _ = publish(world(crowd, []), defined(), terms())
    assert one(cells, "M42", "reasons").n == HIDDEN
    assert one(cells, "M42", "reasons").share is None


def test_a_median_of_few_is_hidden() -> None:
    figures = rules.complete([Figure("M25", "event", "minutes_wrongly_suspended", "median", 600, 7)], defined())
    cells, _ = publish(figures, defined(), terms())
    found = [cell for cell in cells if (cell.metric, cell.basis) == ("M25", "event")]
    assert [cell.n for cell in found] == [HIDDEN]


def test_what_an_earlier_version_hid_stays_hidden() -> None:
    crowd = [("fully", "individual", "fraud")] * 38 + [("not", "individual", "fraud")] * 5
    _, edition = publish(world(crowd, []), defined(), terms())
    more = crowd + [("not", "individual", "fraud")] * 20
    cells, _ = publish(world(more, []), defined(), terms(), [edition])
    assert one(cells, "M02", "not").n == HIDDEN
