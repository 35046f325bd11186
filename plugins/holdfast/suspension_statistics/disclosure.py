"""Disclosure control: what of a month may be published without anybody being told from it. Pure.

Rule `round5-supp7` (after that of NHS Hospital Episode Statistics): 0 stays 0; counts of 1 to 7 are hidden; others are
rounded to the nearest 5, totals on their own. Rule `exact`: other counts are printed as they are.

Under both, a share is hidden below a least denominator, or where nearly everybody is in it, and a median below a least
number of observations; a breakdown with a single count that is not zero is hidden whole, because it would tell the kind
of everybody. Then the edition is attacked (attack.py): while a small number can be told to less than `WIDTH`, the
smallest number that helps to tell it is hidden too. `*` means hidden: small, or telling something small.

Versions of a month are published one after the other, and an attacker has all of them. What an earlier one hid stays
hidden, and what it showed counts as known for as long as the figure has not changed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import attack
from holdfast.suspension_statistics.attack import OPEN, Bounds, Quantity, System
from holdfast.suspension_statistics.definitions import Definitions
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.terms import Published

HIDDEN = "*"
WIDTH = 5
_EXACT = "exact"
_COUNTS = ("count", "share")


@dataclass(frozen=True)
class Cell:
    """A figure as it is published. `n` and `of_n` are numbers, `*` for hidden, or None: nothing was measured."""

    metric: str
    basis: str
    dimension: str
    category: str
    n: int | str | None
    of_n: int | str | None
    rule_id: str

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.metric, self.basis, self.dimension, self.category

    @property
    def share(self) -> float | None:
        """The share that the published numbers make, for those that are parts of something."""
        if isinstance(self.n, int) and isinstance(self.of_n, int) and self.of_n > 0:
            return min(1.0, self.n / self.of_n)
        return None


@dataclass(frozen=True)
class Edition:
    """What was true of a published month, what of it was hidden, and under which terms: later ones are made with it."""

    figures: Sequence[Figure]
    hidden: frozenset[Quantity]
    terms: Published


def publish(
    figures: Sequence[Figure], definitions: Definitions, terms: Published, earlier: Sequence[Edition] = ()
) -> tuple[list[Cell], Edition]:
    """The published edition of a month. `earlier` is what readers have already: of its versions, of months next to it.

    Raises StatisticsError if nothing that may still be hidden keeps a small number from being told.
    """
    units = {figure.place: _unit(figure, definitions) for figure in figures}
    true = {
        name: value
        for name, value in attack.quantities(figures).items()
        if name.endswith("#of") or units[_place(name)] in (*_COUNTS, "per_10000")
    }
    hidden = _primary(figures, units, definitions, terms) & set(true)
    hidden |= {name for edition in earlier for name in edition.hidden if name in true}
    hidden = _until_safe(true, hidden, attack.system(list(true), definitions), terms, earlier)
    cells = [_cell(figure, units[figure.place], hidden, terms) for figure in figures]
    return cells, Edition(tuple(figures), frozenset(hidden), terms)


def shown(value: int, terms: Published) -> int:
    """A number that is not hidden, as it is printed."""
    if value == 0 or terms.rule == _EXACT:
        return value
    return (value + terms.base // 2) // terms.base * terms.base


def bounds_of(value: int, terms: Published) -> Bounds:
    """What a printed number tells of the true one."""
    if value == 0 or terms.rule == _EXACT:
        return float(value), float(value)
    printed, half = shown(value, terms), terms.base // 2
    return float(max(terms.suppress_up_to + 1, printed - half)), float(printed + terms.base - 1 - half)


def _place(name: Quantity) -> tuple[str, str, str, str]:
    metric, basis, dimension, category = name.partition("#")[0].split("/")
    return metric, basis, dimension, category


def _unit(figure: Figure, definitions: Definitions) -> str:
    cut = definitions.cut(*figure.cut)
    assert cut is not None, "figures are complete"
    return definitions.metrics[figure.metric].unit_of(cut)


def _primary(
    figures: Sequence[Figure],
    units: Mapping[tuple[str, str, str, str], str],
    definitions: Definitions,
    terms: Published,
) -> set[Quantity]:
    """What is hidden for its own sake."""
    by_cut: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
    for figure in figures:
        by_cut[figure.cut].append(figure)
    hidden: set[Quantity] = set()
    for some in by_cut.values():
        is_lone = len(some) > 1 and units[some[0].place] in _COUNTS and sum(bool(one.n) for one in some) == 1
        for figure in some:
            name = "/".join(figure.place)
            if is_lone or _is_small(figure.n, terms) or _rest_is_small(figure, terms) or _has_few(figure, units, terms):
                hidden.add(name)
            if _is_small(figure.of_n, terms):
                hidden.add(f"{name}#of")
    return hidden


def _is_small(n: int | None, terms: Published) -> bool:
    return n is not None and 0 < n <= terms.suppress_up_to


def _rest_is_small(figure: Figure, terms: Published) -> bool:
    """Whether all but a few are in the cell: those few would be seen in what is left of the whole."""
    return figure.n is not None and figure.of_n is not None and _is_small(figure.of_n - figure.n, terms)


def _has_few(figure: Figure, units: Mapping[tuple[str, str, str, str], str], terms: Published) -> bool:
    few = figure.of_n is not None and 0 < figure.of_n < terms.least_denominator
    return units[figure.place] == "share" and few


def _until_safe(
    true: Mapping[Quantity, int], hidden: set[Quantity], system: System, terms: Published, earlier: Sequence[Edition]
) -> set[Quantity]:
    """Hide more until no small number can be told; a number in several places is hidden in all of them."""
    known = _known_before(true, earlier)
    hidden = _everywhere(hidden, system)
    small = {system.variable_of[name] for name, value in true.items() if name in hidden and _is_small(value, terms)}
    for variable in sorted(small):  # each once: whatever is hidden later tells even less of it
        while _is_told(variable, true, hidden, system, known, terms):
            hidden = _everywhere(hidden | {_helper(variable, true, hidden, system, known)}, system)
    return hidden


def _helper(
    variable: int, true: Mapping[Quantity, int], hidden: set[Quantity], system: System, known: Mapping[Quantity, Bounds]
) -> Quantity:
    """The next number to hide: the smallest of those that stand in an equation with it, else the smallest of all."""
    free = [name for name, value in true.items() if value and name not in hidden and name not in known]
    near = system.near(variable)
    helpers = [name for name in free if system.variable_of[name] in near] or free
    if not helpers:
        raise StatisticsError(
            "A small number could be told from what earlier versions of the month showed.",
            fix="publish no further version of this month, or only its internal edition.",
        )
    return min(helpers, key=lambda name: (true[name], name))


def _known_before(true: Mapping[Quantity, int], earlier: Sequence[Edition]) -> dict[Quantity, Bounds]:
    """What earlier editions showed of numbers that are still the same, all of them together."""
    known: dict[Quantity, Bounds] = {}
    for edition in earlier:
        for name, value in attack.quantities(edition.figures).items():
            if name not in edition.hidden and true.get(name) == value:
                low, high = bounds_of(value, edition.terms)
                least, most = known.get(name, OPEN)
                known[name] = (max(low, least), min(high, most))
    return known


def _is_told(
    variable: int,
    true: Mapping[Quantity, int],
    hidden: set[Quantity],
    system: System,
    known: Mapping[Quantity, Bounds],
    terms: Published,
) -> bool:
    """Whether a number can be told to less than the width."""
    seen = {name: OPEN if name in hidden else bounds_of(value, terms) for name, value in true.items()}
    bounds = system.bounds({**seen, **{name: one for name, one in known.items() if name in true}})
    low, high = system.range_of(variable, bounds)
    return math.isfinite(high) and math.floor(high + 1e-6) - math.ceil(low - 1e-6) < WIDTH


def _everywhere(hidden: set[Quantity], system: System) -> set[Quantity]:
    variables = {system.variable_of[name] for name in hidden}
    return {name for name, one in system.variable_of.items() if one in variables}


def _cell(figure: Figure, unit: str, hidden: set[Quantity], terms: Published) -> Cell:
    name = "/".join(figure.place)
    of_n = _printed(f"{name}#of", figure.of_n, hidden, terms)
    if unit in (*_COUNTS, "per_10000"):
        return Cell(*figure.place, _printed(name, figure.n, hidden, terms), of_n, terms.rule)
    behind = figure.of_n or 0
    n: int | str | None = figure.n if figure.n is None or behind >= terms.least_observations else HIDDEN
    return Cell(*figure.place, n, of_n, terms.rule)


def _printed(name: Quantity, value: int | None, hidden: set[Quantity], terms: Published) -> int | str | None:
    return None if value is None else HIDDEN if name in hidden else shown(value, terms)
