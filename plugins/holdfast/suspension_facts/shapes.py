"""What each kind of fact is made of: the shape that a provider's query must have, and the table that keeps it.

Every query gives `record_key` (its row's own), `at` (an instant) and the codes below. A decision also has the key of
its subject; everything else has the key of the decision it is about (`case_key`) and `measured_from`, the instant from
which its minutes count, NULL where the provider knows of none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import sqlalchemy as sa

Type: TypeAlias = type[sa.types.TypeEngine[Any]]
SCHEMA = "statistics"
DECISION = "decision"
REVIEWER = "reviewer"


@dataclass(frozen=True)
class Shape:
    """One kind of fact. `keys` are other records that it refers to: the query's column -> (kind, column of the
    table).
    """

    kind: str
    query: str
    codes: Mapping[str, Type]
    keys: Mapping[str, tuple[str, str]] = field(default_factory=lambda: {"case_key": (DECISION, "case_number")})

    @property
    def is_decision(self) -> bool:
        return self.kind == DECISION

    @property
    def declared(self) -> dict[str, sa.types.TypeEngine[Any]]:
        """The result of the provider's query, by name."""
        own = ("subject_key",) if self.is_decision else tuple(self.keys)
        moments = ["at"] if self.is_decision else ["at", "measured_from"]
        texts: dict[str, sa.types.TypeEngine[Any]] = {name: sa.Text() for name in ("record_key", *own)}
        return {
            **texts,
            **{name: sa.DateTime(timezone=True) for name in moments},
            **{name: kind() for name, kind in self.codes.items()},
        }

    @property
    def content(self) -> dict[str, Type]:
        """What of a fact may be corrected later: all columns of its table but its number and its validity."""
        referred: dict[str, Type] = dict.fromkeys(self.references, sa.BigInteger)
        minutes: dict[str, Type] = {} if self.is_decision else {"minutes": sa.Integer}
        codes = {name: kind for name, kind in self.codes.items() if name != REVIEWER}
        return {**referred, "day": sa.Date, **minutes, **codes}

    @property
    def references(self) -> dict[str, str]:
        """Columns that hold the number of another link -> the kind of that link."""
        if self.is_decision:
            return {}
        found = {column: kind for kind, column in self.keys.values()}
        return {**found, "reviewer_number": REVIEWER} if REVIEWER in self.codes else found

    @property
    def table(self) -> sa.TableClause:
        """statistics.<kind>."""
        names = ("number", "known_at", "superseded_at", *self.content)
        return sa.table(self.kind, *(sa.column(name) for name in names), schema=SCHEMA)


DECISIONS = Shape(
    DECISION,
    "provider/suspension/decisions",
    {
        "account_kind": sa.Text,
        "account_age": sa.Text,
        "region": sa.Text,
        "detected_by_machine": sa.Boolean,
        "automation": sa.Text,
        "person_acted": sa.Boolean,
        "person_changed": sa.Boolean,
        "restriction": sa.Text,
        "reason": sa.Text,
        "signal_family": sa.Text,
        "product": sa.Text,
        "detection_source": sa.Text,
        "lawful_basis": sa.Text,
        "rule_version": sa.Text,
        "has_reasons": sa.Boolean,
        "uses_special_category": sa.Boolean,
        "bars_emergency_calls": sa.Boolean,
        "not_told_because": sa.Text,
        "planned_hours": sa.Integer,
    },
)
SHAPES = (
    DECISIONS,
    Shape("notice", "provider/suspension/notices", {"offers_review": sa.Boolean}),
    Shape("request", "provider/suspension/requests", {"kind": sa.Text, "assigned_minutes": sa.Integer}),
    Shape(
        "ending",
        "provider/suspension/endings",
        {
            "outcome": sa.Text,
            "reviewer": sa.Text,
            "reviewer_is_decider": sa.Boolean,
            "seconds_spent": sa.Integer,
            "evidence_viewed": sa.Boolean,
        },
        {"case_key": (DECISION, "case_number"), "request_key": ("request", "request_number")},
    ),
    Shape("restoration", "provider/suspension/restorations", {"cause": sa.Text}),
    Shape("escalation", "provider/suspension/escalations", {"kind": sa.Text}),
    Shape("check", "provider/suspension/checks", {"was_right": sa.Boolean}),
)
"""Decisions first: everything else refers to them."""
