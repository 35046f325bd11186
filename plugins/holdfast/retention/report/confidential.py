"""What the ordinary edition says of who holds what: named where that may be told, and otherwise as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.policy.disclosure import OTHER_OBLIGATIONS, Disclosure
from holdfast.retention.report.registers import Held, PlannedRule


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


def held_lines(disclosure: Disclosure, held: Sequence[Held], rules: Mapping[str, PlannedRule]) -> list[HeldLine]:
    """What may be shown of who holds what, for each rule: the named types in order, then the others as one.

    The rows of the others are added up and at most all held rows of the rule: a larger sum would tell that two of
    them hold the same rows.
    """
    lines: list[HeldLine] = []
    for rule_id in sorted({one.rule_id for one in held}):
        of_rule = [one for one in held if one.rule_id == rule_id and one.held_rows > 0]
        named = [one for one in of_rule if disclosure.may_name(one.hold_type, one.disclosable)]
        others = sum(one.held_rows for one in of_rule if one not in named)
        lines += [
            HeldLine(rule_id, one.hold_type, one.authority, one.held_rows, one.held_until, one.holds)
            for one in sorted(named, key=lambda one: one.hold_type)
        ]
        if others:
            rows = min(others, rules[rule_id].held_rows)
            lines.append(HeldLine(rule_id, OTHER_OBLIGATIONS, disclosure.other_authorities, rows, None, None))
    return lines
