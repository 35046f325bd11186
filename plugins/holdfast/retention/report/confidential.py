"""What the ordinary edition may say about holds.

Of some holds not even the existence may be told (Investigatory Powers Act 2016 s.95(2); a suspect may not be warned).
Leaving their names out is not enough: a line for them alone, a gap in a sum or a count that grew by one would tell as
much. So where an authority has a type that may not be named, all its types become one line, *other obligations*, which
carries rows and nothing else: no number of holds, no end, no review. Without a policy to say which types those are,
every type does. docs/decisions/0005-reports.md has the reasons.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.policy.model import Policy
from holdfast.retention.report.registers import Held, PlannedRule

OTHER_OBLIGATIONS = "other obligations"


@dataclass(frozen=True)
class HeldLine:
    """Rows of a rule under one type of hold, as they may be shown.

    Of those that are not named, `hold_type` is OTHER_OBLIGATIONS, `authority` is the same whatever holds them, and
    `holds` and `held_until` are None.
    """

    rule_id: str
    hold_type: str
    authority: str
    held_rows: int
    held_until: dt.date | None
    holds: int | None

    @property
    def is_named(self) -> bool:
        return self.hold_type != OTHER_OBLIGATIONS


@dataclass(frozen=True)
class Disclosure:
    """Which hold types and sources the ordinary edition may name; `guarded` authorities are told as one."""

    guarded: frozenset[str] = frozenset()
    nameable_types: frozenset[str] = frozenset()
    nameable_sources: frozenset[str] = frozenset()
    countable_sources: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policy: Policy | None) -> Disclosure:
        """A source that serves only types nobody may know of is not named; one that serves any is not counted."""
        if policy is None:
            return cls()
        types, sources = policy.holds.types, policy.holds.sources
        guarded = {one.authority.value for one in types.values() if not one.disclosable}
        return cls(
            guarded=frozenset(guarded),
            nameable_types=frozenset(code for code, one in types.items() if one.authority.value not in guarded),
            nameable_sources=frozenset(
                name for name, source in sources.items() if any(types[code].disclosable for code in source.types)
            ),
            countable_sources=frozenset(
                name for name, source in sources.items() if all(types[code].disclosable for code in source.types)
            ),
        )

    @property
    def other_authorities(self) -> str:
        """The authorities whose holds are the other obligations; all, where the policy does not say."""
        return ", ".join(sorted(self.guarded)) or "any"

    def may_name(self, hold_type: str, disclosable: bool) -> bool:
        """Whether a hold of this type may be told of. A source may keep to itself a single one of a type that may."""
        return disclosable and hold_type in self.nameable_types

    def source_name(self, source_id: str) -> str:
        return source_id if source_id in self.nameable_sources else OTHER_OBLIGATIONS

    def lines(self, held: Sequence[Held], rules: Mapping[str, PlannedRule]) -> list[HeldLine]:
        """What may be shown of who holds what, for each rule: the named types in order, then the others as one.

        The rows of the others are added up and at most all held rows of the rule: a larger sum would tell that two of
        them hold the same rows.
        """
        lines: list[HeldLine] = []
        for rule_id in sorted({one.rule_id for one in held}):
            of_rule = [one for one in held if one.rule_id == rule_id and one.held_rows > 0]
            named = [one for one in of_rule if self.may_name(one.hold_type, one.disclosable)]
            others = sum(one.held_rows for one in of_rule if one not in named)
            lines += [
                HeldLine(rule_id, one.hold_type, one.authority, one.held_rows, one.held_until, one.holds)
                for one in sorted(named, key=lambda one: one.hold_type)
            ]
            if others:
                rows = min(others, rules[rule_id].held_rows)
                lines.append(HeldLine(rule_id, OTHER_OBLIGATIONS, self.other_authorities, rows, None, None))
        return lines
