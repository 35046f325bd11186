"""Enforce one shard: bounded transactions, each with its fence, its hold check and its ledger entry, or not at all.

A hold that was acknowledged must never be overtaken. A batch first changes its rows, seeing every hold committed
before; then it locks the register, which waits for holds being placed, and looks whether one was added since its
snapshot. If so it takes everything back and does a smaller batch with the register locked first, where no hold can
arrive. So the register is locked for the moment of the commit, not for the batch (docs/decisions/0006-hold-race.md).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import catalogue, files, locks, shards
from holdfast.enforcement.catalogue import Leaf
from holdfast.enforcement.locks import Busy, Overtaken, Patience
from holdfast.enforcement.predicate import statements
from holdfast.enforcement.predicate.base import Predicate, Setting
from holdfast.enforcement.predicate.rows import Rows
from holdfast.enforcement.shards import Shard
from holdfast.enforcement.undo import keeping
from holdfast.enforcement.undo.keeping import Kept
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import Fenced, PlanChanged, RunRefused, SettingsError
from holdfast.evidence import ledger
from holdfast.evidence.pseudonyms import pseudonym

ROWS_PER_BATCH = 150_000
"""Rows scanned in a batch that deletes: its commit must cost little, and nobody wait for one of its rows for long."""
BARREN = 4
"""A batch is up to so many times larger where the one before it found nothing to change."""
PARTITION = "partition"
"""The purpose of pseudonyms of partitions in the ledger."""
_COST_OF_AN_UPDATE = 5  # in deletions: it writes the row anew, and often every index
_UNDER_LOCK = 8  # a batch with the register locked is so many times smaller: whoever places a hold waits for it
_TRIES_TO_DROP = 10

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
class Fence:
    """A shard that is ours until the commit: where to go on, batches so far, and what the transaction could see."""

    next_block: int
    batches: int
    snapshot: str


@dataclass(frozen=True)
class Work:
    """One attempt at a shard: what every batch of it needs."""

    engine: sa.Engine
    setting: Setting
    shard: Shard
    leaf: Leaf
    predicate: Predicate
    pseudonym_key: bytes
    undo_keys: Keys | None
    reached: Reached

    @functools.cached_property
    def change(self) -> sa.Delete | sa.Update:
        """What a batch does. Built once: composing and compiling it takes ten times as long as sending it."""
        return statements.change_blocks(self.predicate, self.pseudonym_key)

    @property
    def has_files(self) -> bool:
        return self.shard.kind == "files"

    @property
    def blocks_per_batch(self) -> int:
        rows = ROWS_PER_BATCH if self.predicate.deletes else ROWS_PER_BATCH // _COST_OF_AN_UPDATE
        return max(1, int((files.ROWS_PER_BATCH if self.has_files else rows) / self.leaf.rows_per_block))

    @property
    def kind_of_entry(self) -> str:
        return "batch_deleted" if self.predicate.deletes else "batch_anonymised"


def enforce(
    engine: sa.Engine,
    setting: Setting,
    shard_id: int,
    pseudonym_key: bytes,
    reached: Reached = _ignore,
    *,
    undo_keys: Keys | None = None,
) -> Done:
    """Work a shard through to its end, from wherever the last attempt came to.

    `undo_keys`: where the keys of undo windows lie; not needed where no rule has one.

    Raises Fenced if a newer attempt takes the shard or the run ends, PlanChanged if more rows would be changed than
    the plan allows, RunRefused while rows that may refer to these are still to be worked through.
    """
    (taken,) = take(engine, [shard_id])
    return work_through(engine, setting, taken, pseudonym_key, reached, undo_keys=undo_keys)


def take(engine: sa.Engine, shard_ids: Sequence[int]) -> list[Shard]:
    """Begin an attempt at all of these shards or at none: whoever had one of them is fenced from here on.

    Raises RunRefused while rows that may refer to theirs are still to be worked through.
    """
    with database.transaction(engine) as connection:
        # In one order, or two attempts at the same shards could each get some of them.
        return [_take(connection, shard_id) for shard_id in sorted(shard_ids)]


def work_through(
    engine: sa.Engine,
    setting: Setting,
    taken: Shard,
    pseudonym_key: bytes,
    reached: Reached = _ignore,
    *,
    undo_keys: Keys | None = None,
) -> Done:
    """Work a taken shard through to its end. Raises what `enforce` does."""
    work = _work(engine, replace(setting, is_worked_off=True), taken, pseudonym_key, undo_keys, reached)
    reached("shard.taken")
    if work.shard.kind == "partition" and work.shard.next_block == 0:
        dropped = _drop(work)
        if dropped is not None:
            return _finish(work, Done(1, dropped))
    return _finish(work, _in_batches(work))


def _take(connection: sa.Connection, shard_id: int) -> Shard:
    taken = shards.shard(queries.run(connection, "enforcement/take_shard", {"shard_id": shard_id}).one())
    _require_earlier_waves(connection, taken)
    return taken


def _work(
    engine: sa.Engine,
    setting: Setting,
    taken: Shard,
    pseudonym_key: bytes,
    undo_keys: Keys | None,
    reached: Reached,
) -> Work:
    dataset = setting.predicate(taken.rule_id).dataset
    table = setting.policy.data_map.datasets[dataset].table
    with database.transaction(engine) as connection:
        known = {(leaf.schema, leaf.name): leaf for leaf in catalogue.leaves(connection, table)}
    leaf = known.get((taken.schema, taken.table)) or _gone(taken)
    predicate = setting.predicate(taken.rule_id, Rows(setting.policy, setting.catalogue, dataset, leaf=leaf))
    if predicate.keeps_what_it_takes and undo_keys is None:
        raise SettingsError(f"{taken.label} keeps what it deletes, and has no folder for keys.", fix="give it one.")
    return Work(engine, setting, taken, leaf, predicate, pseudonym_key, undo_keys, reached)


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
    return Leaf(taken.schema, taken.table, None, False, None, None, None, False, 0, 1.0)


def _in_batches(work: Work) -> Done:
    """Work through the blocks. After a batch that a hold overtook comes a small one with the register locked first."""
    end = min(work.shard.to_block, work.leaf.blocks)
    usual = size = work.blocks_per_batch
    register_first = work.has_files
    patience = Patience(work.shard.label)
    done = Done(0, 0)
    while True:
        try:
            rows = _batch(work, size, end, register_first=register_first)
        except Overtaken as reason:
            size, register_first = max(1, usual // _UNDER_LOCK), True
            if isinstance(reason, Busy):
                patience.pause()
            continue
        if rows is None:
            return done
        done = Done(done.batches + 1, done.rows + rows)
        size = min(2 * size, usual if rows or work.has_files else usual * BARREN)
        register_first = work.has_files
        patience.renew()


def _batch(work: Work, size: int, end: int, *, register_first: bool) -> int | None:
    """One batch, committed; the rows it changed, or None if the shard is at its end. Raises Overtaken."""
    work.reached("batch.before")
    with locks.transaction(work.engine) as connection:
        fence = _fence(work, connection)
        if fence.next_block >= end:
            return None
        until = min(fence.next_block + size, end)
        work.reached("batch.fenced")
        if register_first:
            queries.run(connection, "enforcement/lock_holds")
        changed = _change(work, connection, statements.block_range(fence.next_block, until))
        if not register_first and _lock_holds(work, connection, fence.snapshot):
            raise Overtaken
        work.reached("batch.changed")
        facts: dict[str, ledger.JSON] = {"batch": fence.batches + 1, "from_block": fence.next_block, "to_block": until}
        if changed.until:
            facts["kept"] = {day.isoformat(): rows for day, rows in changed.until.items()}
        _record(work, connection, until, changed.rows, work.kind_of_entry, facts)
        work.reached("batch.recorded")
    work.reached("batch.committed")
    return changed.rows


def _change(work: Work, connection: sa.Connection, blocks: dict[str, str]) -> Kept:
    """Change the due rows of these blocks: those that no hold reaches which was committed before."""
    if work.has_files:
        return Kept(files.delete(work, connection, blocks), {})
    if work.undo_keys is not None and work.predicate.keeps_what_it_takes:
        changed = keeping.delete(connection, work.undo_keys, work.shard, work.predicate, blocks)
    else:
        changed = Kept(connection.execute(work.change, blocks).rowcount, {})
    work.reached("batch.unchecked")
    return changed


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
    patience = Patience(work.shard.label)
    for _ in range(_TRIES_TO_DROP):
        try:
            return _drop_once(work)
        except Overtaken:
            patience.pause()
    return None


def _drop_once(work: Work) -> int | None:
    with locks.transaction(work.engine) as connection:
        fence = _fence(work, connection)
        statements.lock_against_writers(connection, work.leaf)
        total: int = connection.execute(statements.count_rows(work.predicate)).scalar_one()
        due = statements.count_rows(work.predicate, work.predicate.due())
        if connection.execute(due).scalar_one() != total:
            return None
        if _lock_holds(work, connection, fence.snapshot):
            raise Overtaken
        work.reached("partition.counted")
        statements.drop_partition(connection, work.leaf)
        work.reached("partition.dropped")
        _record(work, connection, shards.NO_END, total, "partition_dropped", {"partition": _name_of_partition(work)})
        work.reached("partition.recorded")
    return total


def _name_of_partition(work: Work) -> str:
    """As the ledger takes it: in place of a name that is no code (a stamp of the hour has ten digits) its pseudonym.

    The register of shards has the name itself, under the number of the shard.
    """
    name = work.leaf.name
    return name if ledger.CODE.fullmatch(name) else pseudonym(work.pseudonym_key, PARTITION, name)


def _fence(work: Work, connection: sa.Connection) -> Fence:
    """Lock the shard, and say where to go on. Raises Fenced if it is no longer ours."""
    values = {"shard_id": work.shard.shard_id, "epoch": work.shard.epoch}
    timeouts = {"lock_timeout": locks.WAIT, "idle_timeout": locks.FROZEN}
    row = queries.run(connection, "enforcement/begin_batch", {**values, **timeouts}).one_or_none()
    if row is None:
        raise Fenced(
            f"Attempt {work.shard.epoch} at {work.shard.label} may not go on: a newer one has it, or its run ended.",
            fix="nothing: whatever this attempt committed is counted, and the newer attempt goes on from there.",
        )
    return Fence(row.next_block, row.batches, row.snapshot)


def _record(
    work: Work, connection: sa.Connection, until: int, rows: int, kind: str, facts: dict[str, ledger.JSON]
) -> None:
    """Note the progress and append the ledger entry; last before the commit, so that nobody waits for long."""
    shard = work.shard
    values = {"shard_id": shard.shard_id, "next_block": until, "changed_rows": rows}
    queries.run(connection, "enforcement/record_batch", values)
    if rows == 0 and kind != "partition_dropped":
        return
    place: dict[str, ledger.JSON] = {
        "rule": shard.rule_id,
        "dataset": work.predicate.dataset,
        "shard": shard.shard_id,
    }
    ledger.append(connection, kind, {**place, **facts, "epoch": shard.epoch, "rows": rows}, shard.run_id)
    # After the append, which lets one batch at a time pass: two shards together must not exceed the limit either.
    progress = queries.run(connection, "enforcement/rule_progress", {"shard_id": shard.shard_id}).one()
    if progress.rule_rows > progress.limit_rows:
        raise PlanChanged(
            f"{shard.rule_id} would change {progress.rule_rows} rows; its plan allows {progress.limit_rows}.",
            fix="find out why rows became due after the plan; the next night plans anew.",
            rule=shard.rule_id,
        )


def _finish(work: Work, done: Done) -> Done:
    with database.transaction(work.engine) as connection:
        values = {"shard_id": work.shard.shard_id, "epoch": work.shard.epoch}
        if queries.run(connection, "enforcement/finish_shard", values).one_or_none() is None:
            _fence(work, connection)
    work.reached("shard.finished")
    return done
