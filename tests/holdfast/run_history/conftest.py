"""An Airflow that can be told what happened, and the settings of an installation that may ask it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.run_history.airflow import World, serving

from holdfast import settings
from holdfast.settings import Settings


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def asking(world: World, database: sa.Engine, home: Path) -> Iterator[Settings]:
    """Settings that lead to this world and to the test's database."""
    with serving(world) as connection:
        url = database.url.render_as_string(hide_password=False)
        yield dataclasses.replace(settings.load(), home=home, database_url=url, api_connection=connection)
