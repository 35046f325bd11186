from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from holdfast import clock, settings
from holdfast.emergency_data import bounds as all_bounds
from holdfast.emergency_data import (
    catalogue,
    inputs,
    judge,
    layout_files,
    manifest,
    reference,
    staging,
    steps,
    taking_in,
    writing,
)
from holdfast.emergency_data.taking_in import ZONE
from holdfast.synthetic import emergency as synthetic

FOLDER = settings.load().expectations / "emergency_data"
DAY = dt.date(2026, 11, 24)
LAYOUTS = layout_files.load_all(FOLDER)
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


class Job:
    """An installation of its own, whose inventory is the numbers for drama, all live.

    Great Expectations looks at no extract here, which takes seconds; see test_validation.py.
    """

    def __init__(self, engine: sa.Engine, home: Path, project: Path) -> None:
        self.engine = engine
        shutil.copytree(settings.load().expectations, project / "expectations")
        (project / "policy").symlink_to(settings.load().policy)
        self.settings = dataclasses.replace(settings.load(), home=home, project=project)
        self.choose("second_opinion: true", "second_opinion: false")
        self.now = inputs.now(engine)
        self.day = clock.local_date(self.now, ZONE)
        self.root = self.settings.emergency

    def choose(self, before: str, after: str) -> None:
        """Change a line of the bounds."""
        bounds = self.settings.expectations / "emergency_data" / "bounds.yaml"
        text = bounds.read_text()
        assert before in text
        bounds.write_text(text.replace(before, after))

    def send(self, sequence: int, records: Sequence[Record], extract_type: str = "DELTA") -> Path:
        head = writing.Head(PROVIDER, sequence, sequence - 1, extract_type, self.day, self.now)
        return synthetic.write_extract(self.root / "inbox", PLAIN, head, records).path

    def work(self) -> list[dict[str, Any]]:
        """Everything that a run does with the files, by provider."""
        found = [
            steps.work_through(self.engine, self.settings, provider=one["provider"])
            for one in steps.list_providers(self.engine, self.settings)
        ]
        steps.deliver_files(self.engine, self.settings)
        return found

    def run(self) -> list[dict[str, Any]]:
        """The same, by extract."""
        return [extract for one in self.work() for extract in one["extracts"]]

    def load(self) -> int:
        """Take in the one file of the inbox, and no more; its extract."""
        folders = taking_in.Folders.below(self.root)
        (path,) = taking_in.waiting_files(folders.inbox)
        taken = taking_in.take_in(self.engine, folders, path, LAYOUTS, BOUNDS, self.now)
        assert taken.extract_id is not None
        return taken.extract_id

    def good(self, n: int, action: str = "I", **changes: str) -> Record:
        return synthetic.record(n, self.day, action=action) | changes

    def outbox(self) -> list[str]:
        """The files that were delivered, without their manifests."""
        names = (path.name for path in (self.root / "outbox").glob("*"))
        return sorted(name for name in names if not name.endswith(manifest.SUFFIX))

    def query(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def answered(self, name: str, *lines: str) -> dict[str, Any]:
        """Read a response of the authority with these lines."""
        (self.root / "responses").mkdir(exist_ok=True)
        (self.root / "responses" / name).write_text("".join(line + "\r\n" for line in lines))
        return steps.read_responses(self.engine, self.settings)

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        rows = self.query("SELECT entry FROM holdfast.ledger_entry WHERE kind = :kind ORDER BY seq", kind=kind)
        return [json.loads(row.entry)["facts"] for row in rows]


def installed(engine: sa.Engine, home: Path, project: Path) -> Job:
    """A job with its reference lists, 400 numbers in its inventory, and an inbox."""
    job = Job(engine, home, project)
    with engine.begin() as connection:
        folder = job.settings.expectations / "emergency_data" / "reference"
        reference.load_shipped(connection, folder, invented_places=True)
        rows = [{"n": synthetic.number(n), "p": PROVIDER} for n in range(400)]
        connection.execute(
            sa.text(
                "INSERT INTO emergency.inventory (number, provider, is_live, calls_999, erased, verified_on)"
                " VALUES (:n, :p, true, true, false, current_date - 100)"
            ),
            rows,
        )
    (job.root / "inbox").mkdir(parents=True)
    return job


@pytest.fixture
def job(database: sa.Engine, home: Path, tmp_path: Path) -> Job:
    return installed(database, home, tmp_path / "project")
