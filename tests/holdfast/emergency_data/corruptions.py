"""Random changes of one field of a good record: what goes wrong with data on its way, seen from the field."""

from __future__ import annotations

import random
from dataclasses import dataclass

from holdfast.emergency_data.fields import FIELDS

TYPES = ("empty", "cut", "doubled", "swapped", "digit", "letter", "other", "lower", "spaces", "placeholder")


@dataclass(frozen=True)
class Corruption:
    """Which field was changed and how; `value` is what it is now."""

    field: str
    kind: str
    value: str


def corrupt(record: dict[str, str], other: dict[str, str], chance: random.Random) -> Corruption:
    """A change that really changes something. `other` is another good record, for values that belong elsewhere."""
    while True:
        field, kind = chance.choice(FIELDS), chance.choice(TYPES)
        value = _changed(record[field], other[field], kind, chance)
        if value != record[field]:
            return Corruption(field, kind, value)


def _changed(value: str, other: str, kind: str, chance: random.Random) -> str:
    at = chance.randrange(len(value)) if value else 0
    match kind:
        case "empty":
            return ""
        case "cut":
            return value[:at]
        case "doubled":
            return value + value
        case "swapped":
            return value[:at] + value[at + 1 : at + 2] + value[at : at + 1] + value[at + 2 :]
        case "digit":
            return value[:at] + chance.choice("0123456789") + value[at + 1 :]
        case "letter":
            return value[:at] + chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + value[at + 1 :]
        case "other":
            return other
        case "lower":
            return value.lower()
        case "spaces":
            return value[:at] + "  " + value[at:]
    return chance.choice(("UNKNOWN", "TEST", "N/A", "TBC", ".", "XXX"))
