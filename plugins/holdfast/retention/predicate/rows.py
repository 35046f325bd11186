"""The rows of one dataset: their subject, key and event day, and the tables that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType

from holdfast.policy.model import Dataset, NoSubject, Policy, Subject
from holdfast.retention.catalogue import Catalogue, Leaf

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
    """The way from a row to its subject: tables to join, the join's start, and the column that is the subject."""

    tables: tuple[sa.FromClause, ...]
    start: Bool  # ties the first table to the row
    start_columns: tuple[sa.ColumnElement[object], ...]  # of the row
    first_columns: tuple[sa.ColumnElement[object], ...]  # of the first table, equal to `start_columns`
    joins: tuple[Bool, ...]
    subject: sa.ColumnElement[object]


class Rows:
    """One dataset's table in a statement. `alias` gives it a name of its own, for use inside another statement."""

    def __init__(
        self, policy: Policy, catalogue: Catalogue, name: str, *, leaf: Leaf | None = None, alias: bool = False
    ) -> None:
        self.policy = policy
        self.catalogue = catalogue
        self.name = name
        self.dataset: Dataset = policy.data_map.datasets[name]
        table = catalogue.table(self.dataset.table, (*self.dataset.key, *self._event_columns()), leaf=leaf)
        self.table: sa.FromClause = table.alias() if alias else table

    def column(self, name: str) -> sa.ColumnElement[object]:
        self.catalogue.table(self.dataset.table, (name,))
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
    def content_hash(self) -> sa.ColumnElement[int]:
        """64 bits of the whole row as text."""
        whole = sa.cast(self.table.table_valued(), sa.Text)
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

    def path(self) -> Path:
        """The way to the subject of a dataset that has none of its own."""
        tables: list[sa.FromClause] = []
        joins: list[Bool] = []
        owner: Rows = self
        links: list[tuple[list[sa.ColumnElement[object]], list[sa.ColumnElement[object]]]] = []
        while owner.subject_column is None:
            parent = owner._owner()
            links.append(([owner.column(c) for c in owner._through_columns()], parent.key))
            tables.append(parent.table)
            owner = parent
        for ours, theirs in links[1:]:
            joins.extend(a == b for a, b in zip(ours, theirs, strict=True))
        ours, theirs = links[0]
        start = sa.and_(*(a == b for a, b in zip(ours, theirs, strict=True)))
        return Path(tuple(tables), start, tuple(ours), tuple(theirs), tuple(joins), owner.subject_column)

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
        """The day that a hold on a period looks at."""
        return self.local_day(self.dataset.event) if self.dataset.event else None

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

    def _event_columns(self) -> tuple[str, ...]:
        return (self.dataset.event,) if self.dataset.event else ()


def exists(tables: Sequence[sa.FromClause], *conditions: Bool) -> Bool:
    """EXISTS over `tables`; every other table in the conditions belongs to the statement around it."""
    inner = sa.select(sa.literal(1)).select_from(*tables).where(*conditions)
    return inner.correlate_except(*tables).exists()
