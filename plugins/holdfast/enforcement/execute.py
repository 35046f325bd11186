"""Enforce one shard: bounded transactions, each with its fence, its hold check and its ledger entry, or not at all.

A hold that was acknowledged must never be overtaken. A batch first changes its rows, seeing every hold committed
before; then it locks the register, which waits for holds being placed, and looks whether one was added since its
snapshot. If so it takes its change back and does it again under the lock, where no hold can arrive. So the register
is locked for the moment of the commit, not for the batch (docs/decisions/0006-hold-race.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import catalogue, files, shards
from holdfast.enforcement.catalogue import Leaf
from holdfast.enforcement.predicate import statements
from holdfast.enforcement.predicate.base import Predicate, Setting
from holdfast.enforcement.predicate.rows import Rows
from holdfast.enforcement.shards import Shard
from holdfast.errors import Fenced, PlanChanged, RunRefused
from holdfast.evidence import ledger

ROWS_PER_BATCH = 75_000
"""Rows scanned in a batch: large enough that the commit costs little, small enough to lock rows for a moment only."""

Reached = Callable[[str], None]
"""Told at each named point of the work; the crash tests kill the process there."""


def _ignore(_: str) -> None:
    return None


@dataclass(frozen=True)
class Done:
    """What one attempt at a shard did."""

    batches: int
    rows: int


@dataclass(frozen=True)
class Work:
    """One attempt at a shard: what every batch of it needs."""

    engine: sa.Engine
    setting: Setting
    shard: Shard
    leaf: Leaf
    predicate: Predicate
    pseudonym_key: bytes
    reached: Reached

    @functools.cached_property
    def change(self) -> sa.Delete | sa.Update:
        """What a batch does. Built once: composing and compiling it takes ten times as long as sending it."""
        return statements.change_blocks(self.predicate, self.pseudonym_key)

    @property
    def kind_of_entry(self) -> str:
        return "batch_deleted" if self.predicate.deletes else "batch_anonymised"


def enforce(
    engine: sa.Engine, setting: Setting, shard_id: int, pseudonym_key: bytes, reached: Reached = _ignore
) -> Done:
    """Work a shard through to its end, from wherever the last attempt came to.

    Raises Fenced if a newer attempt takes the shard or the run ends, PlanChanged if more rows would be changed than
    the plan allows, RunRefused while rows that may refer to these are still to be worked through.
    """
    work = _take(engine, replace(setting, is_worked_off=True), shard_id, pseudonym_key, reached)
    reached("shard.taken")
    before = work.shard.next_block
    done = Done(0, 0)
    if work.shard.kind == "partition" and before == 0:
        dropped = _drop(work)
        if dropped is not None:
            return _finish(work, Done(1, dropped))
    rows_per_batch = files.ROWS_PER_BATCH if work.shard.kind == "files" else ROWS_PER_BATCH
    step = max(1, int(rows_per_batch / work.leaf.rows_per_block))
    end = min(work.shard.to_block, work.leaf.blocks)
    while True:
        batch = _batch(work, step, end)
        if batch is None:
            return _finish(work, done)
        done = Done(done.batches + 1, done.rows + batch)


def _take(engine: sa.Engine, setting: Setting, shard_id: int, pseudonym_key: bytes, reached: Reached) -> Work:
    with database.transaction(engine) as connection:
        taken = shards.shard(queries.run(connection, "enforcement/take_shard", {"shard_id": shard_id}).one())
        _require_earlier_waves(connection, taken)
        dataset = setting.predicate(taken.rule_id).dataset
        table = setting.policy.data_map.datasets[dataset].table
        known = {(leaf.schema, leaf.name): leaf for leaf in catalogue.leaves(connection, table)}
    leaf = known.get((taken.schema, taken.table)) or _gone(taken)
    predicate = setting.predicate(taken.rule_id, Rows(setting.policy, setting.catalogue, dataset, leaf=leaf))
    return Work(engine, setting, taken, leaf, predicate, pseudonym_key, reached)


def _require_earlier_waves(connection: sa.Connection, taken: Shard) -> None:
    """A row that goes before those that lead to its subject through it would leave them with nobody."""
    values = {"run_id": taken.run_id, "wave": taken.wave}
    unfinished = queries.run(connection, "enforcement/earlier_shards", values).scalar_one()
    if unfinished:
        raise RunRefused(
            f"{taken.label} may not begin: {unfinished} shards of earlier waves are not worked through.",
            fix="clear their tasks first.",
            unfinished=unfinished,
        )


def _gone(taken: Shard) -> Leaf:
    """A partition dropped by the attempt before this one, whose end was not recorded: nothing is left to do."""
    return Leaf(taken.schema, taken.table, None, False, None, None, None, 0, 1.0)


def _batch(work: Work, step: int, end: int) -> int | None:
    """One batch, committed; the rows it changed, or None if the shard is at its end."""
    work.reached("batch.before")
    with database.transaction(work.engine) as connection:
        first, number = _fence(work, connection)
        if first >= end:
            return None
        until = min(first + step, end)
        work.reached("batch.fenced")
        if work.shard.kind == "files":
            rows = files.delete(work, connection, statements.block_range(first, until))
        else:
            rows = _change(work, connection, statements.block_range(first, until))
        work.reached("batch.changed")
        facts: dict[str, ledger.JSON] = {"batch": number + 1, "from_block": first, "to_block": until}
        _record(work, connection, until, rows, work.kind_of_entry, facts)
        work.reached("batch.recorded")
    work.reached("batch.committed")
    return rows


def _change(work: Work, connection: sa.Connection, blocks: dict[str, str]) -> int:
    """Change the due rows of these blocks, and end with the register locked and no hold overtaken."""
    snapshot = queries.run(connection, "enforcement/current_snapshot").scalar_one()
    attempt = connection.begin_nested()
    rows = connection.execute(work.change, blocks).rowcount
    work.reached("batch.unchecked")
    if not _lock_holds(work, connection, snapshot):
        attempt.commit()
        return rows
    attempt.rollback()
    queries.run(connection, "enforcement/lock_holds")  # again: whatever was locked within the attempt went with it
    return connection.execute(work.change, blocks).rowcount


def _lock_holds(work: Work, connection: sa.Connection, snapshot: str) -> bool:
    """Lock the register until the commit; whether a hold that could reach this dataset came after the snapshot."""
    queries.run(connection, "enforcement/lock_holds")
    dataset = work.predicate.dataset
    types = sorted(work.setting.window(dataset).types)
    values = {"snapshot": snapshot, "types": types, "dataset": dataset}
    return bool(queries.run(connection, "enforcement/holds_changed_since", values).scalar_one())


def _drop(work: Work) -> int | None:
    """Drop the shard's partition if every row of it is due; the rows that went, or None to go row by row."""
    if work.leaf.blocks == 0 or work.leaf.parent is None:
        return None
    with database.transaction(work.engine) as connection:
        _fence(work, connection)
        snapshot = queries.run(connection, "enforcement/current_snapshot").scalar_one()
        statements.lock_against_writers(connection, work.leaf)
        total: int = connection.execute(statements.count_rows(work.predicate)).scalar_one()
        due = statements.count_rows(work.predicate, work.predicate.due())
        all_due = connection.execute(due).scalar_one() == total
        if all_due and _lock_holds(work, connection, snapshot):
            all_due = connection.execute(due).scalar_one() == total
        if not all_due:
            return None
        work.reached("partition.counted")
        statements.drop_partition(connection, work.leaf)
        work.reached("partition.dropped")
        _record(work, connection, shards.NO_END, total, "partition_dropped", {"partition": work.leaf.name})
        work.reached("partition.recorded")
    return total


def _fence(work: Work, connection: sa.Connection) -> tuple[int, int]:
    """Where to begin and how many batches there were; locks the shard. Raises Fenced if it is no longer ours."""
    values = {"shard_id": work.shard.shard_id, "epoch": work.shard.epoch}
    row = queries.run(connection, "enforcement/begin_batch", values).one_or_none()
    if row is None:
        raise Fenced(
            f"Attempt {work.shard.epoch} at {work.shard.label} may not go on: a newer one has it, or its run ended.",
            fix="nothing: whatever this attempt committed is counted, and the newer attempt goes on from there.",
        )
    return row.next_block, row.batches


def _record(
    work: Work, connection: sa.Connection, until: int, rows: int, kind: str, facts: dict[str, ledger.JSON]
) -> None:
    """Note the progress and append the ledger entry; last before the commit, so that nobody waits for long."""
    shard = work.shard
    values = {"shard_id": shard.shard_id, "next_block": until, "changed_rows": rows}
    progress = queries.run(connection, "enforcement/record_batch", values).one()
    if progress.rule_rows > progress.limit_rows:
        raise PlanChanged(
            f"{shard.rule_id} would change {progress.rule_rows} rows; its plan allows {progress.limit_rows}.",
            fix="find out why rows became due after the plan; the next night plans anew.",
            rule=shard.rule_id,
        )
    if rows:
        place: dict[str, ledger.JSON] = {
            "rule": shard.rule_id,
            "dataset": work.predicate.dataset,
            "shard": shard.shard_id,
        }
        ledger.append(connection, kind, {**place, **facts, "epoch": shard.epoch, "rows": rows}, shard.run_id)


def _finish(work: Work, done: Done) -> Done:
    with database.transaction(work.engine) as connection:
        values = {"shard_id": work.shard.shard_id, "epoch": work.shard.epoch}
        if queries.run(connection, "enforcement/finish_shard", values).one_or_none() is None:
            _fence(work, connection)
    work.reached("shard.finished")
    return done
