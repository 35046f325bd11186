"""The policy against a live database: each thing that could make a run miss data, or destroy too much, is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.holdfast.policy import bad_databases, bad_files, shop
from tests.holdfast.policy.shop import Edit, Expected, agrees, edited, policy_of

from holdfast import settings
from holdfast.errors import CoverageError, PolicyError
from holdfast.evidence import pseudonyms
from holdfast.policy import fitness
from holdfast.policy.consistency import overdue_reviews
from holdfast.policy.coverage import check_database, require_coverage
from holdfast.policy.load import load_policy
from holdfast.policy.problems import Check, DatabaseNotCovered, Problem

TODAY = dt.date(2026, 11, 24)
SMALL_POLICY = policy_of(shop.TEXTS)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose hold sources are the shop's; its own queries are the real ones."""
    sql = tmp_path / "project" / "sql"
    holds = sql / "provider" / "holds"
    holds.mkdir(parents=True)
    (sql / "policy").symlink_to(settings.load().sql / "policy")
    for name in ("till", "till_freshness"):
        (holds / f"{name}.sql").write_text("-- read by nobody here\n")
    monkeypatch.setenv(settings.PROJECT, str(sql.parent))
    return sql.parent


@pytest.fixture(scope="module")
def shop_engine(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Engine]:
    with fresh_database(migrated=False) as engine:
        yield engine


@pytest.fixture
def shop_database(project: Path, shop_engine: sa.Engine) -> Iterator[sa.Connection]:
    """The shop's tables, as the small policy describes them, in a transaction that is never committed."""
    with shop_engine.connect() as connection:
        connection.exec_driver_sql(shop.DATABASE)
        yield connection


def check(connection: sa.Connection, *edits: Edit, as_of: dt.date = TODAY) -> tuple[Problem, ...]:
    return check_database(policy_of(edited(*edits)), connection, as_of)


def test_the_small_policy_covers_its_database(shop_database: sa.Connection) -> None:
    assert check(shop_database) == ()
    require_coverage(policy_of(shop.TEXTS), shop_database, TODAY)


@pytest.mark.parametrize(
    ("statements", "edits", "expected"),
    [case[1:] for case in bad_databases.CASES],
    ids=[case[0] for case in bad_databases.CASES],
)
def test_each_danger_is_named_with_place_and_fix(
    shop_database: sa.Connection, statements: str, edits: tuple[Edit, ...], expected: tuple[Expected, ...]
) -> None:
    shop_database.exec_driver_sql(statements)
    agrees(check(shop_database, *edits), expected, edited(*edits))


def test_every_check_is_tried() -> None:
    cases = [expected for case in bad_files.CASES for expected in case[2]]
    cases += [expected for case in bad_databases.CASES for expected in case[3]]
    elsewhere = {Check.UNREADABLE, Check.ROW_SECURITY}  # test_load.py; below, as it takes another role
    assert {expected.check for expected in cases} | elsewhere == set(Check)


def test_all_findings_are_raised_together(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql("ALTER TABLE shop.photo ADD face bytea; CREATE TABLE shop.extra (n int)")
    with pytest.raises(CoverageError) as refused:
        require_coverage(policy_of(shop.TEXTS), shop_database, TODAY)
    assert isinstance(refused.value, DatabaseNotCovered)
    assert isinstance(refused.value, PolicyError)
    assert [p.rule for p in refused.value.problems] == [Check.TABLE_UNREGISTERED, Check.COLUMN_UNREGISTERED]
    assert str(refused.value).startswith("2 problems in the policy against the database; the first is P402 at")


def test_rows_hidden_from_the_role_that_checks_are_found(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql(
        "ALTER TABLE shop.photo ENABLE ROW LEVEL SECURITY; CREATE ROLE clerk; GRANT USAGE ON SCHEMA shop TO clerk;"
    )
    assert check(shop_database) == ()  # a superuser sees every row
    shop_database.exec_driver_sql("SET LOCAL ROLE clerk")
    expected = Expected(
        Check.ROW_SECURITY,
        "data_map.yaml",
        "table: shop.photo",
        "datasets.photos.table",
        "row security hides rows of shop.photo",
        "BYPASSRLS",
    )
    agrees(check(shop_database), [expected], shop.TEXTS)


def test_a_role_without_any_rights_sees_the_same_findings(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql("CREATE TABLE shop.extra (n int); CREATE ROLE guest")
    found = check(shop_database)
    shop_database.exec_driver_sql("SET LOCAL ROLE guest")
    assert check(shop_database) == found
    assert [p.rule for p in found] == [Check.TABLE_UNREGISTERED]


def test_partitions_are_no_tables_of_their_own_until_they_are_detached(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql(
        "DROP TABLE shop.photo;"
        "CREATE TABLE shop.photo (photo_id uuid, purchase_id bigint, line_no integer, taken_on date, url text,"
        " PRIMARY KEY (photo_id, taken_on)) PARTITION BY RANGE (taken_on);"
        "CREATE TABLE shop.photo_old PARTITION OF shop.photo FOR VALUES FROM (MINVALUE) TO ('2026-01-01');"
        "CREATE TABLE shop.photo_new PARTITION OF shop.photo DEFAULT"
    )
    by_day = Edit("data_map.yaml", "key: [photo_id]", "key: [taken_on, photo_id]")
    assert check(shop_database, by_day) == ()
    shop_database.exec_driver_sql("ALTER TABLE shop.photo DETACH PARTITION shop.photo_old")
    assert [(p.rule, "shop.photo_old" in p.what) for p in check(shop_database, by_day)] == [
        (Check.TABLE_UNREGISTERED, True)
    ]


def test_a_trigger_of_a_partition_counts_for_its_table(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql(
        "DROP TABLE shop.photo;"
        "CREATE TABLE shop.photo (photo_id uuid, purchase_id bigint, line_no integer, taken_on date, url text,"
        " PRIMARY KEY (photo_id, taken_on)) PARTITION BY RANGE (taken_on);"
        "CREATE TABLE shop.photo_all PARTITION OF shop.photo DEFAULT;"
        "CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER quiet BEFORE DELETE ON shop.photo_all FOR EACH ROW EXECUTE FUNCTION shop.nothing()"
    )
    by_day = Edit("data_map.yaml", "key: [photo_id]", "key: [taken_on, photo_id]")
    assert [(p.rule, p.path) for p in check(shop_database, by_day)] == [(Check.TRIGGER, "datasets.photos.table")]


@pytest.mark.parametrize(
    "statements",
    [
        # disabled; for insertions alone; an update trigger of a table that is only deleted from; one that was looked at
        "CREATE TRIGGER quiet BEFORE DELETE ON shop.photo FOR EACH ROW EXECUTE FUNCTION shop.nothing();"
        "ALTER TABLE shop.photo DISABLE TRIGGER quiet",
        "CREATE TRIGGER quiet BEFORE INSERT ON shop.photo FOR EACH ROW EXECUTE FUNCTION shop.nothing()",
        "CREATE TRIGGER quiet BEFORE UPDATE ON shop.photo FOR EACH ROW EXECUTE FUNCTION shop.nothing()",
        "CREATE TRIGGER known BEFORE DELETE ON shop.item FOR EACH ROW EXECUTE FUNCTION shop.nothing()",
    ],
)
def test_a_trigger_that_does_no_harm_is_no_finding(shop_database: sa.Connection, statements: str) -> None:
    shop_database.exec_driver_sql(
        "CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER known BEFORE DELETE ON shop.purchase FOR EACH ROW EXECUTE FUNCTION shop.nothing();" + statements
    )
    accepted = [
        Edit(
            "data_map.yaml",
            f"table: shop.{table}\n",
            f"table: shop.{table}\n    triggers: {{known: Counts deletions.}}\n",
        )
        for table in (("purchase", "item") if "shop.item" in statements else ("purchase",))
    ]
    assert check(shop_database, *accepted) == ()


def test_a_unique_key_without_nulls_will_do_for_a_primary_key(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql(
        "ALTER TABLE shop.photo DROP CONSTRAINT photo_pkey; ALTER TABLE shop.photo ALTER photo_id SET NOT NULL;"
        "ALTER TABLE shop.photo ADD UNIQUE (photo_id)"
    )
    assert check(shop_database) == ()


def test_integers_of_different_width_link(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql("ALTER TABLE shop.item ALTER purchase_id TYPE integer")
    assert check(shop_database) == ()


def test_an_enumeration_is_compared_with_text(shop_database: sa.Connection) -> None:
    shop_database.exec_driver_sql(
        "CREATE TYPE shop.channel AS ENUM ('web');ALTER TABLE shop.purchase ALTER channel TYPE shop.channel USING 'web'"
    )
    where = Edit(
        "retention_schedule.yaml",
        "    dataset: purchases\n",
        "    dataset: purchases\n    where: [{column: channel, is_in: [web]}]\n",
    )
    assert check(shop_database, where) == ()


@given(days=st.integers(-3000, 3000))
def test_an_exemption_counts_to_the_end_of_its_day_of_review(days: int) -> None:
    day = dt.date(2030, 6, 30) + dt.timedelta(days=days)
    assert bool(list(overdue_reviews(SMALL_POLICY, day))) == (days > 0)


def test_the_length_of_a_pseudonym_is_the_one_that_is_written() -> None:
    assert len(pseudonyms.pseudonym(bytes(32), "statistics", "anything")) == fitness.PSEUDONYM_LENGTH


def test_the_shipped_policy_covers_the_synthetic_provider(empty_database: sa.Engine) -> None:
    loaded = settings.load()
    with empty_database.begin() as connection:
        connection.exec_driver_sql((loaded.sql / "provider" / "schema.sql").read_text(encoding="utf-8"))
        assert [str(p) for p in check_database(load_policy(loaded.policy), connection, TODAY)] == []
