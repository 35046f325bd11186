"""What the policy says of deletion requests: whose calendar counts, how long, who must approve, what a file may be.

Two documents stand beside the three of `model`: deletion_requests.yaml, and bank_holidays.yaml, a pinned table, because
a deadline that was told to a person must not move when a library is brought up to date.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from holdfast.policy.load import load_document
from holdfast.policy.model import Code, IsoPeriod, Sentence, Strict

RULES = "deletion_requests.yaml"


class Nation(enum.StrEnum):
    """Where the controller is established: its bank holidays count, and never those of another nation as well."""

    ENGLAND_AND_WALES = "ENG"
    SCOTLAND = "SCT"
    NORTHERN_IRELAND = "NIR"


class Clock(Strict):
    """What is watched beside the statutory deadline, all in calendar days.

    `alert_days`: how many days before the deadline a request is raised to the next level. `identity_ageing_days`: how
    long an unanswered question about identity (or an unpaid fee) may wait before somebody looks at it.
    """

    internal_target_days: int = Field(gt=0, le=28)
    alert_days: tuple[Annotated[int, Field(gt=0)], ...] = Field(min_length=1)
    identity_ageing_days: int = Field(gt=0)

    @model_validator(mode="after")
    def _descending(self) -> Clock:
        if list(self.alert_days) != sorted(set(self.alert_days), reverse=True):
            raise ValueError("give alert_days from the largest to the smallest, each once")
        return self


class Approval(Strict):
    """Who approves, by the rows that a request would erase or anonymise in its latest assessment.

    Up to `automatic_up_to_rows` (null: never) the night approves by itself. Above `second_approver_above_rows` two
    different people must.
    """

    automatic_up_to_rows: int | None = Field(ge=0)
    second_approver_above_rows: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Approval:
        if self.automatic_up_to_rows is not None and self.automatic_up_to_rows > self.second_approver_above_rows:
            raise ValueError("what needs two people cannot be approved by none: lower automatic_up_to_rows")
        return self


class Intake(Strict):
    """Bounds of a file of requests, and for how many days a file is kept once it has been taken in or refused."""

    max_file_mib: int = Field(gt=0, le=1024)
    max_rows: int = Field(gt=0, le=1_000_000)
    keep_files_days: int = Field(gt=0)


class Matrix(Strict):
    """For how many days the matrix of a night is kept, decision by decision."""

    keep_days: int = Field(gt=0)


class Letters(Strict):
    """What is to be known of letters: for how long after a request is closed they are kept, and what none mentions.

    `unspoken`: datasets of which it must not be told that there is a record of somebody in them at all.
    `address_from`: the datasets that sql/provider/letter_addressee.sql reads.
    """

    keep: IsoPeriod
    unspoken: tuple[Code, ...]
    address_from: tuple[Code, ...]


class Telling(enum.StrEnum):
    """How a recipient is told of what happened to data it was given (UK GDPR Art 19).

    notice:          of what was erased and of what is restricted.
    emergency_cease: of what was erased, by ceasing its record; never of a restriction, for which it has no use.
    ourselves:       it stores for us, and we erase there ourselves; told to erase, it might destroy what a hold keeps.
    never:           it is a law enforcement body.

    Of the last two it is recorded that they need not be told, and nothing is sent.
    """

    NOTICE = "notice"
    EMERGENCY_CEASE = "emergency_cease"
    OURSELVES = "ourselves"
    NEVER = "never"

    @property
    def is_sent(self) -> bool:
        return self in (Telling.NOTICE, Telling.EMERGENCY_CEASE)


class RequestRules(Strict):
    """policy/deletion_requests.yaml. `cool_off_days`: how long after verification a person can still withdraw."""

    version: Literal[1]
    nation: Nation
    cool_off_days: int = Field(ge=0, le=14)
    clock: Clock
    approval: Approval
    intake: Intake
    matrix: Matrix
    letters: Letters
    recipients: dict[Code, Telling]


class Disagreement(Strict):
    """A day on which our table and the library differ, on purpose."""

    nation: Nation
    day: dt.date
    reason: Sentence


class BankHolidays(Strict):
    """policy/bank_holidays.yaml: every bank holiday that falls on a weekday, for whole years.

    `differences` are the days on which the table departs from the library it was made with.
    """

    version: Literal[1]
    first_year: int
    last_year: int
    source: Sentence
    nations: dict[Nation, dict[dt.date, str]]
    differences: tuple[Disagreement, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> BankHolidays:
        if set(self.nations) != set(Nation):
            raise ValueError(f"give the holidays of each of {', '.join(Nation)}")
        for nation, days in self.nations.items():
            if any(day.weekday() >= 5 for day in days):
                raise ValueError(f"a holiday of {nation} is on a Saturday or Sunday; give the day it is moved to")
            if {day.year for day in days} != set(range(self.first_year, self.last_year + 1)):
                raise ValueError(f"the years of {nation} are not {self.first_year} to {self.last_year}")
        return self


class RequestsPolicy(Strict):
    """The two documents together, with the digest that names what they say."""

    rules: RequestRules
    holidays: BankHolidays
    digest: str


def load_requests_policy(folder: Path) -> RequestsPolicy:
    """The policy on requests in the two files of `folder`. Raises PolicyRefused for the first one that is bad."""
    rules, rules_digest = load_document(RequestRules, folder / RULES)
    holidays, holidays_digest = load_document(BankHolidays, folder / "bank_holidays.yaml")
    digest = hashlib.sha256(f"{rules_digest} {holidays_digest}".encode()).hexdigest()
    return RequestsPolicy(rules=rules, holidays=holidays, digest=f"sha256:{digest}")
