"""What a rule looks up for a large provider: by hash where it is asked of many records, by index where of few."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from tests.holdfast.emergency_data.conftest import DAY, PROVIDER, Desk

from holdfast.emergency_data import conditions, suite_run
from holdfast.synthetic import emergency as synthetic

NUMBERS = 300_000


@pytest.fixture(scope="module")
def large(desk: Desk) -> Desk:
    """A provider of 300,000 numbers, all registered, with a delta of a hundred records."""
    desk.execute(
        "INSERT INTO emergency.number_record (provider, number, state, sequence, line_no, submitted_at, filled)"
        " SELECT :provider, '+44' || (1632000000 + n), 'registered', 1, n, now(), 0 FROM generate_series(1, :n) AS n",
        provider=PROVIDER,
        n=NUMBERS,
    )
    desk.execute(
        "INSERT INTO emergency.inventory (number, provider, is_live, calls_999, erased)"
        " SELECT number, provider, true, true, false FROM emergency.number_record ON CONFLICT DO NOTHING"
    )
    desk.execute("ANALYZE emergency.number_record, emergency.inventory")
    desk.put([synthetic.record(n, DAY, action="A") for n in range(100)])
    return desk


def plan(desk: Desk, query: sa.Select[tuple[int]], options: str = "") -> str:
    """How the database would answer over a connection with these settings."""
    text = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    engine = sa.create_engine(desk.engine.url, connect_args={"options": options})
    try:
        with engine.connect() as connection:
            return "\n".join(connection.exec_driver_sql("EXPLAIN " + text).scalars())
    finally:
        engine.dispose()


def test_a_delta_looks_up_the_states_of_its_own_numbers_only(large: Desk) -> None:
    """In the pass and in the library's look; all states in memory would grow with the provider."""
    records = large.table
    fits = conditions.fits_state(records.c.number_e164, records.c.action, PROVIDER, "DELTA", records)
    for query in (conditions.misfits(records, PROVIDER), sa.select(sa.func.count()).where(sa.not_(fits))):
        planned = plan(large, query)
        assert "Index Scan using number_record_pkey" in planned
        assert "Seq Scan on number_record" not in planned


def test_the_library_looks_numbers_up_by_hash_as_the_pass_does(large: Desk) -> None:
    known = conditions.in_inventory(large.table.c.number_e164)
    query = sa.select(sa.func.count()).where(sa.not_(known))
    assert "hashed SubPlan" not in plan(large, query), "by the server's default it would go through all for each record"
    assert "hashed SubPlan" in plan(large, query, suite_run._IN_MEMORY)
