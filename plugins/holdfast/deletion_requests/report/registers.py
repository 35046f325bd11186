"""What the registers hold about one night of requests, as frozen values: read here, judged elsewhere.

The types of hold that may not be named are one here already: they leave the database under one name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from holdfast import queries
from holdfast.deletion_requests import breaks, outbox
from holdfast.deletion_requests.breaks import Break
from holdfast.deletion_requests.outbox import Ageing
from holdfast.reports import runs
from holdfast.reports.runs import Approval, Milestone, Review, Run, Seal

WEEKS = 12


@dataclass(frozen=True)
class StateCount:
    """Requests in one state for one reason: what they wait for, why they were refused, or `ended`."""

    state: str
    is_final: bool
    reason: str
    requests: int
    duplicates: int
    oldest_received_on: dt.date


@dataclass(frozen=True)
class Cell:
    """All decisions of one kind in one dataset, and the rows they are about."""

    dataset: str
    decision: str
    decisions: int
    rows_found: int
    rows_acted: int
    rows_held: int
    rows_exempt: int


@dataclass(frozen=True)
class OpenReason:
    """Decisions that wait or could not be made, by what they wait for or what is not known."""

    decision: str
    reason: str
    decisions: int
    requests: int


@dataclass(frozen=True)
class Sums:
    """The matrix added up another way: by requests for the whole account, and for parts of it.

    `asked` is the number of pairs of request and dataset that the night was asked about; None: a later night has asked
    since. `restricted` is what is restricted now.
    """

    whole_requests: int
    fewest_datasets: int
    most_datasets: int
    whole_decisions: int
    part_requests: int
    part_decisions: int
    asked: int | None
    is_settled: bool
    erased_rows: int
    erased_requests: int
    restricted: int


@dataclass(frozen=True)
class Rest:
    """What stays in one dataset of requests that may be carried out."""

    dataset: str
    requests: int
    rows_held: int
    rows_exempt: int


@dataclass(frozen=True)
class Keeper:
    """What keeps something: a type of hold, breaks.OTHERS, a rule, or another reason of the matrix.

    `dataset` None: in all datasets together. `alone`: the requests of which nothing else keeps anything. Of
    `ends_told` decisions the end may be told, `ends_open` of them have none, and `until` is the latest of the others.
    """

    dataset: str | None
    keeper: str
    requests: int
    alone: int
    decisions: int
    rows_exempt: int
    oldest_received_on: dt.date
    ends_told: int
    ends_open: int
    until: dt.date | None
    review_on: dt.date | None

    @property
    def is_hold(self) -> bool:
        return self.keeper.isupper() or self.keeper == breaks.OTHERS


@dataclass(frozen=True)
class Week:
    """What happened in the seven days from a Monday, and how many requests were open at their end."""

    week: dt.date
    received: int
    completed: int
    partly_completed: int
    refused: int
    withdrawn: int
    open_at_end: int


@dataclass(frozen=True)
class Work:
    """What the run planned and did; `survivors` None: not counted."""

    plans: int
    due: int
    done: int
    late: int
    survivors: int | None
    over_cap: int
    has_changed: bool


@dataclass(frozen=True)
class Registers:
    """Everything the report is made of, apart from the policy and the deadlines. `breaks` None: nobody looked."""

    run: Run
    states: tuple[StateCount, ...]
    cells: tuple[Cell, ...]
    open_reasons: tuple[OpenReason, ...]
    sums: Sums
    rest: tuple[Rest, ...]
    keepers: tuple[Keeper, ...]
    reviews: tuple[Review, ...]
    recipients: tuple[Ageing, ...]
    breaks: tuple[Break, ...] | None
    weeks: tuple[Week, ...]
    work: Work
    approvals: tuple[Approval, ...]
    seal: Seal | None
    course: tuple[Milestone, ...]

    def has(self, kind: str) -> bool:
        """True if the run left an entry of this kind in the ledger."""
        return runs.has(self.course, kind)


def read(
    connection: sa.Connection, run_id: int, *, zone: str, nameable: Collection[str], now: dt.datetime
) -> Registers:
    """All that is known of a run; `nameable` are the types of hold that may be named.

    Raises RunRefused if there is no run with this number.
    """
    run = runs.run(connection, run_id)
    named = {"run_id": run_id}
    as_of = {"as_of": run.as_of_date, "zone": zone}
    names = {"nameable": sorted(nameable), "other": breaks.OTHERS, "zone": zone}
    weeks = {"zone": zone, "until": run.as_of_date, "weeks": WEEKS}

    def rows(query: str, **values: object) -> list[sa.RowMapping]:
        return list(queries.run(connection, query, values).mappings())

    return Registers(
        run=run,
        states=tuple(StateCount(**row) for row in rows("deletion_requests/report_states", **as_of)),
        cells=tuple(Cell(**row) for row in rows("deletion_requests/report_matrix", **named)),
        open_reasons=tuple(OpenReason(**row) for row in rows("deletion_requests/report_open_reasons", **named)),
        sums=Sums(**rows("deletion_requests/report_sums", **named)[0]),
        rest=tuple(Rest(**row) for row in rows("deletion_requests/report_rest", **named)),
        keepers=tuple(Keeper(**row) for row in rows("deletion_requests/report_keepers", **named, **names)),
        reviews=runs.reviews(connection, run_id),
        recipients=outbox.ageing(connection, now=now),
        breaks=breaks.recorded(connection, run_id),
        weeks=tuple(Week(**row) for row in rows("deletion_requests/report_weeks", **weeks)),
        work=Work(**rows("deletion_requests/report_work", **named)[0]),
        approvals=runs.approvals(connection, run_id),
        seal=runs.seal(connection, run_id),
        course=runs.course(connection, run_id),
    )
