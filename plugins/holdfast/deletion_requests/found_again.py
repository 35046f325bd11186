"""Is anything there of requests that are completed? A restored backup brings back what was erased.

The rows are found as the matrix finds those of open requests: by the same joins, on the scope of the closed ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import queries
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import Asked, ErasurePredicate
from holdfast.enforcement.predicate.requests import ErasureSetting, PartPredicate
from holdfast.enforcement.predicate.rows import Bool
from holdfast.policy import parts
from holdfast.policy.model import Dataset, Policy, Subject

_SCOPE = {
    "request_id": sa.BigInteger,
    "dataset": sa.Text,
    "subject_key": sa.Text,
    "record_key": sa.Text,
    "until": sa.Date,
}


@dataclass(frozen=True)
class Found:
    """The completed requests of which a dataset has rows, by number."""

    dataset: str
    count: int
    requests: tuple[int, ...]


def look(connection: sa.Connection, policy: Policy, today: dt.date) -> Iterator[Found]:
    """One for each dataset with rows that a completed request had erased or made anonymous, whole or in part.

    Rows made after the completion are new data, for which nobody asked. A dataset that does not say when its rows were
    made cannot tell them apart; neither can a record that stayed, and in which somebody wrote the category anew. Ask
    once in a transaction.
    """
    queries.run(connection, "deletion_requests/break_completed", {"zone": policy.schedule.time_zone})
    queries.run(connection, "deletion_requests/break_completed_analyze")
    tables = catalogue.read(connection, policy.data_map.schemas)
    cuts = parts.cuts(policy)
    # No hold is looked at, so the moment they are counted at does not matter.
    setting = ErasureSetting(policy, tables, today, dt.datetime.combine(today, dt.time(), dt.UTC), parts=cuts)
    for dataset in policy.data_map.datasets:
        if not policy.rules_for(dataset):
            continue
        predicates: list[ErasurePredicate] = [_Completed(setting, dataset)]
        if any(name == dataset for name, _ in cuts):
            predicates.append(_CompletedInPart(setting, dataset))
        row = connection.execute(_statement(predicates)).one()
        if row.found:
            yield Found(dataset, row.found, tuple(row.requests))


class _Completed(ErasurePredicate):
    """The rows that completed requests asked for in one dataset."""

    def __init__(self, setting: Setting, dataset: str) -> None:
        super().__init__(setting, dataset)
        self._closed = _closed_scope(setting.policy, dataset)

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        scope = self._closed.alias()
        return scope, scope.c.dataset == sa.literal(self.dataset, sa.Text)


class _CompletedInPart(PartPredicate):
    """The rows of which completed requests asked for single categories."""

    def __init__(self, setting: Setting, dataset: str) -> None:
        super().__init__(setting, dataset)
        self._closed = _closed_parts(setting.policy, dataset)

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        scope = self._closed.alias()
        return scope, scope.c.dataset == sa.literal(self.dataset, sa.Text)

    def asked(self) -> list[Asked]:
        return self._asked_by_subject()


def _closed_scope(policy: Policy, name: str) -> sa.FromClause:
    """sql/deletion_requests/break_closed_scope.sql, as a part of a statement."""
    dataset = policy.data_map.datasets[name]
    fixed = queries.query("deletion_requests/break_closed_scope").bindparams(
        sa.bindparam("dataset", name, sa.Text),
        sa.bindparam("has_subject", isinstance(dataset.subject, Subject), sa.Boolean),
        sa.bindparam("categories", categories_of(dataset), postgresql.ARRAY(sa.Text)),
    )
    return fixed.columns(**_SCOPE).subquery("closed_scope")


def _closed_parts(policy: Policy, name: str) -> sa.CTE:
    """sql/deletion_requests/break_closed_parts.sql, as a part of a statement."""
    dataset = policy.data_map.datasets[name]
    cuts = [one for one in parts.categories(dataset) if parts.cut_out(dataset, one)]
    fixed = queries.query("deletion_requests/break_closed_parts").bindparams(
        sa.bindparam("dataset", name, sa.Text),
        sa.bindparam("cuts", cuts, postgresql.ARRAY(sa.Text)),
        sa.bindparam("wholes", categories_of(dataset), postgresql.ARRAY(sa.Text)),
        sa.bindparam("zone", policy.schedule.time_zone, sa.Text),
    )
    return fixed.columns(**_SCOPE, categories=postgresql.ARRAY(sa.Text)).cte("closed_parts")


def categories_of(dataset: Dataset) -> list[str]:
    """The categories whose request is one for the dataset's whole records."""
    return [one for one in parts.categories(dataset) if parts.goes_whole(dataset, one)]


def _statement(predicates: Iterable[ErasurePredicate]) -> sa.Executable:
    each = sa.union_all(
        *(
            sa.select(asked.request_id.label("request_id")).select_from(asked.source).where(~asked.done)
            for predicate in predicates
            for asked in predicate.asked()
        )
    ).subquery()
    return sa.select(
        sa.func.count(sa.distinct(each.c.request_id)).label("found"),
        sa.func.array_agg(sa.distinct(each.c.request_id)).label("requests"),
    )
