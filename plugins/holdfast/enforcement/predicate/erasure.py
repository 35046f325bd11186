"""What an erasure request acts on in one dataset: the rows it names, except what a statutory period or a hold keeps.

UK GDPR Art 17(1), (3). A business period that runs ends with the request; a statutory one goes on; and where the event
that would start a period has not happened, the row is still needed: the account is live, the case is open. Which rows
are asked for is in `holdfast.erasure_scope`, which the job of the requests fills; this only reads it.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from holdfast.enforcement.predicate.base import Predicate, Setting, no
from holdfast.enforcement.predicate.holding import Holding
from holdfast.enforcement.predicate.rows import Bool, NamedType, Rows
from holdfast.enforcement.predicate.rules import RetentionSetting, timing
from holdfast.policy.model import Anonymise, Caps, Delete, Strategy, Strength

PREFIX = "erase:"
_SCOPE = ("request_id", "dataset", "subject_key", "record_key", "categories", "is_ready", "waits_for", "until")


def scope_table() -> sa.FromClause:
    """The register of what open requests ask for."""
    return sa.table("erasure_scope", *map(sa.column, _SCOPE), schema="holdfast").alias()


def action_for(setting: Setting, dataset: str) -> Delete | Anonymise:
    """How the dataset is erased: deleted if any of its rules deletes, else every column that any of them anonymises."""
    columns: dict[str, Strategy] = {}
    for rule in setting.policy.rules_for(dataset).values():
        if isinstance(rule.action, Delete):
            return rule.action
        for name, strategy in rule.action.columns.items():
            columns.setdefault(name, strategy)
    return Anonymise(do="anonymise", columns=columns)


@dataclass(frozen=True)
class Asked:
    """Rows joined to requests that ask for them: the request's number, what to select from, what is done, what unknown.

    `named` has what holds say of the subject (`Holding.subjects`), and NULLs where none names it; None: rows about
    nobody. Found once for each request, where to look it up for each row took as long as all the rest.
    """

    request_id: sa.ColumnElement[int]
    source: sa.FromClause
    done: Bool
    undecidable: Bool
    named: sa.Subquery | None


@dataclass(frozen=True)
class Law:
    """A statutory period: `start_day` of a row that it keeps, NULL for any other, and `end` of what starts on a day."""

    rule_id: str
    start_day: sa.ColumnElement[object]
    end: Callable[[sa.ColumnElement[object]], sa.ColumnElement[object]]


class ErasurePredicate(Predicate):
    """The rows of one dataset that ready requests ask for."""

    prefix = PREFIX

    def __init__(self, setting: Setting, dataset: str, rows: Rows | None = None) -> None:
        super().__init__(setting, self.prefix + dataset, dataset, self._action_in(setting, dataset), rows)
        timings = [timing(setting, self.rows, rule_id) for rule_id in setting.policy.rules_for(dataset)]
        self._statutory = [one for one in timings if one.rule.strength is Strength.STATUTORY]
        self._may_be_needed = [one for one in timings if one.start.missing_is_normal]
        self._is_given = False  # that every row is requested

    @property
    def caps(self) -> Caps:
        return self.setting.policy.schedule.caps

    @property
    def is_alone(self) -> bool:
        return False

    @property
    def may_not_have_started(self) -> bool:
        return False

    def as_told(self) -> ErasurePredicate:
        """The same over the same rows, as if no hold existed that must not be disclosed."""
        return type(self)(replace(self.setting, only_disclosable=True), self.dataset, self.rows)

    def outstayed(self, is_secret: Bool) -> tuple[Bool, Bool]:
        """Whether a hold that must not be disclosed reaches the row, and whether its own retention rule is over.

        Where both are so, that hold alone has kept the row from being dealt with by that rule, and without it there
        would be no row to ask for; likewise where a row that only such a hold keeps refers to this one. `is_secret`:
        such a hold names its subject. The second costs nothing, and is false, where there is no such hold.
        """
        setting = self.setting
        secret = Holding(self.rows, replace(setting.window(self.dataset), disclosable=False))
        touched = sa.func.coalesce(sa.or_(secret.any_class(), is_secret, secret.record_touched()), sa.false())
        retention = RetentionSetting(setting.policy, setting.catalogue, setting.as_of, setting.holds_as_of)
        rules = (retention.predicate(one, self.rows) for one in retention.work(self.dataset))
        over = sa.or_(
            sa.false(), *(sa.func.coalesce(one.past(), sa.false()) for one in rules if self._would_leave_nothing(one))
        )
        may_matter = self.holding.any_secret() if self.may_be_needed else touched
        return touched, sa.case((may_matter, over), else_=sa.false())

    def requested(self) -> Bool:
        """A request that may be carried out asks for the row: by its subject, or as this very record."""
        return sa.or_(self._by_subject(), self._by_record())

    def narrowed(self) -> tuple[Bool, ErasurePredicate]:
        among = copy.copy(self)
        among._is_given = True
        return self.requested(), among

    def _is_requested(self) -> Bool:
        return sa.true() if self._is_given else self.requested()

    def asked(self) -> list[Asked]:
        """The rows joined to the open requests that ask for them, ready or not: by record, and by subject."""
        scope, ours = self._scope()
        by_key = self.holding.key_from(scope.c.record_key) == self.holding.record_value()
        named = sa.and_(ours, scope.c.record_key.is_not(None), by_key, self._is_theirs(scope))
        by_record = self._asked(scope, self.rows.table.join(scope, named), self.done(), self.undecidable())
        return [by_record, *self._asked_by_subject()]

    def asked_in(self, scope: sa.FromClause) -> Bool:
        """Whether a line of the scope is about this work: by the dataset's name, or as one for the whole account."""
        named = scope.c.dataset == sa.literal(self.dataset, sa.Text)
        ours = sa.or_(named, scope.c.dataset.is_(None)) if self.rows.needs_subject else named
        return sa.and_(ours, scope.c.categories.is_(None))

    def kept_by_rule(self) -> Bool:
        """A statutory period of the row is not over, or what the row is needed for has not ended (Art 17(1)(a))."""
        by_law = (sa.and_(one.applies, no(one.past)) for one in self._statutory)
        return sa.or_(sa.false(), *by_law, self.kept_by_need())

    def kept_by_need(self) -> Bool:
        """What the row is needed for has not ended, so no day is known on which it will go."""
        return sa.or_(sa.false(), *(sa.and_(one.applies, one.start.missing()) for one in self._may_be_needed))

    def laws(self) -> list[Law]:
        """Each statutory period of the dataset, and for the rows that it keeps the day it is counted from."""
        return [
            Law(
                one.rule_id,
                sa.case((sa.and_(one.applies, no(one.past)), one.start.day_of(one.start.value()))),
                partial(one.start.end, period=one.period),
            )
            for one in self._statutory
        ]

    def undecidable(self) -> Bool:
        """Nobody can say when a statutory period of the row starts, or whom it is about and so which holds reach it."""
        return sa.or_(sa.and_(self.rows.subject_missing(), ~self.kept_by_rule()), self._start_unknown())

    def unknown(self) -> Bool:
        return sa.and_(self._is_requested(), self.undecidable())

    def not_started(self) -> Bool:
        return sa.false()

    def not_due(self) -> Bool:
        return sa.and_(self._is_requested(), ~self.undecidable(), self.kept_by_rule())

    def past(self) -> Bool:
        return sa.and_(self._is_requested(), ~self.undecidable(), ~self.kept_by_rule())

    def falls_due_by(self, day: dt.date) -> Bool:
        return sa.false()

    def start_value(self) -> sa.ColumnElement[object]:
        return sa.cast(sa.null(), NamedType("date"))

    def start_day(self, value: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        return value

    def overdue_days(self, oldest: dt.date | None) -> int | None:
        return None

    @staticmethod
    def _action_in(setting: Setting, dataset: str) -> Delete | Anonymise:
        return action_for(setting, dataset)

    def _would_leave_nothing(self, rule: Predicate) -> bool:
        """Where the rule has acted on a row, this erasure finds nothing to do there."""
        return rule.deletes == self.deletes

    def _start_unknown(self) -> Bool:
        return sa.or_(sa.false(), *(sa.and_(one.applies, one.unknown) for one in self._statutory))

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        scope = scope_table()
        return scope, self.asked_in(scope)

    def _in_time(self, scope: sa.FromClause) -> Bool:
        """The row was made by the day up to which the request asks; one without a known day counts as made by then."""
        day = self.rows.made_day()
        if day is None:
            return sa.true()
        return sa.or_(scope.c.until.is_(None), sa.func.coalesce(day <= scope.c.until, sa.true()))

    def _asked_by_subject(self, *conditions: Callable[[sa.FromClause], Bool]) -> list[Asked]:
        if not self.rows.needs_subject:
            return []
        scope, ours = self._scope()
        subject = sa.cast(scope.c.subject_key, self.rows.subject_type)
        source: sa.FromClause = self.rows.table
        found = self.rows.subject_column
        if found is None:
            way = self.rows.path()
            links = [way.start, *way.joins]
            for table, link in zip(way.tables, links, strict=True):
                source = source.join(table, link)
            found = way.subject
        more = (condition(scope) for condition in conditions)
        whole = sa.and_(ours, scope.c.record_key.is_(None), subject == found, self._in_time(scope), *more)
        # Whom they are about is known.
        return [self._asked(scope, source.join(scope, whole), self._done_for(scope), self._start_unknown())]

    def _asked(self, scope: sa.FromClause, source: sa.FromClause, done: Bool, undecidable: Bool) -> Asked:
        if not self.rows.needs_subject:
            return Asked(scope.c.request_id, source, done, undecidable, None)
        named = self.holding.subjects()
        theirs = named.c.subject == sa.cast(scope.c.subject_key, self.rows.subject_type)
        return Asked(scope.c.request_id, source.outerjoin(named, theirs), done, undecidable, named)

    def _done_for(self, scope: sa.FromClause) -> Bool:
        """Nothing is left to do for this line of the scope."""
        return self.done()

    def _is_theirs(self, scope: sa.FromClause) -> Bool:
        """The record is about whoever asks for it, or about nobody that can be told (which no request erases)."""
        if not self.rows.needs_subject:
            return sa.true()
        theirs = self.rows.subject_value() == sa.cast(scope.c.subject_key, self.rows.subject_type)
        return sa.func.coalesce(theirs, sa.true())

    def _by_subject(self, *conditions: Callable[[sa.FromClause], Bool]) -> Bool:
        """A ready request asks for all that there is of the row's subject, or was by a day."""
        day = self.rows.made_day()
        if not self.rows.needs_subject:
            return sa.false()
        if day is None:
            return self._names_subject(*conditions)
        always = self._names_subject(lambda scope: scope.c.until.is_(None), *conditions)
        until = self._names_subject(lambda scope: scope.c.until.is_not(None), *conditions)
        days = self._last_days(*conditions)
        last = sa.cast(days.op("->>")(sa.cast(self.rows.subject_value(), sa.Text)), sa.Date)
        return sa.or_(always, sa.and_(until, sa.func.coalesce(day <= last, sa.true())))

    def _last_days(self, *conditions: Callable[[sa.FromClause], Bool]) -> sa.ScalarSelect[object]:
        """Subject -> the last day that a request which asks up to a day asks for, as one JSON object."""
        scope, ours = self._scope()
        subject = sa.cast(sa.cast(scope.c.subject_key, self.rows.subject_type), sa.Text).label("subject")
        last = sa.func.max(scope.c.until).label("last")
        more = (condition(scope) for condition in conditions)
        limited = (ours, scope.c.is_ready, scope.c.record_key.is_(None), scope.c.until.is_not(None), *more)
        each = sa.select(subject, last).where(*limited).group_by(subject).correlate_except(scope).subquery()
        return sa.select(sa.func.jsonb_object_agg(each.c.subject, each.c.last)).scalar_subquery()

    def _names_subject(self, *conditions: Callable[[sa.FromClause], Bool]) -> Bool:
        """A ready request that satisfies the conditions names the row's subject: a look-up in a hash."""
        scope, ours = self._scope()
        subject = sa.cast(scope.c.subject_key, self.rows.subject_type)
        more = (condition(scope) for condition in conditions)
        whole = [ours, scope.c.is_ready, scope.c.record_key.is_(None), *more]
        if self.rows.subject_column is not None:
            return self.rows.subject_column.in_(sa.select(subject).where(*whole).correlate_except(scope))
        way = self.rows.path()
        inner = sa.select(*way.first_columns).select_from(*way.tables, scope)
        chosen = inner.where(*way.joins, way.subject == subject, *whole).correlate_except(*way.tables, scope)
        return sa.tuple_(*way.start_columns).in_(chosen)

    def _by_record(self) -> Bool:
        scope, ours = self._scope()
        key = self.holding.key_from(scope.c.record_key)
        named = sa.select(key).where(ours, scope.c.is_ready, scope.c.record_key.is_not(None)).correlate_except(scope)
        is_named = self.holding.record_value().in_(named)
        if not self.rows.needs_subject:
            return is_named
        # Whoever names a record of somebody else does not reach it. The subject is only looked up of what is named.
        whose = sa.cast(scope.c.subject_key, self.rows.subject_type)
        pairs = named.with_only_columns(key, whose, maintain_column_froms=True)
        is_theirs = sa.tuple_(self.holding.record_value(), self.rows.subject_value()).in_(pairs)
        return sa.and_(is_named, sa.or_(self.rows.subject_missing(), is_theirs))
