"""Cut a run's work into shards: ranges of physical blocks, one per worker, or whole partitions that may be dropped."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement import catalogue
from holdfast.enforcement.catalogue import Leaf
from holdfast.enforcement.predicate import statements
from holdfast.enforcement.predicate.base import Predicate, Setting
from holdfast.enforcement.predicate.rows import NamedType, Rows, Sample
from holdfast.enforcement.references import references_to

WORKERS = 2
_WORTH_SPLITTING = 2_000  # blocks; below it a second worker costs more than it saves
_BLOCKS_SAMPLED = 1_000
NO_END = 2**32 - 1
"""A shard that ends here takes whatever is at the table's end: rows that an update has moved there too."""


@dataclass(frozen=True)
class Shard:
    """One row of holdfast.shard."""

    shard_id: int
    run_id: int
    rule_id: str
    wave: int
    label: str
    kind: str
    schema: str
    table: str
    from_block: int
    to_block: int
    next_block: int
    epoch: int


def cut(connection: sa.Connection, setting: Setting, run_id: int, *, workers: int = WORKERS) -> None:
    """Make the shards of every rule that has due rows."""
    for plan in queries.run(connection, "enforcement/plan_rules", {"run_id": run_id}).all():
        if plan.due_rows == 0:
            continue
        pieces = list(_pieces(connection, setting, plan.rule_id, workers))
        for number, (kind, leaf, first, end) in enumerate(pieces, start=1):
            values = {"run_id": run_id, "rule_id": plan.rule_id, "wave": plan.wave, "shard_no": number, "kind": kind}
            label = f"{plan.rule_id} {number}/{len(pieces)}"
            place = {"table_schema": leaf.schema, "table_name": leaf.name, "from_block": first, "to_block": end}
            queries.run(connection, "enforcement/add_shard", {**values, "label": label, **place})


def of_run(connection: sa.Connection, run_id: int) -> list[Shard]:
    """All shards of a run, children's waves first."""
    return [shard(row) for row in queries.run(connection, "enforcement/shards_of_run", {"run_id": run_id})]


def shard(row: sa.Row[Any]) -> Shard:
    return Shard(
        shard_id=row.shard_id,
        run_id=row.run_id,
        rule_id=row.rule_id,
        wave=row.wave,
        label=row.label,
        kind=row.kind,
        schema=row.table_schema,
        table=row.table_name,
        from_block=row.from_block,
        to_block=row.to_block,
        next_block=row.next_block,
        epoch=row.epoch,
    )


def _pieces(
    connection: sa.Connection, setting: Setting, work_id: str, workers: int
) -> Iterator[tuple[str, Leaf, int, int]]:
    name = setting.predicate(work_id).dataset
    dataset = setting.policy.data_map.datasets[name]
    for leaf in catalogue.leaves(connection, dataset.table):
        predicate = setting.predicate(work_id, Rows(setting.policy, setting.catalogue, name, leaf=leaf))
        if leaf.blocks == 0 or _begins_too_late(connection, predicate, leaf):
            continue
        if dataset.files is not None:
            yield "files", leaf, 0, NO_END
        elif _may_be_dropped(connection, predicate, leaf):
            yield "partition", leaf, 0, NO_END
        else:
            inner = _edges(connection, setting, work_id, leaf, workers) if leaf.blocks >= _WORTH_SPLITTING else []
            for first, end in itertools.pairwise([0, *inner, NO_END]):
                yield "blocks", leaf, first, end


def _edges(connection: sa.Connection, setting: Setting, work_id: str, leaf: Leaf, workers: int) -> list[int]:
    """Blocks between which each worker has as much to do, as a sample shows.

    A table that grows by the day has its past rows at the beginning: halves of it would give one worker everything.
    """
    dataset = setting.predicate(work_id).dataset
    sample = Sample(min(100.0, 100.0 * _BLOCKS_SAMPLED / leaf.blocks), seed=0)
    rows = Rows(setting.policy, setting.catalogue, dataset, leaf=leaf, sample=sample)
    places = statements.places_of_work(setting.predicate(work_id, rows), [n / workers for n in range(1, workers)])
    found: list[str] | None = connection.execute(places).scalar_one()
    if found is None:
        return [leaf.blocks * n // workers for n in range(1, workers)]
    return sorted({statements.block_of(place) for place in found} - {0})


def _may_be_dropped(connection: sa.Connection, predicate: Predicate, leaf: Leaf) -> bool:
    """The partition can only hold rows past their period. Whether each is also free of holds is seen under a lock.

    Only an owner may drop a table: a role that is none deletes the rows. What is to be kept goes row by row as well.
    """
    if (
        not leaf.may_drop
        or not predicate.deletes
        or predicate.keeps_what_it_takes
        or references_to(predicate.setting.policy, predicate.setting.catalogue, predicate.dataset)
    ):
        return False
    return _holds(connection, predicate, leaf, leaf.to_bound, operator.le)


def _begins_too_late(connection: sa.Connection, predicate: Predicate, leaf: Leaf) -> bool:
    """The partition can only hold rows that are not past, so there is nothing to look for."""
    return _holds(connection, predicate, leaf, leaf.from_bound, operator.ge)


def _holds(
    connection: sa.Connection,
    predicate: Predicate,
    leaf: Leaf,
    bound: str | None,
    comparison: Callable[[Any, Any], sa.ColumnElement[bool]],
) -> bool:
    """Compare a partition's bound with the first start that is not past, as PostgreSQL compares them.

    False where it cannot be said: no bound, or something other than a range of the start event's column decides.
    """
    decides = predicate.partition_limit()
    if decides is None or bound is None or decides[0] != leaf.key_column:
        return False
    column, limit = decides
    kind = NamedType(predicate.rows.type_of(column))
    return bool(connection.execute(sa.select(comparison(sa.cast(bound, kind), limit))).scalar_one())
