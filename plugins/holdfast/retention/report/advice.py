"""What could not be judged or done tonight, and what a person should do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.reports.runs import Run
from holdfast.retention.report.figures import RuleLine

FIXES = {
    "unknown": "Have the system of origin correct it; holdfast retention explain DATASET KEY tells of one row.",
    "refused": "Have the sources named deliver all of their data in time; section 9 says what is wrong with each. The "
    "next run takes these rows.",
    "waiting": "See why the rows that refer to these stay (a hold, a longer period, a dataset without a rule), or why "
    "no facts were taken (suspension_facts_nightly).",
}
"""What to do, by reason."""


@dataclass(frozen=True)
class Advice:
    """Rows of one rule that were kept for one reason which is not a hold; `reason` is a key of FIXES.

    `owner` is who can do something about it: the source's for what was refused, otherwise the rule's. None: not known.
    """

    rule_id: str
    dataset: str
    reason: str
    rows: int
    why: str
    owner: str | None


def advice(lines: Sequence[RuleLine], run: Run, policy: Policy | None, disclosure: Disclosure) -> list[Advice]:
    """One entry for each rule and reason that has rows."""
    found: list[Advice] = []
    for line in lines:
        owner = policy.schedule.rules[line.rule_id].owner if policy else None
        if line.unknown:
            why = f"{_start(line, policy)} is missing or lies in the future, or the row leads to no account."
            found.append(Advice(line.rule_id, line.dataset, "unknown", line.unknown, why, owner))
        if line.refused:
            found.append(_refused(line, run, policy, disclosure))
        if line.waiting:
            why = "Rows that stay refer to these, or the statistics have not taken their facts of them."
            found.append(Advice(line.rule_id, line.dataset, "waiting", line.waiting, why, owner))
    return found


def _start(line: RuleLine, policy: Policy | None) -> str:
    if policy is None:
        return "The start event"
    start = policy.schedule.rules[line.rule_id].start
    return f"{start.column} of {start.dataset or line.dataset}"


def _refused(line: RuleLine, run: Run, policy: Policy | None, disclosure: Disclosure) -> Advice:
    stopping = list(_sources_that_stop(line.dataset, run, policy))
    names = ", ".join(sorted({disclosure.source_name(one) for one in stopping}))
    known = policy.holds.sources if policy else {}
    owners = ", ".join(sorted({known[one].owner for one in stopping if one in known}))
    why = f"A hold might exist that could not be seen; not believed: {names}."
    return Advice(line.rule_id, line.dataset, "refused", line.refused, why, owners or None)


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
