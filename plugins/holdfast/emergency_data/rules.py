"""When must a person look at an extract before it leaves, and when is a reject too old? Pure: the time is passed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from holdfast.emergency_data.bounds import ChangeBounds

RECONCILIATION = {
    "E501": "A live number that can call 999 has no record.",
    "E502": "A record is left of a number that is not live.",
    "D601": "The record's name is not the inventory's.",
    "D602": "The record's address is not the inventory's.",
    "D603": "The record has the billing address, and the line is installed elsewhere.",
    "E604": "The customer was erased, and the record is still there.",
    "W605": "A record is there of a number that the inventory does not know.",
    "E505": "999 was called from a number without data, and it is not mended after three working days.",
    "E506": "A record that the authority rejected is not corrected after three working days.",
    "W507": "A record was sent, and the authority has not answered in time.",
    "W503": "Nobody has checked the address for a year; it must be audited every year.",
}
"""What reconciliation can find. The ids stand in find_gaps.sql and find_late.sql of sql/emergency."""

FIGURES = {
    "volume_swing": "records, against the usual number",
    "volume_swing_warning": "the same, as a warning only",
    "ceased_share": "numbers that would cease",
    "address_changed_share": "addresses that would change",
    "emptied_share": "records in which a field would be emptied",
    "quarantined_share": "records that were stopped",
}
"""What each figure of change is a share of, in words."""


@dataclass(frozen=True)
class Change:
    """What an extract would do to the accepted state, in records. `live` is that state's size before.

    `usual` is the median of the extracts of this kind in the last 28 days; None: there were none.
    """

    records: int
    quarantined: int
    live: int
    ceased: int
    address_changed: int
    emptied: int
    usual: float | None


@dataclass(frozen=True)
class Figure:
    """One share and its bound. A warning does not stop."""

    name: str
    value: float
    bound: float
    stops: bool = True

    @property
    def exceeded(self) -> bool:
        return self.value > self.bound


def figures(change: Change, bounds: ChangeBounds) -> list[Figure]:
    """All that can be said of an extract; shares of too few records say nothing and are left out."""
    found: list[Figure] = []
    if change.usual is not None and max(change.usual, change.records) >= bounds.least_records:
        swing = abs(change.records - change.usual) / max(change.usual, 1.0)
        found.append(Figure("volume_swing", swing, bounds.volume_stop_share))
        found.append(Figure("volume_swing_warning", swing, bounds.volume_warn_share, stops=False))
    if change.live >= bounds.least_records:
        found += [
            Figure("ceased_share", change.ceased / change.live, bounds.ceased_share),
            Figure("address_changed_share", change.address_changed / change.live, bounds.address_changed_share),
            Figure("emptied_share", change.emptied / change.live, bounds.emptied_share),
        ]
    if change.records >= bounds.least_records:
        found.append(Figure("quarantined_share", change.quarantined / change.records, bounds.quarantined_share))
    return found


def must_wait(found: list[Figure]) -> bool:
    """Whether a person must say yes first."""
    return any(one.exceeded and one.stops for one in found)


def working_days_before(day: dt.date, number: int) -> dt.date:
    """The day so many working days (Monday to Friday, no public holiday of England) before `day`."""
    import holidays

    free = holidays.country_holidays("GB", subdiv="ENG")
    while number:
        day -= dt.timedelta(days=1)
        number -= day.weekday() < 5 and day not in free
    return day
