"""One small provider for all tests here that only read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from tests.holdfast.synthetic.tables import AS_OF

from holdfast.synthetic import provider


@pytest.fixture(scope="package")
def small(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A hundred customers and the known answers, as a nightly run would have left them."""
    with fresh_database() as engine:
        provider.make(engine, accounts=100, seed=1, as_of=AS_OF, objects=tmp_path_factory.mktemp("objects"))
        yield engine


@pytest.fixture
def as_of() -> dt.datetime:
    return AS_OF
