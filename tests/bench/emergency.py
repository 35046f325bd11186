"""999 emergency data: the whole job over an extract, against a bare Great Expectations run of the same rules."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.bench import page
from tests.bench.measure import Figures, Server, at_once, policy_in
from tests.holdfast.emergency_data.cases import OF_ONE_RECORD

from holdfast import clock, settings
from holdfast.emergency_data import statements
from holdfast.emergency_data.layout import FIELDS, Layout, load
from holdfast.emergency_data.taking_in import ZONE
from holdfast.emergency_data.writing import Head
from holdfast.synthetic import emergency as synthetic

JOB = Path(__file__).with_name("emergency_job.py")
BARE = Path(__file__).with_name("bare_gx.py")
DAMAGED_EVERY = 50
"""One record in so many breaks a rule, each in turn."""
FORMATS = {"SUMMARY": "counts and 20 examples each", "COMPLETE": "every failing record"}
_NUMBERS = """\
-- Which numbers does the benchmark's provider have?
-- params:  as_of timestamptz
-- returns: what sql/provider/emergency/numbers.sql declares
-- locks:   none
SELECT
    number.*, TRUE AS is_live, TRUE AS calls_999, FALSE AS erased, cast(:as_of AS timestamptz) AS changed_at,
    cast(NULL AS text) AS billing_premises, cast(NULL AS text) AS billing_postcode
FROM carrier.number
"""


@dataclass
class Found:
    """What was measured besides seconds. `steps` and `peak_mb` by what was run."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    load: tuple[float, float, float] = (0, 0, 0)

    def note(self, what: str, told: dict[str, Any]) -> None:
        self.steps[what] = told["seconds"]
        self.peak_mb[what] = max(self.peak_mb.get(what, 0), told["peak_mb"])


def section(server: Server, rows: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure an extract of a tenth of `rows` in every way, and one of all of them by the job; say what was found."""
    found, figures = Found(), Figures()
    small = rows // 10
    with policy_in(_project(folder / "emergency")):
        layout = load(settings.load().expectations / "emergency_data" / "layout_ng999_v1.yaml")
        for size in (small, rows):
            print(f"Making {size:,} records", flush=True)
            server.make("numbers", partial(_fill, layout=layout, rows=size))
            files = [_extract(folder / "files", layout, size, sequence) for sequence in (1, 2)]
            for _ in range(rounds if size == small else 1):
                with server.copy("numbers") as engine:
                    _job(engine, figures, found, f"the job, {size:,} records", files[0])
                    if size == small:
                        _job(engine, figures, found, f"the job on the next day, {size:,} records", files[1])
                        for form in FORMATS:
                            _bare(engine, figures, found, f"Great Expectations, {FORMATS[form]}", files[0], form)
            server.drop("numbers")
            shutil.rmtree(folder / "files")
            shutil.rmtree(settings.load().emergency)
    found.load = os.getloadavg()
    return _text(figures, found, small, rows, conditions)


def _project(folder: Path) -> Path:
    """A project with everything that is shipped, but for the query for numbers."""
    shipped = settings.load()
    (folder / "sql" / "provider" / "emergency").mkdir(parents=True)
    for one in shipped.sql.iterdir():
        if one.name != "provider":
            (folder / "sql" / one.name).symlink_to(one)
    (folder / "sql" / "provider" / "emergency" / "numbers.sql").write_text(_NUMBERS)
    for one in (shipped.expectations, shipped.policy):
        (folder / one.name).symlink_to(one)
    return folder


def _fill(connection: sa.Connection, *, layout: Layout, rows: int) -> None:
    """The provider's numbers, each with what a right record says of it."""
    columns = ", ".join(f"{name} text" for name in ("mark", *FIELDS))
    connection.exec_driver_sql(f"CREATE TABLE carrier.number ({columns})")
    with statements.driver(connection).cursor() as cursor:
        with cursor.copy("COPY carrier.number FROM STDIN (FORMAT csv)") as copy:
            for block in synthetic.detail_lines(layout, _good(rows)):
                copy.write(block)


def _good(rows: int) -> Iterator[dict[str, str]]:
    day = clock.local_date(dt.datetime.now(dt.UTC), ZONE)
    return (synthetic.record(n, day, e164=synthetic.number_without_area(n)) for n in range(rows))


def _damaged(rows: int, first: int) -> Iterator[Mapping[str, str]]:
    # Not an empty number or action: pandas and SQL do not compare what is missing alike, and both must count the same.
    every = [one for breaking, _ in OF_ONE_RECORD.values() for one in breaking]
    changes = cycle(one for one in every if "" not in (one.get("number_e164"), one.get("action")))
    for n, record in enumerate(_good(rows)):
        yield record | next(changes) if n % DAMAGED_EVERY == first else record


def _extract(folder: Path, layout: Layout, rows: int, sequence: int) -> Path:
    """A full extract of today; the second one has other records damaged."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    head = Head("HFT", sequence, sequence - 1, "FULL", clock.local_date(now, ZONE), now)
    totals = synthetic.totals_of(_damaged(rows, sequence))
    return synthetic.write_extract(folder, layout, head, _damaged(rows, sequence), totals).path


def _job(engine: sa.Engine, figures: Figures, found: Found, label: str, file: Path) -> None:
    inbox = settings.load().emergency / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, inbox)
    seconds, [told] = at_once(engine, JOB, [[]])
    (extract,) = told["extracts"]
    assert extract["state"] == "released", extract
    assert extract["released"] + extract["quarantined"] == extract["records"]
    figures.note(label, seconds)
    found.note(label, told)
    with engine.connect() as connection:
        counts = sa.text("SELECT rule_id, records FROM emergency.rule_count WHERE extract_id = :id AND records > 0")
        rows = connection.execute(counts, {"id": extract["extract_id"]})
        found.facts[file.name] = {row.rule_id: row.records for row in rows}
    found.facts["quarantined"] = extract["quarantined"]


def _bare(engine: sa.Engine, figures: Figures, found: Found, label: str, file: Path, form: str) -> None:
    loaded = settings.load()
    numbers = file.with_suffix(".numbers")
    if not numbers.exists():
        with engine.connect() as connection:
            known = connection.exec_driver_sql("SELECT number_e164 FROM carrier.number").scalars()
            numbers.write_text("\n".join(known))
    folder = loaded.expectations / "emergency_data"
    seconds, [told] = at_once(engine, BARE, [[file, folder, numbers, form]])
    figures.note(label, seconds)
    found.note(label, told)
    found.facts["expectations"] = told["expectations"]
    if form == "COMPLETE":
        assert told["broken"] == found.facts[file.name], (told["broken"], found.facts[file.name])


def _text(figures: Figures, found: Found, small: int, rows: int, conditions: dict[str, str]) -> str:
    return str(figures) + str(found)
