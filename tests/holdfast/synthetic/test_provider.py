"""The provider is invented, complete, the same for each seed, and of the size asked for."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import wave
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlparse

import pytest
import sqlalchemy as sa
from tests.holdfast.synthetic.tables import fingerprint, found_in, table_names

from holdfast.errors import HoldfastError
from holdfast.synthetic import provider

# Ofcom, "Telephone numbers for use in TV and radio drama programmes": each followed by three digits.
DRAMA_RANGES = (
    "1632960", "2079460", "1134960", "1144960", "1154960", "1164960", "1174960", "1184960", "1214960", "1314960",
    "1414960", "1514960", "1614960", "1914980", "2896496", "2920180", "7700900", "8081570", "9098790", "3069990",
)  # fmt: skip
DRAMA_NUMBER = re.compile(r"^\+44(" + "|".join(DRAMA_RANGES) + r")\d{3}$")
DOCUMENTATION_NETWORKS = [
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_the_same_seed_makes_the_same_provider_and_another_seed_another(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, as_of: dt.datetime
) -> None:
    def fingerprints(engine: sa.Engine, seed: int) -> dict[str, tuple[int, str | None]]:
        provider.make(engine, accounts=40, seed=seed, as_of=as_of, objects=tmp_path)
        return {table: fingerprint(engine, table) for table in table_names(engine)}

    with fresh_database() as one, fresh_database() as two, fresh_database() as other:
        first, second, third = fingerprints(one, 5), fingerprints(two, 5), fingerprints(other, 6)
    assert first == second
    assert first["contact"] != third["contact"]
    assert first["call_detail_record"] != third["call_detail_record"]


def test_every_table_has_rows(small: sa.Engine) -> None:
    assert [table for table in table_names(small) if fingerprint(small, table)[0] == 0] == []


def test_telephone_numbers_are_those_set_aside_for_drama(small: sa.Engine) -> None:
    numbers: set[str] = set()
    for table in table_names(small):
        numbers |= found_in(small, table, r"(\+44[0-9]+)")
        assert found_in(small, table, r"\m(0[1-9][0-9]{8,9})\M") == set(), "none is written the national way"
    assert {number for number in numbers if not DRAMA_NUMBER.match(number)} == set()
    assert len({number[:6] for number in numbers}) > 10, "numbers come from several ranges"


def test_inventory_numbers_are_all_different_up_to_the_last_there_is(small: sa.Engine) -> None:
    with small.connect() as connection:
        count = connection.execute(
            sa.text("SELECT count(DISTINCT provider.synthetic_number(n)) FROM generate_series(0, 19999) AS n")
        ).scalar_one()
    assert count == 20_000


def test_addresses_are_reserved_ones(small: sa.Engine) -> None:
    mail: set[str] = set()
    postcodes: set[str] = set()
    for table in table_names(small):
        mail |= found_in(small, table, r"[A-Za-z0-9._]+@([A-Za-z0-9.-]+)")
        postcodes |= found_in(small, table, r"\m([A-Z]{1,2}[0-9]{1,2}[A-Z]? [0-9][A-Z]{2})\M")
    assert {domain for domain in mail if not re.search(r"(^|\.)example\.(com|org|net)$", domain)} == set()
    assert {code for code in postcodes if code[:2] not in ("ZY", "AA")} == set()
    assert postcodes
    with small.connect() as connection:
        ips = connection.execute(
            sa.text(
                "SELECT ip FROM provider.login_event UNION SELECT ip FROM provider.api_request_log"
                " UNION SELECT ip FROM provider.consent"
            )
        ).scalars()
        assert [str(ip) for ip in ips if not any(ip in network for network in DOCUMENTATION_NETWORKS)] == []


def test_foreign_keys_hold_and_none_deletes_on_its_own(small: sa.Engine) -> None:
    with small.connect() as connection:
        keys = connection.execute(
            sa.text(
                "SELECT conname, convalidated, confdeltype FROM pg_constraint"
                " WHERE contype = 'f' AND connamespace = 'provider'::regnamespace"
            )
        ).all()
        orphans = connection.execute(
            sa.text(
                "SELECT count(*) FROM provider.call_detail_record AS call WHERE NOT EXISTS"
                " (SELECT FROM provider.account WHERE account.account_id = call.account_id)"
            )
        ).scalar_one()
    assert len(keys) > 25
    assert [key.conname for key in keys if not key.convalidated or key.confdeltype != "a"] == []
    assert orphans == 0, "calls have no foreign key, and still an account"


def test_every_table_is_explained(small: sa.Engine) -> None:
    with small.connect() as connection:
        bare = connection.execute(
            sa.text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'provider'::regnamespace AND NOT relispartition"
                " AND relkind IN ('r', 'p', 'v') AND obj_description(oid, 'pg_class') IS NULL"
            )
        ).scalars()
        assert list(bare) == []


def test_counts_grow_with_the_accounts_asked_for(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path: Path, as_of: dt.datetime
) -> None:
    with fresh_database() as one, fresh_database() as two:
        few = provider.make(one, accounts=200, seed=1, as_of=as_of, objects=tmp_path / "1", calls_per_account=3)
        many = provider.make(two, accounts=400, seed=1, as_of=as_of, objects=tmp_path / "2", calls_per_account=3)
    assert many["account"] - few["account"] == 200
    assert many["call_detail_record"] - few["call_detail_record"] == 600
    for table in ("invoice", "payment", "login_event", "message", "number_assignment", "disclosure"):
        assert 1.7 < many[table] / few[table] < 2.1, table


def test_nobody_is_needed_for_the_known_answers(database: sa.Engine, tmp_path: Path, as_of: dt.datetime) -> None:
    made = provider.make(database, accounts=0, seed=1, as_of=as_of, objects=tmp_path)
    assert made["synthetic_cohort"] > 200
    assert made["account"] < 50


def test_months_of_calls_reach_back_twenty_months(small: sa.Engine) -> None:
    with small.connect() as connection:
        parts = connection.execute(
            sa.text(
                "SELECT inhrelid::regclass::text FROM pg_inherits"
                " WHERE inhparent = 'provider.call_detail_record'::regclass ORDER BY 1"
            )
        ).scalars()
        names = list(parts)
    assert names[0] == "provider.call_detail_record_y2025m01"
    assert names[-1] == "provider.call_detail_record_y2026m10"
    assert len(names) == 22


def test_a_recording_is_a_file_that_plays(small: sa.Engine) -> None:
    with small.connect() as connection:
        urls = list(connection.execute(sa.text("SELECT file_url FROM provider.call_recording")).scalars())
    assert urls
    for url in urls:
        assert url.startswith("file:///")
        with wave.open(urlparse(url).path) as file:
            assert file.getframerate() == 8000
            assert file.getnframes() > 0


def test_the_future_holds_only_the_rows_that_are_about_it(small: sa.Engine, as_of: dt.datetime) -> None:
    with small.connect() as connection:
        columns = connection.execute(
            sa.text(
                "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
                " WHERE relnamespace = 'provider'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
                " AND atttypid = 'timestamptz'::regtype AND attnum > 0"
            )
        ).all()
        ahead = {
            f"{table}.{column}": connection.execute(
                sa.text(f"SELECT count(*) FROM provider.{table} WHERE {column} > :as_of"),
                {"as_of": as_of},
            ).scalar_one()
            for table, column in columns
        }
    assert {column: rows for column, rows in ahead.items() if rows > 1} == {}


def test_progress_names_each_table_with_its_rows(database: sa.Engine, tmp_path: Path, as_of: dt.datetime) -> None:
    told: dict[str, int] = {}
    made = provider.make(
        database,
        accounts=8,
        seed=1,
        as_of=as_of,
        objects=tmp_path,
        progress=lambda table, rows: told.update({table: rows}),
    )
    assert tuple(told) == provider.TABLES
    assert told.items() <= made.items()


def test_two_providers_are_never_mixed_and_one_can_be_dropped(
    database: sa.Engine, tmp_path: Path, as_of: dt.datetime
) -> None:
    assert provider.is_empty(database)
    provider.make(database, accounts=4, seed=1, as_of=as_of, objects=tmp_path)
    assert not provider.is_empty(database)
    with pytest.raises(HoldfastError, match="already"):
        provider.make(database, accounts=4, seed=2, as_of=as_of, objects=tmp_path)
    assert list(tmp_path.rglob("*.wav"))
    provider.drop(database, tmp_path)
    assert provider.is_empty(database)
    assert not list(tmp_path.rglob("*.wav"))
    provider.make(database, accounts=4, seed=2, as_of=as_of, objects=tmp_path)


def test_an_instant_without_a_time_zone_is_refused(database: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        provider.make(database, accounts=4, seed=1, as_of=dt.datetime(2026, 9, 21), objects=tmp_path)  # noqa: DTZ001


def test_rows_made_later_do_not_collide(small: sa.Engine) -> None:
    with small.connect() as connection:
        new = connection.execute(
            sa.text(
                "INSERT INTO provider.account (kind, status, opened_at) VALUES ('individual', 'active', now())"
                " RETURNING account_id"
            )
        ).scalar_one()
        connection.rollback()
    assert new > 1_000_000_000
