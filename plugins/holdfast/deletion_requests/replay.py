"""After a backup was restored: whatever it brought back of erased subjects is found, and asked for again.

Nothing is deleted here. Subjects are known by their pseudonym alone, as the register of erasures has them; the database
computes that of every subject it holds. A completed request with data that came back is followed again, up to what was
there when it was completed, and the night erases it as it did the first time: by the same plan, within the same caps,
and not what a hold keeps meanwhile. Once it is gone, another replay finds nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import clock, queries
from holdfast.deletion_requests import moves, replay_files
from holdfast.deletion_requests.found_again import categories_of
from holdfast.deletion_requests.register import State
from holdfast.enforcement import catalogue
from holdfast.enforcement.predicate.base import Setting
from holdfast.enforcement.predicate.erasure import Asked, ErasurePredicate
from holdfast.enforcement.predicate.requests import ErasureSetting, PartPredicate
from holdfast.enforcement.predicate.rows import Bool
from holdfast.errors import RequestError
from holdfast.evidence import known_key, ledger
from holdfast.policy import parts
from holdfast.policy.model import Policy
from holdfast.settings import Settings


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

    `run_id` None: a person looks, and the next run reports what is found. Takes as long as assessing as many requests.
    """
    zone, key = policy.schedule.time_zone, known_key.require(connection, settings)
    moment = clock.midnight(since, zone)
    tables = catalogue.read(connection, policy.data_map.schemas)
    cuts = parts.cuts(policy)
    # No hold is looked at, so the moment they are counted at does not matter.
    setting = ErasureSetting(policy, tables, clock.local_date(now, zone), now, parts=cuts)
    datasets = list(parts.with_subject(policy))
    entered, unplaced = replay_files.take_in(connection, setting, datasets, settings, since=since, moment=moment)
    for dataset in datasets:
        connection.execute(_find(_Erased(setting, dataset, moment, key), run_id))
        if any(name == dataset for name, _ in cuts):
            connection.execute(_find(_Emptied(setting, dataset, moment, key), run_id))
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
    """The rows whose subjects had them erased since a moment."""

    def __init__(self, setting: Setting, dataset: str, since: dt.datetime, key: bytes) -> None:
        super().__init__(setting, dataset)
        self.since = _erased_scope(setting, dataset, since, key, is_cut=False)


class _Emptied(_Found, PartPredicate):
    """The rows whose subjects had single categories of them emptied since a moment."""

    def __init__(self, setting: Setting, dataset: str, since: dt.datetime, key: bytes) -> None:
        super().__init__(setting, dataset)
        self.since = _erased_scope(setting, dataset, since, key, is_cut=True)

    def asked(self) -> list[Asked]:
        return self._asked_by_subject()


def _find(predicate: _Found, run_id: int | None) -> sa.Insert:
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
        "run_id": sa.literal(run_id, sa.BigInteger),
        "request_id": counted.c.request_id,
        "dataset": sa.literal(predicate.dataset, sa.Text),
        "found_rows": counted.c.found_rows,
    }
    more = (
        sa.select(*columns.values())
        .select_from(counted.join(kept, counted.c.request_id == kept.c.request_id))
        .where(counted.c.found_rows > kept.c.kept_rows)
    )
    target = sa.table("came_back", *map(sa.column, columns), schema="holdfast")
    return postgresql.insert(target).from_select(list(columns), more).on_conflict_do_nothing()


def _erased_scope(setting: Setting, name: str, since: dt.datetime, key: bytes, *, is_cut: bool) -> sa.CTE:
    """sql/deletion_requests/replay_erased.sql, with the subjects of the dataset that the pseudonyms stand for."""
    fixed = queries.query("deletion_requests/replay_erased").bindparams(
        sa.bindparam("dataset", name, sa.Text),
        sa.bindparam("since", since, sa.DateTime(timezone=True)),
        sa.bindparam("is_cut", is_cut, sa.Boolean),
        sa.bindparam("wholes", categories_of(setting.policy.data_map.datasets[name]), postgresql.ARRAY(sa.Text)),
        sa.bindparam("zone", setting.policy.schedule.time_zone, sa.Text),
    )
    columns: dict[str, Any] = {
        "request_id": sa.BigInteger,
        "pseudonym": sa.Text,
        "record_key": sa.Text,
        "categories": postgresql.ARRAY(sa.Text),
        "until": sa.Date,
        "kept_rows": sa.BigInteger,
    }
    erased = fixed.columns(**columns).cte("erased")
    subjects = replay_files.subjects_of(setting, name, key)
    chosen = sa.select(
        erased.c.request_id,
        sa.literal(name, sa.Text).label("dataset"),
        subjects.c.subject_key,
        erased.c.record_key,
        erased.c.categories,
        erased.c.until,
        erased.c.kept_rows,
    )
    return chosen.select_from(erased.join(subjects, erased.c.pseudonym == subjects.c.pseudonym)).cte("erased_scope")


def pending(connection: sa.Connection, run_id: int) -> None:
    """Let a run report what a person found since the run before."""
    queries.run(connection, "deletion_requests/replay_claim", {"run_id": run_id})
