"""A key of pseudonyms that is not the one it was is refused, before anything is made or looked for with it."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast import settings
from holdfast.errors import SettingsError
from holdfast.evidence import known_key
from holdfast.retention import steps as retention
from holdfast.suspension_statistics import steps as suspensions

KEY, ANOTHER = "ab" * 32, "cd" * 32


@pytest.fixture(autouse=True)
def _key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.PSEUDONYM_KEY, KEY)


def require(database: sa.Engine) -> bytes:
    with hf_database.transaction(database) as connection:
        return known_key.require(connection, settings.load())


def test_the_first_key_is_noted_and_goes_on_being_right(database: sa.Engine) -> None:
    assert require(database) == require(database) == bytes.fromhex(KEY)


def test_another_key_is_refused_until_the_first_is_back(database: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    require(database)
    monkeypatch.setenv(settings.PSEUDONYM_KEY, ANOTHER)
    with pytest.raises(SettingsError, match="not the one"):
        require(database)
    monkeypatch.setenv(settings.PSEUDONYM_KEY, KEY)
    require(database)


def test_a_key_that_was_made_because_the_file_is_gone_is_refused(
    database: sa.Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(settings.PSEUDONYM_KEY)
    require(database)
    file = home / "keys" / "pseudonym.key"
    file.unlink()
    with pytest.raises(SettingsError, match="not the one"):
        require(database)


def test_the_database_does_not_tell_the_key(database: sa.Engine) -> None:
    require(database)
    with hf_database.transaction(database) as connection:
        (noted,) = connection.execute(sa.text("SELECT proof FROM holdfast.pseudonym_key")).scalars()
    assert noted.startswith("p1:")
    assert KEY[:8] not in noted


def test_of_two_jobs_that_come_first_at_once_one_key_is_noted(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[SettingsError] = []
    with hf_database.transaction(database) as connection:
        known_key.require(connection, settings.load())
        monkeypatch.setenv(settings.PSEUDONYM_KEY, ANOTHER)

        def second() -> None:
            try:
                require(database)
            except SettingsError as error:
                refused.append(error)

        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert other.is_alive(), "it waits for the first"
    other.join(30)
    assert len(refused) == 1


def test_no_job_that_makes_or_looks_for_pseudonyms_begins_with_another(
    database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(database)
    monkeypatch.setenv(settings.PSEUDONYM_KEY, ANOTHER)
    night = dt.datetime(2026, 11, 28, 1, 30, tzinfo=dt.UTC)
    with pytest.raises(SettingsError, match="not the one"):
        retention.open_run(database, settings.load(), as_of=night, dry_run=False)
    with pytest.raises(SettingsError, match="not the one"):
        suspensions.take_facts(database, settings.load())
