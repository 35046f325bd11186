"""The rows of one dataset: their subject, key and event day, and the tables that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause
from sqlalchemy.types import UserDefinedType

from holdfast.enforcement.catalogue import Catalogue, Leaf
from holdfast.errors import CoverageError
from holdfast.holds.decide import EARLIEST_START
from holdfast.policy.model import Dataset, NoSubject, Policy, Subject

Bool = sa.ColumnElement[bool]


class NamedType(UserDefinedType):  # type: ignore[type-arg]
    """A PostgreSQL type by its name in the catalogue, without length: a cast must not cut a value off."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = "text" if name.startswith("character") else name.partition("(")[0]

    def get_col_spec(self, **_: object) -> str:
        return self.name


@dataclass(frozen=True)
class Path:
    """The way from a row to another dataset, by the keys that lead to its subject: tables to join, and how.

    `start` ties the first table to the row: `start_columns` of the row equal `first_columns` of that table.
    """

    tables: tuple[sa.FromClause, ...]
    start_columns: tuple[sa.ColumnElement[object], ...]
    first_columns: tuple[sa.ColumnElement[object], ...]
    joins: tuple[Bool, ...]
    end: Rows

    @property
    def start(self) -> Bool:
        return sa.and_(*(a == b for a, b in zip(self.start_columns, self.first_columns, strict=True)))

    @property
    def subject(self) -> sa.ColumnElement[object]:
        column = self.end.subject_column
        if column is None:
            raise LookupError(f"{self.end.name} has no subject column of its own")
        return column


@dataclass(frozen=True)
class Sample:
    """A share of a table's rows, chosen by a hash of their place and the seed: the same rows whenever it is asked."""

    percent: float
    seed: int


class Rows:
    """One dataset's table in a statement: the whole of it, one leaf partition, or a sample of it.

    `alias` gives it a name of its own, for use inside another statement; `table` makes it the rows of one that is
    there already.
    """

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        name: str,
        *,
        leaf: Leaf | None = None,
        sample: Sample | None = None,
        alias: bool = False,
        table: sa.FromClause | None = None,
    ) -> None:
        self.policy = policy
        self.catalogue = catalogue
        self.name = name
        self.dataset: Dataset = policy.data_map.datasets[name]
        whole = catalogue.table(self.dataset.table, (*self.dataset.key, *self._day_columns()), leaf=leaf)
        self.table: sa.FromClause = whole if table is None else table
        if alias:
            self.table = whole.alias()
        elif sample is not None:
            self.table = whole.tablesample(sa.func.bernoulli(sample.percent), seed=sa.literal(sample.seed))

    def column(self, name: str) -> sa.ColumnElement[object]:
        self.catalogue.require(self.dataset.table, (name,))
        return self.table.c[name]

    def type_of(self, column: str) -> str:
        return self.catalogue.type_of(self.dataset.table, column)

    @property
    def key(self) -> list[sa.ColumnElement[object]]:
        return [self.table.c[name] for name in self.dataset.key]

    @property
    def key_text(self) -> sa.ColumnElement[str]:
        """The key as holds and people write it: the columns joined by `|`."""
        parts = [sa.cast(column, sa.Text) for column in self.key]
        return parts[0] if len(parts) == 1 else sa.func.concat_ws("|", *parts)

    def record_value(self) -> sa.ColumnElement[object]:
        """The key in the form in which records that somebody names are compared."""
        return self.key[0] if len(self.key) == 1 else sa.type_coerce(self.key_text, NamedType("text"))

    def record_key_from(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[object]:
        """A record key that is written as text, in that form."""
        single = len(self.key) == 1
        return sa.cast(text, NamedType(self.type_of(self.dataset.key[0])) if single else NamedType("text"))

    def has_key(self, key: str) -> Bool:
        """The row is the one with this key. Raises CoverageError for a key of another number of columns."""
        parts = key.split("|")
        if len(parts) != len(self.key):
            raise CoverageError(
                f"A key of {self.name} has {len(self.key)} columns, and this one {len(parts)}.",
                fix=f"give {' | '.join(self.dataset.key)}.",
            )
        pairs = zip(self.key, self.dataset.key, parts, strict=True)
        return sa.and_(*(column == sa.cast(part, NamedType(self.type_of(name))) for column, name, part in pairs))

    @property
    def key_hash(self) -> sa.ColumnElement[int]:
        """64 bits that stand for the key in a fingerprint."""
        kind = self.type_of(self.dataset.key[0]) if len(self.key) == 1 else None
        if kind == "bigint":
            return sa.func.hashint8extended(self.key[0], sa.cast(0, sa.BigInteger))
        if kind == "integer":
            return sa.func.hashint4extended(self.key[0], sa.cast(0, sa.BigInteger))
        return sa.func.hashtextextended(self.key_text, sa.cast(0, sa.BigInteger))

    @property
    def age(self) -> sa.ColumnElement[int]:
        """How many transactions ago the row version was written."""
        return sa.func.age(self.table.c.xmin)

    @property
    def content_hash(self) -> sa.ColumnElement[int]:
        """64 bits of the whole row as text."""
        whole = sa.cast(cast(NamedFromClause, self.table).table_valued(), sa.Text)
        return sa.func.hashtextextended(whole, sa.cast(0, sa.BigInteger))

    @property
    def needs_subject(self) -> bool:
        return isinstance(self.dataset.subject, Subject)

    @property
    def subject_column(self) -> sa.ColumnElement[object] | None:
        """The subject where it is a column of the row itself."""
        subject = self.dataset.subject
        return self.column(subject.column) if isinstance(subject, Subject) and subject.column else None

    @property
    def subject_type(self) -> NamedType:
        if self.subject_column is not None:
            return NamedType(self.type_of(self.subject_column.key or ""))
        return self._owner().subject_type

    def path(self, to: str | None = None) -> Path:
        """The way to the dataset `to`, or to the one whose row names the subject."""
        tables: list[sa.FromClause] = []
        joins: list[Bool] = []
        links: list[tuple[list[sa.ColumnElement[object]], list[sa.ColumnElement[object]]]] = []
        owner: Rows = self
        while owner.name != to and not (to is None and owner.subject_column is not None):
            parent = owner._owner()
            links.append(([owner.column(name) for name in owner._through_columns()], parent.key))
            tables.append(parent.table)
            owner = parent
        for ours, theirs in links[1:]:
            joins.extend(a == b for a, b in zip(ours, theirs, strict=True))
        ours, theirs = links[0]
        return Path(tuple(tables), tuple(ours), tuple(theirs), tuple(joins), owner)

    def subject_value(self) -> sa.ColumnElement[object]:
        """The subject as a value; a look-up for each row where it is reached through other tables."""
        if self.subject_column is not None:
            return self.subject_column
        way = self.path()
        found = sa.select(way.subject).select_from(*way.tables).where(way.start, *way.joins)
        return found.correlate_except(*way.tables).scalar_subquery()

    def subject_missing(self) -> Bool:
        """True where nobody can say whom the row is about, and so which holds reach it."""
        if not self.needs_subject:
            return sa.false()
        if self.subject_column is not None:
            return self.subject_column.is_(None)
        way = self.path()
        return ~exists(way.tables, way.start, *way.joins, way.subject.is_not(None))

    def event_day(self) -> sa.ColumnElement[object] | None:
        """The day that a hold on a period looks at; NULL for a placeholder, which is no day to compare."""
        if self.dataset.event is None:
            return None
        day = self.local_day(self.dataset.event)
        return sa.case((day >= sa.literal(EARLIEST_START, sa.Date), day))

    def made_day(self) -> sa.ColumnElement[object] | None:
        """The day on which the record came about; None where the dataset does not tell."""
        column = self.dataset.made or self.dataset.event
        return None if column is None else self.local_day(column)

    def local_day(self, column: str) -> sa.ColumnElement[object]:
        """A date or timestamp column as a day in the controller's zone."""
        value, kind, zone = self.column(column), self.type_of(column), self.policy.schedule.time_zone
        if kind == "date":
            return value
        if kind.endswith("without time zone"):
            value = sa.func.timezone(self.dataset.time_zone, value)
        return sa.cast(sa.func.timezone(zone, value), sa.Date)

    def _owner(self) -> Rows:
        return Rows(self.policy, self.catalogue, self._through_dataset(), alias=True)

    def _through_columns(self) -> Sequence[str]:
        subject = self.dataset.subject
        return subject.through.columns if isinstance(subject, Subject) and subject.through else ()

    def _through_dataset(self) -> str:
        subject = self.dataset.subject
        if isinstance(subject, NoSubject) or subject.through is None:
            raise LookupError(f"{self.name} has no path to a subject")
        return subject.through.dataset

    def _day_columns(self) -> tuple[str, ...]:
        return tuple(one for one in (self.dataset.event, self.dataset.made) if one)


def exists(tables: Sequence[sa.FromClause], *conditions: Bool) -> Bool:
    """EXISTS over `tables`; every other table in the conditions belongs to the statement around it."""
    inner = sa.select(sa.literal(1)).select_from(*tables).where(*conditions)
    return inner.correlate_except(*tables).exists()
