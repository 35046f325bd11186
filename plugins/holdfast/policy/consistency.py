"""What can be told to be wrong from the three documents alone, without a database. Pure.

`problems` is part of loading: what it finds, no run could survive. `overdue_reviews` depends on the day and is part
of the check before a run: an exemption nobody has looked at again counts as none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from holdfast.policy import data_map_checks, hold_checks, part_checks, schedule_checks
from holdfast.policy.model import Policy, Waiver
from holdfast.policy.problems import Check, EntryPath, Finder, Problem


def problems(policy: Policy) -> tuple[Problem, ...]:
    """Every contradiction within the policy."""
    find = Finder(policy.places)
    return (
        *data_map_checks.problems(policy, find),
        *schedule_checks.problems(policy, find),
        *hold_checks.problems(policy, find),
        *part_checks.problems(policy, find),
    )


def overdue_reviews(policy: Policy, as_of: dt.date) -> Iterator[Problem]:
    """Exemptions of tables and schemas, and datasets without a rule, whose day of review has passed."""
    find = Finder(policy.places)
    for path, subject, waiver in _waivers(policy):
        if waiver.review_by < as_of:
            yield _overdue(find, (*path, "review_by"), subject, waiver)


def _waivers(policy: Policy) -> Iterator[tuple[EntryPath, str, Waiver]]:
    for database in policy.data_map.databases:
        part, place = policy.data_map.at(database), data_map_checks.place_of(database)
        for schema, waiver in part.other_schemas.items():
            yield (*place, "other_schemas", schema), f"the exemption of the schema {schema}", waiver
        for table, exemption in part.exemptions.items():
            yield (*place, "exemptions", table), f"the exemption of {table}", exemption
    for name, dataset in policy.data_map.datasets.items():
        if dataset.no_rule is not None:
            yield ("data_map", "datasets", name, "no_rule"), f"that {name} has no rule", dataset.no_rule


def _overdue(find: Finder, path: EntryPath, subject: str, granted: Waiver) -> Problem:
    return find(
        Check.REVIEW_OVERDUE,
        path,
        f"{subject} was to be reviewed by {granted.review_by} and counts no longer.",
        f"{granted.owner} looks again, and sets a new day or registers what is there.",
    )
