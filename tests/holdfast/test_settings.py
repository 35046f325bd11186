"""One place reads the environment, and the pseudonyms' key is made once and never guessed."""

from __future__ import annotations

import multiprocessing
import re
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect

from holdfast import settings
from holdfast.errors import SettingsError
from holdfast.settings import Settings

KEY = "00" * 31 + "ff"


def test_without_an_environment_everything_is_in_the_project() -> None:
    found = settings.load()
    assert found.project == Path(__file__).parents[2]
    assert found.home == found.project / ".holdfast"
    assert found.database_url is None
    assert found.sql == found.project / "sql"
    assert found.policy == found.project / "policy"


def test_everything_that_is_written_lies_below_home(home: Path) -> None:
    found = settings.load()
    folders = (found.postgres_data, found.airflow_home, found.reports, found.seals, found.objects)
    assert all(folder.is_relative_to(home) for folder in folders)
    assert len(set(folders)) == len(folders)


def test_the_environment_moves_home_project_and_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(settings.HOME, str(tmp_path / "a" / ".." / "home"))
    monkeypatch.setenv(settings.PROJECT, str(tmp_path))
    monkeypatch.setenv(settings.DATABASE_URL, "postgresql://db.example/provider")
    assert settings.load() == Settings(tmp_path / "home", tmp_path, "postgresql://db.example/provider")


CONNECTIONS = {
    "a URI": "postgres://keeper:s3%2Fcret@db.example:5433/provider?sslmode=require",
    "a URI with its extra as one": (
        "postgresql://keeper:s3%2Fcret@db.example:5433/provider?__extra__=%7B%22sslmode%22%3A%20%22require%22%7D"
    ),
    "JSON": (
        '{"conn_type": "postgres", "login": "keeper", "password": "s3/cret", "host": "db.example", "port": 5433,'
        ' "schema": "provider", "extra": {"sslmode": "require"}}'
    ),
    "JSON with its extra as text": (
        '{"conn_type": "postgresql", "login": "keeper", "password": "s3/cret", "host": "db.example", "port": "5433",'
        ' "schema": "provider", "extra": "{\\"sslmode\\": \\"require\\"}"}'
    ),
}


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_the_connection_that_the_jobs_obey_is_obeyed_by_everything(
    monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, "postgresql://db.example/another")
    monkeypatch.setenv(settings.AIRFLOW_CONNECTION, connection)
    parameters = {"user": "keeper", "password": "s3/cret", "host": "db.example", "port": "5433", "dbname": "provider"}
    assert _parameters(settings.load()) == {**parameters, "sslmode": "require"}


def test_a_connection_may_lead_to_the_folder_of_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    for connection in (
        "postgres://keeper@%2Fvar%2Frun%2Fmy%20db/provider",
        "postgres://keeper@/provider?host=/var/run/my%20db",
        '{"conn_type": "postgres", "login": "keeper", "host": "/var/run/my db", "schema": "provider"}',
    ):
        monkeypatch.setenv(settings.AIRFLOW_CONNECTION, connection)
        assert _parameters(settings.load()) == {"user": "keeper", "host": "/var/run/my db", "dbname": "provider"}


@pytest.mark.parametrize(
    "connection",
    ["mysql://keeper:s3cret@db.example/provider", "s3cret", '{"conn_type": "mysql", "password": "s3cret"}',
     '{"password": "s3cret"', '["s3cret"]', "postgres://keeper:s3cret@db.example:port/provider",
     '{"conn_type": "postgres", "extra": "s3cret"}'],
)  # fmt: skip
def test_a_connection_that_leads_to_no_postgresql_is_refused_without_quoting_it(
    monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    monkeypatch.setenv(settings.AIRFLOW_CONNECTION, connection)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "s3cret" not in str(caught.value)


def _parameters(found: Settings) -> dict[str, str]:
    """What the driver is told."""
    url = sa.make_url(found.database_url or "")
    arguments = psycopg_dialect().create_connect_args(url)[1]
    return {name: str(value) for name, value in arguments.items()}


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = settings.load()
    for name in (settings.HOME, settings.PROJECT, settings.DATABASE_URL, settings.AIRFLOW_CONNECTION):
        monkeypatch.setenv(name, "")
    assert settings.load() == expected


def test_the_key_is_made_once_and_for_its_owner_alone(home: Path) -> None:
    key = settings.load().pseudonym_key()
    path = home / "keys" / "pseudonym.key"
    assert len(key) == 32
    assert settings.load().pseudonym_key() == key == bytes.fromhex(path.read_text(encoding="utf-8"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _key(home: Path) -> bytes:
    return Settings(home, home, None).pseudonym_key()


def test_processes_that_start_at_once_have_the_same_key(home: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert len(set(pool.map(_key, [home] * 12))) == 1


def test_a_key_from_the_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.PSEUDONYM_KEY, KEY)
    assert settings.load().pseudonym_key() == bytes.fromhex(KEY)
    assert not (home / "keys").exists()


@pytest.mark.parametrize("given", ["", "00", "zz" * 32, KEY + "00", "0x" + KEY[2:], "é" * 64])
def test_what_is_no_key_is_refused_and_never_replaced(home: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(settings.PSEUDONYM_KEY, given)
    with pytest.raises(SettingsError, match="not 32 bytes") as caught:
        settings.load().pseudonym_key()
    assert given == "" or given not in str(caught.value)
    monkeypatch.delenv(settings.PSEUDONYM_KEY)
    path = home / "keys" / "pseudonym.key"
    path.parent.mkdir(parents=True)
    path.write_text(given, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(str(path))):
        settings.load().pseudonym_key()
    assert path.read_text(encoding="utf-8") == given


def test_a_further_database_has_its_own_folders_and_ledger_key_and_the_same_pseudonyms(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv(settings.DATABASE_URL, "postgresql://db.example/main")
    monkeypatch.setenv("AIRFLOW_CONN_HOLDFAST_ARCHIVE", "postgres://keeper@old.example/archive")
    main = settings.load()
    archive = main.at("archive")
    assert "old.example" in str(archive.database_url)
    assert archive.at(settings.MAIN).database_url == main.database_url
    for name in ("reports", "seals", "checkpoints", "ledger_key", "erasures"):
        assert getattr(main, name) != getattr(archive, name)
        assert str(home / "databases" / "archive") in str(getattr(archive, name))
    assert main.pseudonym_key() == archive.pseudonym_key()


def test_checkpoints_of_two_ledgers_never_lie_in_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.CHECKPOINTS, "s3://elsewhere/seals/")
    monkeypatch.setenv("HOLDFAST_DATABASE_URL_ARCHIVE", "postgresql://old.example/archive")
    assert settings.load().at("archive").checkpoints == "s3://elsewhere/seals/archive"


def test_a_further_database_that_nobody_placed_is_never_the_embedded_one() -> None:
    with pytest.raises(SettingsError, match=r"nothing says where that database is.*holdfast_archive"):
        settings.load().at("archive")
