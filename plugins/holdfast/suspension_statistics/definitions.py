"""What each figure means: policy/suspension_metrics.yaml, the source of docs/definitions.md and the report's words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from holdfast.policy.load import load_document
from holdfast.policy.model import Sentence, Strict

FILE = "suspension_metrics.yaml"
MetricId = Annotated[str, Field(pattern=r"^[MU]\d{2}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Unit = Literal["count", "share", "minutes", "seconds", "days", "per_10000"]
Basis = Literal["decision", "event"]
BASES: Mapping[str, str] = {"decision": "by month of decision", "event": "by month of event"}


class Cut(Strict):
    """One way in which a metric is broken down. Without `categories` they are those that occur.

    All categories are parts of one number, but where `each` has one of its own.
    """

    basis: Basis
    dimension: Name
    categories: tuple[Name, ...] = ()
    unit: Unit | None = None
    denominator: str | None = None
    each: bool = False


class Metric(Strict):
    """One metric. `denominator` is what it is a part of, in words; None where it is a part of nothing."""

    name: str
    population: Sentence
    event: Sentence
    clock: Sentence
    inclusion: Sentence
    later: Sentence
    unit: Unit
    denominator: str | None
    cuts: tuple[Cut, ...] = Field(min_length=1)

    def unit_of(self, cut: Cut) -> Unit:
        return cut.unit or self.unit

    def denominator_of(self, cut: Cut) -> str | None:
        return cut.denominator or self.denominator


class Sum(Strict):
    """The parts together add up to the whole. A place is metric/basis/dimension/category, or a cut for all of its
    categories; with #of it is the denominator. The whole is one quantity, however many categories it is printed with.
    """

    whole: str
    parts: tuple[str, ...] = Field(min_length=1)


class Control(Strict):
    """The categories of each part add up to the whole; each is written metric/basis/dimension."""

    whole: str
    parts: tuple[str, ...] = Field(min_length=1)


class Definitions(Strict):
    """The file."""

    version: Literal[1]
    metrics: dict[MetricId, Metric]
    controls: tuple[Control, ...]
    same: tuple[tuple[str, ...], ...]
    sums: tuple[Sum, ...]

    def cut(self, metric: str, basis: str, dimension: str) -> Cut | None:
        """The cut of that name, None where there is none."""
        found = self.metrics.get(metric)
        cuts = found.cuts if found else ()
        return next((cut for cut in cuts if (cut.basis, cut.dimension) == (basis, dimension)), None)


def load(folder: Path) -> tuple[Definitions, str]:
    """The definitions in a policy folder, and their digest. Raises PolicyRefused for the first thing that is wrong."""
    return load_document(Definitions, folder / FILE)


def as_markdown(definitions: Definitions) -> str:
    """The whole of docs/definitions.md."""
    parts = [_HEAD]
    for metric_id, metric in definitions.metrics.items():
        lines = [f"## {metric_id} {metric.name}", ""]
        lines += [f"- **{name}.** {text}" for name, text in _told(metric)]
        lines += ["- **Broken down.** " + "; ".join(_cut_in_words(metric, cut) for cut in metric.cuts) + "."]
        parts.append("\n".join(lines))
    parts.append(_controls(definitions))
    return "\n\n".join(parts) + "\n"


def _told(metric: Metric) -> list[tuple[str, str]]:
    told = [
        ("Population", metric.population),
        ("Event", metric.event),
        ("Clock", metric.clock),
        ("Inclusion", metric.inclusion),
        ("Changes later by", metric.later),
        ("Unit", metric.unit),
    ]
    return [*told, ("Part of", metric.denominator)] if metric.denominator else told


def _cut_in_words(metric: Metric, cut: Cut) -> str:
    unit = f", in {metric.unit_of(cut)}" if cut.unit else ""
    categories = f" ({', '.join(cut.categories)})" if cut.categories and cut.categories != ("all",) else ""
    return f"`{cut.dimension}`{categories} {BASES[cut.basis]}{unit}"


def _controls(definitions: Definitions) -> str:
    lines = ["## Controls", "", "A month in which one of these does not hold is not frozen.", ""]
    lines += [f"- `{control.whole}` is the sum of each of: {', '.join(f'`{part}`' for part in control.parts)}."
              for control in definitions.controls]  # fmt: skip
    lines.append(
        "- Reviews open at the beginning, and asked for, are those decided, withdrawn, omitted and open at the end."
    )
    return "\n".join(lines)


_HEAD = """\
# What the figures of the suspension statistics mean

Made from `policy/suspension_metrics.yaml` by `holdfast statistics definitions`; the report prints the same words. A
figure has a metric, a basis (the month of the decision, or the month of what happened), a dimension and a category.
`n` is the count or the value, `of_n` what it is a part of or the number of observations. No figure where nothing was
measured: that is not zero. Automated *detection* (M06) and automated *decision* (M02) are two things. Counts of the
published edition are altered so that nobody can be told from them: its files name the rule."""
