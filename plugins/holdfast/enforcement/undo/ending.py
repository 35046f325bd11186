"""When a window is over: what no hold wants goes for good, and what one wants is encrypted anew, until the next night.

Each night looks again, by the one predicate of holds, at exactly the rows whose day has come. Where it cannot tell (a
source that is not believed, a table that has changed, a key that is lost) the rows stay as they are, and count as debt.
First the database, then the key's file, then the entry that it is destroyed: a crash between is healed by the next
night, and no entry says of a key that it is gone while its file is there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.enforcement import locks
from holdfast.enforcement.locks import Busy, Overtaken, Patience
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.holding import Holding
from holdfast.enforcement.predicate.rows import exists
from holdfast.enforcement.undo import box, unpacked
from holdfast.enforcement.undo.box import Label, Pack, Packer
from holdfast.enforcement.undo.keeping import store
from holdfast.enforcement.undo.keys import Keys
from holdfast.enforcement.undo.unpacked import KeptRows
from holdfast.errors import UndoRefused, description
from holdfast.evidence import ledger

_DAY = dt.timedelta(days=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """What came of the windows whose day had come: keys destroyed, and batches that could not be judged."""

    keys: int
    stuck: int


def end(
    engine: sa.Engine, setting: Setting, keys: Keys, run_id: int, reached: Callable[[str], None] = lambda _: None
) -> Ended:
    """End every window whose day has come by `setting.as_of`; the entries are those of the run."""
    with database.transaction(engine) as connection:
        batches = queries.run(connection, "undo/ended_batches", {"as_of": setting.as_of}).scalars().all()
    stuck = 0
    for batch_id in batches:
        try:
            _end_batch(engine, setting, keys, batch_id, run_id)
        except UndoRefused as error:
            _log.error("Batch %d of the undo store stays as it is: %s", batch_id, description(error))
            stuck += 1
        reached("undo.batch")
    destroyed = 0
    with database.transaction(engine) as connection:
        over = queries.run(connection, "undo/keys_to_destroy", {"as_of": setting.as_of}).all()
        still = {
            (row.run_id, row.ends_on) for row in queries.run(connection, "undo/ended_keys", {"as_of": setting.as_of})
        }
    for row in over:
        keys.destroy(row.run_id, row.ends_on)
        reached("undo.destroyed")
        destroyed += _record(engine, row.run_id, row.ends_on, run_id)
    keys.destroy_strays(setting.as_of, still)
    return Ended(destroyed, stuck)


def _record(engine: sa.Engine, of_run: int, ends_on: dt.date, run_id: int) -> bool:
    """Enter it, once, whichever attempt comes to it first."""
    with database.transaction(engine) as connection:
        values = {"run_id": of_run, "ends_on": ends_on, "destroyed_in": run_id}
        noted = queries.run(connection, "undo/key_destroyed", values).one_or_none()
        if noted is not None:
            key: dict[str, ledger.JSON] = {"of_run": of_run, "ends_on": ends_on.isoformat()}
            rows = {"rows": noted.gone_rows, "kept_on": noted.kept_on_rows}
            ledger.append(connection, "undo_key_destroyed", {**key, **rows}, run_id)
    return noted is not None


def _end_batch(engine: sa.Engine, setting: Setting, keys: Keys, batch_id: int, run_id: int) -> None:
    """As a batch of the night does (`execute`): look, then lock the register, and look again if a hold came between."""
    patience, register_first = Patience(f"batch {batch_id} of the undo store"), False
    while True:
        try:
            with locks.transaction(engine) as connection:
                _end_once(connection, setting, keys, batch_id, run_id, register_first=register_first)
            return
        except Overtaken as reason:
            register_first = True
            if isinstance(reason, Busy):
                patience.pause()


def _end_once(
    connection: sa.Connection, setting: Setting, keys: Keys, batch_id: int, run_id: int, *, register_first: bool
) -> None:
    row = queries.run(connection, "undo/lock_batch", {"batch_id": batch_id, "lock_timeout": locks.WAIT}).one_or_none()
    if row is None:
        return
    if register_first:
        queries.run(connection, "enforcement/lock_holds")
    label = Label.of(row)
    packs = _wanted(connection, setting, keys, label, row)
    if not register_first:
        queries.run(connection, "enforcement/lock_holds")
        types = sorted(setting.window(label.dataset).types)
        values = {"snapshot": row.snapshot, "types": types, "dataset": label.dataset}
        if queries.run(connection, "enforcement/holds_changed_since", values).scalar_one():
            raise Overtaken
    kept_on = sum(pack.rows for pack in packs)
    queries.run(connection, "undo/drop_batch", {"batch_id": batch_id})
    counts = {"gone_rows": row.kept_rows - kept_on, "kept_on_rows": kept_on}
    queries.run(connection, "undo/note_end", {"run_id": label.run_id, "ends_on": label.ends_on, **counts})
    if kept_on:
        why = "unknown" if _is_unknown(connection, setting, label) else "held"
        store(connection, keys, dataclasses.replace(label, ends_on=setting.as_of + _DAY), packs, why=why)
        place: dict[str, ledger.JSON] = {"of_run": label.run_id, "rule": label.rule_id, "dataset": label.dataset}
        facts: dict[str, ledger.JSON] = {"gone_by": label.gone_by.isoformat(), "rows": kept_on, "why": why}
        ledger.append(connection, "undo_rows_kept_on", {**place, **facts}, run_id)


def _is_unknown(connection: sa.Connection, setting: Setting, label: Label) -> bool:
    """Nobody can say whether a hold reaches the rows."""
    return setting.is_refused(label.dataset) or not unpacked.fits(connection, setting.policy, label)


def _wanted(
    connection: sa.Connection, setting: Setting, keys: Keys, label: Label, row: sa.Row[tuple[object, ...]]
) -> list[Pack]:
    """The rows that may not go: all where it cannot be told, none (and nothing is decrypted) where no hold could."""
    is_unknown = _is_unknown(connection, setting, label)
    if not is_unknown and not _any_hold(connection, setting, label):
        return []
    values = row._mapping
    pack = Pack.unseal(values["sealed"], keys.load(label.run_id, label.ends_on), label, values["kept_rows"])
    if is_unknown:
        return [pack]
    rows = KeptRows(setting.policy, setting.catalogue, label.dataset, label.row_columns)
    unpacked.make_table(connection, rows, label.row_columns)
    unpacked.fill(connection, label, pack)
    held = Packer()
    free = Holding(rows, setting.window(label.dataset)).free()
    for one in box.copy_out(connection, sa.select(*rows.table.c).where(~sa.func.coalesce(free, sa.false()))):
        held.add(one)
    return held.done()


def _any_hold(connection: sa.Connection, setting: Setting, label: Label) -> bool:
    rows = KeptRows(setting.policy, setting.catalogue, label.dataset, label.row_columns)
    holding = Holding(rows, setting.window(label.dataset))
    hold = holding.register()
    return bool(connection.execute(sa.select(exists([hold], holding.active(hold)))).scalar_one())
