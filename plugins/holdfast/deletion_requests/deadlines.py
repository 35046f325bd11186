"""By when must a request be answered? UK GDPR Arts 12(3), 12A and 4A for erasure. Pure; the time is always passed in.

The period is one month from the latest of receipt, identity information (Art 12(6)) and fee (Art 12(5)), in calendar
days of the controller's zone. It ends with the last hour of the same date of the next month, or of that month's last
day where it has no such date; and if that is a Saturday, a Sunday or a bank holiday of the controller's nation, with
the last hour of the next working day (Regulation (EEC, Euratom) 1182/71 art 3). An extension adds two months to the
month that began, so it is counted from the same first day and not from the deadline. Asking for clarification stops
nothing: that is for requests for access alone (Art 12A(5)). Why, and with what examples:
docs/decisions/0007-deadlines.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from holdfast.clock import Period, local_date
from holdfast.errors import PolicyError
from holdfast.policy.model import Policy
from holdfast.policy.requests_model import RequestRules, RequestsPolicy

MONTH = Period(months=1, days=0)
EXTENDED = Period(months=3, days=0)
_ONE_DAY = dt.timedelta(days=1)
_SATURDAY = 5

ON_TRACK, OVERDUE, WAITING, AGEING = "on_track", "overdue", "waiting", "ageing"


@dataclass(frozen=True)
class WorkingDays:
    """The working days of one nation, known from `first` to `last`."""

    bank_holidays: frozenset[dt.date]
    first: dt.date
    last: dt.date

    def on_or_after(self, day: dt.date) -> dt.date:
        """The first working day from `day` on. Raises PolicyError where the table of bank holidays does not reach."""
        while self.covers(day):
            if day.weekday() < _SATURDAY and day not in self.bank_holidays:
                return day
            day += _ONE_DAY
        raise PolicyError(
            f"Whether {day} is a working day is not known: bank holidays are listed from {self.first} to {self.last}.",
            fix="add the year to policy/bank_holidays.yaml.",
        )

    def covers(self, day: dt.date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Terms:
    """What deadlines are counted by: the controller's zone and nation, and the policy's own targets."""

    zone: str
    working_days: WorkingDays
    rules: RequestRules

    @classmethod
    def of(cls, policy: Policy, requests: RequestsPolicy) -> Terms:
        table = requests.holidays
        days = WorkingDays(
            frozenset(table.nations[requests.rules.nation]),
            dt.date(table.first_year, 1, 1),
            dt.date(table.last_year, 12, 31),
        )
        return cls(policy.schedule.time_zone, days, requests.rules)

    def day_of(self, moment: dt.datetime) -> dt.date:
        """The controller's calendar day of a moment."""
        return local_date(moment, self.zone)


@dataclass(frozen=True)
class Moments:
    """What moves the clock of one request. None: it has not happened."""

    received_at: dt.datetime
    identity_requested_at: dt.datetime | None = None
    identity_received_at: dt.datetime | None = None
    fee_requested_at: dt.datetime | None = None
    fee_paid_at: dt.datetime | None = None
    extension_notified_at: dt.datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """The clock has not started: the person was asked for something on the day `since`, and has not answered."""

    waits_for: Literal["identity", "fee"]
    since: dt.date

    def alert(self, today: dt.date, rules: RequestRules) -> str:
        """waiting, and ageing once it has taken too long: the question must have been prompt and proportionate."""
        return AGEING if (today - self.since).days >= rules.clock.identity_ageing_days else WAITING


@dataclass(frozen=True)
class Deadline:
    """The days of one request, all inclusive: what is done on the last of them is in time.

    `first_due_on` is the last day without an extension, and the last on which one can be notified; `due_on` counts one
    that was. `internal_target` is our own.
    """

    starts_on: dt.date
    first_due_on: dt.date
    due_on: dt.date
    internal_target: dt.date

    def days_left(self, today: dt.date) -> int:
        """0 on the last day, negative when it is over."""
        return (self.due_on - today).days

    def alert(self, today: dt.date, rules: RequestRules) -> str:
        """How urgent it is: on_track, within_14_days and so on for each of the policy's alert days, overdue."""
        left = self.days_left(today)
        if left < 0:
            return OVERDUE
        reached = [days for days in rules.clock.alert_days if left <= days]
        return f"within_{min(reached)}_days" if reached else ON_TRACK


def clock_of(moments: Moments, terms: Terms) -> Deadline | Waiting:
    """By when a request must be answered. Raises PolicyError where the table of bank holidays does not reach."""
    # The identity first: nobody is asked to pay for a stranger's request.
    if moments.identity_requested_at is not None and moments.identity_received_at is None:
        return Waiting("identity", terms.day_of(moments.identity_requested_at))
    if moments.fee_requested_at is not None and moments.fee_paid_at is None:
        return Waiting("fee", terms.day_of(moments.fee_requested_at))
    happened = (moments.received_at, moments.identity_received_at, moments.fee_paid_at)
    starts_on = max(terms.day_of(moment) for moment in happened if moment is not None)
    first_due_on = terms.working_days.on_or_after(MONTH.after(starts_on))
    is_extended = moments.extension_notified_at is not None
    due_on = terms.working_days.on_or_after(EXTENDED.after(starts_on)) if is_extended else first_due_on
    internal = terms.day_of(moments.received_at) + dt.timedelta(days=terms.rules.clock.internal_target_days)
    return Deadline(starts_on, first_due_on, due_on, min(first_due_on, internal))
