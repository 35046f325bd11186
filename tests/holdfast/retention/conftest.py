"""A shop of each test's own, and batches of a block, so that a few rows make several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Shop

from holdfast import queries, settings
from holdfast.enforcement import execute


@pytest.fixture
def shop(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An empty shop; `home` and the project folder are the test's own."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    queries.query.cache_clear()  # it knows queries by name, and ours are in another folder
    yield shops.build(database, tmp_path / "project")
    queries.query.cache_clear()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One block a batch in a table that was never analysed: five rows of `FAT` notes."""
    monkeypatch.setattr(execute, "ROWS_PER_BATCH", 100)
