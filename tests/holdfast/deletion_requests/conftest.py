"""Desks: one of each test's own, and one for tests that only add to it; and two databases with nights over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests import archive_library
from tests.holdfast.deletion_requests import nights as shipped
from tests.holdfast.deletion_requests.archive_library import Both
from tests.holdfast.deletion_requests.desk import Desk, make
from tests.holdfast.retention.chain import url_of

from holdfast import database as hf_database
from holdfast import embedded, queries, settings


@pytest.fixture
def desk(database: sa.Engine, home: Path) -> Desk:
    """A desk that no other test has touched."""
    return make(database)


@pytest.fixture(scope="module")
def busy_desk(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A desk for all tests of a module, each of which uses references of its own."""
    with fresh_database() as engine, pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.HOME, str(tmp_path_factory.mktemp("home")))
        yield make(engine)


@pytest.fixture
def both(
    database: sa.Engine,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Both]:
    """Nobody in the provider's database or the archive has asked for anything."""
    project = tmp_path / "project"
    shipped.lay_out(project, ["accounts", "contacts", "login_events"])
    archive_library.add_archive(project)
    monkeypatch.setenv(settings.PROJECT, str(project))
    queries.query.cache_clear()
    with fresh_database() as archive:
        monkeypatch.setenv(settings.DATABASE_URL, url_of(database))
        monkeypatch.setenv(f"{settings.DATABASE_URL}_ARCHIVE", url_of(archive))
        with archive.begin() as connection:
            hf_database.run_script(connection, archive_library.TABLES)
        yield Both(shipped.build(database), archive)
    queries.query.cache_clear()


@pytest.fixture
def admin_url(postgres_url_for: Callable[[str], str]) -> str:
    return postgres_url_for(embedded.ADMIN_DATABASE)
