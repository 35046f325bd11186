"""Erasing one category of information: which columns are emptied, and where the whole record goes. Pure.

A person may ask for `specific personal information`: their postal address, wherever it is. Then the columns of that
category are emptied and the record stays, unless nothing else in it says anything about the person, or it stands for a
file that holds what is asked for: then the record goes.
"""

from __future__ import annotations

from holdfast.policy.model import Dataset, Policy, Strategy, Subject

Columns = dict[str, Strategy]


def goes_whole(dataset: Dataset, category: str) -> bool:
    """A request for the category is one for the whole record: all that is personal in it, but for whose it is."""
    whose = {*dataset.key, *(dataset.subject.columns if isinstance(dataset.subject, Subject) else ())}
    says = {column.category for name, column in dataset.columns.items() if name not in whose}
    says = says or {column.category for column in dataset.columns.values()}
    in_file = dataset.files is not None and dataset.files.url in of_category(dataset, category)
    return says == {category} or in_file


def cut_out(dataset: Dataset, category: str) -> Columns:
    """The columns that are emptied where only the category is asked for; none where the record goes whole."""
    if goes_whole(dataset, category):
        return {}
    columns = {name: dataset.columns[name].in_part for name in of_category(dataset, category)}
    return {name: strategy for name, strategy in columns.items() if strategy is not None}


def cuts(policy: Policy) -> frozenset[tuple[str, str]]:
    """Every pair of a dataset and a category that can be emptied while the dataset's records stay."""
    reached = with_subject(policy).items()
    return frozenset((name, one) for name, known in reached for one in categories(known) if cut_out(known, one))


def of_category(dataset: Dataset, category: str) -> list[str]:
    """The dataset's columns of the category."""
    return [name for name, column in dataset.columns.items() if column.category == category]


def categories(dataset: Dataset) -> list[str]:
    """The dataset's categories, in the order of its columns."""
    return list(dict.fromkeys(column.category for column in dataset.columns.values()))


def with_subject(policy: Policy) -> dict[str, Dataset]:
    """The datasets that a person's request can reach: about a subject, and with a rule that says how they go."""
    datasets = policy.data_map.datasets.items()
    return {name: one for name, one in datasets if isinstance(one.subject, Subject) and policy.rules_for(name)}


def can_be_asked_for(policy: Policy, category: str) -> bool:
    """Something would be done about a request for the category, if there is anything of it."""
    reached = with_subject(policy).values()
    return any(goes_whole(one, category) or cut_out(one, category) for one in reached)


def stays_in(policy: Policy, category: str) -> list[str]:
    """The datasets in which something of the category cannot be emptied while the record stays."""
    return [
        name
        for name, dataset in with_subject(policy).items()
        if not goes_whole(dataset, category) and set(_content(dataset, category)) - cut_out(dataset, category).keys()
    ]


def _content(dataset: Dataset, category: str) -> list[str]:
    """The category's columns but those that only say whose a record is."""
    whose = {*dataset.key, *(dataset.subject.columns if isinstance(dataset.subject, Subject) else ())}
    return [name for name in of_category(dataset, category) if name not in whose]
