"""What could not be judged or done tonight, and what a person should do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.policy.model import Policy
from holdfast.retention.report.confidential import Disclosure
from holdfast.retention.report.figures import RuleLine
from holdfast.retention.report.registers import Run


@dataclass(frozen=True)
class Advice:
    """Rows of one rule that were kept for one reason which is not a hold; `owner` None: the policy was not there."""

    rule_id: str
    dataset: str
    reason: str
    rows: int
    why: str
    fix: str
    owner: str | None


def advice(lines: Sequence[RuleLine], run: Run, policy: Policy | None, disclosure: Disclosure) -> list[Advice]:
    """One entry for each rule and reason that has rows."""
    found: list[Advice] = []
    for line in lines:
        if line.unknown:
            found.append(_unknown(line, policy))
        if line.refused:
            found.append(_refused(line, run, policy, disclosure))
        if line.waiting:
            why = "Rows that stay refer to these, so removing them would leave those behind without what they refer to."
            found.append(
                _of(line, "waiting", line.waiting, why, "See what keeps the rows that refer to these.", policy)
            )
    return found


def _unknown(line: RuleLine, policy: Policy | None) -> Advice:
    event = "The start event"
    if policy is not None:
        start = policy.schedule.rules[line.rule_id].start
        event = f"{start.column} of {start.dataset or line.dataset}"
    why = f"{event} is missing or lies in the future, or the row leads to no account."
    fix = f"Have the system of origin correct it; `holdfast retention explain {line.dataset} KEY` tells of one row."
    return _of(line, "unknown", line.unknown, why, fix, policy)


def _refused(line: RuleLine, run: Run, policy: Policy | None, disclosure: Disclosure) -> Advice:
    sources = sorted({disclosure.source_name(one) for one in _sources_that_stop(line.dataset, run, policy)})
    listed = ", ".join(sources)
    why = f"A hold might exist that could not be seen: {listed} could not be believed."
    fix = f"Have {listed} delivered complete and in time (section 9 says what is wrong). The next run takes these rows."
    return _of(line, "refused", line.refused, why, fix, policy)


def _sources_that_stop(dataset: str, run: Run, policy: Policy | None) -> Iterator[str]:
    """The disbelieved sources that serve a hold type of any rule of the dataset."""
    if policy is None:
        yield from run.refused_sources
        return
    stopping = {code for rule_id in policy.rules_for(dataset) for code in policy.holds_of(rule_id)}
    for name in run.refused_sources:
        source = policy.holds.sources.get(name)
        if source is None or stopping.intersection(source.types):
            yield name


def _of(line: RuleLine, reason: str, rows: int, why: str, fix: str, policy: Policy | None) -> Advice:
    owner = policy.schedule.rules[line.rule_id].owner if policy else None
    return Advice(line.rule_id, line.dataset, reason, rows, why, fix, owner)
