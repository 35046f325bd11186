"""The sources of holds, as they may be shown: which of them were believed tonight, and why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from holdfast.policy.disclosure import OTHER_OBLIGATIONS, Disclosure
from holdfast.policy.model import Policy
from holdfast.reports.runs import Run
from holdfast.retention.report.registers import Registers, Source

TRUSTED = "trusted"


@dataclass(frozen=True)
class SourceLine:
    """A source of holds as it may be shown; what is None may not be, or was not known."""

    name: str
    status: str
    was_refused: bool
    authority: str | None = None
    owner: str | None = None
    max_age_hours: int | None = None
    checked_at: dt.datetime | None = None
    loaded_at: dt.datetime | None = None
    read_holds: int | None = None
    accepted_holds: int | None = None

    @property
    def age_hours(self) -> float | None:
        """How old the source's data was when it was looked at."""
        if self.loaded_at is None or self.checked_at is None:
            return None
        return (self.checked_at - self.loaded_at).total_seconds() / 3600


def source_lines(registers: Registers, policy: Policy | None, disclosure: Disclosure) -> list[SourceLine]:
    """Each source that may be named; the others, if there are any, as one."""
    known = {one.source_id: one for one in registers.sources}
    refused = registers.run.refused_sources
    listed = sorted({*known, *(policy.holds.sources if policy else ()), *refused})
    named = [name for name in listed if name in disclosure.nameable_sources]
    lines = [_source(name, known.get(name), registers.run, policy, disclosure) for name in named]
    others = [name for name in listed if name not in named]
    if others:
        believed = all(name in known and known[name].status == TRUSTED for name in others)
        status = TRUSTED if believed and not set(others) & set(refused) else "not trusted"
        lines.append(SourceLine(OTHER_OBLIGATIONS, status, bool(set(others) & set(refused))))
    return lines


def _source(name: str, known: Source | None, run: Run, policy: Policy | None, disclosure: Disclosure) -> SourceLine:
    bounds = policy.holds.sources.get(name) if policy else None
    line = SourceLine(
        name,
        "not checked in this run",
        name in run.refused_sources,
        authority=bounds.authority.value if bounds else None,
        owner=bounds.owner if bounds else None,
        max_age_hours=bounds.max_age_hours if bounds else None,
    )
    if known is None or known.checked_at < run.opened_at:
        return line
    is_countable = name in disclosure.countable_sources
    return dataclasses.replace(
        line,
        status=known.status,
        checked_at=known.checked_at,
        loaded_at=known.loaded_at,
        read_holds=known.read_holds if is_countable else None,
        accepted_holds=known.accepted_holds if is_countable else None,
    )
