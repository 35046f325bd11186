"""A feed of events as provider, in a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.suspension_statistics import feed as library
from tests.holdfast.suspension_statistics.feed import Feed

from holdfast import queries, settings


@pytest.fixture
def feed(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    library.lay_out(tmp_path / "project")
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    yield library.build(database)
    queries.query.cache_clear()
