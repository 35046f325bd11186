"""What compliance staff decide about the statistics: policy/suspension_statistics.yaml."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field

from holdfast.policy.load import load_document
from holdfast.policy.model import Code, RetentionSchedule, Strict
from holdfast.policy.requests_model import load_requests_policy

FILE = "suspension_statistics.yaml"
_LOOK_BACK, _LOOK_AHEAD = dt.timedelta(days=400), dt.timedelta(days=100)


class Stamp(Strict):
    """When a reviewer is counted as a rubber stamp: upholds at least `share`, and spends less than `seconds`."""

    share: float = Field(gt=0, le=1)
    seconds: int = Field(gt=0)


class Safeguards(Strict):
    """After how long something owed to a suspended customer is a break."""

    notice_hours: int = Field(ge=0)
    assign_days: int = Field(ge=0)
    restore_days: int = Field(ge=0)


class Published(Strict):
    """Disclosure control of the published edition; `suppress_up_to` is the largest count that is hidden."""

    rule: Literal["round5-supp7", "exact"]
    base: int = Field(ge=2)
    suppress_up_to: int = Field(ge=1)
    least_denominator: int = Field(ge=1)
    least_observations: int = Field(ge=1)


class Rules(Strict):
    """The file."""

    version: Literal[1]
    owner: Code
    settling_days: int = Field(ge=0)
    link_months: int = Field(ge=1)
    review_working_days: int = Field(ge=0)
    repeat_days: int = Field(ge=1, le=366)
    least_reviews: int = Field(ge=1)
    stamp: Stamp
    safeguards: Safeguards
    published: Published


class Terms(Strict):
    """All that shapes the figures of a month beside its facts; kept with each version, so that it can be reproduced."""

    zone: str
    review_working_days: int
    repeat_days: int
    least_reviews: int
    stamp_share: float
    stamp_seconds: int
    holidays: tuple[dt.date, ...]


def load_rules(folder: Path) -> Rules:
    """The rules in a policy folder. Raises PolicyRefused for the first thing that is wrong."""
    return load_document(Rules, folder / FILE)[0]


def zone_of(folder: Path) -> str:
    """The time zone in which the controller's days are counted."""
    return load_document(RetentionSchedule, folder / "retention_schedule.yaml")[0].time_zone


def terms_of(folder: Path, month: dt.date) -> Terms:
    """What holds for a month now. The bank holidays are those that a review seen in that month could meet."""
    rules, requests = load_rules(folder), load_requests_policy(folder)
    days = requests.holidays.nations[requests.rules.nation]
    return Terms(
        zone=zone_of(folder),
        review_working_days=rules.review_working_days,
        repeat_days=rules.repeat_days,
        least_reviews=rules.least_reviews,
        stamp_share=rules.stamp.share,
        stamp_seconds=rules.stamp.seconds,
        holidays=tuple(sorted(day for day in days if month - _LOOK_BACK <= day <= month + _LOOK_AHEAD)),
    )
