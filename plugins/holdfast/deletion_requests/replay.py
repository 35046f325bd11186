"""After a backup was restored: whatever it brought back of erased subjects is found, and asked for again.

Nothing is deleted here. The main database's register says what was erased in which, and each is searched for its own.
Subjects are known by their pseudonym alone, as the register of erasures has them; the database computes that of every
subject it holds. A completed request with data that came back is followed again, up to what was there when it was
completed, and the night erases it as it did the first time: by the same plan, within the same caps, and not what a
hold keeps meanwhile. Once it is gone, another replay finds nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import clock, database, queries
from holdfast.deletion_requests import elsewhere, moves, replay_files
from holdfast.deletion_requests.found_again import categories_of
from holdfast.deletion_requests.register import State
from holdfast.deletion_requests.replay_files import Place
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import Asked, ErasurePredicate
from holdfast.enforcement.predicate.requests import ErasureSetting, PartPredicate
from holdfast.enforcement.predicate.rows import Bool
from holdfast.errors import RequestError
from holdfast.evidence import known_key, ledger
from holdfast.policy import parts
from holdfast.policy.model import Policy
from holdfast.settings import MAIN, Settings


@dataclass(frozen=True)
class CameBack:
    """What came back in one dataset: of how many requests, and how many rows are there of them."""

    dataset: str
    requests: int
    rows: int


@dataclass(frozen=True)
class Replayed:
    """What was found, and how many requests are followed again.

    `entered_again` were lost with the database and known from files; `unplaced` were as well, and asked for single
    records whose keys have more than one spelling, so that a person has to look for them.
    """

    came_back: tuple[CameBack, ...]
    reopened: int
    entered_again: int
    unplaced: int

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.came_back)


def replay(
    connection: sa.Connection,
    policy: Policy,
    settings: Settings,
    *,
    since: dt.date,
    by: str,
    now: dt.datetime,
    run_id: int | None = None,
) -> Replayed:
    """Find what came back of all that was erased since the beginning of a day, and ask for it again.

    `policy` is the whole: every database is searched, and one that does not answer is no database without anything.
    `run_id` None: a person looks, and the next run reports what is found. Takes as long as assessing as many requests.
    Raises DatabaseUnreachable, or SettingsError for another key; once in a transaction.
    """
    zone, key = policy.schedule.time_zone, known_key.require(connection, settings)
    moment, today = clock.midnight(since, zone), clock.local_date(now, zone)
    with contextlib.ExitStack() as stack:
        main = _place(connection, policy.at(MAIN), today)
        others = [
            _place(stack.enter_context(elsewhere.asking(connection, settings.at(name))), policy.at(name), today)
            for name in policy.data_map.connections
        ]
        entered, unplaced = replay_files.take_in(main, others, settings, key, since=since, moment=moment)
        _stage(connection, policy, moment)
        _search(main, key)
        for place in others:
            queries.run(place.connection, "deletion_requests/replay_stage_erased")
            database.bring(connection, "TABLE erased_since", place.connection, "erased_since")
            _search(place, key)
            database.bring(place.connection, "TABLE found_again", connection, "found_again")
    queries.run(connection, "deletion_requests/replay_came_back", {"run_id": run_id})
    values = {"run_id": run_id, "zone": zone}
    reopened = sorted(queries.run(connection, "deletion_requests/replay_reopen", values).scalars())
    totals = queries.run(connection, "deletion_requests/replay_totals", {"run_id": run_id})
    found = tuple(CameBack(row.dataset, row.requests, row.found_rows) for row in totals)
    result = Replayed(found, len(reopened), entered, unplaced)
    facts: dict[str, ledger.JSON] = {
        "since": since.isoformat(),
        "by": moves.who(by),
        "rows": {one.dataset: one.rows for one in found},
        "reopened": result.reopened,
        "entered_again": entered,
        "unplaced": unplaced,
    }
    ledger.append(connection, "replay_started", facts, run_id)
    moves.move(connection, reopened, State.PARTLY_COMPLETED, by=by, at=now, run_id=run_id)
    return result


def day(text: str, today: dt.date) -> dt.date:
    """The day that a person gave to replay from. Raises RequestError for one that is none, or lies in the future."""
    found: dt.date | None = None
    with contextlib.suppress(ValueError):
        found = dt.date.fromisoformat(text)
    if found is None or found > today:
        raise RequestError("The day to replay from is none, or lies in the future.", fix="write it as 2026-11-24.")
    return found


def _place(connection: sa.Connection, policy: Policy, today: dt.date) -> Place:
    tables = catalogue.read(connection, policy.data_map.schemas)
    moment = dt.datetime.combine(today, dt.time(), dt.UTC)  # of counting holds; none is looked at, so any will do
    return Place(connection, ErasureSetting(policy, tables, today, moment, parts=parts.cuts(policy)))


def _stage(connection: sa.Connection, policy: Policy, since: dt.datetime) -> None:
    """Stage what was erased since, in any database: the main one's register knows."""
    queries.run(connection, "deletion_requests/replay_stage_erased")
    for name, dataset in parts.with_subject(policy).items():
        values = {"dataset": name, "since": since, "zone": policy.schedule.time_zone, "wholes": categories_of(dataset)}
        for is_cut in (False, True):
            queries.run(connection, "deletion_requests/replay_erased", {**values, "is_cut": is_cut})


def _search(place: Place, key: bytes) -> None:
    """Stage of which requests there are more rows in a database than there should be."""
    queries.run(place.connection, "deletion_requests/replay_stage_found")
    for dataset in place.datasets:
        place.connection.execute(_find(_Erased(place.setting, dataset, key)))
        if any(name == dataset for name, _ in place.setting.parts):
            place.connection.execute(_find(_Emptied(place.setting, dataset, key)))


class _Found(ErasurePredicate):
    """The rows of one dataset that are in the scope of what was erased."""

    since: sa.CTE

    def _scope(self) -> tuple[sa.FromClause, Bool]:
        scope = self.since.alias()
        return scope, scope.c.dataset == sa.literal(self.dataset, sa.Text)

    def kept(self) -> sa.Subquery:
        """How many rows of each request were there when it was counted last."""
        scope = self.since.alias()
        kept = sa.func.max(scope.c.kept_rows).label("kept_rows")
        return sa.select(scope.c.request_id, kept).group_by(scope.c.request_id).subquery()


class _Erased(_Found):
    """The rows whose subjects had them erased."""

    def __init__(self, setting: Setting, dataset: str, key: bytes) -> None:
        super().__init__(setting, dataset)
        self.since = _erased_scope(setting, dataset, key, is_cut=False)


class _Emptied(_Found, PartPredicate):
    """The rows whose subjects had single categories of them emptied."""

    def __init__(self, setting: Setting, dataset: str, key: bytes) -> None:
        super().__init__(setting, dataset)
        self.since = _erased_scope(setting, dataset, key, is_cut=True)

    def asked(self) -> list[Asked]:
        return self._asked_by_subject()


def _find(predicate: _Found) -> sa.Insert:
    """INSERT the requests of which there are more rows than there should be."""
    each = sa.union_all(
        *(
            sa.select(asked.request_id.label("request_id")).select_from(asked.source).where(~asked.done)
            for asked in predicate.asked()
        )
    ).subquery()
    counted = sa.select(each.c.request_id, sa.func.count().label("found_rows")).group_by(each.c.request_id).subquery()
    kept = predicate.kept()
    columns: dict[str, sa.ColumnElement[Any]] = {
        "request_id": counted.c.request_id,
        "dataset": sa.literal(predicate.dataset, sa.Text),
        "found_rows": counted.c.found_rows,
    }
    more = (
        sa.select(*columns.values())
        .select_from(counted.join(kept, counted.c.request_id == kept.c.request_id))
        .where(counted.c.found_rows > kept.c.kept_rows)
    )
    target = sa.table("found_again", *map(sa.column, columns))
    return sa.insert(target).from_select(list(columns), more)


def _erased_scope(setting: Setting, name: str, key: bytes, *, is_cut: bool) -> sa.CTE:
    """What was erased of the dataset, with the subjects here that the pseudonyms stand for."""
    columns: dict[str, sa.types.TypeEngine[Any]] = {
        "request_id": sa.BigInteger(),
        "dataset": sa.Text(),
        "pseudonym": sa.Text(),
        "record_key": sa.Text(),
        "categories": postgresql.ARRAY(sa.Text),
        "until": sa.Date(),
        "kept_rows": sa.BigInteger(),
        "is_cut": sa.Boolean(),
    }
    erased = sa.table("erased_since", *(sa.column(*one) for one in columns.items()))
    subjects = replay_files.subjects_of(setting, name, key)
    chosen = sa.select(
        erased.c.request_id,
        erased.c.dataset,
        subjects.c.subject_key,
        erased.c.record_key,
        erased.c.categories,
        erased.c.until,
        erased.c.kept_rows,
    ).select_from(erased.join(subjects, erased.c.pseudonym == subjects.c.pseudonym))
    return chosen.where(erased.c.dataset == name, erased.c.is_cut == is_cut).cte("erased_scope")


def pending(connection: sa.Connection, run_id: int) -> None:
    """Let a run report what a person found since the run before."""
    queries.run(connection, "deletion_requests/replay_claim", {"run_id": run_id})
