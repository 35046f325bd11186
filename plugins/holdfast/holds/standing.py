"""How each source of holds stands at a moment, and what it stops while it is not believed. Pure.

What may not be told is left out as in every report: sources that may not be named are one line, and no number is given
of a source with holds that nobody may know of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from holdfast.holds.register import KnownSource
from holdfast.holds.trust import Status
from holdfast.policy.disclosure import OTHER_OBLIGATIONS, Disclosure
from holdfast.policy.model import Policy

NEVER = "never asked"


@dataclass(frozen=True)
class SourceStanding:
    """A source as it was last asked. What is None may not be told, or is not known.

    `is_late`: its data are older now than its bound, so the next night will not believe it, whatever `status` says.
    `stops` are the datasets of which nothing that it could protect is deleted while it is not believed.
    """

    name: str
    authority: str | None
    owner: str | None
    status: str
    checked_at: dt.datetime | None
    loaded_at: dt.datetime | None
    max_age_hours: int | None
    is_late: bool
    read_holds: int | None
    accepted_holds: int | None
    stops: tuple[str, ...]

    @property
    def is_believed(self) -> bool:
        """Whether a night that began now would take its word."""
        return self.status == Status.TRUSTED and not self.is_late


def sources(policy: Policy, known: Iterable[KnownSource], now: dt.datetime) -> list[SourceStanding]:
    """Every source of the policy, those that are not believed first."""
    disclosure = Disclosure.of(policy)
    by_name = {one.source_id: one for one in known}
    found = [_source(policy, name, by_name.get(name), disclosure, now) for name in policy.holds.sources]
    named = [one for one in found if one.name in disclosure.nameable_sources]
    others = [one for one in found if one not in named]
    return sorted((*named, *_as_one(others, disclosure)), key=lambda one: (one.is_believed, one.name))


def datasets_stopped(policy: Policy, hold_types: Iterable[str]) -> tuple[str, ...]:
    """The datasets with a rule that one of these types can stop."""
    types = set(hold_types)
    rules = (rule_id for rule_id in policy.schedule.rules if types.intersection(policy.holds_of(rule_id)))
    return tuple(sorted({policy.schedule.rules[rule_id].dataset for rule_id in rules}))


def _source(
    policy: Policy, name: str, known: KnownSource | None, disclosure: Disclosure, now: dt.datetime
) -> SourceStanding:
    source = policy.holds.sources[name]
    loaded_at = known.loaded_at if known else None
    counted = known if name in disclosure.countable_sources else None
    return SourceStanding(
        name=name,
        authority=source.authority.value,
        owner=source.owner,
        status=known.status if known else NEVER,
        checked_at=known.checked_at if known else None,
        loaded_at=loaded_at,
        max_age_hours=source.max_age_hours,
        is_late=loaded_at is None or now - loaded_at > dt.timedelta(hours=source.max_age_hours),
        read_holds=counted.read_holds if counted else None,
        accepted_holds=counted.accepted_holds if counted else None,
        stops=datasets_stopped(policy, source.types),
    )


def _as_one(others: list[SourceStanding], disclosure: Disclosure) -> Iterator[SourceStanding]:
    if not others:
        return
    yield SourceStanding(
        name=OTHER_OBLIGATIONS,
        authority=disclosure.other_authorities,
        owner=None,
        status=Status.TRUSTED if all(one.status == Status.TRUSTED for one in others) else "not trusted",
        checked_at=None,
        loaded_at=None,
        max_age_hours=None,
        is_late=any(one.is_late for one in others),
        read_holds=None,
        accepted_holds=None,
        stops=tuple(sorted({name for one in others for name in one.stops})),
    )
