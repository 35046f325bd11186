"""Disclosure control: what of a month may be published without anybody being told from it. Pure.

Rule `round5-supp7` (after the rule of NHS Hospital Episode Statistics): 0 stays 0; counts of 1 to 7 become `*`; others are
rounded to the nearest 5, totals on their own, so that none can be computed from another. A share is made of the rounded
counts, and hidden below a least denominator; a median is hidden below a least number of observations. A breakdown whose
only count that is not zero would tell the kind of everybody in it is hidden whole.

Rule `exact` prints true counts: small ones are hidden, and in each breakdown that has a total as many others, smallest
first, as it takes for the hidden ones together to be no small number, and never one alone.

Published months must not be taken from one another: whatever differs between two versions of a month is rounded on both
sides, and under `exact` a cell that is hidden in one version is hidden in every later one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from holdfast.suspension_statistics.definitions import Cut, Definitions, Metric
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.terms import Published

HIDDEN = "*"
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
    def share(self) -> float | None:
        """The share that the published numbers make, for those that are parts of something."""
        if isinstance(self.n, int) and isinstance(self.of_n, int) and self.of_n > 0:
            return min(1.0, self.n / self.of_n)
        return None


def publish(
    figures: Sequence[Figure], definitions: Definitions, terms: Published, *, hidden_before: Iterable[tuple[str, ...]] = ()
) -> list[Cell]:
    """The published edition of a month, figure by figure. `hidden_before`: places that an earlier version hid."""
    by_cut: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
    for figure in figures:
        by_cut[figure.cut].append(figure)
    if terms.rule == "exact":
        secret = _hidden_exactly(by_cut, definitions, terms, set(hidden_before))
        return [_exact(figure, definitions, terms, secret) for figure in figures]
    lone = {cut for cut, some in by_cut.items() if _tells_everybody(some, definitions)}
    return [_rounded(figure, definitions, terms, lone) for figure in figures]


def _cut_of(figure: Figure, definitions: Definitions) -> tuple[Metric, Cut]:
    cut = definitions.cut(*figure.cut)
    assert cut is not None, "figures are complete"
    return definitions.metrics[figure.metric], cut


def _unit(figure: Figure, definitions: Definitions) -> str:
    metric, cut = _cut_of(figure, definitions)
    return metric.unit_of(cut)


def _tells_everybody(some: Sequence[Figure], definitions: Definitions) -> bool:
    """Whether a breakdown of more than one category has a single one that is not zero."""
    is_breakdown = len(some) > 1 and _unit(some[0], definitions) in _COUNTS
    return is_breakdown and sum(bool(one.n) for one in some) == 1


def _rounded(figure: Figure, definitions: Definitions, terms: Published, lone: set[tuple[str, str, str]]) -> Cell:
    unit = _unit(figure, definitions)
    of_n = _round(figure.of_n, terms)
    if unit not in _COUNTS:
        return _value(figure, terms, of_n, unit)
    n = HIDDEN if figure.cut in lone and figure.n else _round(figure.n, terms)
    if unit == "share" and figure.of_n is not None and figure.of_n < terms.least_denominator:
        n = HIDDEN if figure.of_n else n
    if n != HIDDEN and _rest_is_small(figure, terms):
        n = HIDDEN
    return _cell(figure, terms, n, of_n)


def _rest_is_small(figure: Figure, terms: Published) -> bool:
    """Whether all but a few are in the cell: those few would be seen in what is left of the whole."""
    if figure.n is None or figure.of_n is None:
        return False
    return 0 < figure.of_n - figure.n <= terms.suppress_up_to


def _value(figure: Figure, terms: Published, of_n: int | str | None, unit: str) -> Cell:
    """A time, an age or a rate of many: hidden where few are behind it, and a rate made of the rounded count."""
    if figure.n is None:
        return _cell(figure, terms, None, of_n)
    if unit == "per_10000":
        return _cell(figure, terms, _round(figure.n, terms), of_n)
    behind = figure.of_n or 0
    return _cell(figure, terms, figure.n if behind >= terms.least_observations else HIDDEN, of_n)


def _round(n: int | None, terms: Published) -> int | str | None:
    if n is None or n == 0:
        return n
    return HIDDEN if n <= terms.suppress_up_to else (n + terms.base // 2) // terms.base * terms.base


def _cell(figure: Figure, terms: Published, n: int | str | None, of_n: int | str | None) -> Cell:
    return Cell(*figure.place, n, of_n, terms.rule)


def _hidden_exactly(
    by_cut: dict[tuple[str, str, str], list[Figure]],
    definitions: Definitions,
    terms: Published,
    hidden: set[tuple[str, ...]],
) -> set[tuple[str, ...]]:
    """Places whose counts are hidden: small ones, those hidden before, and others as their breakdown needs.

    Categories of a breakdown add up to a total that is printed. So those hidden in it are at least two, and together
    more than twice what is small: else the largest could be told from the rest.
    """
    for some in by_cut.values():
        counted = [one for one in some if _unit(one, definitions) in _COUNTS and one.n is not None]
        secret = [one for one in counted if 0 < (one.n or 0) <= terms.suppress_up_to or one.place in hidden]
        if not secret:
            continue
        rest = sorted((one for one in counted if one not in secret and one.n), key=lambda one: (one.n or 0, one.place))
        while rest and (len(secret) < 2 or sum(one.n or 0 for one in secret) <= 2 * terms.suppress_up_to):
            secret.append(rest.pop(0))
        if len(secret) < 2 or sum(one.n or 0 for one in secret) <= 2 * terms.suppress_up_to:
            secret += [one for one in counted if one not in secret]  # nothing else hides them: the zeros as well
        hidden |= {one.place for one in secret}
    return hidden


def _exact(figure: Figure, definitions: Definitions, terms: Published, secret: set[tuple[str, ...]]) -> Cell:
    unit = _unit(figure, definitions)
    small = figure.of_n is not None and 0 < figure.of_n <= terms.suppress_up_to
    of_n = HIDDEN if small else figure.of_n
    if unit not in _COUNTS:
        return _value(figure, terms, of_n, unit)
    few = unit == "share" and figure.of_n is not None and 0 < figure.of_n < terms.least_denominator
    hide = figure.place in secret or few or _rest_is_small(figure, terms)
    return _cell(figure, terms, HIDDEN if hide else figure.n, of_n)
