"""What a request that asks for parts can be answered about: which categories, in which datasets. Pure."""

from __future__ import annotations

from collections.abc import Collection

from holdfast.deletion_requests.scope import Scope
from holdfast.policy import parts
from holdfast.policy.model import Dataset, Policy


def is_cut(dataset: str, scope: Scope) -> bool:
    """The request asks for categories alone, and names nothing of the dataset."""
    return bool(scope) and all(part.dataset != dataset for part in scope)


def wanted(dataset: Dataset, name: str, scope: Scope) -> set[str]:
    """The categories of a dataset that the request is about, and that can be erased there."""
    held = set(parts.categories(dataset))
    if not is_cut(name, scope):
        return held
    asked = held & {part.category for part in scope if part.category}
    return {one for one in asked if parts.goes_whole(dataset, one) or parts.cut_out(dataset, one)}


def inseparable(policy: Policy, scope: Scope, unspoken: Collection[str]) -> tuple[str, ...]:
    """The datasets in which something of an asked category stays with the record, in the order of the data map."""
    asked = [part.category for part in scope if part.category]
    staying = {name for category in asked for name in parts.stays_in(policy, category)}
    named = (name for name in policy.data_map.datasets if name in staying and name not in unspoken)
    return tuple(name for name in named if is_cut(name, scope))
