"""What every predicate has in common: it is due what is past, not yet done, not held, and needed by nothing that stays.

A `Setting` says what a run works through, and makes the predicate of each piece of work: a retention rule, or the
erasure of what was asked for in one dataset.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate import facts
from holdfast.enforcement.predicate.anonymise import is_done, new_values
from holdfast.enforcement.predicate.holding import Holding, HoldWindow
from holdfast.enforcement.predicate.rows import Bool, Rows, exists
from holdfast.enforcement.references import Reference, references_to
from holdfast.policy.model import Anonymise, Caps, Delete, Policy


@dataclass(frozen=True)
class Setting(ABC):
    """What every predicate of one run depends on. `untrusted_types` are the hold types whose source is not believed.

    Before the work, a row that refers to another one is expected to go if it is due. Once those that refer are worked
    off (`is_worked_off`), whatever still does has come since and stays.

    `only_disclosable`: as if no hold existed that must not be disclosed. Nothing may ever be done by such a setting; it
    says what people may be told.
    """

    policy: Policy
    catalogue: Catalogue
    as_of: dt.date
    holds_as_of: dt.datetime
    seen_in: str | None = None
    untrusted_types: frozenset[str] = frozenset()
    planned_in: str | None = None
    is_worked_off: bool = False
    only_disclosable: bool = False

    @abstractmethod
    def work(self, dataset: str | None = None) -> list[str]:
        """The ids of the run's work, of one dataset or of all, in the order of the policy."""

    @abstractmethod
    def predicate(self, work_id: str, rows: Rows | None = None) -> Predicate:
        """What that piece of work acts on. `rows` says over which rows; by default the whole table."""

    def tonight(self, connection: sa.Connection) -> Setting:
        """The same with what the registers say of tonight's work, where that decides what the work is."""
        return self

    def datasets(self) -> list[str]:
        """The datasets there is work in."""
        return [dataset for dataset in self.policy.data_map.datasets if self.work(dataset)]

    def window(self, dataset: str) -> HoldWindow:
        """The holds that stop this dataset: a type that any of its rules lists stops all of them."""
        disclosable = True if self.only_disclosable else None
        types = self._types(dataset)
        return HoldWindow(types, self.as_of, self.holds_as_of, self.seen_in, self.planned_in, disclosable)

    def is_refused(self, dataset: str) -> bool:
        """A source that is not believed could hold rows of this dataset, so nothing acts on it."""
        return not self.untrusted_types.isdisjoint(self._types(dataset))

    def _types(self, dataset: str) -> frozenset[str]:
        rules = self.policy.rules_for(dataset)
        if not rules:
            return frozenset(self.policy.holds.types)
        return frozenset(kind for rule_id in rules for kind in self.policy.holds_of(rule_id))


class Predicate(ABC):
    """The conditions of one piece of work over the rows of its dataset.

    `rows` says which: a table already in the statement, a leaf partition, a sample; by default the whole table under
    a name of its own.

    Each row satisfies exactly one of `elsewhere`, `unknown`, `not_started`, `not_due` and `past`; and of the past
    rows, each is one of done, held, waiting or due.
    """

    def __init__(
        self, setting: Setting, work_id: str, dataset: str, action: Delete | Anonymise, rows: Rows | None
    ) -> None:
        self.setting = setting
        self.work_id = work_id
        self.dataset = dataset
        self.action = action
        self.rows = rows or Rows(setting.policy, setting.catalogue, dataset, alias=True)
        self.holding = Holding(self.rows, setting.window(dataset))

    @property
    @abstractmethod
    def caps(self) -> Caps:
        """Above these a person must approve."""

    @property
    @abstractmethod
    def is_alone(self) -> bool:
        """No row of the dataset is decided elsewhere."""

    @property
    @abstractmethod
    def may_not_have_started(self) -> bool:
        """A missing start event may mean that the event has not happened yet."""

    @abstractmethod
    def past(self) -> Bool:
        """Nothing but a hold, a disbelieved source or another row can keep the row."""

    @abstractmethod
    def unknown(self) -> Bool:
        """It cannot be told whether the row may go."""

    @abstractmethod
    def not_started(self) -> Bool:
        """The row is kept because its start event has not happened yet."""

    @abstractmethod
    def not_due(self) -> Bool:
        """The row is kept because a period is not over."""

    @abstractmethod
    def falls_due_by(self, day: dt.date) -> Bool:
        """Not past today, and past on a later `day` (for the forecast)."""

    @abstractmethod
    def start_value(self) -> sa.ColumnElement[object]:
        """The row's start event as it is stored."""

    @abstractmethod
    def start_day(self, value: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        """A stored start as a day in the controller's zone."""

    @abstractmethod
    def overdue_days(self, oldest: dt.date | None) -> int | None:
        """For how many days the record with this start should have been gone."""

    def narrowed(self) -> tuple[Bool, Predicate] | None:
        """A condition that every row meets which is not decided elsewhere, and this work among the rows that meet it.

        None where there is no such condition, or none that is worth asking once in place of in every other.
        """
        return None

    def partition_limit(self) -> tuple[str, sa.ColumnElement[object]] | None:
        """Column and first value that is not past, where a range of that column alone decides; or None."""
        return None

    @property
    def deletes(self) -> bool:
        return isinstance(self.action, Delete)

    @property
    def keeps_what_it_takes(self) -> bool:
        """What is deleted is kept encrypted for a while (see `undo`)."""
        return False

    def kept_until(self) -> sa.ColumnElement[dt.date]:
        """Until when a due row is kept encrypted; NULL for one that is not."""
        return sa.cast(sa.null(), sa.Date)

    @property
    def deals_with_the_record(self) -> bool:
        """What is left of a record afterwards needs no start event any more."""
        return True

    @property
    def is_refused(self) -> bool:
        """A source that is not believed could hold its rows: what is past its period stays."""
        return self.setting.is_refused(self.dataset)

    @property
    def may_be_done(self) -> bool:
        """Rows stay when they have been acted on."""
        return isinstance(self.action, Anonymise)

    @property
    def may_be_needed(self) -> bool:
        """Something may refer to rows of the dataset, or count from them, or statistics wait for their facts."""
        return bool(self.references()) or self.waits_for_facts

    @property
    def waits_for_facts(self) -> bool:
        """A row stays until statistics have taken their facts of it; not where the run itself takes them first."""
        return False

    def done(self) -> Bool:
        """Nothing is left to anonymise."""
        return is_done(self.rows, self.action) if isinstance(self.action, Anonymise) else sa.false()

    def new_values(self, key: bytes) -> dict[str, sa.ColumnElement[object]]:
        """The SET clause where the rows stay: column -> its value afterwards. `key` is the key of all pseudonyms."""
        if not isinstance(self.action, Anonymise):
            raise LookupError(f"{self.work_id} deletes")
        return new_values(self.rows, self.action, key)

    def needed(self) -> Bool:
        """A row that stays refers to this one, so deleting it would break the reference or lose a start event.

        Or statistics have not taken their facts of it.
        """
        return sa.or_(sa.false(), *self._untaken(), *map(self.stays, self.references()))

    def due(self, seen: frozenset[str] = frozenset()) -> Bool:
        """What is acted on tonight. `seen`: datasets that are asked about already, where one refers to the other."""
        return sa.and_(self.left_to_do(), self.goes(seen))

    def left_to_do(self) -> Bool:
        """Past its period, and not dealt with yet."""
        return sa.and_(self.past(), ~self.done())

    def goes(self, seen: frozenset[str] = frozenset()) -> Bool:
        """No hold reaches it, its facts are taken, and nothing that stays refers to it. `seen`: as for `due`."""
        if self.is_refused:
            return sa.false()
        # One by one: each can be an anti-join.
        unneeded = (~self.stays(reference, seen) for reference in self.references())
        return sa.and_(self.holding.free(), *(~one for one in self._untaken()), *unneeded)

    def _untaken(self) -> list[Bool]:
        return [facts.untaken(self.rows, self.setting.planned_in)] if self.waits_for_facts else []

    def references(self) -> list[Reference]:
        """What may refer to rows of the dataset, or count from them, and so keep them; nothing keeps what stays."""
        if not self.deletes:
            return []
        return references_to(self.setting.policy, self.setting.catalogue, self.dataset)

    def stays(self, reference: Reference, seen: frozenset[str] = frozenset()) -> Bool:
        """Some row of the referring table points here and will not be deleted tonight. `seen`: as for `due`."""
        seen |= {self.dataset}
        if reference.event is not None:
            return self._is_counted_from(reference, reference.event, seen)
        parents = [self.rows.column(name) for name in reference.parent_columns]
        if reference.child_dataset is None or reference.child_dataset in seen or self.setting.is_worked_off:
            child = self.setting.catalogue.table(reference.child_table, reference.child_columns).alias()
            return exists([child], *(child.c[c] == p for c, p in zip(reference.child_columns, parents, strict=True)))
        rows = Rows(self.setting.policy, self.setting.catalogue, reference.child_dataset, alias=True)
        work = [self.setting.predicate(one, rows) for one in self.setting.work(reference.child_dataset)]
        goes = [one.due(seen) for one in work if one.deletes]
        links = [rows.column(c) == p for c, p in zip(reference.child_columns, parents, strict=True)]
        return exists([rows.table], *links, no(sa.or_(sa.false(), *goes)))

    def _is_counted_from(self, reference: Reference, event: str, seen: frozenset[str]) -> Bool:
        """This is the latest event of its subject, and a row that counts from it is not dealt with tonight.

        A row that is only ever anonymised is dealt with once it has been.
        """
        policy, known, ours = self.setting.policy, self.setting.catalogue, self.rows.subject_column
        if ours is None:
            raise LookupError(f"{self.rows.name} has no subject column to link by")
        rows = Rows(policy, known, reference.child_dataset or "", alias=True)
        dealt_with: list[Bool] = []
        if rows.name not in seen:
            works = (self.setting.predicate(one, rows) for one in self.setting.work(rows.name))
            predicates = [one for one in works if one.deals_with_the_record]
            deleting = [one for one in predicates if one.deletes]
            if not self.setting.is_worked_off:
                dealt_with = [one.due(seen) for one in deleting or predicates]
            if not deleting:
                dealt_with += [sa.and_(one.past(), one.done()) for one in predicates]
        later = Rows(policy, known, self.rows.name, alias=True)
        is_later = later.column(event) > self.rows.column(event)
        same_subject = later.column(ours.key or "") == ours
        counts = exists([rows.table], rows.subject_value() == ours, no(sa.or_(sa.false(), *dealt_with)))
        return sa.and_(counts, ~exists([later.table], same_subject, is_later))


def no(condition: Bool) -> Bool:
    """The condition does not hold; where it is NULL, as it is for a missing start, it does not either."""
    return ~sa.func.coalesce(condition, sa.false())


def types_of_sources(policy: Policy, sources: Iterable[str]) -> frozenset[str]:
    """The hold types that these sources report."""
    return frozenset(kind for name in sources for kind in policy.holds.sources[name].types)
