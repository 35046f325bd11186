from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
import sqlalchemy as sa

from holdfast import settings
from holdfast.emergency_data import bounds as all_bounds
from holdfast.emergency_data import catalogue, judge, layout, reference, staging
from holdfast.synthetic import emergency as synthetic

FOLDER = settings.load().expectations / "emergency_data"
DAY = dt.date(2026, 11, 24)
LAYOUTS = layout.load_all(FOLDER)
PLAIN, FIXED = LAYOUTS["ng999-v1"], LAYOUTS["ng999-fixed-v1"]
BOUNDS = all_bounds.load(FOLDER / "bounds.yaml")
SUITE = catalogue.load(FOLDER / "records.json", PLAIN)
PROVIDER = BOUNDS.provider

Record = Mapping[str, str]


class Desk:
    """A database with the reference lists, the numbers for drama in the inventory, and room for one extract."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.table = staging.table_of(1)

    def put(self, records: Sequence[Record]) -> None:
        """Make these the records of extract 1; empty text is NULL, as it is from a file."""
        with self.engine.begin() as connection:
            self.table.drop(connection, checkfirst=True)
            self.table.create(connection)
            if records:
                rows = [{name: value or None for name, value in one.items()} for one in records]
                connection.execute(self.table.insert(), rows)

    def supply(self, list_name: str, keys: Sequence[str]) -> None:
        with self.engine.begin() as connection:
            reference._replace(connection, list_name, [(key, "") for key in keys])

    def execute(self, statement: str, **values: Any) -> Any:
        with self.engine.begin() as connection:
            return connection.execute(sa.text(statement), values)

    def parameters(self, extract_type: str = "FULL") -> dict[str, object]:
        return BOUNDS.parameters(PROVIDER, extract_type, DAY)

    def suite(self) -> catalogue.Suite:
        with self.engine.begin() as connection:
            return SUITE.without(reference.not_supplied(connection, SUITE))

    def judge(self, extract_type: str = "FULL", suite: catalogue.Suite | None = None) -> judge.Verdict:
        with self.engine.begin() as connection:
            return judge.judge(
                connection, 1, suite or self.suite(), self.parameters(extract_type), provider=PROVIDER, as_of=DAY
            )

    def reasons(self, extract_type: str = "FULL", suite: catalogue.Suite | None = None) -> dict[int, set[str]]:
        """The rules that each record breaks, by its number in the file."""
        self.judge(extract_type, suite)
        with self.engine.begin() as connection:
            rows = connection.execute(sa.select(judge.verdicts_of(1)))
            return {row.record_no: set(row.rule_ids) for row in rows}


@pytest.fixture(scope="module")
def desk(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[Desk]:
    with fresh_database() as engine:
        with engine.begin() as connection:
            reference.load_shipped(connection, FOLDER / "reference", invented_places=True)
            numbers = [{"n": synthetic.number(n), "p": PROVIDER} for n in range(synthetic.DRAMA_NUMBERS)]
            connection.execute(
                sa.text(
                    "INSERT INTO emergency.inventory (number, provider, is_live, calls_999, erased)"
                    " VALUES (:n, :p, true, true, false)"
                ),
                numbers,
            )
        yield Desk(engine)


def good(n: int = 0, **changes: str) -> dict[str, str]:
    """A good record: an individual on a fixed line, unless changed."""
    return synthetic.record(n * 30 + 1, DAY) | changes
