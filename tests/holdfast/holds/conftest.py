"""A library of its own for each test that asks for one, and one for tests that repair what they break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.holds.library import Library, make

from holdfast import queries, settings


@pytest.fixture
def library(database: sa.Engine, tmp_path: Path) -> Iterator[Library]:
    """The library, whose project folder and home the settings name."""
    with _library(database, tmp_path / "project") as made:
        yield made


@pytest.fixture(scope="module")
def shared(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """A library for all tests of a module; call `restore` before spoiling anything. Not together with `library`."""
    with fresh_database() as engine, _library(engine, tmp_path_factory.mktemp("library") / "project") as made:
        yield made


@contextmanager
def _library(engine: sa.Engine, project: Path) -> Iterator[Library]:
    made = make(engine, project)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.PROJECT, str(project))
        environment.setenv(settings.HOME, str(made.settings.home))
        queries.query.cache_clear()  # it knows the queries of another project
        yield made
    queries.query.cache_clear()
