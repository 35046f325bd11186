"""The matrix and the erasure decide each row as `decide_erasure` does: random policies, rows, holds and requests."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from tests.holdfast.deletion_requests.equivalence import inn as inns
from tests.holdfast.deletion_requests.equivalence.inn import Ask, Inn
from tests.holdfast.deletion_requests.equivalence.judge import Cell, Judge, judged
from tests.holdfast.retention.equivalence import hotel
from tests.holdfast.retention.equivalence.test_equivalence import PLANNED_AT, fill, insert

from holdfast import database as hf_database
from holdfast.deletion_requests import matrix
from holdfast.enforcement import catalogue
from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.base import types_of_sources
from holdfast.enforcement.predicate.erasure import PREFIX, ErasurePredicate
from holdfast.enforcement.predicate.requests import PART_PREFIX, ErasureSetting

EXAMPLES = int(os.environ.get("HOLDFAST_EQUIVALENCE_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def hotel_database(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Engine]:
    """The tables, empty: each example is rolled back."""
    with fresh_database() as engine:
        with engine.begin() as connection:
            hf_database.run_script(connection, hotel.TABLES)
        yield engine


@pytest.fixture(scope="module")
def tables(hotel_database: sa.Engine) -> Catalogue:
    with hotel_database.connect() as connection:
        return catalogue.read(connection, ["hotel"])


# Rows and rules are few enough to read as they come; making them fewer would take minutes of database work.
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(inn=inns.inns() | inns.inns().map(inns.counting_from_bookings))
def test_sql_decides_each_request_as_the_rule_does(hotel_database: sa.Engine, tables: Catalogue, inn: Inn) -> None:
    world, (judge, told) = inn.world, judged(inn)
    untrusted = types_of_sources(world.policy, world.untrusted)
    setting = ErasureSetting(world.policy, tables, world.as_of, PLANNED_AT, untrusted_types=untrusted)
    with hotel_database.connect() as connection, connection.begin() as transaction:
        fill(connection, world)
        ask(connection, inn.asks)
        matrix.fill_scope(connection, world.policy, world.as_of)
        tonight = setting.tonight(connection)
        run_id = a_run(connection)
        matrix.assess(connection, tonight, run_id)
        assert not different(cells(connection, run_id), judge.cells(told)), explained(inn)
        for work_id in tonight.work():
            found = due_keys(connection, tonight.predicate(work_id))
            assert found == keys(judge, work_id), f"{work_id}: {explained(inn)}"
        transaction.rollback()


def ask(connection: sa.Connection, asks: tuple[Ask, ...]) -> None:
    requests = [
        {
            "request_id": number,
            "reference": one.reference,
            "channel": "form",
            "subject_key": str(one.subject),
            "state": one.state,
            "received_at": PLANNED_AT - dt.timedelta(days=20),
            "withdraw_until": one.withdraw_until,
            "replay_until": one.until,
            "closed_at": PLANNED_AT if one.state in ("completed", "withdrawn") else None,
        }
        for number, one in enumerate(asks, start=1)
    ]
    names = ", ".join(requests[0])
    insert(connection, "holdfast.deletion_request", requests, names, overriding="OVERRIDING SYSTEM VALUE")
    parts = [
        {"request_id": number, "part_no": part, "dataset": dataset, "category": category, "record_key": key}
        for number, one in enumerate(asks, start=1)
        for part, (dataset, category, key) in enumerate(one.parts, start=1)
    ]
    insert(connection, "holdfast.request_part", parts, "request_id, part_no, dataset, category, record_key")
    addressees = [
        {"request_id": number, "content_pseudonym": "p1:0", "taken_at": PLANNED_AT}
        for number, one in enumerate(asks, start=1)
        if one.has_address
    ]
    insert(connection, "holdfast.request_addressee", addressees, "request_id, content_pseudonym, taken_at")


def a_run(connection: sa.Connection) -> int:
    found: int = connection.execute(
        sa.text(
            "INSERT INTO holdfast.run (job, as_of, as_of_date, mode, policy_digest, state)"
            " VALUES ('deletion-requests', now(), current_date, 'enforce', 'x', 'open') RETURNING run_id"
        )
    ).scalar_one()
    return found


def cells(connection: sa.Connection, run_id: int) -> dict[tuple[str, str], Cell]:
    rows = connection.execute(
        sa.text(
            "SELECT request.reference, decision.* FROM holdfast.request_decision AS decision"
            " INNER JOIN holdfast.deletion_request AS request USING (request_id) WHERE run_id = :run"
        ),
        {"run": run_id},
    )
    return {
        (row.reference, row.dataset): Cell(
            row.decision,
            row.reason,
            row.rows_found,
            row.rows_acted,
            row.rows_held,
            row.rows_exempt,
            row.held_until,
            row.disclosable,
        )
        for row in rows
    }


def different(
    found: dict[tuple[str, str], Cell], expected: dict[tuple[str, str], Cell]
) -> dict[tuple[str, str], tuple[Cell | None, Cell | None]]:
    """Where the database and the rule disagree: what each says."""
    places = found.keys() | expected.keys()
    return {one: (found.get(one), expected.get(one)) for one in places if found.get(one) != expected.get(one)}


def due_keys(connection: sa.Connection, predicate: ErasurePredicate) -> set[str]:
    """What the engine would act on."""
    rows = predicate.rows
    return set(connection.execute(sa.select(rows.key_text).select_from(rows.table).where(predicate.due())).scalars())


def keys(judge: Judge, work_id: str) -> set[str]:
    if work_id.startswith(PART_PREFIX):
        return judge.emptied_keys(work_id.removeprefix(PART_PREFIX))
    return judge.due_keys(work_id.removeprefix(PREFIX))


def explained(inn: Inn) -> str:
    """Everything, to read when the two disagree."""
    world = inn.world
    rules = [f"{name}: {rule!r}" for name, rule in world.policy.schedule.rules.items()]
    rows: list[Any] = [(name, row) for name, some in world.rows.items() for row in some]
    listed = [*rules, *inn.asks, *world.holds, *rows, *world.vouchers]
    return "\n".join((f"on {world.as_of}, not believed {world.untrusted}", *map(repr, listed)))
