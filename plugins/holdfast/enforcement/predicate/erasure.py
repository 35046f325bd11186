"""What an erasure request acts on in one dataset: the rows it names, except what a statutory period or a hold keeps.

UK GDPR Art 17(1), (3). A business period that runs ends with the request; a statutory one goes on; and where the event
that would start a period has not happened, the row is still needed: the account is live, the case is open. Which rows
are asked for is in `holdfast.erasure_scope`, which the job of the requests fills; this only reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa

from holdfast.enforcement.predicate.base import Predicate, Setting, no
from holdfast.enforcement.predicate.rows import Bool, NamedType, Rows
from holdfast.enforcement.predicate.rules import timing
from holdfast.policy.model import Anonymise, Caps, Delete, Strength

PREFIX = "erase:"
_SCOPE = ("request_id", "dataset", "subject_key", "record_key", "is_ready", "waits_for", "until")


class ErasureSetting(Setting):
    """The nightly run of deletion requests: its work is each dataset with a subject, under the id `erase:<dataset>`."""

    def work(self, dataset: str | None = None) -> list[str]:
        names = [dataset] if dataset is not None else list(self.policy.data_map.datasets)
        return [PREFIX + name for name in names if self.policy.rules_for(name)]

    def predicate(self, work_id: str, rows: Rows | None = None) -> ErasurePredicate:
        return ErasurePredicate(self, work_id.removeprefix(PREFIX), rows)


def scope_table() -> sa.FromClause:
    """The register of what open requests ask for."""
    return sa.table("erasure_scope", *map(sa.column, _SCOPE), schema="holdfast").alias()


def action_for(setting: Setting, dataset: str) -> Delete | Anonymise:
    """How the dataset is erased: deleted if any of its rules deletes; else as it would be anonymised at its end."""
    actions = [rule.action for rule in setting.policy.rules_for(dataset).values()]
    return next((action for action in actions if isinstance(action, Delete)), actions[0])


class ErasurePredicate(Predicate):
    """The rows of one dataset that ready requests ask for."""

    def __init__(self, setting: Setting, dataset: str, rows: Rows | None = None) -> None:
        super().__init__(setting, PREFIX + dataset, dataset, action_for(setting, dataset), rows)
        timings = [timing(setting, self.rows, rule_id) for rule_id in setting.policy.rules_for(dataset)]
        self._statutory = [one for one in timings if one.rule.strength is Strength.STATUTORY]
        self._may_be_needed = [one for one in timings if one.start.missing_is_normal]

    @property
    def caps(self) -> Caps:
        return self.setting.policy.schedule.caps

    @property
    def is_alone(self) -> bool:
        return False

    @property
    def may_not_have_started(self) -> bool:
        return False

    def requested(self) -> Bool:
        """A request that may be carried out asks for the row: by its subject, or as this very record."""
        return sa.or_(self._by_subject(), self._by_record())

    def asked(self) -> list[tuple[sa.ColumnElement[int], sa.FromClause]]:
        """The rows joined to the open requests that ask for them, ready or not: by record, and by subject.

        Each is a pair of the request's number and what to select from.
        """
        scope, ours = self._scope()
        by_key = self.holding.key_from(scope.c.record_key) == self.holding.record_value()
        pairs: list[tuple[sa.ColumnElement[int], sa.FromClause]] = [
            (scope.c.request_id, self.rows.table.join(scope, sa.and_(ours, scope.c.record_key.is_not(None), by_key)))
        ]
        if self.rows.needs_subject:
            scope, ours = self._scope()
            subject = sa.cast(scope.c.subject_key, self.rows.subject_type)
            whole = sa.and_(ours, scope.c.record_key.is_(None), self._in_time(scope))
            source: sa.FromClause = self.rows.table
            found = self.rows.subject_column
            if found is None:
                way = self.rows.path()
                links = [way.start, *way.joins]
                for table, link in zip(way.tables, links, strict=True):
                    source = source.join(table, link)
                found = way.subject
            pairs.append((scope.c.request_id, source.join(scope, sa.and_(whole, subject == found))))
        return pairs

    def kept_by_rule(self) -> Bool:
        """A statutory period of the row is not over, or what the row is needed for has not ended (Art 17(1)(a))."""
        by_law = (sa.and_(one.applies, no(one.past)) for one in self._statutory)
        by_need = (sa.and_(one.applies, one.start.missing()) for one in self._may_be_needed)
        return sa.or_(sa.false(), *by_law, *by_need)

    def undecidable(self) -> Bool:
        """Nobody can say when a statutory period of the row starts, or whom it is about and so which holds reach it."""
        starts = (sa.and_(one.applies, one.unknown) for one in self._statutory)
        return sa.or_(sa.and_(self.rows.subject_missing(), ~self.kept_by_rule()), *starts)

    def unknown(self) -> Bool:
        return sa.and_(self.requested(), self.undecidable())

    def not_started(self) -> Bool:
        return sa.false()

    def not_due(self) -> Bool:
        return sa.and_(self.requested(), ~self.undecidable(), self.kept_by_rule())

    def past(self) -> Bool:
        return sa.and_(self.requested(), ~self.undecidable(), ~self.kept_by_rule())

    def falls_due_by(self, day: dt.date) -> Bool:
        return sa.false()

    def start_value(self) -> sa.ColumnElement[object]:
        return sa.cast(sa.null(), NamedType("date"))

    def start_day(self, value: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
        return value

    def overdue_days(self, oldest: dt.date | None) -> int | None:
        return None

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        scope = scope_table()
        return scope, scope.c.dataset == sa.literal(self.dataset, sa.Text)

    def _in_time(self, scope: sa.FromClause) -> Bool:
        """The row was made by the day up to which the request asks; one without a known day counts as made by then."""
        day = self.rows.made_day()
        if day is None:
            return sa.true()
        return sa.or_(scope.c.until.is_(None), sa.func.coalesce(day <= scope.c.until, sa.true()))

    def _by_subject(self) -> Bool:
        day = self.rows.made_day()
        if not self.rows.needs_subject:
            return sa.false()
        if day is None:
            return self._names_subject(lambda scope: sa.true())
        always = self._names_subject(lambda scope: scope.c.until.is_(None))
        last = sa.cast(
            self._last_days().op("->>")(sa.cast(self.rows.subject_value(), sa.Text)),
            sa.Date,
        )
        until = self._names_subject(lambda scope: scope.c.until.is_not(None))
        return sa.or_(always, sa.and_(until, sa.func.coalesce(day <= last, sa.true())))

    def _last_days(self) -> sa.ScalarSelect[object]:
        """Subject -> the last day that a request which asks up to a day asks for, as one JSON object."""
        scope, ours = self._scope()
        subject = sa.cast(sa.cast(scope.c.subject_key, self.rows.subject_type), sa.Text).label("subject")
        last = sa.func.max(scope.c.until).label("last")
        limited = (ours, scope.c.is_ready, scope.c.record_key.is_(None), scope.c.until.is_not(None))
        each = sa.select(subject, last).where(*limited).group_by(subject).correlate_except(scope).subquery()
        return sa.select(sa.func.jsonb_object_agg(each.c.subject, each.c.last)).scalar_subquery()

    def _names_subject(self, condition: Callable[[sa.FromClause], Bool]) -> Bool:
        """A ready request that satisfies the condition asks for all of the row's subject: a look-up in a hash."""
        scope, ours = self._scope()
        subject = sa.cast(scope.c.subject_key, self.rows.subject_type)
        whole = [ours, scope.c.is_ready, scope.c.record_key.is_(None), condition(scope)]
        if self.rows.subject_column is not None:
            return self.rows.subject_column.in_(sa.select(subject).where(*whole).correlate_except(scope))
        way = self.rows.path()
        inner = sa.select(*way.first_columns).select_from(*way.tables, scope)
        chosen = inner.where(*way.joins, way.subject == subject, *whole).correlate_except(*way.tables, scope)
        return sa.tuple_(*way.start_columns).in_(chosen)

    def _by_record(self) -> Bool:
        scope, ours = self._scope()
        key = self.holding.key_from(scope.c.record_key)
        chosen = sa.select(key).where(ours, scope.c.is_ready, scope.c.record_key.is_not(None)).correlate_except(scope)
        return self.holding.record_value().in_(chosen)
