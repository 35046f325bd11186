"""After the work: nothing due may be left, every row must be accounted for, and what was kept must be as it was.

Counts again with the same predicate, in one new snapshot. A count that cannot be made is an error and never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from holdfast import queries
from holdfast.enforcement import plan, scan
from holdfast.enforcement.predicate import statements
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.rows import Bool, Rows
from holdfast.enforcement.runs import Run
from holdfast.errors import ConservationError, HeldRowsChanged, SurvivorsFound


@dataclass(frozen=True)
class Verified:
    """What verification found. `survivors` are due rows that were there when the plan was counted."""

    survivors: dict[str, int]
    late: dict[str, int]
    missing: dict[str, int]  # dataset -> rows gone that no entry accounts for; negative: rows there that nobody wrote
    altered: tuple[str, ...]  # rules or datasets whose kept rows are not what they were

    def check(self) -> None:
        """Raise what was found: SurvivorsFound, ConservationError or HeldRowsChanged."""
        if self.survivors:
            listed = ", ".join(f"{rule} {number}" for rule, number in sorted(self.survivors.items()))
            raise SurvivorsFound(
                f"Due rows are still there: {listed}.",
                fix="run the task again; if they stay, look for writers that keep moving them.",
                survivors=self.survivors,
            )
        if self.missing:
            raise ConservationError(
                f"Rows are gone that no entry accounts for, or (below 0) there that nobody wrote: {self.missing}.",
                fix="find out who else deletes from these datasets; the ledger shows all that this job deleted.",
                missing=self.missing,
            )
        if self.altered:
            raise HeldRowsChanged(
                f"Rows that were kept are not what they were: {', '.join(self.altered)}.",
                fix="treat it as an incident: restore them from a backup and find out what changed them.",
                where=self.altered,
            )


def survivors(connection: sa.Connection, setting: Setting, run: Run, rule_ids: list[str]) -> dict[str, int]:
    """Rule -> due rows that the plan's snapshot could see and that are still there. Rules without any are left out."""
    found = {}
    for rule_id in rule_ids:
        predicate = replace(setting, is_worked_off=True).predicate(rule_id)
        old = ~_arrived(connection, run, predicate.rows)
        number = connection.execute(statements.count_rows(predicate, predicate.due(), old)).scalar_one()
        if number:
            found[rule_id] = number
    return found


def verify(connection: sa.Connection, setting: Setting, run: Run) -> Verified:
    """Count everything again and store it; raises nothing (see `Verified.check`), so that the report can tell.

    `connection` must be in a REPEATABLE READ transaction.
    """
    done = {row.rule_id: int(row.changed_rows) for row in _run(connection, "enforcement/done_by_rule", run)}
    planned = {row.rule_id: row for row in _run(connection, "enforcement/plan_rules", run)}
    setting = replace(setting, is_worked_off=True)
    counted = plan.count_all(connection, setting)
    left = survivors(connection, setting, run, [rule_id for rule_id, counts in counted.items() if counts.due])
    late = {rule_id: counts.due - left.get(rule_id, 0) for rule_id, counts in counted.items() if counts.due}
    altered: list[str] = []
    for rule_id, counts in counted.items():
        unchanged = _held_unchanged(connection, setting, run, planned[rule_id], counts)
        if unchanged is False:
            altered.append(rule_id)
        values = {"run_id": run.run_id, "rule_id": rule_id, "survivors": left.get(rule_id, 0)}
        found = {"late_rows": late.get(rule_id, 0), "held_unchanged": unchanged}
        queries.run(connection, "enforcement/store_verified_rule", {**values, **found})
    missing = _account(connection, setting, run, counted, done, altered)
    return Verified(left, {rule: n for rule, n in late.items() if n}, missing, tuple(altered))


def _account(
    connection: sa.Connection,
    setting: Setting,
    run: Run,
    counted: dict[str, scan.Counts],
    done: dict[str, int],
    altered: list[str],
) -> dict[str, int]:
    """Before - deleted <= after <= before + arrived, for each dataset; the rows that are missing from that, by dataset.

    Rows that came after the plan may be among the deleted: how many is not known, since to ask each deleted row for its
    age would take a third as long again. That no old row is left which should have gone is what `survivors` shows.
    """
    missing = {}
    for row in _run(connection, "enforcement/dataset_counts", run):
        rule_ids = setting.work(row.dataset)
        deleting = [one for one in rule_ids if setting.predicate(one).deletes]
        deleted = sum(done.get(one, 0) for one in deleting)
        after = counted[rule_ids[0]].total
        least = row.before_rows - deleted
        rows = Rows(setting.policy, setting.catalogue, row.dataset, alias=True)
        # Rows that came are new versions, and so are rows that others changed: never fewer versions than rows came.
        versions = _count_arrived(connection, run, rows) if after > least else 0
        most = row.before_rows + versions
        if not least <= after <= most:
            missing[row.dataset] = least - after if after < least else most - after
        sample = plan.sample_of(connection, setting, row.dataset, row.sample_percent, run.run_id)
        unchanged: bool | None = sample == (row.sample_rows, row.sample_fingerprint)
        if not unchanged and _count_arrived(connection, run, rows):
            unchanged = None  # others wrote to the dataset meanwhile, so the sample proves nothing
        if unchanged is False:
            altered.append(row.dataset)
        values = {"run_id": run.run_id, "dataset": row.dataset, "deleted_rows": deleted, "after_rows": after}
        found = {"arrived_versions": versions, "sample_unchanged": unchanged}
        queries.run(connection, "enforcement/store_verified_dataset", {**values, **found})
    return missing


def _held_unchanged(
    connection: sa.Connection, setting: Setting, run: Run, planned: sa.Row[Any], counts: scan.Counts
) -> bool | None:
    """Whether the rows that were held are byte for byte the same; None if others changed rows or holds meanwhile."""
    if counts.held_fingerprint == planned.held_fingerprint:
        return True
    then = replace(setting, seen_in=run.plan_snapshot).predicate(planned.rule_id)
    if scan.count(connection, then).held_fingerprint == planned.held_fingerprint:
        return True  # only holds placed since make the difference
    dataset = planned.dataset
    values = {"snapshot": run.plan_snapshot, "types": sorted(setting.window(dataset).types), "dataset": dataset}
    holds_changed = queries.run(connection, "enforcement/holds_changed_since", values).scalar_one()
    return None if holds_changed or _count_arrived(connection, run, then.rows) else False


def _run(connection: sa.Connection, name: str, run: Run) -> Sequence[sa.Row[Any]]:
    return queries.run(connection, name, {"run_id": run.run_id}).all()


def _count_arrived(connection: sa.Connection, run: Run, rows: Rows) -> int:
    counted = sa.select(sa.func.count()).select_from(rows.table).where(_arrived(connection, run, rows))
    return int(connection.execute(counted).scalar_one())


def _arrived(connection: sa.Connection, run: Run, rows: Rows) -> Bool:
    """The row version was written since the plan's snapshot, as its transaction's age shows (or just before it).

    Transaction numbers come round: of a row more than two thousand million transactions old the age is negative.
    """
    horizon = queries.run(connection, "enforcement/age_of_snapshot", {"snapshot": run.plan_snapshot}).scalar_one()
    return rows.age.between(0, horizon)
