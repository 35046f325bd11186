"""Contradictions within the hold matrix: types, and the sources that are to fill them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.policy.data_map_checks import unknown_connection
from holdfast.policy.model import Authority, HoldSource, Policy
from holdfast.policy.problems import Check, Finder, Problem


def problems(policy: Policy, find: Finder) -> Iterator[Problem]:
    """Everything wrong with types and sources as such."""
    holds = policy.holds
    for name, source in holds.sources.items():
        yield from _source(policy, name, source, find)
    filled = {hold_type for source in holds.sources.values() for hold_type in source.types}
    for name, hold_type in holds.types.items():
        if name not in filled and not hold_type.by_hand:
            yield find(
                Check.TYPE_WITHOUT_SOURCE,
                ("holds", "types", name),
                f"no source reports holds of the type {name} and nobody may place one, so it can never stop anything.",
                "add it to the `types` of a source, or set `by_hand: true`.",
            )
    if not any(hold_type.authority is Authority.LEGAL for hold_type in holds.types.values()):
        yield find(
            Check.NO_LEGAL_TYPE,
            ("holds", "types"),
            "no type has the authority legal: a court could not stop a deletion.",
            "add at least one, for example LITIGATION.",
        )


def _source(policy: Policy, name: str, source: HoldSource, find: Finder) -> Iterator[Problem]:
    path = ("holds", "sources", name)
    if source.connection not in policy.data_map.databases:
        subject, place = f"the hold source {name}", (*path, "connection")
        yield unknown_connection(policy.data_map, source.connection, subject, place, find)
    for i, type_name in enumerate(source.types):
        hold_type = policy.holds.types.get(type_name)
        here = (*path, "types", str(i))
        if hold_type is None:
            yield find(
                Check.UNKNOWN_SOURCE_TYPE,
                here,
                f"there is no hold type {type_name}.",
                "add it under `types`, or correct the name.",
            )
        elif hold_type.authority is not source.authority:
            yield find(
                Check.AUTHORITY_DIFFERS,
                here,
                f"{type_name} has the authority {hold_type.authority}, its source {name} has {source.authority}.",
                "give the type to a source of its authority, or correct one of the two.",
            )
