"""A desk of its own for each test that asks for one, and one for tests that only add to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.deletion_requests.desk import Desk, make

from holdfast import settings


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
