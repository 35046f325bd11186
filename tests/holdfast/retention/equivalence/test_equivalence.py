"""The set-based SQL decides every row as `holds.decide` does: on random policies, rows and holds, in PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.holdfast.retention.equivalence import hotel
from tests.holdfast.retention.equivalence.hotel import AGES_AGO, ENDLESS, SHAPES, World
from tests.holdfast.retention.equivalence.oracle import Oracle

from holdfast import database as hf_database
from holdfast.enforcement import catalogue, scan
from holdfast.enforcement.catalogue import Catalogue
from holdfast.enforcement.predicate.base import types_of_sources
from holdfast.enforcement.predicate.rules import RetentionSetting, RulePredicate
from holdfast.holds.decide import Outcome
from holdfast.retention.explain import explain

EXAMPLES = int(os.environ.get("HOLDFAST_EQUIVALENCE_EXAMPLES", "20"))
PLANNED_AT = dt.datetime(2025, 6, 1, 1, 30, tzinfo=dt.UTC)
JUST_AFTER = PLANNED_AT + dt.timedelta(microseconds=1)
FAR_FUTURE = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)


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
@given(world=hotel.worlds())
def test_sql_decides_each_row_as_decide_does(hotel_database: sa.Engine, tables: Catalogue, world: World) -> None:
    oracle = Oracle(world)
    untrusted = types_of_sources(world.policy, world.untrusted)
    setting = RetentionSetting(world.policy, tables, world.as_of, PLANNED_AT, untrusted_types=untrusted)
    with hotel_database.connect() as connection, connection.begin() as transaction:
        fill(connection, world)
        for rule_id in world.policy.schedule.rules:
            predicate = RulePredicate(setting, rule_id)
            found = facts_of(scan.count(connection, predicate), due_keys(connection, predicate))
            expected = facts_by(oracle, rule_id)
            assert found == expected, oracle.told(rule_id)
        transaction.rollback()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(world=hotel.worlds(), data=st.data())
def test_a_record_is_explained_as_decide_decides_it(
    hotel_database: sa.Engine, world: World, data: st.DataObject
) -> None:
    oracle = Oracle(world)
    untrusted = types_of_sources(world.policy, world.untrusted)
    places = [(dataset, n) for dataset, rows in world.rows.items() for n in range(len(rows))]
    picked = st.lists(st.sampled_from(places), min_size=min(3, len(places)), max_size=6, unique=True)
    chosen = data.draw(picked) if places else []
    with hotel_database.connect() as connection, connection.begin() as transaction:
        fill(connection, world, after=FAR_FUTURE)
        for dataset, place in chosen:
            row = world.rows[dataset][place]
            key, as_of = hotel.key_of(dataset, row), world.as_of
            found = explain(connection, world.policy, dataset, key, as_of=as_of, untrusted=untrusted)
            assert found is not None
            assert found.decision == oracle.decision(dataset, place), f"{row} {found}"
        transaction.rollback()


def facts_of(counts: scan.Counts, keys: set[str]) -> dict[str, Any]:
    return {
        "outcomes": counts.by_outcome,
        "due": keys,
        "held by": {one.hold_type: one.rows for one in counts.held_by},
        "oldest due": counts.oldest_due,
        "oldest past": counts.oldest_past,
        "forecast": counts.forecast,
    }


def facts_by(oracle: Oracle, rule_id: str) -> dict[str, Any]:
    past = (Outcome.DUE, Outcome.REFUSED, Outcome.WAITING, Outcome.HELD)
    return {
        "outcomes": oracle.outcomes(rule_id),
        "due": oracle.due_keys(rule_id),
        "held by": oracle.held_by(rule_id),
        "oldest due": oracle.oldest(rule_id, Outcome.DUE),
        "oldest past": oracle.oldest(rule_id, *past),
        "forecast": {days: oracle.forecast(rule_id, days) for days in scan.FORECAST_DAYS},
    }


def due_keys(connection: sa.Connection, predicate: RulePredicate) -> set[str]:
    rows = predicate.rows
    chosen = sa.select(rows.key_text).select_from(rows.table).where(predicate.due())
    return set(connection.execute(chosen).scalars())


def fill(connection: sa.Connection, world: World, *, after: dt.datetime = JUST_AFTER) -> None:
    """`after` is when the holds that are released after the plan were."""
    released_at = {None: None, "before": PLANNED_AT, "after": after}
    for dataset, rows in world.rows.items():
        insert(connection, f"hotel.{SHAPES[dataset].table}", rows)
    insert(connection, "hotel.voucher", world.vouchers)
    columns = (
        "source_id, reference, hold_type, authority, ground, disclosable, subject_key, datasets, record_key,"
        " period_from, period_to, ends_on, placed_at, placed_by, released_at"
    )
    holds = [
        {
            "source_id": "test",
            "reference": f"hold-{n}",
            "hold_type": one.hold_type,
            "authority": hotel.HOLD_TYPES[one.hold_type],
            "ground": "test",
            "disclosable": one.hold_type != "COURT",
            "subject_key": None if one.subject is None else str(one.subject),
            "datasets": one.datasets,
            "record_key": one.record_key,
            "period_from": one.period_from,
            "period_to": one.period_to,
            "ends_on": one.ends_on,
            "placed_at": PLANNED_AT - dt.timedelta(days=9),
            "placed_by": "test",
            "released_at": released_at[one.released],
        }
        for n, one in enumerate(world.holds)
    ]
    insert(connection, "holdfast.hold", holds, columns)


def insert(connection: sa.Connection, table: str, rows: list[Any], columns: str = "", *, overriding: str = "") -> None:
    """Insert rows in one statement; columns that they do not have stay empty."""
    listed, chosen = (f"({columns})", columns) if columns else ("", "*")
    statement = (
        f"INSERT INTO {table} {listed} {overriding} SELECT {chosen} FROM json_populate_recordset(NULL::{table}, :rows)"
    )
    text = json.dumps(rows, default=_written)
    connection.execute(sa.text(statement.replace("::", "\\:\\:")), {"rows": text})


def _written(value: object) -> str:
    """As PostgreSQL reads it."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return {ENDLESS: "infinity", AGES_AGO: "-infinity"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]
