"""The provider's hold sources: each has the declared shape, unique references, and a row for every type of hold."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from holdfast import queries
from holdfast.synthetic import provider

COLUMNS = {
    "reference": 25, "hold_type": 25, "subject_key": 25, "datasets": 1009, "record_key": 25, "period_from": 1082,
    "period_to": 1082, "ground": 25, "disclosable": 16, "ends_on": 1082, "review_on": 1082,
}  # fmt: skip
"""Column -> the type's number in PostgreSQL: text 25, text[] 1009, date 1082, boolean 16."""

TYPES = {
    "billing": {"BILLING_OPEN_BALANCE", "BILLING_DISPUTE", "BILLING_UNBILLED_USAGE", "BILLING_REFUND_OPEN"},
    "tax": {"TAX_VAT", "TAX_CT"},
    "audit": {"AUDIT"},
    "legal": {"LITIGATION", "REGULATOR", "LE_PRESERVATION", "IPA_NOTICE", "FRAUD_INVESTIGATION", "COMPLAINT_ADR"},
    "service": {"EMERGENCY_999_LIVE", "NUMBER_PORTING", "NUMBER_QUARANTINE", "SUSPENSION_REVIEW"},
}
TODAY = dt.date(2026, 9, 21)


def holds(connection: sa.Connection, source: str, today: dt.date = TODAY) -> list[sa.Row[*tuple[Any, ...]]]:
    return list(queries.run(connection, f"provider/holds/{source}", {"as_of": today}))


@pytest.mark.parametrize("source", TYPES)
def test_a_source_has_the_declared_shape(small: sa.Engine, source: str) -> None:
    with small.connect() as connection:
        result = queries.run(connection, f"provider/holds/{source}", {"as_of": TODAY})
        described = {column[0]: column[1] for column in result.cursor.description}
    assert described == COLUMNS


@pytest.mark.parametrize("source", TYPES)
def test_a_source_yields_all_its_types_under_unique_opaque_references(small: sa.Engine, source: str) -> None:
    with small.connect() as connection:
        rows = holds(connection, source)
    assert {row.hold_type for row in rows} == TYPES[source]
    references = [row.reference for row in rows]
    assert len(set(references)) == len(references)
    assert [one for one in references if not re.match(r"^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$", one)] == []
    assert all(row.period_from < row.period_to for row in rows if row.period_from and row.period_to)
    assert all(len(row.datasets) == 1 for row in rows if row.record_key is not None)
    assert all(row.ends_on >= TODAY for row in rows if row.ends_on is not None)


def test_notices_and_preservation_for_authorities_are_not_disclosable(small: sa.Engine) -> None:
    with small.connect() as connection:
        rows = holds(connection, "legal")
    secret = {row.hold_type for row in rows if not row.disclosable}
    assert secret == {"LE_PRESERVATION", "IPA_NOTICE", "FRAUD_INVESTIGATION"}
    assert not any(row.disclosable for row in rows if row.hold_type in secret)


def test_legal_holds_come_in_every_scope(small: sa.Engine) -> None:
    with small.connect() as connection:
        rows = holds(connection, "legal")
    scopes = {(row.subject_key is not None, row.datasets is not None, row.period_from is not None) for row in rows}
    assert {(True, False, False), (True, True, False), (True, True, True), (False, True, True)} <= scopes


def test_a_tax_year_is_held_for_six_years_after_its_end_and_longer_while_an_enquiry_is_open(small: sa.Engine) -> None:
    with small.connect() as connection:
        rows = {row.reference: row for row in holds(connection, "tax")}
    year = rows["tax-ct-2021"]
    assert (year.period_from, year.period_to) == (dt.date(2020, 4, 1), dt.date(2021, 4, 1))
    assert year.ends_on == dt.date(2027, 3, 31)
    assert year.subject_key is None
    assert "tax-ct-2020" not in rows, "six years are over"
    assert rows["tax-ct-2016"].ends_on is None, "an enquiry into it is open"


def test_a_hold_counts_on_its_last_day_and_not_on_the_next(small: sa.Engine) -> None:
    with small.connect() as connection:
        ending = {row.reference for row in holds(connection, "legal") if row.ends_on == TODAY}
        next_day = {row.reference for row in holds(connection, "legal", TODAY + dt.timedelta(days=1))}
    assert ending
    assert ending & next_day == set()


@pytest.mark.parametrize("source", TYPES)
def test_a_source_says_when_it_was_last_complete(small: sa.Engine, source: str) -> None:
    with small.connect() as connection:
        row = queries.run(connection, f"provider/holds/{source}_freshness").one()
        assert isinstance(row.loaded_at, dt.datetime)


def test_a_delivery_makes_every_source_fresh(database: sa.Engine, tmp_path: Path, as_of: dt.datetime) -> None:
    provider.make(database, accounts=0, seed=1, as_of=as_of, objects=tmp_path)
    later = dt.datetime(2026, 9, 24, 0, 15, tzinfo=dt.UTC)
    provider.deliver_feeds(database, later)
    with database.connect() as connection:
        told = {queries.run(connection, f"provider/holds/{source}_freshness").one().loaded_at for source in TYPES}
    assert told == {later}


def test_a_source_that_never_delivered_says_so(small: sa.Engine) -> None:
    with small.connect() as connection:
        connection.execute(sa.text("DELETE FROM provider.feed"))
        assert queries.run(connection, "provider/holds/billing_freshness").one().loaded_at is None
        connection.rollback()


def test_about_three_accounts_in_a_hundred_are_held_besides_live_numbers(
    database: sa.Engine, tmp_path: Path, as_of: dt.datetime
) -> None:
    provider.make(database, accounts=3000, seed=1, as_of=as_of, objects=tmp_path, calls_per_account=10)
    with database.connect() as connection:
        held = {
            row.subject_key
            for source in ("billing", "audit", "legal")
            for row in holds(connection, source)
            if row.subject_key is not None and int(row.subject_key) > 1000
        }
    assert 0.02 < len(held) / 3000 < 0.04


def test_a_pending_review_is_held_and_a_number_given_up_without_a_cease_is_told(small: sa.Engine) -> None:
    with small.connect() as connection:
        reviews = {row.subject_key for row in holds(connection, "service") if row.hold_type == "SUSPENSION_REVIEW"}
        live = {row.record_key for row in holds(connection, "service") if row.hold_type == "EMERGENCY_999_LIVE"}
        keys = {"subject_keys": [str(account) for account in range(1, 50)]}
        ceases = {
            row.record_key: (row.is_ceased, row.is_acknowledged)
            for row in queries.run(connection, "provider/emergency_ceases", keys)
        }
    assert "33" in reviews
    assert {"19", "12"} & reviews == set(), "their reviews were decided"
    assert ceases["34"] == (False, False)
    assert ceases["30"] == (True, False)
    assert ceases["1"] == (True, True)
    assert {"30", "34"} <= live
