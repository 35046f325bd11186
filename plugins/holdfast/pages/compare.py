"""What differs between two reports of one job: figure by figure, by the names that the reports themselves use. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAMES = (
    ("rule_id", "hold_type", "within_days", "reason"),
    ("metric", "basis", "dimension", "category"),
    ("dataset", "kept_by"),
    ("recipient", "kind"),
    ("alert",),
    ("request",),
    ("state", "reason"),
    ("figure",),
    ("name",),
    ("file_name",),
    ("day",),
    ("week",),
    ("kind",),
)
"""By what the lines of a list are told apart: the first of these that a line has."""
_NOT_FIGURES = frozenset({"written_at", "course", "seal", "run"})
"""What is another in every report and says nothing of what was kept."""


@dataclass(frozen=True)
class Change:
    """One figure that is not the same; None where a report does not have it."""

    figure: str
    before: object
    after: object


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every figure that differs, in the order of the reports."""
    old, new = (dict(_figures({k: v for k, v in one.items() if k not in _NOT_FIGURES})) for one in (before, after))
    names = [*old, *(name for name in new if name not in old)]
    return [Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _figures(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _figures(item, f"{place} / {key}" if place else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _figures(item, f"{place} / {_name_of(item, number)}")
    else:
        yield place, value


def _name_of(item: Any, number: int) -> str:
    if isinstance(item, Mapping):
        for names in _NAMES:
            if names[0] in item:
                return " ".join(str(item[name]) for name in names if item.get(name) is not None)
    return str(number)
