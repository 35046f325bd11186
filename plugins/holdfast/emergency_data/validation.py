"""Great Expectations looks at an extract as well, before it is released: a second opinion, with documents to show.

The pass of the database says which records break which rules, and Great Expectations how many break each expectation.
A rule that is one expectation must have the same number in both; one that is several, no fewer than the largest of
them and no more than all together. Anything else means that the rules are not checked as they are written.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from holdfast.emergency_data import staging, suite_run
from holdfast.emergency_data.catalogue import Suite
from holdfast.errors import RuleSetError
from holdfast.store import AnyPath, private_folder, write_whole

PAGE = "index.html"


def validate(
    engine: sa.Engine,
    extract_id: int,
    suite: Suite,
    parameters: Mapping[str, object],
    *,
    found: Mapping[str, int],
    folder: AnyPath,
) -> int:
    """Validate the extract and write its Data Docs to `folder`/<extract>; how many expectations were evaluated.

    `found` is how many records break each rule by the pass, before exceptions. Raises RuleSetError if the two differ.
    """
    with tempfile.TemporaryDirectory() as made:
        page = Path(made) / PAGE
        outcomes = suite_run.run(engine, staging.table_of(extract_id), suite, parameters, document=page)
        _compare(outcomes, found)
        write_whole(private_folder(folder, (str(extract_id),)) / PAGE, page.read_bytes())
    return len(outcomes)


def documented(folder: AnyPath) -> frozenset[int]:
    """The extracts whose Data Docs lie there, whole."""
    return frozenset(int(path.parent.name) for path in folder.glob(f"[0-9]*/{PAGE}"))


def _compare(outcomes: list[suite_run.Outcome], found: Mapping[str, int]) -> None:
    counts: dict[str, list[int]] = defaultdict(list)
    for one in outcomes:
        counts[one.rule_id].append(one.unexpected)
    differing = [
        rule_id
        for rule_id, numbers in sorted(counts.items())
        if not max(numbers) <= found.get(rule_id, 0) <= sum(numbers)
    ]
    if differing:
        raise RuleSetError(
            f"Great Expectations and the pass of the database disagree on {', '.join(differing)}.",
            fix="run the tests of the suites; until then nothing of this extract leaves.",
            rules=differing,
        )
