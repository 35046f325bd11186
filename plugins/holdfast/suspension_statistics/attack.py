"""What somebody could find out about a hidden number from everything that is published. Pure.

Each published number is a variable between bounds: hidden ones between none and no end, rounded ones as far as rounding
reaches. The sums and the sameness of figures, which are public (policy/suspension_metrics.yaml), are equations. The
least and the greatest value that a hidden number can have under all of them is what an attacker knows; linear
programming finds both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.errors import StatisticsError
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.rules import Figure

Quantity = str
"""metric/basis/dimension/category for a count, with #of behind it for what it is a part of."""
Bounds = tuple[float, float]
_SOLVED, _ENDLESS = 0, 3  # of linprog
OPEN: Bounds = (0.0, math.inf)
_FLOW = "M19/event/flow/"


def quantities(figures: Iterable[Figure]) -> dict[Quantity, int]:
    """The true value of every number that is measured."""
    found: dict[Quantity, int] = {}
    for figure in figures:
        name = "/".join(figure.place)
        found |= {} if figure.n is None else {name: figure.n}
        found |= {} if figure.of_n is None else {f"{name}#of": figure.of_n}
    return found


@dataclass(frozen=True)
class System:
    """Variables and the equations between them, each as {variable: factor} that sums to nothing."""

    variable_of: Mapping[Quantity, int]
    equations: Sequence[Mapping[int, int]]

    @property
    def size(self) -> int:
        return len(set(self.variable_of.values()))

    def bounds(self, of: Mapping[Quantity, Bounds]) -> list[Bounds]:
        """What is published of each variable: a number in several places is within all of their bounds."""
        made = [OPEN] * self.size
        for name, (low, high) in of.items():
            variable = self.variable_of[name]
            made[variable] = (max(made[variable][0], low), min(made[variable][1], high))
        return made

    def near(self, variable: int) -> set[int]:
        """The variables that stand in an equation with it."""
        return {one for equation in self.equations if variable in equation for one in equation} - {variable}

    def range_of(self, variable: int, bounds: Sequence[Bounds]) -> Bounds:
        """The least and the greatest value that a variable can have."""
        import numpy as np
        from scipy.optimize import linprog

        columns, rows = self._reach(variable)
        place = {column: n for n, column in enumerate(columns)}
        matrix = np.zeros((len(rows), len(columns)))
        for n, equation in enumerate(rows):
            for column, factor in equation.items():
                matrix[n, place[column]] = factor
        limits = [bounds[column] for column in columns]
        found = []
        for sign in (1, -1):
            goal = np.zeros(len(columns))
            goal[place[variable]] = sign
            equal = {"A_eq": matrix, "b_eq": np.zeros(len(rows))} if rows else {}
            solved = linprog(goal, **equal, bounds=limits, method="highs")
            if solved.status not in (_SOLVED, _ENDLESS):
                raise StatisticsError(
                    "The figures do not hang together as their definitions say, so what they tell cannot be known.",
                    fix="publish nothing; compare same and sums of policy/suspension_metrics.yaml with the queries.",
                )
            found.append(sign * float(solved.fun) if solved.status == _SOLVED else -sign * math.inf)
        return found[0], found[1]

    def _reach(self, variable: int) -> tuple[list[int], list[Mapping[int, int]]]:
        """All variables and equations that hang together with one."""
        seen, rows = {variable}, list(self.equations)
        while True:
            more = {one for row in rows if seen & row.keys() for one in row} | seen
            if more == seen:
                return sorted(seen), [row for row in rows if seen & row.keys()]
            seen = more


def system(names: Sequence[Quantity], definitions: Definitions) -> System:
    """The equations among these numbers that the definitions make public."""
    matching = _Matching(names)
    leader = {name: name for name in names}
    for group in definitions.same:
        members = [name for written in group for name in matching(written)]
        for name in members[1:]:
            _join(leader, members[0], name)
    for whole in _wholes(names, definitions):
        for name in whole[1:]:
            _join(leader, whole[0], name)
    leaders = {name: _find(leader, name) for name in names}
    number = {name: n for n, name in enumerate(dict.fromkeys(leaders.values()))}
    variable_of = {name: number[leaders[name]] for name in names}
    equations = [
        _equation(variable_of, matching(one.whole)[:1], matching.all_of(one.parts)) for one in definitions.sums
    ]
    equations += [
        _equation(variable_of, matching(control.whole)[:1], matching(part))
        for control in definitions.controls
        for part in control.parts
    ]
    flow = {name.removeprefix(_FLOW): variable_of[name] for name in names if name.startswith(_FLOW) and "#" not in name}
    signs = {
        "open_at_the_beginning": 1,
        "asked_for": 1,
        "decided": -1,
        "withdrawn": -1,
        "omitted": -1,
        "open_at_the_end": -1,
    }
    equations.append(
        {flow[name]: sign for name, sign in signs.items() if name in flow} if len(flow) == len(signs) else {}
    )
    return System(variable_of, [equation for equation in equations if equation])


class _Matching:
    """The numbers that a place of the definitions means."""

    def __init__(self, names: Sequence[Quantity]) -> None:
        self._names = names

    def __call__(self, written: str) -> list[Quantity]:
        path, _, of = written.partition("#")
        ending = "#of" if of else ""
        depth = path.count("/")
        fits: Callable[[str], bool] = (
            (lambda name: name == path + ending)
            if depth == 3
            else (lambda name: name.rpartition("/")[0] == path and name.endswith("#of") == bool(of))
        )
        return [name for name in self._names if fits(name)]

    def all_of(self, parts: Sequence[str]) -> list[Quantity]:
        return [name for part in parts for name in self(part)]


def _wholes(names: Sequence[Quantity], definitions: Definitions) -> list[list[Quantity]]:
    """Breakdowns whose categories are parts of one number, which is printed beside each of them."""
    found: dict[str, list[Quantity]] = {}
    for name in names:
        cut = name.rpartition("/")[0]
        declared = definitions.cut(*cut.split("/"))
        if name.endswith("#of") and declared is not None and not declared.each:
            found.setdefault(cut, []).append(name)
    return list(found.values())


def _equation(
    variable_of: Mapping[Quantity, int], whole: Sequence[Quantity], parts: Sequence[Quantity]
) -> dict[int, int]:
    if not whole or not parts:
        return {}
    made: dict[int, int] = {variable_of[whole[0]]: 1}
    for name in parts:
        made[variable_of[name]] = made.get(variable_of[name], 0) - 1
    return made


def _find(leader: dict[str, str], name: str) -> str:
    while leader[name] != name:
        name = leader[name]
    return name


def _join(leader: dict[str, str], one: str, other: str) -> None:
    leader[_find(leader, other)] = _find(leader, one)
