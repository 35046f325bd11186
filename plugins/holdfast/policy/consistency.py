"""What can be told to be wrong from the three documents alone, without a database. Pure.

`problems` is part of loading: what it finds, no run could survive. `overdue_reviews` depends on the day and is part
of the check before a run: an exemption nobody has looked at again counts as none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from holdfast.policy import data_map_checks, hold_checks, schedule_checks
from holdfast.policy.model import Exemption, NoRule, Policy
from holdfast.policy.problems import Check, EntryPath, Finder, Problem


def problems(policy: Policy) -> tuple[Problem, ...]:
    """Every contradiction within the policy."""
    find = Finder(policy.places)
    return (
        *data_map_checks.problems(policy, find),
        *schedule_checks.problems(policy, find),
        *hold_checks.problems(policy, find),
    )


def overdue_reviews(policy: Policy, as_of: dt.date) -> Iterator[Problem]:
    """Exemptions, and datasets without a rule, whose day of review has passed."""
    find = Finder(policy.places)
    for table, exemption in policy.data_map.exemptions.items():
        if exemption.review_by < as_of:
            yield _overdue(find, ("data_map", "exemptions", table, "review_by"), f"the exemption of {table}", exemption)
    for name, dataset in policy.data_map.datasets.items():
        if dataset.no_rule is not None and dataset.no_rule.review_by < as_of:
            path = ("data_map", "datasets", name, "no_rule", "review_by")
            yield _overdue(find, path, f"that {name} has no rule", dataset.no_rule)


def _overdue(find: Finder, path: EntryPath, subject: str, granted: Exemption | NoRule) -> Problem:
    return find(
        Check.REVIEW_OVERDUE,
        path,
        f"{subject} was to be reviewed by {granted.review_by} and counts no longer.",
        f"{granted.owner} looks again, and sets a new day or registers what is there.",
    )
