"""What a policy says, as frozen values. Reading files is `load`; comparing with a database is `coverage`.

Three documents make a policy: the data map, the retention schedule and the holds.
"""

from __future__ import annotations

from pydantic import Field

from holdfast.clock import Period
from holdfast.policy.model.data_map import (
    DataMap,
    Dataset,
    GeneraliseDate,
    NoSubject,
    Strategy,
    Subject,
    ToConstant,
    ToNull,
    ToPseudonym,
    TruncateIp,
    TruncatePostcode,
    Waiver,
)
from holdfast.policy.model.holds import Authority, Holds, HoldSource, HoldType
from holdfast.policy.model.kinds import Code, IsoPeriod, Sentence, Strict
from holdfast.policy.model.schedule import (
    Anonymise,
    Caps,
    Condition,
    Delete,
    Missing,
    RetentionSchedule,
    Rule,
    Start,
    StartType,
    Strength,
)
from holdfast.policy.problems import Places

__all__ = [
    "Anonymise",
    "Authority",
    "Caps",
    "Code",
    "Condition",
    "DataMap",
    "Dataset",
    "Delete",
    "GeneraliseDate",
    "HoldSource",
    "HoldType",
    "Holds",
    "IsoPeriod",
    "Missing",
    "NoSubject",
    "Policy",
    "RetentionSchedule",
    "Rule",
    "Sentence",
    "Start",
    "StartType",
    "Strategy",
    "Strength",
    "Strict",
    "Subject",
    "ToConstant",
    "ToNull",
    "ToPseudonym",
    "TruncateIp",
    "TruncatePostcode",
    "Waiver",
]


class Policy(Strict):
    """The three documents together, with the digest that names this version of them.

    `places` says where each entry is written; it is no part of what the policy says. `elsewhere` are the datasets of
    other databases, where this is the part of one.
    """

    data_map: DataMap
    schedule: RetentionSchedule
    holds: Holds
    digest: str
    places: Places = Field(default=Places(), exclude=True, repr=False)

    elsewhere: tuple[str, ...] = Field(default=(), exclude=True, repr=False)

    def at(self, database: str) -> Policy:
        """The part that is kept in one database: its datasets and their rules. The digest is the whole's.

        Holds are the whole's as well: what holds in one database does so in every one.
        """
        data_map = self.data_map.at(database)
        rules = {name: rule for name, rule in self.schedule.rules.items() if rule.dataset in data_map.datasets}
        schedule = self.schedule.model_copy(update={"rules": rules})
        elsewhere = tuple(name for name in self.data_map.datasets if name not in data_map.datasets)
        parts = {"data_map": data_map, "schedule": schedule, "holds": self.holds.at(database)}
        return self.model_copy(update={**parts, "elsewhere": elsewhere})

    def holds_of(self, rule_id: str) -> tuple[str, ...]:
        """The hold types that can stop a rule, spelt out."""
        listed = self.schedule.rules[rule_id].holds
        return tuple(self.holds.types) if listed == "all" else listed

    def caps_of(self, rule_id: str) -> Caps:
        return self.schedule.rules[rule_id].caps or self.schedule.caps

    def period_of(self, rule_id: str) -> Period:
        return self.schedule.classes[self.schedule.rules[rule_id].deletion_class].length

    def undo_days_of(self, rule_id: str) -> int:
        """How many days before the end of its period a rule takes rows, to keep them encrypted; 0: it does not."""
        return self.schedule.rules[rule_id].undo_days or 0

    def rules_for(self, dataset: str) -> dict[str, Rule]:
        """The rules of one dataset, in the order of the file."""
        return {rule_id: rule for rule_id, rule in self.schedule.rules.items() if rule.dataset == dataset}
