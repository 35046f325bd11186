"""What a change of policy would do to the rows that are there: which would newly go, and which would newly stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.enforcement.predicate.rules import RetentionSetting
from holdfast.policy.model import Policy


@dataclass(frozen=True)
class Effect:
    """For one dataset, on one day: rows due under the new policy alone, and under the old one alone.

    None where it cannot be counted: the dataset is another table in one of them, or missing from it.
    """

    dataset: str
    newly_due: int | None
    newly_kept: int | None


def effects(
    connection: sa.Connection, old: Policy, new: Policy, datasets: Collection[str], as_of: dt.date
) -> list[Effect]:
    """Count it for each of `datasets`, against the live database and the register of holds as they are."""
    now = queries.run(connection, "enforcement/begin_plan").one().holds_as_of
    schemas = {*old.data_map.schemas, *new.data_map.schemas}
    tables = catalogue.read(connection, schemas)
    before, after = (RetentionSetting(policy, tables, as_of, now) for policy in (old, new))
    return [_effect(connection, before, after, dataset) for dataset in sorted(datasets)]


def _effect(connection: sa.Connection, before: RetentionSetting, after: RetentionSetting, dataset: str) -> Effect:
    one, other = (setting.policy.data_map.datasets.get(dataset) for setting in (before, after))
    if one is None or other is None or (one.table, one.connection) != (other.table, other.connection):
        return Effect(dataset, None, None)
    rows = Rows(after.policy, after.catalogue, dataset, alias=True)
    same_rows = Rows(before.policy, before.catalogue, dataset, table=rows.table)
    due_before, due_after = _due(before, dataset, same_rows), _due(after, dataset, rows)
    newly_due = sa.func.count().filter(sa.and_(due_after, ~due_before))
    newly_kept = sa.func.count().filter(sa.and_(due_before, ~due_after))
    counts = connection.execute(sa.select(newly_due, newly_kept).select_from(rows.table)).one()
    return Effect(dataset, counts[0], counts[1])


def _due(setting: RetentionSetting, dataset: str, rows: Rows) -> Bool:
    """Some rule of the dataset acts on the row."""
    predicates = [setting.predicate(rule_id, rows) for rule_id in setting.work(dataset)]
    return sa.func.coalesce(sa.or_(sa.false(), *(one.due() for one in predicates)), sa.false())
