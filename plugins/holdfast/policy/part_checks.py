"""What can be told to be wrong with `in_part` from the documents alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.policy.model import Policy
from holdfast.policy.problems import Check, Finder, Problem
from holdfast.policy.schedule_checks import needed_columns


def problems(policy: Policy, find: Finder) -> Iterator[Problem]:
    """Every column that would be emptied for its category although the row needs it to be found, dated and joined."""
    for name, dataset in policy.data_map.datasets.items():
        needed = needed_columns(policy, name)
        for column, personal in dataset.columns.items():
            if personal.in_part is not None and column in needed:
                yield find(
                    Check.PART_NEEDED,
                    ("data_map", "datasets", name, "columns", column, "in_part"),
                    f"{column} of {name} must stay as it is while the row stays: it is {needed[column]}.",
                    "leave in_part out.",
                )
