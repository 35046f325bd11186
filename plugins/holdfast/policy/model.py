"""What a policy says, as frozen values. Reading files is `load`; comparing with a database is `coverage`.

Three documents make a policy: the data map (which table and column holds personal data, and why), the retention
schedule (how long, from when, on what law, and what then) and the holds (who may stop a deletion). Deletion classes
and start events follow ISO/IEC 27555: a standard period that begins with an event.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from holdfast.clock import Period
from holdfast.policy.problems import Places

CODE = r"^[a-z][a-z0-9_-]{1,62}$"
HOLD_CODE = r"^[A-Z][A-Z0-9_]{1,62}$"
ISO_PERIOD = r"^P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$"
LOG_IN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,119}$"
TABLE = r"^[A-Za-z_][A-Za-z0-9_$]*\.[A-Za-z_][A-Za-z0-9_$]*$"


def _no_number(text: str) -> str:
    """The ledger takes nine digits in a row for a telephone number, and what a policy names is entered there."""
    if re.search(r"[0-9]{9}", text):
        raise PydanticCustomError("number", "'{name}' has nine digits in a row, as a number has", {"name": text})
    return text


Code = Annotated[str, Field(pattern=CODE), AfterValidator(_no_number)]
HoldCode = Annotated[str, Field(pattern=HOLD_CODE), AfterValidator(_no_number)]
LogIn = Annotated[str, Field(pattern=LOG_IN)]
TableName = Annotated[str, Field(pattern=TABLE)]
Sentence = Annotated[str, Field(min_length=10)]


def _iso_period(text: str) -> str:
    Period.parse(text)
    return text


def _month_and_day(text: str) -> str:
    found = re.match(r"^(\d{2})-(\d{2})$", text)
    if found is None:
        raise ValueError(f"{text!r} is not a month and day such as 03-31")
    dt.date(2000, int(found.group(1)), int(found.group(2)))
    return text


IsoPeriod = Annotated[
    str,
    AfterValidator(_iso_period),
    Field(json_schema_extra={"pattern": ISO_PERIOD, "examples": ["P6Y", "P12M", "P90D"]}),
]
MonthDay = Annotated[
    str, AfterValidator(_month_and_day), Field(json_schema_extra={"pattern": r"^\d{2}-\d{2}$", "examples": ["03-31"]})
]


class Strict(BaseModel):
    """Frozen, and refuses a key it does not know: a misspelt key must not be a rule that is silently not applied."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- data map ---------------------------------------------------------------------------------------------------


class Sensitivity(enum.StrEnum):
    """How much harm disclosure does; ordinary, confidential (communications, money), special (UK GDPR Arts 9, 10)."""

    ORDINARY = "ordinary"
    CONFIDENTIAL = "confidential"
    SPECIAL = "special"


class LegalBasis(enum.StrEnum):
    """UK GDPR Art 6(1)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTERESTS = "legitimate_interests"
    RECOGNISED_LEGITIMATE_INTERESTS = "recognised_legitimate_interests"
    PROCESSOR = "processor"  # held on a customer's instructions, UK GDPR Art 28


# What is done to a column whose row stays.


class ToNull(Strict):
    """Empty the column."""

    to: Literal["null"]


class ToConstant(Strict):
    """Replace the value by the same text in every row."""

    to: Literal["constant"]
    value: str


class ToPseudonym(Strict):
    """Replace the value by its keyed pseudonym: equal values stay equal, the value cannot be read back."""

    to: Literal["pseudonym"]
    purpose: Code


class TruncateIp(Strict):
    """Keep the network of an address: 24 bits of IPv4 and 48 bits of IPv6 unless said otherwise."""

    to: Literal["ip_network"]
    ipv4_bits: int = Field(default=24, ge=0, le=31)
    ipv6_bits: int = Field(default=48, ge=0, le=127)


class TruncatePostcode(Strict):
    """Keep the outward half of a UK postcode (the part before the space)."""

    to: Literal["outward_postcode"]


class GeneraliseDate(Strict):
    """Keep the year or the month of a date or timestamp."""

    to: Literal["date"]
    precision: Literal["year", "month"]


Strategy = Annotated[
    ToNull | ToConstant | ToPseudonym | TruncateIp | TruncatePostcode | GeneraliseDate, Field(discriminator="to")
]


class PersonalColumn(Strict):
    """One column that holds personal data.

    `in_part`: what is done to it when a person asks for its category alone, and the row stays. Without it the column
    stays as well: the record says nothing without it, or the table does not let it be empty.
    """

    category: Code
    sensitivity: Sensitivity
    legal_basis: LegalBasis
    recipients: tuple[Code, ...] = ()
    in_part: Strategy | None = None


class Through(Strict):
    """A subject reached by way of another dataset: `columns` hold the key of `dataset`, whose subject is ours."""

    columns: tuple[str, ...] = Field(min_length=1)
    dataset: Code


class Subject(Strict):
    """How a row leads to the person or account it is about: a column of its own, or through another dataset."""

    column: str | None = None
    through: Through | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Subject:
        if (self.column is None) == (self.through is None):
            raise ValueError("give either column or through")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The dataset's own columns that lead to the subject."""
        return self.through.columns if self.through else (self.column or "",)


class NoSubject(Strict):
    """A dataset whose rows are about nobody a hold could name, with the reason."""

    none: Sentence


def _subject_kind(given: object) -> str:
    nobody = isinstance(given, NoSubject) or (isinstance(given, dict) and "none" in given)
    return "nobody" if nobody else "somebody"


# Told apart by the key `none`, so that a faulty subject is reported for what it was meant to be.
SubjectOrNone = Annotated[
    Annotated[Subject, Tag("somebody")] | Annotated[NoSubject, Tag("nobody")], Discriminator(_subject_kind)
]


class Files(Strict):
    """Rows that stand for files: `url` is the column with an fsspec address; a file goes before its row."""

    url: str


class Waiver(Strict):
    """Why something is not covered, who says so, and the day by which somebody looks again; then it counts no more."""

    reason: Sentence
    owner: Code
    review_by: dt.date


class Dataset(Strict):
    """One table that holds personal data.

    `key` is the primary key; `event` is the column a hold on a period looks at (date or timestamp); `made` says
    when the record came about, if that is not the event: by it, what a backup brought back is told from what is new
    (without either, it cannot be told). `columns` are the
    personal ones and `not_personal` all others. `time_zone` is how a timestamp without zone is to be read. A dataset
    has rules or says in `no_rule` why not. `facts_first`: statistics need facts of its rows, which are taken before any
    row goes. `triggers` names the triggers and rewrite rules of the table that were
    looked at and neither stop nor multiply a deletion, each with what it does.
    """

    connection: str = "holdfast"
    table: TableName
    key: tuple[str, ...] = Field(min_length=1)
    subject: SubjectOrNone
    event: str | None = None
    made: str | None = None
    time_zone: str = "UTC"
    owner: Code
    description: Sentence
    files: Files | None = None
    columns: dict[str, PersonalColumn] = Field(min_length=1)
    not_personal: tuple[str, ...] = ()
    no_rule: Waiver | None = None
    facts_first: bool = False
    triggers: dict[str, Sentence] = {}


class Exemption(Waiver):
    """A table or view that needs no rule."""

    connection: str = "holdfast"


class DataMap(Strict):
    """All datasets and exemptions. `schemas` are the database schemas that must be accounted for completely.

    A schema with tables that is neither listed nor under `other_schemas`, with a reason, is an error.
    """

    version: Literal[1]
    schemas: tuple[str, ...] = Field(min_length=1)
    other_schemas: dict[str, Waiver] = {}
    datasets: dict[Code, Dataset]
    exemptions: dict[TableName, Exemption] = {}


# --- retention schedule -----------------------------------------------------------------------------------------


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
    """One retention rule for one dataset. `holds` are the hold types that can stop it: all, or a list."""

    dataset: Code
    deletion_class: Code
    where: tuple[Condition, ...] = ()
    start: Start
    action: Annotated[Delete | Anonymise, Field(discriminator="do")]
    strength: Strength
    holds: Literal["all"] | tuple[HoldCode, ...] = "all"
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


# --- holds ------------------------------------------------------------------------------------------------------


class Authority(enum.StrEnum):
    """Who may stop a deletion."""

    BILLING = "billing"
    TAX = "tax"
    AUDIT = "audit"
    LEGAL = "legal"
    SERVICE = "service"  # the service itself needs the record: a live 999 address, a number being ported


class HoldType(Strict):
    """One kind of hold. `disclosable` false means it is never named outside the restricted edition of a report.

    `review_after` is how long a hold without an end may go before somebody must look at it again. `by_hand` allows a
    person to place one; otherwise it comes from a source alone.
    """

    authority: Authority
    meaning: Sentence
    ground: Sentence
    disclosable: bool
    review_after: IsoPeriod
    by_hand: bool = False


class HoldSource(Strict):
    """One system that knows holds: `sql/provider/holds/<id>.sql` and `<id>_freshness.sql`.

    Older than `max_age_hours`, or smaller than the last accepted read by more than `max_shrink` (a share), it is not
    believed, and nothing that `types` could protect is deleted.
    """

    authority: Authority
    types: tuple[HoldCode, ...] = Field(min_length=1)
    max_age_hours: int = Field(gt=0)
    max_shrink: float = Field(ge=0, le=1)
    connection: str = "holdfast"
    owner: Code


class Holds(Strict):
    """The hold matrix and its sources."""

    version: Literal[1]
    types: dict[HoldCode, HoldType]
    sources: dict[Code, HoldSource]


# --- the whole --------------------------------------------------------------------------------------------------


class Policy(Strict):
    """The three documents together, with the digest that names this version of them.

    `places` says where each entry is written; it is no part of what the policy says.
    """

    data_map: DataMap
    schedule: RetentionSchedule
    holds: Holds
    digest: str
    places: Places = Field(default=Places(), exclude=True, repr=False)

    def holds_of(self, rule_id: str) -> tuple[str, ...]:
        """The hold types that can stop a rule, spelt out."""
        listed = self.schedule.rules[rule_id].holds
        return tuple(self.holds.types) if listed == "all" else listed

    def caps_of(self, rule_id: str) -> Caps:
        return self.schedule.rules[rule_id].caps or self.schedule.caps

    def period_of(self, rule_id: str) -> Period:
        return self.schedule.classes[self.schedule.rules[rule_id].deletion_class].length

    def rules_for(self, dataset: str) -> dict[str, Rule]:
        """The rules of one dataset, in the order of the file."""
        return {rule_id: rule for rule_id, rule in self.schedule.rules.items() if rule.dataset == dataset}
