"""The retention schedule: how long, from when, on what law, and what then.

Deletion classes and start events follow ISO/IEC 27555: a standard period that begins with an event.
"""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from holdfast.clock import Period
from holdfast.policy.model.data_map import Strategy
from holdfast.policy.model.kinds import Code, HoldCode, IsoPeriod, LogIn, MonthDay, Sentence, Strict


class StartType(enum.StrEnum):
    """The three kinds of start event of ISO/IEC 27555."""

    CREATION = "creation"
    END_OF_PROCESS = "end_of_process"
    END_OF_RELATIONSHIP = "end_of_relationship"


class DeletionClass(Strict):
    """A standard period and the kind of event that starts it."""

    period: IsoPeriod
    starts: StartType

    @property
    def length(self) -> Period:
        return Period.parse(self.period)


class Missing(enum.StrEnum):
    """What an empty start event means: nobody knows it (a fault), or the event has not happened yet (normal)."""

    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"


class Start(Strict):
    """The event that starts the period.

    `column` is a date or timestamp column of the dataset itself, or of `dataset` when that is given. Then the row is
    linked to it by `by`, our columns that hold its key (`link: key`); by the way to the subject, which passes it
    (`link: path`, for example from a review outcome through its request to the suspension); or by the subject (`link:
    subject`, where the latest event of the subject counts and one missing event makes the whole start missing).
    `counts_from` moves the start to the end of the accounting period that contains it.
    """

    column: str
    dataset: Code | None = None
    link: Literal["key", "path", "subject"] | None = None
    by: tuple[str, ...] = ()
    counts_from: Literal["event", "end_of_accounting_period"] = "event"
    missing: Missing = Missing.UNKNOWN

    @model_validator(mode="after")
    def _link_fits(self) -> Start:
        if (self.dataset is None) != (self.link is None):
            raise ValueError("dataset and link go together")
        if (self.link == "key") != bool(self.by):
            raise ValueError("by goes with link: key, and names our columns that hold the other dataset's key")
        return self


class Condition(Strict):
    """Which rows of a dataset a rule is for: `column` equals one of `is_in`, or is (not) null."""

    column: str
    is_in: tuple[str | int | bool, ...] = ()
    is_null: bool | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Condition:
        if bool(self.is_in) == (self.is_null is not None):
            raise ValueError("give either is_in or is_null")
        return self


class Delete(Strict):
    """Remove the row (and its file)."""

    do: Literal["delete"]


class Anonymise(Strict):
    """Keep the row and change these columns. Each strategy leaves a value it would not change again."""

    do: Literal["anonymise"]
    columns: dict[str, Strategy] = Field(min_length=1)


class Strength(enum.StrEnum):
    """What a period obliges to.

    statutory: the law says keep until then; even a person's erasure request waits.
    business:  kept until then for a stated purpose; an erasure request ends it.
    maximum:   gone by then at the latest; obliges nobody to keep it that long.
    """

    STATUTORY = "statutory"
    BUSINESS = "business"
    MAXIMUM = "maximum"


class Caps(Strict):
    """Above any of these a person must approve: rows, share of the dataset, days the oldest row is overdue."""

    rows: int = Field(ge=0)
    share: float = Field(ge=0, le=1)
    overdue_days: int = Field(ge=0)


class Rule(Strict):
    """One retention rule for one dataset. `holds` are the hold types that can stop it: all, or a list.

    `undo_days`: rows leave their table so many days before their period is over and are kept encrypted until then, so
    that they can be brought back. At most four weeks: what is kept must not outlive the month in which an erasure that
    is asked for meanwhile has to be carried out (UK GDPR Art 12(3)).
    """

    dataset: Code
    deletion_class: Code
    where: tuple[Condition, ...] = ()
    start: Start
    action: Annotated[Delete | Anonymise, Field(discriminator="do")]
    strength: Strength
    holds: Literal["all"] | tuple[HoldCode, ...] = "all"
    undo_days: int | None = Field(default=None, ge=1, le=28)
    law: Sentence
    source: str = Field(min_length=3)
    owner: Code
    caps: Caps | None = None


class RetentionSchedule(Strict):
    """All deletion classes and rules. `accounting_year_end` is month-day; `time_zone` is the controller's.

    `approvers` may answer for a plan above its caps, and nobody else: the user id that Airflow's log-in gives somebody,
    and who that is.
    """

    version: Literal[1]
    time_zone: str
    accounting_year_end: MonthDay
    caps: Caps
    approvers: dict[LogIn, Annotated[str, Field(min_length=3, max_length=100)]] = Field(min_length=1)
    classes: dict[Code, DeletionClass]
    rules: dict[Code, Rule]

    @property
    def year_end(self) -> tuple[int, int]:
        month, day = self.accounting_year_end.split("-")
        return int(month), int(day)
