"""What every step of the job reads first: bounds, layouts and rules as their files say, and the time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from holdfast import database, queries
from holdfast.emergency_data import bounds as all_bounds
from holdfast.emergency_data import catalogue, layout_files, reference
from holdfast.emergency_data.bounds import Bounds
from holdfast.emergency_data.catalogue import Suite
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.store import Extract
from holdfast.settings import Settings


def folder(settings: Settings) -> Path:
    """Where the files of this job's rules lie."""
    return settings.expectations / "emergency_data"


def bounds(settings: Settings) -> Bounds:
    """The bounds that people have set."""
    return all_bounds.load(folder(settings) / "bounds.yaml")


def layouts(settings: Settings) -> dict[str, Layout]:
    """The layouts by their ids."""
    return layout_files.load_all(folder(settings))


def suite(connection: sa.Connection, settings: Settings, bounds: Bounds, extract: Extract) -> Suite:
    """The rules for an extract, without those that are switched off or lack their list."""
    whole = catalogue.load(folder(settings) / "records.json", layouts(settings)[extract.layout])
    return whole.without({**bounds.switched_off, **reference.not_supplied(connection, whole)})


def now(engine: sa.Engine) -> dt.datetime:
    """The database's time: the one clock that every machine of an installation shares."""
    with database.transaction(engine) as connection:
        return cast("dt.datetime", queries.run(connection, "emergency/now").scalar_one())
