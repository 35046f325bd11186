"""Who refers to whom: foreign keys of the database, and the paths of the policy that need a row to be there.

From it comes the order of the night: a referring dataset is worked off before the one it refers to.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.enforcement.catalogue import Catalogue
from holdfast.errors import PolicyError
from holdfast.policy.model import Delete, Policy, Subject

WAVES = 4
"""How many waves a night has: the DAG's shape, and so the deepest chain of references it can work off."""


@dataclass(frozen=True)
class Reference:
    """`child_columns` of a table hold `parent_columns` of another. `child_dataset` is None for an exempt table.

    Where `event` is given, no column refers: the child's rows count from the latest `event` of their subject among
    the parent's rows.
    """

    child_dataset: str | None
    child_table: str
    child_columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    event: str | None = None


def references_to(policy: Policy, catalogue: Catalogue, dataset: str) -> list[Reference]:
    """Every reference to `dataset`, each once, from the database's foreign keys and from the policy's own paths."""
    parent = policy.data_map.datasets[dataset]
    by_table = {one.table: name for name, one in policy.data_map.datasets.items()}
    found: dict[tuple[str, tuple[str, ...]], Reference] = {}
    for key in catalogue.foreign_keys:
        if key.parent_table == parent.table:
            child = by_table.get(key.child_table)
            reference = Reference(child, key.child_table, key.child_columns, key.parent_columns)
            found[(key.child_table, key.child_columns)] = reference
    for name, child_dataset in policy.data_map.datasets.items():
        for columns in _paths(policy, name, dataset):
            found.setdefault((child_dataset.table, columns), Reference(name, child_dataset.table, columns, parent.key))
        for event in _events(policy, name, dataset):
            found[(child_dataset.table, (f"latest {event}",))] = Reference(name, child_dataset.table, (), (), event)
    return list(found.values())


def refers_to_itself(policy: Policy, catalogue: Catalogue, dataset: str) -> bool:
    """Rows of the dataset may refer to others of it."""
    return any(one.child_dataset == dataset for one in references_to(policy, catalogue, dataset))


def waves(policy: Policy, catalogue: Catalogue) -> dict[str, int]:
    """Dataset -> its wave, from 1: a dataset comes after every dataset that refers to it.

    Raises PolicyError for a circle of references, or a chain longer than the night has waves.
    """
    acting = {rule.dataset for rule in policy.schedule.rules.values()}
    children = {
        dataset: {
            reference.child_dataset
            for reference in references_to(policy, catalogue, dataset)
            if reference.child_dataset in acting and reference.child_dataset != dataset
        }
        for dataset in acting
        if _deletes(policy, dataset)
    }
    depth: dict[str, int] = {}

    def visit(dataset: str, path: tuple[str, ...]) -> int:
        if dataset in path:
            circle = " -> ".join((*path[path.index(dataset) :], dataset))
            raise PolicyError(
                f"The datasets {circle} refer to each other in a circle, so none can be deleted first.",
                fix="exempt one of them, or anonymise it instead of deleting it.",
            )
        if dataset not in depth:
            below = [visit(child, (*path, dataset)) for child in sorted(children.get(dataset, ()))]
            depth[dataset] = 1 + max(below, default=0)
        return depth[dataset]

    for dataset in sorted(acting):
        visit(dataset, ())
    deepest = max(depth.values(), default=0)
    if deepest > WAVES:
        raise PolicyError(
            f"The longest chain of references is {deepest} datasets long; a night has {WAVES} waves.",
            fix="anonymise one of the datasets in the chain instead of deleting it.",
        )
    return depth


def _deletes(policy: Policy, dataset: str) -> bool:
    return any(isinstance(rule.action, Delete) for rule in policy.rules_for(dataset).values())


def _events(policy: Policy, child: str, parent: str) -> set[str]:
    """The columns of `parent` from whose latest value for a subject rules of `child` count."""
    starts = [rule.start for rule in policy.rules_for(child).values() if child != parent]
    return {start.column for start in starts if start.link == "subject" and start.dataset == parent}


def _paths(policy: Policy, child: str, parent: str) -> list[tuple[str, ...]]:
    """The columns of `child` by which its subject or a start event is found in `parent`."""
    subject = policy.data_map.datasets[child].subject
    columns = []
    if isinstance(subject, Subject) and subject.through and subject.through.dataset == parent:
        columns.append(subject.through.columns)
    for rule in policy.rules_for(child).values():
        if rule.start.dataset == parent and rule.start.link == "key":
            columns.append(rule.start.by)
    return columns
