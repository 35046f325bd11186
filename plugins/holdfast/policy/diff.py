"""What one policy says and another does not, as values. Which rows that means, the retention package counts.

`diff` is complete: everything in the three documents that differs. `changed_rules` is what concerns rows: the rules
that pick other rows, or do something else to them, seen with everything that they rest on (a class's period, the way
to the subject, the time zone).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from holdfast.policy.model import Policy, Rule, Subject


class Kind(enum.StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, order=True)
class Difference:
    """One value that differs; None where one side says nothing. `path` is dotted, from the entry down."""

    path: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        return f"{self.path}: old {self.old or '-'}, new {self.new or '-'}"


@dataclass(frozen=True)
class Change:
    """One entry that differs: `what` it is (dataset, rule, hold type, ...), its `name`, and how."""

    kind: Kind
    what: str
    name: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class RuleChange:
    """A rule that exists in one policy alone (`kind` added or removed) or would treat rows differently in the other."""

    kind: Kind
    rule_id: str
    dataset: str
    differences: tuple[Difference, ...] = ()


def diff(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every entry that differs, in the order of the documents; empty if both say the same."""
    before, after = _entries(old), _entries(new)
    found = []
    for key in [*after, *(key for key in before if key not in after)]:
        differences = tuple(_differences(before.get(key), after.get(key)))
        if key not in before:
            found.append(Change(Kind.ADDED, *key))
        elif key not in after:
            found.append(Change(Kind.REMOVED, *key))
        elif differences:
            found.append(Change(Kind.CHANGED, *key, differences))
    return tuple(found)


def changed_rules(old: Policy, new: Policy) -> list[RuleChange]:
    """The rules under which other rows would be deleted or kept; wording, law and owner are not among what counts."""
    found = []
    for rule_id in [*new.schedule.rules, *(name for name in old.schedule.rules if name not in new.schedule.rules)]:
        before, after = old.schedule.rules.get(rule_id), new.schedule.rules.get(rule_id)
        if after is None:
            found.append(RuleChange(Kind.REMOVED, rule_id, old.schedule.rules[rule_id].dataset))
        elif before is None:
            found.append(RuleChange(Kind.ADDED, rule_id, after.dataset))
        else:
            differences = tuple(_differences(_deciding(old, rule_id, before), _deciding(new, rule_id, after)))
            if differences:
                found.append(RuleChange(Kind.CHANGED, rule_id, after.dataset, differences))
    return found


def _deciding(policy: Policy, rule_id: str, rule: Rule) -> dict[str, object]:
    """Everything that decides which rows a rule is for, when they are due, what happens and what can stop it."""
    schedule = policy.schedule
    deciding: dict[str, object] = {
        "period": str(policy.period_of(rule_id)),
        "undo_days": rule.undo_days,
        "where": [condition.model_dump(mode="json", exclude_defaults=True) for condition in rule.where],
        "start": rule.start.model_dump(mode="json"),
        "action": rule.action.model_dump(mode="json"),
        "strength": rule.strength.value,
        "holds": ", ".join(sorted(policy.holds_of(rule_id))),
        "time_zone": schedule.time_zone,
        "rows": _way(policy, rule.dataset),
    }
    if rule.start.dataset is not None:
        deciding["start_rows"] = _way(policy, rule.start.dataset)
    if rule.start.counts_from == "end_of_accounting_period":
        deciding["accounting_year_end"] = schedule.accounting_year_end
    return deciding


def _way(policy: Policy, name: str) -> dict[str, object]:
    """The table of a dataset and how its rows are told apart, dated, and led to their subject."""
    dataset = policy.data_map.datasets[name]
    way = dataset.model_dump(
        mode="json", include={"connection", "table", "key", "subject", "event", "made", "time_zone"}
    )
    if isinstance(dataset.subject, Subject) and dataset.subject.through is not None:
        way["through"] = _way(policy, dataset.subject.through.dataset)
    return way


def _entries(policy: Policy) -> dict[tuple[str, str], object]:
    """Each entry that can be added, removed or changed, by what it is and its name."""
    data_map = policy.data_map.model_dump(mode="json")
    schedule = policy.schedule.model_dump(mode="json")
    holds = policy.holds.model_dump(mode="json")
    sections: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("connection", data_map.pop("connections")),
        ("dataset", data_map.pop("datasets")),
        ("exemption", data_map.pop("exemptions")),
        ("deletion class", schedule.pop("classes")),
        ("rule", schedule.pop("rules")),
        ("hold type", holds.pop("types")),
        ("hold source", holds.pop("sources")),
        ("setting", {f"data_map.{name}": value for name, value in data_map.items()}),
        ("setting", {f"schedule.{name}": value for name, value in schedule.items()}),
        ("setting", {f"holds.{name}": value for name, value in holds.items()}),
    )
    return {(what, name): entry for what, entries in sections for name, entry in entries.items()}


def _differences(old: object, new: object) -> Iterator[Difference]:
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for path in [*after, *(path for path in before if path not in after)]:
        if before.get(path) != after.get(path):
            yield Difference(path, before.get(path), after.get(path))


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str | None]]:
    """Every value with its path; a list of plain values counts as one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for i, part in enumerate(value):
            yield from _leaves(part, f"{path}.{i}")
    elif isinstance(value, list):
        yield path or "value", ", ".join(str(part) for part in value) or None
    else:
        yield path or "value", None if value is None else str(value)
