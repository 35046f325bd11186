"""Which shards one task works through: a large one alone, small ones together.

To start a task costs Airflow about a second of one core, and most rules have less to do in a night than that. Shards of
a group keep their fences, their progress and their entries; that one fails keeps no other from being worked through.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import database
from holdfast.enforcement import execute
from holdfast.enforcement.execute import Done
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.shards import Shard
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import HoldfastError, description

WORK_PER_TASK = 1_000_000
"""Rows looked at by one group at most: about a second."""
SHARDS_PER_TASK = 50
_COST_OF_A_CHANGE = 20  # in rows looked at; a row that is anonymised is written anew, with its indexes
_COST_OF_A_FILE = 1_000

# What concerns the shard that it comes from; a fault of the program would meet the others too, and ends the task.
_OF_ONE_SHARD = (HoldfastError, sa.exc.DBAPIError, OSError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuleWork:
    """What a rule's plan says there is to do, over all of its shards."""

    rows: int
    due: int


@dataclass(frozen=True)
class Group:
    """The shards of one task, and what people call it."""

    shards: tuple[Shard, ...]

    @property
    def label(self) -> str:
        first, rules = self.shards[0], {one.rule_id for one in self.shards}
        if len(self.shards) == 1:
            return first.label
        if len(rules) == 1:
            return f"{first.rule_id}, {len(self.shards)} shards"
        return f"{first.rule_id} and {len(rules) - 1} more small rule{'' if len(rules) == 2 else 's'}"


def share_out(found: Sequence[Shard], work: Mapping[str, RuleWork]) -> list[Group]:
    """The shards in groups, each bounded in work and number; a shard above the bound is alone, and comes first.

    Small shards stay in their order, and each is in exactly one group. `work` has an entry for each rule.
    """
    per_rule = Counter(one.rule_id for one in found)
    weights = [_weight(one, work[one.rule_id], per_rule[one.rule_id]) for one in found]
    weighed = list(zip(found, weights, strict=True))
    large = [Group((one,)) for one, weight in weighed if weight > WORK_PER_TASK]
    return [*large, *_filled([(one, weight) for one, weight in weighed if weight <= WORK_PER_TASK])]


def enforce(
    engine: sa.Engine, setting: Setting, group: Sequence[int], pseudonym_key: bytes, undo_keys: Keys | None = None
) -> Done:
    """Work shards through, one after the other, each from wherever the last attempt came to.

    They are taken together, so that of two attempts at a group one is fenced from all of it. When each had its turn,
    raises the first failure that another attempt may mend, or else the first.
    """
    batches = rows = 0
    failures: list[Exception] = []
    for taken in execute.take(engine, group):
        try:
            done = execute.work_through(engine, setting, taken, pseudonym_key, undo_keys=undo_keys)
        except _OF_ONE_SHARD as error:
            failures.append(error)
            _log.error("%s failed: %s", taken.label, description(error))
        else:
            batches, rows = batches + done.batches, rows + done.rows
            _log.info("%s: %d rows in %d batches", taken.label, done.rows, done.batches)
    if failures:
        raise next(filter(database.may_pass, failures), failures[0])
    return Done(batches, rows)


def _weight(one: Shard, rule: RuleWork, shards: int) -> int:
    cost = _COST_OF_A_FILE if one.kind == "files" else _COST_OF_A_CHANGE
    return (rule.rows + cost * rule.due) // shards


def _filled(weighed: Sequence[tuple[Shard, int]]) -> Iterator[Group]:
    group: list[Shard] = []
    total = 0
    for one, weight in weighed:
        if group and (total + weight > WORK_PER_TASK or len(group) == SHARDS_PER_TASK):
            yield Group(tuple(group))
            group, total = [], 0
        group.append(one)
        total += weight
    if group:
        yield Group(tuple(group))
