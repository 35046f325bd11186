"""What a hold can name under a policy, and what it would name in vain."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.policy.model import NoSubject, Policy


@dataclass(frozen=True)
class Reach:
    """Datasets with the number of columns in their key, and the scopes that would be recorded and hold nothing.

    `deaf` are pairs of dataset and hold type: no rule of the dataset lets the type stop it. A dataset without rules is
    never deleted, so naming it does no harm.
    """

    key_sizes: dict[str, int]
    without_subject: frozenset[str]
    deaf: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, policy: Policy) -> Reach:
        """The reach of all hold types of a policy."""
        deaf: set[tuple[str, str]] = set()
        for name in policy.data_map.datasets:
            rules = policy.rules_for(name)
            if rules:
                heard = {kind for rule_id in rules for kind in policy.holds_of(rule_id)}
                deaf.update((name, kind) for kind in policy.holds.types if kind not in heard)
        datasets = policy.data_map.datasets
        return cls(
            key_sizes={name: len(dataset.key) for name, dataset in datasets.items()},
            without_subject=frozenset(n for n, dataset in datasets.items() if isinstance(dataset.subject, NoSubject)),
            deaf=frozenset(deaf),
        )

    def deaf_as_text(self) -> list[str]:
        """The pairs as SQL compares them: the two names with a space between."""
        return sorted(f"{dataset} {kind}" for dataset, kind in self.deaf)
