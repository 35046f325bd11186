"""What in the live database would make a deletion do more, or less, than its rule says? Pure, on a catalogue.

Such a database is refused: a ledger entry that says 500 rows must not stand for 700, and a deletion that a trigger
swallows must not pass for done.
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.policy.catalogue import Catalogue, Trigger
from holdfast.policy.model import Dataset, Policy
from holdfast.policy.problems import Check, EntryPath, Finder, Problem


def problems(policy: Policy, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    """Everything that acts on rows no rule decided, or hides rows that a rule is for."""
    datasets_of = {dataset.table: name for name, dataset in policy.data_map.datasets.items()}
    for name, dataset in policy.data_map.datasets.items():
        if dataset.table in catalogue.relations:
            path = ("data_map", "datasets", name)
            yield from _foreign_keys(policy, name, datasets_of, catalogue, find)
            yield from _inheritance(dataset, catalogue, (*path, "table"), find)
            yield from _triggers(policy, name, catalogue, find)
            yield from _hidden_rows(dataset, catalogue, (*path, "table"), find)


def _does(policy: Policy, name: str, deed: str) -> bool:
    return any(rule.action.do == deed for rule in policy.rules_for(name).values())


def _foreign_keys(
    policy: Policy, name: str, datasets_of: dict[str, str], catalogue: Catalogue, find: Finder
) -> Iterator[Problem]:
    dataset = policy.data_map.datasets[name]
    path = ("data_map", "datasets", name, "table")
    for key in catalogue.foreign_keys:
        if key.parent != dataset.table:
            continue
        child = datasets_of.get(key.child)
        if key.on_delete is not None:
            yield find(
                Check.CHANGES_OTHER_ROWS,
                path,
                f"the foreign key {key.name} of {key.child} is {key.on_delete}: deleting here would change rows there "
                "that no rule decided and no hold was asked for.",
                "make the constraint ON DELETE NO ACTION; children are deleted before parents by their own rule.",
            )
        elif _does(policy, name, "delete") and (child is None or not _does(policy, child, "delete")):
            yield find(
                Check.CHILD_NEVER_DELETED,
                path,
                f"rows of {key.child} refer to {dataset.table} ({key.name}) and no rule deletes them, so the rows they "
                "refer to could never be deleted either.",
                f"give {child or key.child} a rule that deletes no later, or anonymise {name} instead.",
            )


def _inheritance(dataset: Dataset, catalogue: Catalogue, path: EntryPath, find: Finder) -> Iterator[Problem]:
    for parent, child in catalogue.inheritance:
        if parent == dataset.table:
            yield find(
                Check.INHERITED,
                path,
                f"{child} inherits from {parent}: a deletion here would reach its rows too.",
                "turn the tables into a partitioned table, or end the inheritance and register both.",
            )


def _triggers(policy: Policy, name: str, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    dataset = policy.data_map.datasets[name]
    path: EntryPath = ("data_map", "datasets", name)
    present = [trigger for trigger in catalogue.triggers if trigger.table == dataset.table]
    for trigger in present:
        deeds = _deeds(policy, name, trigger)
        if deeds and trigger.name not in dataset.triggers:
            yield find(
                Check.TRIGGER,
                (*path, "table"),
                f"the {trigger.kind} {trigger.name} acts when a row is {deeds}: it could stop that, or change other "
                "rows.",
                f"look at what it does; if it does neither, say so under `triggers: {{{trigger.name}: ...}}`.",
            )
    for accepted in dataset.triggers:
        if accepted not in {trigger.name for trigger in present}:
            yield find(
                Check.TRIGGER,
                (*path, "triggers", accepted),
                f"{dataset.table} has no trigger or rewrite rule {accepted} that acts on a deletion or update.",
                "remove the entry.",
            )


def _deeds(policy: Policy, name: str, trigger: Trigger) -> str:
    deleted = trigger.on_delete and _does(policy, name, "delete")
    updated = trigger.on_update and _does(policy, name, "anonymise")
    return " or ".join(word for word, applies in (("deleted", deleted), ("updated", updated)) if applies)


def _hidden_rows(dataset: Dataset, catalogue: Catalogue, path: EntryPath, find: Finder) -> Iterator[Problem]:
    relation = catalogue.relations[dataset.table]
    if relation.row_security:
        yield find(
            Check.ROW_SECURITY,
            path,
            f"row security hides rows of {dataset.table} from the role that checks: they would be neither counted nor "
            "deleted, and nobody would see that they survive.",
            "give the role BYPASSRLS, or a policy that shows it every row and switch row security off for it.",
        )
    if relation.foreign_partitions:
        yield find(
            Check.NOT_A_TABLE,
            path,
            f"{relation.foreign_partitions} partitions of {dataset.table} lie on another server: a deletion there and "
            "its ledger entry would not commit together.",
            "bring them into this database, or run a second Holdfast on that server.",
        )
