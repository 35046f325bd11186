"""The right database or none, migrations that are only ever added to, and transactions that see what they say."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast import embedded, queries, settings
from holdfast.errors import DatabaseUnreachable, MigrationError, SettingsError
from holdfast.settings import Settings


def settings_for(engine: sa.Engine | str, tmp_path: Path) -> Settings:
    url = engine if isinstance(engine, str) else engine.url.render_as_string(hide_password=False)
    return Settings(tmp_path / "home", settings.load().project, url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations."""
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_one.sql").write_text("CREATE TABLE holdfast.one (n integer); -- 100% :sure\n", encoding="utf-8")
    (made / "0002_two.sql").write_text("CREATE TABLE holdfast.two (n integer);", encoding="utf-8")
    return made


# --- connecting -------------------------------------------------------------------------------------------------


def test_a_configured_database_is_used_and_no_other_is_started(empty_database: sa.Engine, tmp_path: Path) -> None:
    engine = hf_database.connect(settings_for(empty_database, tmp_path))
    assert engine.url.database == empty_database.url.database
    assert not (tmp_path / "home").exists()
    engine.dispose()


def test_a_configured_database_that_does_not_answer_is_never_replaced(tmp_path: Path) -> None:
    silent = settings_for("postgresql://keeper:s3cret@127.0.0.1:9/provider", tmp_path)
    with pytest.raises(DatabaseUnreachable, match="does not answer") as caught:
        hf_database.connect(silent)
    assert "s3cret" not in str(caught.value)
    assert settings.DATABASE_URL in caught.value.fix
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "url",
    ["s3cret", "postgresql:/s3cret", "postgresql://keeper:s3cret@127.0.0.1:port/provider", "sqlite:///s3cret",
     "mysql://keeper:s3cret@127.0.0.1/provider", "postgresql+psycopg2://keeper:s3cret@127.0.0.1/provider"],
)  # fmt: skip
def test_what_is_no_url_of_postgresql_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(SettingsError, match=settings.DATABASE_URL) as caught:
        hf_database.engine_for(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_way_to_write_a_postgresql_url_uses_the_same_driver(scheme: str) -> None:
    engine = hf_database.engine_for(f"{scheme}://127.0.0.1:9/provider")
    assert engine.url.drivername == "postgresql+psycopg"


def test_sessions_speak_utc_and_say_who_they_are(empty_database: sa.Engine) -> None:
    with empty_database.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in ("timezone", "jit", "application_name")
        ]
    assert shown == ["UTC", "off", "holdfast"]


@pytest.mark.parametrize(("query", "seconds"), [("", "30"), ("?keepalives_idle=7", "7")])
def test_a_server_that_vanishes_is_given_up_before_two_hours_unless_the_url_says_otherwise(
    postgres_url_for: Callable[[str], str], query: str, seconds: str
) -> None:
    url = sa.make_url(postgres_url_for(embedded.ADMIN_DATABASE)).update_query_string(query.removeprefix("?"))
    engine = hf_database.engine_for(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert driver.info.get_parameters()["keepalives_idle"] == seconds
    engine.dispose()


def test_a_session_that_was_ended_because_its_machine_stood_still_may_be_tried_again(empty_database: sa.Engine) -> None:
    with empty_database.connect() as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        time.sleep(0.5)
        with pytest.raises(sa.exc.DBAPIError) as ended:
            connection.exec_driver_sql("SELECT 1")
        assert hf_database.may_pass(ended.value)
    with empty_database.connect() as connection:
        with pytest.raises(sa.exc.DBAPIError) as wrong:
            connection.exec_driver_sql("SELECT 1 / 0")
        assert not hf_database.may_pass(wrong.value)


def test_the_embedded_server_s_log_quotes_no_row(empty_database: sa.Engine) -> None:
    with empty_database.connect() as connection:
        folder = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
        for statement in (
            "SELECT cast('Ada Lovelace' AS integer)",
            "DO $$ BEGIN RAISE EXCEPTION 'Ada Lovelace' USING DETAIL = 'Ada Lovelace'; END $$",
            "DO $$ BEGIN RAISE WARNING 'Ada Lovelace'; END $$; SELECT 1 / 0",
        ):
            with pytest.raises(sa.exc.DBAPIError):
                connection.exec_driver_sql(statement)
            connection.rollback()
    log = (folder / "log").read_text()
    assert "ready to accept connections" in log
    assert "Lovelace" not in log


# --- migrations -------------------------------------------------------------------------------------------------


def test_migrations_are_applied_once_and_in_order(empty_database: sa.Engine, folder: Path) -> None:
    assert hf_database.migrate(empty_database, folder) == ["0001_one", "0002_two"]
    assert hf_database.migrate(empty_database, folder) == []
    (folder / "0003_three.sql").write_text("CREATE TABLE holdfast.three (n integer);", encoding="utf-8")
    assert hf_database.migrate(empty_database, folder) == ["0003_three"]


def test_a_migration_that_fails_leaves_nothing_of_any(empty_database: sa.Engine, folder: Path) -> None:
    (folder / "0002_two.sql").write_text("CREATE TABLE holdfast.two (n integer); SELECT 1/0;", encoding="utf-8")
    with pytest.raises(Exception, match="division by zero"):
        hf_database.migrate(empty_database, folder)
    assert not sa.inspect(empty_database).has_table("one", schema="holdfast")


def test_a_migration_that_was_changed_afterwards_is_refused(empty_database: sa.Engine, folder: Path) -> None:
    hf_database.migrate(empty_database, folder)
    (folder / "0001_one.sql").write_text("CREATE TABLE holdfast.one (n bigint);", encoding="utf-8")
    with pytest.raises(MigrationError, match="0001_one is not the one that was applied"):
        hf_database.migrate(empty_database, folder)


def test_a_database_of_a_newer_version_is_refused(empty_database: sa.Engine, folder: Path) -> None:
    hf_database.migrate(empty_database, folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(MigrationError, match="has the migration 0002_two, which this version does not know"):
        hf_database.migrate(empty_database, folder)


def test_two_that_migrate_at_once_do_it_once(empty_database: sa.Engine, folder: Path) -> None:
    applied: list[list[str]] = []
    at_once = [
        threading.Thread(target=lambda: applied.append(hf_database.migrate(empty_database, folder))) for _ in range(4)
    ]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert sorted(applied) == [[], [], [], ["0001_one", "0002_two"]]


def test_work_begins_only_on_a_database_with_all_migrations(empty_database: sa.Engine, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(settings.load().sql / "migrations", project / "sql" / "migrations")
    url = empty_database.url.render_as_string(hide_password=False)
    ours = Settings(tmp_path / "home", project, url)
    with pytest.raises(MigrationError):
        hf_database.connect_migrated(ours)
    hf_database.migrate(empty_database, ours.sql / "migrations")
    hf_database.connect_migrated(ours).dispose()
    (ours.sql / "migrations" / "9999_later.sql").write_text("SELECT 1", encoding="utf-8")
    with pytest.raises(MigrationError):
        hf_database.connect_migrated(ours)


def test_the_migrations_make_the_same_schema_twice(database: sa.Engine) -> None:
    """Applying them again changes nothing: what a database has does not depend on when it was made."""
    assert hf_database.migrate(database, settings.load().sql / "migrations") == []


# --- transactions -----------------------------------------------------------------------------------------------


@pytest.fixture
def counter(empty_database: sa.Engine) -> sa.Engine:
    with empty_database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter AS SELECT 0 AS n")
    return empty_database


def read(connection: sa.Connection) -> int:
    return int(connection.execute(sa.text("SELECT n FROM counter")).scalar_one())


def count(engine: sa.Engine) -> None:
    with hf_database.transaction(engine) as connection:
        connection.exec_driver_sql("UPDATE counter SET n = n + 1")


def test_what_the_migrations_make_is_all_our_own(database: sa.Engine) -> None:
    """Otherwise an empty database would count as somebody's, and `holdfast run` give it no invented provider."""
    with database.connect() as connection:
        assert queries.run(connection, "night/foreign_tables").scalar_one() == 0
        connection.exec_driver_sql("CREATE TABLE public.theirs ()")
        assert queries.run(connection, "night/foreign_tables").scalar_one() == 1


def test_a_transaction_sees_what_was_committed_before_each_statement(counter: sa.Engine) -> None:
    with hf_database.transaction(counter) as connection:
        assert read(connection) == 0
        count(counter)
        assert read(connection) == 1


def test_a_snapshot_sees_one_moment(counter: sa.Engine) -> None:
    with hf_database.snapshot(counter) as connection:
        assert read(connection) == 0
        count(counter)
        assert read(connection) == 0


@pytest.mark.parametrize("begin", [hf_database.transaction, hf_database.snapshot])
def test_an_error_takes_everything_back(
    counter: sa.Engine, begin: Callable[[sa.Engine], AbstractContextManager[sa.Connection]]
) -> None:
    def fail() -> None:
        with begin(counter) as connection:
            connection.exec_driver_sql("UPDATE counter SET n = 9")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with counter.connect() as connection:
        assert read(connection) == 0


def test_a_connection_goes_back_to_the_pool_as_it_came(counter: sa.Engine) -> None:
    with hf_database.snapshot(counter):
        pass
    with counter.connect() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar_one() == "read committed"


def test_a_script_runs_as_it_stands(empty_database: sa.Engine) -> None:
    with empty_database.begin() as connection:
        hf_database.run_script(connection, "CREATE TABLE t (word text); INSERT INTO t VALUES ('100% :x {y}');")
        assert connection.exec_driver_sql("SELECT word FROM t").scalar_one() == "100% :x {y}"
