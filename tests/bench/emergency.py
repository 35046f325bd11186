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
from holdfast.emergency_data.fields import FIELDS
from holdfast.emergency_data.layout import Layout
from holdfast.emergency_data.layout_files import load
from holdfast.emergency_data.taking_in import ZONE
from holdfast.emergency_data.writing import Head, Totals, write
from holdfast.synthetic import emergency as synthetic

JOB = Path(__file__).with_name("emergency_job.py")
BARE = Path(__file__).with_name("bare_gx.py")
DAMAGED_EVERY = 50
"""One record in so many breaks a rule, each in turn."""
COUNTS, ALL = "Great Expectations: counts and 20 examples", "Great Expectations: every failing record"
_QUARTERS = ("OLD", "NEW", "NORTH", "SOUTH", "EAST", "WEST", "UPPER", "LOWER", "GREAT", "LITTLE")
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
    """What was measured besides seconds: `steps` (last round) and `peak_mb` by what was run, `broken` by file."""

    steps: dict[str, dict[str, float]] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    broken: dict[Path, dict[str, int]] = field(default_factory=dict)
    expectations: int = 0
    loads: dict[str, float] = field(default_factory=dict)
    load: tuple[float, float, float] = (0, 0, 0)

    def note(self, what: str, told: dict[str, Any]) -> None:
        self.steps[what] = told["seconds"]
        self.loads[what] = os.getloadavg()[0]
        self.peak_mb[what] = max(self.peak_mb.get(what, 0), told["peak_mb"])


def section(server: Server, rows: int, rounds: int, folder: Path, conditions: dict[str, str]) -> str:
    """Measure an extract of a tenth of `rows` in every way, and one of all of them by the job; say what was found."""
    found, figures = Found(), Figures()
    small = rows // 10
    with policy_in(_project(folder / "emergency")):
        layout = load(settings.load().expectations / "emergency_data" / "layout_ng999_v1.yaml")
        print(f"Making {small:,} records", flush=True)
        base = Base(folder / "records", layout, small)
        for size in (small, rows):
            server.make("numbers", partial(_fill, base=base, times=size // small))
            days = (1, 2) if size == small else (1,)
            files = [base.extract(folder / "files", size // small, sequence) for sequence in days]
            for number in range(rounds if size == small else 1):
                with server.copy("numbers") as engine:
                    _job(engine, figures, found, f"{size:,} records: the job", files[0])
                    if size == small:
                        _job(engine, figures, found, f"{size:,} records: the job on the next day", files[1])
                        _bare(engine, figures, found, COUNTS, files[0], "SUMMARY")
                        if number == 0:
                            _bare(engine, figures, found, ALL, files[0], "COMPLETE")
            server.drop("numbers")
            shutil.rmtree(folder / "files")
            shutil.rmtree(settings.load().emergency)
    found.load = os.getloadavg()
    return _text(figures, found, small, rows, conditions)


class Base:
    """Records of up to a million numbers as lines: right ones, and two kinds of days' with some damaged.

    A larger extract is the same lines again and again, each time with numbers that would begin with 0110, which is no
    area code, and with other streets.
    """

    def __init__(self, folder: Path, layout: Layout, rows: int) -> None:
        folder.mkdir()
        self.layout, self.totals = layout, {}
        self._lines = {day: folder / f"{day}.lines" for day in (0, 1, 2)}
        for day, path in self._lines.items():
            with path.open("wb") as file:
                for block in synthetic.detail_lines(layout, _records(rows, day)):
                    file.write(block)
            self.totals[day] = synthetic.totals_of(_records(rows, day))

    def lines(self, day: int, times: int) -> Iterator[bytes]:
        for number in range(times):
            with self._lines[day].open("rb") as file:
                while block := b"".join(file.readlines(1 << 20)):
                    yield _elsewhere(block, number) if number else block

    def extract(self, folder: Path, times: int, sequence: int) -> Path:
        """A full extract of today. Numbers keep their last six digits, of which the control total is made."""
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        head = Head("HFT", sequence, sequence - 1, "FULL", clock.local_date(now, ZONE), now)
        totals = Totals(**{name: value * times for name, value in vars(self.totals[sequence]).items()})
        return write(folder, self.layout, head, totals, self.lines(sequence, times)).path


def _elsewhere(lines: bytes, number: int) -> bytes:
    lines = lines.replace(b"+441632", b"+44110%d" % number).replace(b",01632", b",0110%d" % number)
    for street in synthetic.STREETS:
        lines = lines.replace(street.encode(), f"{_QUARTERS[number]} {street}".encode())
    return lines


def _records(rows: int, day: int) -> Iterator[Mapping[str, str]]:
    """Right records on day 0; on others every so many is damaged, each time another one."""
    today = clock.local_date(dt.datetime.now(dt.UTC), ZONE)
    # Not an empty number or action: pandas and SQL do not compare what is missing alike, and both must count the same.
    every = [one for breaking, _ in OF_ONE_RECORD.values() for one in breaking]
    changes = cycle(one for one in every if "" not in (one.get("number_e164"), one.get("action")))
    for n in range(rows):
        record = synthetic.record(n, today, e164=synthetic.number_without_area(n))
        yield record | next(changes) if day and n % DAMAGED_EVERY == day else record


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


def _fill(connection: sa.Connection, *, base: Base, times: int) -> None:
    """The provider's numbers, each with what a right record says of it."""
    kinds = dict.fromkeys(("mark", *FIELDS), "text") | {"address_verified_at": "date"}
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    connection.exec_driver_sql(f"CREATE TABLE carrier.number ({columns})")
    into = "COPY carrier.number FROM STDIN (FORMAT csv)"
    with statements.driver(connection).cursor() as cursor, cursor.copy(into) as copy:
        for block in base.lines(0, times):
            copy.write(block)


def _job(engine: sa.Engine, figures: Figures, found: Found, label: str, file: Path) -> None:
    inbox = settings.load().emergency / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    os.link(file, inbox / file.name)
    seconds, [told] = at_once(engine, JOB, [[]])
    (extract,) = told["extracts"]
    assert extract["state"] == "released", extract
    assert extract["released"] + extract["quarantined"] == extract["records"]
    figures.note(label, seconds)
    found.note(label, told)
    with engine.connect() as connection:
        counts = sa.text("SELECT rule_id, records FROM emergency.rule_count WHERE extract_id = :id AND records > 0")
        rows = connection.execute(counts, {"id": extract["extract_id"]})
        found.broken[file] = {row.rule_id: row.records for row in rows}


def _bare(engine: sa.Engine, figures: Figures, found: Found, label: str, file: Path, result_format: str) -> None:
    """The same file by Great Expectations alone. Where it names every record, it must find what the job has found."""
    numbers = file.with_suffix(".numbers")
    with engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT number_e164 FROM carrier.number").scalars()
        numbers.write_text("\n".join(known))
    folder = settings.load().expectations / "emergency_data"
    seconds, [told] = at_once(engine, BARE, [[file, folder, numbers, result_format]])
    figures.note(label, seconds)
    found.note(label, told)
    found.expectations = told["expectations"]
    if result_format == "COMPLETE":
        assert told["broken"] == found.broken[file], (told["broken"], found.broken[file])


def _text(figures: Figures, found: Found, small: int, rows: int, conditions: dict[str, str]) -> str:
    best = figures.best
    job, next_day, whole = (
        f"{small:,} records: the job",
        f"{small:,} records: the job on the next day",
        f"{rows:,} records: the job",
    )
    broken = len(next(iter(found.broken.values())))
    lines = [
        page.conditions(conditions, found.load),
        f"{small:,} records, one in {DAMAGED_EVERY} of them damaged, break {broken} rules. The job is one process from"
        " its first import to the report:\nlists and number inventory, reading, every rule with every failing record"
        " and all its reasons, release, delivery,\nreconciliation, report. The other process imports Great"
        " Expectations, reads the file with pandas, validates the same\n"
        f"{found.expectations} expectations, and does nothing else. Both find the same number of records for every"
        " rule, which is checked.",
        "",
        "| what | seconds | against | seconds | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {what} | {best(what):.1f} | {other} | {best(other):.1f} | {figures.ratio(what, other):.2f} | 1.0 |"
            for what in (job, next_day)
            for other in (COUNTS, ALL)
        ),
        f"| {whole} | {best(whole):.1f} | {rows // small} times the job on {small:,} | {best(job) * rows / small:.1f} |"
        f" {best(whole) / (best(job) * rows / small):.2f} | 1.0 |",
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        *(
            f"| Python's memory at its highest, {what} | {found.peak_mb[what]:.0f} MB | 400 MB |"
            for what in (job, whole)
        ),
        *(f"| the same, {what} | {found.peak_mb[what]:,.0f} MB | |" for what in (COUNTS, ALL)),
        "",
        "The steps in seconds:",
        "",
        *(f"- {what} (load {found.loads[what]:.0f}): {_steps(took)}" for what, took in found.steps.items()),
        "",
        "All times in seconds, in the order measured:",
        "",
        *(f"- {what}: {', '.join(f'{one:.3g}' for one in seconds)}" for what, seconds in figures.seconds.items()),
    ]
    return "\n".join(lines) + "\n"


def _steps(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {took:.1f}" for name, took in seconds.items())
