"""What does not agree: requests, data, holds, restrictions and recipients, each compared with the others.

A break is reported and never repaired here: a repair nobody decided on could be the second mistake. What can be told
is what the registers and the data show; that a row went under a hold, above all, is told only where it is certain
(sql/deletion_requests/break_erased_while_held.sql says when it is).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import found_again, letters_store, unasked
from holdfast.deletion_requests.agenda import agenda
from holdfast.deletion_requests.break_kinds import INCIDENTS, Kind
from holdfast.deletion_requests.deadlines import OVERDUE, Terms
from holdfast.evidence import ledger
from holdfast.policy.disclosure import Disclosure
from holdfast.policy.model import Policy
from holdfast.policy.model.holds import BY_HAND

EXAMPLES = 20
"""So many requests and holds are named of one break; its count has them all."""
OTHERS = "other_obligations"
"""Stands for every type of hold that an ordinary report does not tell apart."""
CONFIRM_WITHIN = dt.timedelta(days=30)
CEASE_WITHIN = dt.timedelta(days=3)
"""Within about as long a range holder asks for rejected 999 records to be mended."""
_SUBJECTS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Break:
    """Something that does not agree: how often, and some of the requests and holds it is about, by number.

    `about` is the dataset, type of hold or recipient it concerns; empty where there is none.
    """

    kind: Kind
    count: int
    about: str = ""
    requests: tuple[int, ...] = ()
    holds: tuple[int, ...] = ()

    @property
    def is_incident(self) -> bool:
        return self.kind in INCIDENTS

    @property
    def may_be_counted(self) -> bool:
        """False: how many there are, and which, may tell of a hold that must not be disclosed."""
        return self.about != OTHERS


def find(
    connection: sa.Connection,
    policy: Policy,
    terms: Terms,
    run_id: int | None,
    *,
    now: dt.datetime,
    confirm_within: dt.timedelta = CONFIRM_WITHIN,
) -> list[Break]:
    """Every break there is, the worst first. `run_id` is the run whose matrix is compared; None: no matrix is.

    It also looks through the data for rows of completed requests, which takes as long as assessing as many requests.
    Ask once the run has settled its requests, and also of one that did not get so far: an incident is why, at times.
    """
    today = terms.day_of(now)
    found = [
        *_of_matrix(connection, policy, run_id),
        *_counted(Kind.COMPLETED_BUT_FOUND, found_again.look(connection, policy, today)),
        *_overdue(connection, terms, today),
        *_of_subjects(connection),
        *(Break(Kind.CLOSED_UNASKED, count, name) for name, count in unasked.look(connection, policy, today, now)),
        *_unwritten(connection, run_id),
        *_unconfirmed(connection, now - confirm_within),
        *_unceased(connection, now - CEASE_WITHIN),
        *_of_holds(connection, policy, today),
    ]
    order = list(Kind)
    return sorted(found, key=lambda one: (order.index(one.kind), one.about))


def record(connection: sa.Connection, run_id: int | None, breaks: Sequence[Break]) -> None:
    """Enter each break into the ledger, and then that they were looked for, which says so where there is none."""
    for one in breaks:
        facts: dict[str, ledger.JSON] = {
            "kind": one.kind.value,
            "about": one.about or None,
            "count": one.count,
            "requests": list(one.requests),
            "holds": list(one.holds),
        }
        ledger.append(connection, "break_found", facts, run_id)
    kinds: dict[str, ledger.JSON] = {
        "kinds": len({one.kind for one in breaks}),
        "incidents": sum(one.is_incident for one in breaks),
    }
    ledger.append(connection, "reconciled", kinds, run_id)


def recorded(connection: sa.Connection, run_id: int) -> tuple[Break, ...] | None:
    """The breaks of a run as they were when it was last looked for them; None: nobody looked."""
    rows = queries.run(connection, "deletion_requests/report_breaks", {"run_id": run_id}).all()
    if not rows:
        return None
    return tuple(
        Break(
            kind=Kind(row.facts["kind"]),
            count=row.facts["count"],
            about=row.facts["about"] or "",
            requests=tuple(row.facts["requests"]),
            holds=tuple(row.facts["holds"]),
        )
        for row in rows
        if row.facts is not None
    )


def _of_matrix(connection: sa.Connection, policy: Policy, run_id: int | None) -> Iterator[Break]:
    if run_id is None:
        return
    named = {"run_id": run_id}
    pairs = sorted(
        {
            (name, kind)
            for name in policy.data_map.datasets
            for rule_id in policy.rules_for(name)
            for kind in policy.holds_of(rule_id)
        }
    )
    holding = {"datasets": [name for name, _ in pairs], "types": [kind for _, kind in pairs]}
    asked: tuple[tuple[Kind, str, Mapping[str, object]], ...] = (
        (Kind.ERASED_WHILE_HELD, "deletion_requests/break_erased_while_held", {**holding, **_nameable(policy)}),
        (Kind.HELD_ROWS_CHANGED, "deletion_requests/break_held_rows_changed", {}),
        (Kind.HELD_ROWS_GONE, "deletion_requests/break_held_rows_gone", {}),
        (Kind.RESTORED_DATA, "deletion_requests/break_restored_data", {}),
        (Kind.ENDED_UNTOLD, "deletion_requests/break_ended_untold", {}),
        (Kind.OPEN_BUT_GONE, "deletion_requests/break_open_but_gone", {}),
        (Kind.HELD_WITHOUT_RESTRICTION, "deletion_requests/break_held_without_restriction", {}),
        (Kind.RESTRICTION_WITHOUT_HELD, "deletion_requests/break_restriction_without_held", {}),
    )
    for kind, query, values in asked:
        yield from _rows(connection, kind, query, {**named, **values})


def _of_holds(connection: sa.Connection, policy: Policy, today: dt.date) -> Iterator[Break]:
    live = {"as_of": today, **_nameable(policy)}
    sources = {"sources": list(policy.holds.sources)}
    by_hand, types = {"by_hand": BY_HAND}, {"types": list(policy.holds.types)}
    asked: tuple[tuple[Kind, str, Mapping[str, object]], ...] = (
        (Kind.HOLD_WITHOUT_SOURCE, "deletion_requests/break_hold_without_source", {**sources, **by_hand}),
        (Kind.HOLD_SOURCE_UNTRUSTED, "deletion_requests/break_hold_source_untrusted", sources),
        (Kind.HOLD_WITHOUT_GROUND, "deletion_requests/break_hold_without_ground", types),
        (Kind.HOLD_WITHOUT_REVIEW, "deletion_requests/break_hold_without_review", {}),
        (Kind.HOLD_REVIEW_OVERDUE, "deletion_requests/break_hold_review_overdue", {}),
    )
    for kind, query, values in asked:
        yield from _rows(connection, kind, query, {**live, **values})


def _unwritten(connection: sa.Connection, run_id: int | None) -> Iterator[Break]:
    """Whatever is still owed once the night has written its letters."""
    if run_id is None:
        return
    owed = sorted(letters_store.owed(connection, run_id), key=lambda one: (one.kind, one.request_id))
    for kind, of_kind in itertools.groupby(owed, key=lambda one: one.kind):
        requests = tuple(one.request_id for one in of_kind)
        yield Break(Kind.LETTER_UNWRITTEN, len(requests), kind.value, requests[:EXAMPLES])


def _unconfirmed(connection: sa.Connection, before: dt.datetime) -> Iterator[Break]:
    query = "deletion_requests/break_recipient_unconfirmed"
    yield from _rows(connection, Kind.RECIPIENT_UNCONFIRMED, query, {"before": before})


def _unceased(connection: sa.Connection, before: dt.datetime) -> Iterator[Break]:
    query = "deletion_requests/break_cease_unconfirmed"
    yield from _rows(connection, Kind.CEASE_UNCONFIRMED, query, {"before": before})


def _overdue(connection: sa.Connection, terms: Terms, today: dt.date) -> Iterator[Break]:
    late = [item.request_id for item in agenda(connection, terms, today) if item.alert == OVERDUE]
    if late:
        yield Break(Kind.PAST_DEADLINE, len(late), requests=tuple(late[:EXAMPLES]))


def _of_subjects(connection: sa.Connection) -> Iterator[Break]:
    """Whom nobody knows, and of whom two systems say different things.

    Once a request is carried out, its subject may be among what is gone: only of earlier ones must they be known.
    """
    asked = iter(queries.run(connection, "deletion_requests/break_open_subjects").all())
    found: dict[Kind, list[int]] = {Kind.UNKNOWN_SUBJECT: [], Kind.BALANCE_DISAGREES: []}
    while some := list(itertools.islice(asked, _SUBJECTS_AT_ONCE)):
        keys = {"subject_keys": sorted({row.subject_key for row in some})}
        known = {row.given for row in queries.run(connection, "provider/subject_exists", keys)}
        disagreed = {row.subject_key for row in queries.run(connection, "provider/balances", keys)}
        found[Kind.UNKNOWN_SUBJECT] += [r.request_id for r in some if r.is_early and r.subject_key not in known]
        found[Kind.BALANCE_DISAGREES] += [row.request_id for row in some if row.subject_key in disagreed]
    for kind, requests in found.items():
        if requests:
            yield Break(kind, len(requests), requests=tuple(requests[:EXAMPLES]))


def _rows(connection: sa.Connection, kind: Kind, query: str, values: Mapping[str, object]) -> Iterator[Break]:
    for row in queries.run(connection, query, {**values, "examples": EXAMPLES}):
        yield Break(kind, row.found, row.about, tuple(row.requests or ()), tuple(row.holds))


def _counted(kind: Kind, found: Iterable[found_again.Found]) -> Iterator[Break]:
    for one in found:
        yield Break(kind, one.count, one.dataset, one.requests[:EXAMPLES])


def _nameable(policy: Policy) -> dict[str, object]:
    return {"nameable": sorted(Disclosure.of(policy).nameable_types), "other": OTHERS}
