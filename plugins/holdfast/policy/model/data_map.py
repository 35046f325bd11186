"""The data map: which table and column holds personal data, and why."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from holdfast.policy.model.kinds import Code, ConnectionName, Sentence, Strict, TableName
from holdfast.settings import MAIN


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
    """Rows that stand for files: `url` is the column with an fsspec address; a file goes before its row.

    `folders` are where they lie, with what is below: URLs and whole paths, or relative to the installation's store
    (`HOLDFAST_STORE`, by default the home). What lies there and has no row is looked for each night. Without any, it is
    not.
    """

    url: str
    folders: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class Waiver(Strict):
    """Why something is not covered, who says so, and the day by which somebody looks again; then it counts no more."""

    reason: Sentence
    owner: Code
    review_by: dt.date


class Dataset(Strict):
    """One table that holds personal data, in the database of `connection`.

    `key` is the primary key; `event` is the column a hold on a period looks at (date or timestamp); `made` says
    when the record came about, if that is not the event: by it, what a backup brought back is told from what is new
    (without either, it cannot be told). `columns` are the
    personal ones and `not_personal` all others. `time_zone` is how a timestamp without zone is to be read. A dataset
    has rules or says in `no_rule` why not. `facts_first`: statistics need facts of its rows, which are taken before any
    row goes. `triggers` names the triggers and rewrite rules of the table that were
    looked at and neither stop nor multiply a deletion, each with what it does.
    """

    connection: str = MAIN
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
    triggers: dict[str, Sentence] = Field(default={})


class Place(Strict):
    """What of one database must be accounted for completely: `schemas`, but for tables and views under `exemptions`.

    A schema with tables that is neither listed nor under `other_schemas`, with a reason, is an error.
    """

    schemas: tuple[str, ...] = Field(min_length=1)
    other_schemas: dict[str, Waiver] = Field(default={})
    exemptions: dict[TableName, Waiver] = Field(default={})


class Connection(Place):
    """A further PostgreSQL database: Airflow's connection `holdfast_<name>`. It has its own register and ledger."""

    description: Sentence


class DataMap(Place):
    """All datasets, and the databases they are in: the main one, and those of `connections`."""

    version: Literal[1]
    connections: dict[ConnectionName, Connection] = Field(default={})
    datasets: dict[Code, Dataset]

    @property
    def databases(self) -> tuple[str, ...]:
        """The names of all databases, the main one first."""
        return (MAIN, *self.connections)

    def at(self, database: str) -> DataMap:
        """The part that one database has."""
        place: Place = self.connections.get(database, self)
        datasets = {name: one for name, one in self.datasets.items() if one.connection == database}
        accounted = {name: getattr(place, name) for name in Place.model_fields}
        return self.model_copy(update={**accounted, "connections": {}, "datasets": datasets})
