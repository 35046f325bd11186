"""What a person or a server can mend ends in one line with its fix and exit code 1, and quotes no row."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from holdfast import cli, settings
from holdfast import database as hf_database


def refused(*words: str) -> str:
    """The one line that the command ends with."""
    result = CliRunner().invoke(cli.app, list(words))
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit), "no traceback"
    assert " Fix: " in result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture
def provider(database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """A migrated database, which the settings name."""
    monkeypatch.setenv(settings.DATABASE_URL, database.url.render_as_string(hide_password=False))
    return database


def test_a_malformed_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, "postgresql://keeper:s3cret@[nowhere")
    assert "s3cret" not in refused("migrate")
    monkeypatch.setenv(settings.DATABASE_URL, "localhost")
    assert refused("migrate").startswith("SettingsError: HOLDFAST_DATABASE_URL is not the URL")


@pytest.mark.parametrize("words", [("run", "--exit"), ("migrate",), ("hold", "list")])
def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(settings.HOME, str(tmp_path / "file" / "home"))
    line = refused(*words)
    assert line.startswith("NotADirectoryError: Not a directory (")
    assert settings.HOME in line


def test_an_embedded_server_that_does_not_start(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("9\n", encoding="utf-8")
    line = refused("migrate")
    assert line.startswith("DatabaseUnreachable: The embedded PostgreSQL in")
    assert str(home / "postgres" / "log") in line


def test_a_server_that_goes_away_in_the_middle(provider: sa.Engine) -> None:
    def go(connection: sa.Connection, _: object, statement: str, *__: object) -> None:
        if "holdfast.hold_source" in statement:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    sa.event.listen(sa.Engine, "before_cursor_execute", go)
    try:
        line = refused("hold", "sources")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", go)
    assert line.startswith("sqlalchemy.exc.OperationalError (SQLSTATE 57P01) at holdfast/")
    assert "see that the database is up" in line


def test_a_table_that_is_gone(provider: sa.Engine) -> None:
    with provider.begin() as connection:
        connection.exec_driver_sql("DROP TABLE holdfast.hold_source")
    line = refused("hold", "sources")
    assert line.startswith("sqlalchemy.exc.ProgrammingError (SQLSTATE 42P01) at ")
    assert "holdfast migrate" in line


def test_a_role_without_rights(provider: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with provider.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE visitor LOGIN")
        connection.exec_driver_sql("GRANT USAGE ON SCHEMA holdfast TO visitor")
        connection.exec_driver_sql("GRANT SELECT ON holdfast.schema_migration TO visitor")
    try:
        url = provider.url.set(username="visitor").render_as_string(hide_password=False)
        monkeypatch.setenv(settings.DATABASE_URL, url)
        line = refused("hold", "sources")
    finally:
        with provider.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY visitor; DROP ROLE visitor")
    assert "(SQLSTATE 42501)" in line
    assert "docs/engineers.md" in line


def test_an_error_that_would_quote_a_row(provider: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def quote(engine: sa.Engine, _: object) -> list[str]:
        with engine.begin() as connection:
            connection.exec_driver_sql("SELECT cast('Ann Example' AS integer)")
        return []

    monkeypatch.setattr(hf_database, "migrate", quote)
    line = refused("migrate")
    assert "sqlalchemy.exc.DataError (SQLSTATE 22P02)" in line
    assert "Example" not in line


def test_a_command_that_does_nothing_says_so(provider: sa.Engine) -> None:
    migrated = CliRunner().invoke(cli.app, ["migrate"])
    assert (migrated.exit_code, migrated.stdout) == (0, "Nothing to do: the schema is this version's.\n")
    listed = CliRunner().invoke(cli.app, ["ledger", "list", "7"])
    assert (listed.exit_code, listed.stdout) == (1, "")
    assert listed.stderr == "The ledger has no entry of run 7.\n"
