"""Records, rules and holds for the tests of `decide`, sound in every respect but those a test changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdfast.clock import Period
from holdfast.holds.decide import Record, RecordHold, RecordRule
from holdfast.policy.model import Strength

TODAY = dt.date(2026, 3, 2)
YEAR = Period.parse("P1Y")
LONG_AGO = dt.date(2020, 5, 1)
LAST_MONTH = dt.date(2026, 2, 2)
YESTERDAY = TODAY - dt.timedelta(days=1)
TOMORROW = TODAY + dt.timedelta(days=1)

TYPE = "LITIGATION"
"""The type of hold that every rule of these tests lists."""
OTHER_TYPE = "AUDIT"

STARTS = {
    "missing": None,
    "before 1900": dt.date(1899, 12, 31),
    "after today": TOMORROW,
    "running": LAST_MONTH,
    "over": LONG_AGO,
}


def record(**changes: Any) -> Record:
    """A record of account 7 with a day of its own, to which nothing refers."""
    return Record(**{"dataset": "calls", "key": "k1", "subject": "7", "event": LONG_AGO, **changes})


def rule(**changes: Any) -> RecordRule:
    """A maximum of one year that is over; a hold of TYPE stops it."""
    usual = {
        "rule_id": "a",
        "period": YEAR,
        "strength": Strength.MAXIMUM,
        "start": LONG_AGO,
        "hold_types": frozenset({TYPE}),
    }
    return RecordRule(**{**usual, **changes})


def hold(**changes: Any) -> RecordHold:
    """A hold without any limit."""
    return RecordHold(**{"hold_type": TYPE, **changes})
