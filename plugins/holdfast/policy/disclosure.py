"""What an ordinary report may say of holds, by what the policy says of their types.

Of some holds not even the existence may be told (Investigatory Powers Act 2016 s.95(2); a suspect may not be warned).
Leaving their names out is not enough: a line for them alone, a gap in a sum or a count that grew by one would tell as
much. So where an authority has a type that may not be named, all its types become one line, *other obligations*, which
carries rows and nothing else: no number of holds, no end, no review. Without a policy to say which types those are,
every type does. docs/decisions/0005-reports.md has the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.policy.model import Policy

OTHER_OBLIGATIONS = "other obligations"


@dataclass(frozen=True)
class Disclosure:
    """Which hold types and sources the ordinary edition may name; `guarded` authorities are told as one."""

    guarded: frozenset[str] = frozenset()
    nameable_types: frozenset[str] = frozenset()
    nameable_sources: frozenset[str] = frozenset()
    countable_sources: frozenset[str] = frozenset()

    @classmethod
    def of(cls, policy: Policy | None) -> Disclosure:
        """A source that serves only types nobody may know of is not named; one that serves any is not counted."""
        if policy is None:
            return cls()
        types, sources = policy.holds.types, policy.holds.sources
        guarded = {one.authority.value for one in types.values() if not one.disclosable}
        return cls(
            guarded=frozenset(guarded),
            nameable_types=frozenset(code for code, one in types.items() if one.authority.value not in guarded),
            nameable_sources=frozenset(
                name for name, source in sources.items() if any(types[code].disclosable for code in source.types)
            ),
            countable_sources=frozenset(
                name for name, source in sources.items() if all(types[code].disclosable for code in source.types)
            ),
        )

    @property
    def other_authorities(self) -> str:
        """The authorities whose holds are the other obligations; all, where the policy does not say."""
        return ", ".join(sorted(self.guarded)) or "any"

    def may_name(self, hold_type: str, disclosable: bool) -> bool:
        """Whether a hold of this type may be told of. A source may keep to itself a single one of a type that may."""
        return disclosable and hold_type in self.nameable_types

    def source_name(self, source_id: str) -> str:
        return source_id if source_id in self.nameable_sources else OTHER_OBLIGATIONS
