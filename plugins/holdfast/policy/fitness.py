"""Do the columns in the live database have the types that the rules need? Pure: works on a catalogue that was read.

A column that is missing is reported by `coverage` and passed over here.
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.policy.catalogue import Catalogue, Column, Family, Relation
from holdfast.policy.data_map_checks import subject_chain
from holdfast.policy.model import (
    Anonymise,
    Condition,
    Dataset,
    GeneraliseDate,
    Policy,
    Strategy,
    Subject,
    ToConstant,
    ToNull,
    ToPseudonym,
    TruncateIp,
    TruncatePostcode,
)
from holdfast.policy.problems import Check, EntryPath, Finder, Problem

DAYS = (Family.DATE, Family.TIMESTAMP)
SUBJECT_KEYS = (Family.INTEGER, Family.TEXT, Family.UUID)
PSEUDONYM_LENGTH = 35  # as evidence.pseudonyms writes them, which lies above this package


def problems(policy: Policy, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    """Every column whose type does not fit its use."""
    for name, dataset in policy.data_map.datasets.items():
        path = ("data_map", "datasets", name)
        relation = _table_of(dataset, catalogue)
        if relation is not None:
            yield from _event(dataset, relation, path, find)
            yield from _url(dataset, relation, path, find)
            yield from _subject(policy, name, relation, catalogue, find)
            foreign = _foreign(relation, catalogue)
            for column, personal in dataset.columns.items():
                if personal.in_part is not None:
                    here = (*path, "columns", column, "in_part")
                    yield from _strategy(personal.in_part, column, relation, foreign, here, find)
    for name, rule in policy.schedule.rules.items():
        path = ("schedule", "rules", name)
        relation = _table_of(policy.data_map.datasets[rule.dataset], catalogue)
        if relation is not None:
            yield from _start(policy, name, relation, catalogue, find)
            for i, condition in enumerate(rule.where):
                yield from _condition(condition, relation, (*path, "where", str(i)), find)
            if isinstance(rule.action, Anonymise):
                foreign = _foreign(relation, catalogue)
                for column, strategy in rule.action.columns.items():
                    here = (*path, "action", "columns", column)
                    yield from _strategy(strategy, column, relation, foreign, here, find)


def _table_of(dataset: Dataset, catalogue: Catalogue) -> Relation | None:
    relation = catalogue.relations.get(dataset.table)
    return relation if relation is not None and relation.kind.is_table else None


def _foreign(relation: Relation, catalogue: Catalogue) -> set[str]:
    """The columns that refer to other tables."""
    return {column for key in catalogue.foreign_keys if key.child == relation.name for column in key.columns}


def _must_be_day(column: Column | None, table: str, use: str, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if column is not None and column.family not in DAYS:
        yield find(
            Check.START_TYPE,
            path,
            f"{column.name} of {table} is of the type {column.type_name}; {use} must be a date or a timestamp.",
            "name a date or timestamp column.",
        )


def _event(dataset: Dataset, relation: Relation, path: EntryPath, find: Finder) -> Iterator[Problem]:
    if dataset.event is not None:
        column = relation.columns.get(dataset.event)
        yield from _must_be_day(column, relation.name, "an event", (*path, "event"), find)
    if dataset.made is not None:
        column = relation.columns.get(dataset.made)
        yield from _must_be_day(column, relation.name, "when a record was made", (*path, "made"), find)


def _url(dataset: Dataset, relation: Relation, path: EntryPath, find: Finder) -> Iterator[Problem]:
    column = relation.columns.get(dataset.files.url) if dataset.files else None
    if column is not None and column.family is not Family.TEXT:
        yield find(
            Check.URL_TYPE,
            (*path, "files", "url"),
            f"{column.name} of {relation.name} is of the type {column.type_name}; the address of a file must be text.",
            "name the text column with the fsspec address.",
        )


def _subject(policy: Policy, name: str, relation: Relation, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    subject = policy.data_map.datasets[name].subject
    if not isinstance(subject, Subject):
        return
    path = ("data_map", "datasets", name, "subject")
    if subject.through is not None:
        target = policy.data_map.datasets[subject.through.dataset]
        here = (*path, "through", "columns")
        yield from _same_types(subject.through.columns, relation, target, catalogue, here, find)
        return
    column = relation.columns.get(subject.column or "")
    if column is None:
        return
    families = _subject_families(policy, catalogue)
    if column.family not in SUBJECT_KEYS:
        yield find(
            Check.SUBJECT_TYPE,
            path,
            f"{column.name} of {relation.name} is of the type {column.type_name}, which can be written in several "
            "ways: a hold could miss its rows.",
            "name a column of an integer, text or uuid type.",
        )
    elif column.family is not families[0]:
        yield find(
            Check.SUBJECT_TYPE,
            path,
            f"{column.name} of {relation.name} is of the type {column.type_name}; the first dataset names its "
            f"subjects by {families[0]}: a hold on one would not reach the other.",
            "name the column that has the same kind of key, or go `through` a dataset that has both.",
        )


def _subject_families(policy: Policy, catalogue: Catalogue) -> list[Family]:
    """The families of all subject columns that can be used as keys, in the order of the data map."""
    families = []
    for name, dataset in policy.data_map.datasets.items():
        relation = _table_of(dataset, catalogue)
        if relation is not None and isinstance(dataset.subject, Subject) and subject_chain(policy.data_map, name):
            column = relation.columns.get(dataset.subject.column or "")
            if column is not None and column.family in SUBJECT_KEYS:
                families.append(column.family)
    return families


def _start(policy: Policy, name: str, relation: Relation, catalogue: Catalogue, find: Finder) -> Iterator[Problem]:
    start = policy.schedule.rules[name].start
    path = ("schedule", "rules", name, "start")
    source: Relation | None = relation
    if start.dataset is not None:
        target = policy.data_map.datasets[start.dataset]
        source = _table_of(target, catalogue)
        if start.by:
            yield from _same_types(start.by, relation, target, catalogue, (*path, "by"), find)
    if source is not None:
        column = source.columns.get(start.column)
        yield from _must_be_day(column, source.name, "a start event", (*path, "column"), find)


def _same_types(
    columns: tuple[str, ...], relation: Relation, target: Dataset, catalogue: Catalogue, path: EntryPath, find: Finder
) -> Iterator[Problem]:
    """Columns that hold another dataset's key must be comparable with it."""
    other = _table_of(target, catalogue)
    if other is None:
        return
    for ours, theirs in zip(columns, target.key, strict=True):
        one, two = relation.columns.get(ours), other.columns.get(theirs)
        if one is not None and two is not None and not _comparable(one, two):
            yield find(
                Check.LINK_TYPE,
                path,
                f"{ours} of {relation.name} is of the type {one.type_name}, {theirs} of {other.name}, which it "
                f"refers to, of the type {two.type_name}.",
                "name the columns in the order of that key, or correct the type.",
            )


def _comparable(one: Column, two: Column) -> bool:
    if Family.OTHER in (one.family, two.family):
        return one.base_type == two.base_type
    return one.family is two.family


def _condition(condition: Condition, relation: Relation, path: EntryPath, find: Finder) -> Iterator[Problem]:
    column = relation.columns.get(condition.column)
    if column is None or not condition.is_in:
        return
    for value in condition.is_in:
        # bool before int: to Python, True is an int.
        if isinstance(value, bool):
            fits = column.family is Family.BOOLEAN
        elif isinstance(value, int):
            fits = column.family is Family.INTEGER
        else:
            fits = column.family is Family.TEXT or column.is_enum
        if not fits:
            yield find(
                Check.CONDITION_TYPE,
                (*path, "is_in"),
                f"{value!r} can never be in {condition.column} of {relation.name}, which is of the type "
                f"{column.type_name}: the rule would be for no row.",
                "write values of that type; text in quotes.",
            )


_NEEDS: dict[type, tuple[Family, ...]] = {
    ToConstant: (Family.TEXT,),
    ToPseudonym: (Family.TEXT,),
    TruncateIp: (Family.IP,),
    TruncatePostcode: (Family.TEXT,),
    GeneraliseDate: DAYS,
}


def _strategy(
    strategy: Strategy, name: str, relation: Relation, foreign: set[str], path: EntryPath, find: Finder
) -> Iterator[Problem]:
    column = relation.columns.get(name)
    if column is None:
        return
    needs = _NEEDS.get(type(strategy), ())
    if needs and column.family not in needs:
        yield find(
            Check.STRATEGY_TYPE,
            path,
            f"{name} of {relation.name} is of the type {column.type_name}; `to: {strategy.to}` needs "
            f"{' or '.join(needs)}.",
            "choose a strategy that fits the type, for example 'null'.",
        )
        return
    for why in _refusals(strategy, column, relation, foreign):
        yield find(
            Check.STRATEGY_REFUSED,
            path,
            f"the database would refuse `to: {strategy.to}` for {name} of {relation.name}: {why}.",
            "choose another strategy, or change the table.",
        )


def _refusals(strategy: Strategy, column: Column, relation: Relation, foreign: set[str]) -> Iterator[str]:
    if isinstance(strategy, ToNull) and column.not_null:
        yield "the column is NOT NULL"
    if column.is_generated:
        yield "the column is generated"
    is_unique = any(key.columns == (column.name,) for key in relation.unique_keys)
    if is_unique and not isinstance(strategy, ToNull | ToPseudonym):
        yield "its values are unique, and would no longer be"
    if column.name in foreign and not isinstance(strategy, ToNull):
        yield "it refers to another table, where the new value is not found"
    length = _length(strategy)
    if column.max_length is not None and length > column.max_length:
        yield f"the new value has {length} characters, the column takes {column.max_length}"


def _length(strategy: Strategy) -> int:
    if isinstance(strategy, ToConstant):
        return len(strategy.value)
    return PSEUDONYM_LENGTH if isinstance(strategy, ToPseudonym) else 0
