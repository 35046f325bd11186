"""The hold matrix: who may stop a deletion, and which systems tell of holds."""

from __future__ import annotations

import enum
from typing import Literal

from pydantic import Field

from holdfast.policy.model.kinds import Code, HoldCode, IsoPeriod, Sentence, Strict
from holdfast.settings import MAIN

BY_HAND = "manual"
"""The source of holds that a person places; no system may be called so."""


class Authority(enum.StrEnum):
    """Who may stop a deletion."""

    BILLING = "billing"
    TAX = "tax"
    AUDIT = "audit"
    LEGAL = "legal"
    SERVICE = "service"  # the service itself needs the record: a live 999 address, a number being ported


class HoldType(Strict):
    """One kind of hold. `disclosable` false means it is never named outside the restricted edition of a report.

    `review_after` is how long a hold without an end may go before somebody must look at it again. `by_hand` allows a
    person to place one; otherwise it comes from a source alone.
    """

    authority: Authority
    meaning: Sentence
    ground: Sentence
    disclosable: bool
    review_after: IsoPeriod
    by_hand: bool = False


class HoldSource(Strict):
    """One system that knows holds: `sql/provider/holds/<id>.sql` and `<id>_freshness.sql`, asked on `connection`.

    Older than `max_age_hours`, or smaller than the last accepted read by more than `max_shrink` (a share), it is not
    believed, and nothing that `types` could protect is deleted.
    """

    authority: Authority
    types: tuple[HoldCode, ...] = Field(min_length=1)
    max_age_hours: int = Field(gt=0)
    max_shrink: float = Field(ge=0, le=1)
    connection: str = MAIN
    owner: Code


class Holds(Strict):
    """The hold matrix and its sources."""

    version: Literal[1]
    types: dict[HoldCode, HoldType]
    sources: dict[Code, HoldSource]

    def at(self, database: str) -> Holds:
        """The same for one database: to all but the main one, its register is the source of what people place."""
        by_hand = {name: one for name, one in self.types.items() if one.by_hand}
        if database == MAIN or not by_hand:
            return self
        authority = next(iter(by_hand.values())).authority
        main = HoldSource(authority=authority, types=tuple(by_hand), max_age_hours=1, max_shrink=1, owner="compliance")
        return self.model_copy(update={"sources": {**self.sources, BY_HAND: main}})
