"""What a person is asked who decides on a plan above its caps, as Markdown. Pure.

It has what the decision needs and no more: what exceeds which cap by how much, what each rule would do, which plan it
is, and where the whole of it stands. Its size is bounded whatever the number of rules, because Airflow stores it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.enforcement.rules import row_limit, share_limit
from holdfast.policy.model import Caps

LARGEST = 10
"""Rules that are listed; of the others their number and their rows are told."""
_EXCESSES = (
    "| rule | rows in one night | share of its dataset | days the oldest row is late |",
    "| --- | --- | --- | --- |",
)
_FIGURES = (
    "| rule | dataset | action | rows | due | held | limit |",
    "| --- | --- | --- | ---: | ---: | ---: | ---: |",
)


@dataclass(frozen=True)
class Planned:
    """One rule's plan. `overdue_days` is how late the oldest row is, None if nothing is due."""

    rule_id: str
    dataset: str
    action: str
    total: int
    due: int
    held: int
    refused: int
    waiting: int
    unknown: int
    caps: Caps
    overdue_days: int | None
    exceeded: tuple[str, ...]

    @classmethod
    def of(cls, row: Any) -> Planned:
        """From a row of holdfast.plan_rule."""
        return cls(
            rule_id=row.rule_id,
            dataset=row.dataset,
            action=row.action,
            total=row.total_rows,
            due=row.due_rows,
            held=row.held_rows,
            refused=row.refused_rows,
            waiting=row.waiting_rows,
            unknown=row.unknown_rows,
            caps=Caps(rows=row.cap_rows, share=row.cap_share, overdue_days=row.cap_overdue_days),
            overdue_days=row.oldest_overdue_days,
            exceeded=tuple(row.caps_exceeded),
        )


def subject(job: str, as_of: dt.date, planned: Iterable[Planned]) -> str:
    """The question in one line."""
    over = sum(1 for one in planned if one.exceeded)
    return f"{job} of {as_of}: above its caps ({_counted(over, 'rule')})"


def body(planned: Sequence[Planned], *, approvers: Mapping[str, str], plan_digest: str, report: str) -> str:
    """The question with its figures; `report` is the path of the run's report, which has the whole plan.

    `approvers` are the user ids of those who may answer, each with who that is.
    """
    working = sorted((one for one in planned if one.due), key=lambda one: (-one.due, one.rule_id))
    over = [one for one in working if one.exceeded]
    listed = list(approvers.items())[:LARGEST]
    parts = [
        f"Nothing has been changed yet. This plan would {_work(working)}, and it is above its caps:",
        *_listed(over, _EXCESSES, _excesses),
        "All that it would do, the largest first. Up to the *limit* nobody is asked, unless rows are too long overdue:",
        *_listed(working, _FIGURES, _figures),
        _left_alone(planned),
        "**Approve** only if you know why these figures are larger, or these rows older, than usual. Exactly these rows"
        " go then: if data, holds or policy have changed by the time of the deletion, nothing is done. **Refuse**, and"
        " nothing is deleted; the same policy is not asked for again today. Without an answer nothing is deleted.",
        f"Only {', '.join(f'`{user}` ({who})' for user, who in listed)} can answer.",
        f"Plan: `{plan_digest}`",
        f"The whole plan, rule by rule, is in the report: `{report}`",
    ]
    return "\n\n".join(parts) + "\n"


def _work(working: Sequence[Planned]) -> str:
    sums = {action: sum(one.due for one in working if one.action == action) for action in ("delete", "anonymise")}
    return " and ".join(f"**{action} {_counted(rows, 'row')}**" for action, rows in sums.items() if rows)


def _left_alone(planned: Sequence[Planned]) -> str:
    reasons = {
        "are held": sum(one.held for one in planned),
        "might be held by a source that is not believed": sum(one.refused for one in planned),
        "wait for rows that refer to them or for their facts to be taken": sum(one.waiting for one in planned),
        "cannot be judged": sum(one.unknown for one in planned),
    }
    told = [f"{rows:,} {reason}" for reason, rows in reasons.items() if rows]
    return f"Rows that stay although their period is, or may be, over: {', '.join(told) or 'none'}."


def _listed(rules: Sequence[Planned], heading: Sequence[str], line: Callable[[Planned], str]) -> list[str]:
    """A table of the first rules, and a sentence about the others."""
    table = [*heading, *map(line, rules[:LARGEST])]
    others = rules[LARGEST:]
    if not others:
        return ["\n".join(table)]
    rows = sum(one.due for one in others)
    return ["\n".join(table), f"... and {_counted(len(others), 'more rule')}, with {_counted(rows, 'due row')}."]


def _figures(one: Planned) -> str:
    limit = row_limit(one.caps, total=one.total)
    numbers = f"{one.total:,} | {one.due:,} | {one.held:,} | {limit:,}"
    return f"| `{one.rule_id}` | `{one.dataset}` | {one.action} | {numbers} |"


def _excesses(one: Planned) -> str:
    by_share = share_limit(one.caps, total=one.total)
    late, most_late = one.overdue_days or 0, one.caps.overdue_days
    told = {
        "rows": _excess(f"{one.due:,}", f"{one.caps.rows:,}", _counted(one.due - one.caps.rows, "row")),
        "share": _excess(f"{one.due / one.total:.1%}", f"{one.caps.share:.1%}", _counted(one.due - by_share, "row")),
        "overdue": _excess(f"{late:,}", f"{most_late:,}", _counted(late - most_late, "day")),
    }
    cells = (text if cap in one.exceeded else "within" for cap, text in told.items())
    return f"| `{one.rule_id}` | {' | '.join(cells)} |"


def _excess(planned: str, allowed: str, above: str) -> str:
    return f"{planned}, allowed {allowed}: **{above} above**"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
