"""One place reads the environment, and the pseudonyms' key is made once and never guessed."""

from __future__ import annotations

import multiprocessing
import re
import stat
from pathlib import Path

import pytest

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


def test_an_empty_variable_is_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = settings.load()
    for name in (settings.HOME, settings.PROJECT, settings.DATABASE_URL):
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
