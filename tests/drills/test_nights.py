"""Ninety nights in one go, by a clock that is set: growth, holidays, late feeds, dead workers, nights that nobody ran.

`HOLDFAST_DRILL_NIGHTS` is how many; `make drill-nights` does 90 and prints what each of them left.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drills.carrier_nights import Carrier, Night

from holdfast import database as hf_database
from holdfast import queries, settings
from holdfast.evidence import reported, verify
from holdfast.evidence.copies import Copies

FIXED_ENTRIES = 60
ENTRY_BYTES = 300
REPORT_BYTES = 1_500_000
"""The model of how evidence grows: so many entries a night whatever happens, one for each batch, those of requests, and
no entry longer than this on average; and so much for the reports of a night."""
NIGHTS = int(os.environ.get("HOLDFAST_DRILL_NIGHTS", "3"))
EVENTS: dict[str, frozenset[int]] = {
    "died": frozenset({2, 11, 30, 52, 71}),
    "feed is late": frozenset({4, 5, 33, 34, 35, 62, 63}),
    "all feeds are late": frozenset({24, 25, 26}),
    "day is late": frozenset({3, *range(39, 52)}),  # all that carrier_days.sql brings in the night after
    "nobody": frozenset({9, 18, 19, 20, *range(74, 81)}),
}
"""What goes wrong on which nights. A feed is believed for thirty hours, so one that is late once does no harm."""


@pytest.fixture(scope="module")
def carrier(
    fresh_database: Callable[..., AbstractContextManager[sa.Engine]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Carrier]:
    """After all of its nights."""
    project, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    lay_out(project)
    with fresh_database() as engine, pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.PROJECT, str(project))
        environment.setenv(settings.HOME, str(home))
        queries.query.cache_clear()
        made = Carrier(engine, settings.load())
        made.open()
        for number in range(1, NIGHTS + 1):
            night = made.night(number, frozenset(name for name, nights in EVENTS.items() if number in nights))
            print(line_of(night), flush=True)
        yield made
    queries.query.cache_clear()


def lay_out(project: Path) -> None:
    """The shipped project; Great Expectations' second look at each extract is left out, since it has its own tests."""
    shipped = settings.load().project
    for name in ("sql", "policy"):
        (project / name).symlink_to(shipped / name)
    (project / "expectations" / "emergency_data").mkdir(parents=True)
    for path in (shipped / "expectations" / "emergency_data").iterdir():
        (project / "expectations" / "emergency_data" / path.name).symlink_to(path)
    bounds = project / "expectations" / "emergency_data" / "bounds.yaml"
    text = bounds.read_text()
    bounds.unlink()
    bounds.write_text(text.replace("second_opinion: true", "second_opinion: false"))


def line_of(night: Night) -> str:
    events = ", ".join(sorted(night.events))
    return (
        f"{night.number:>3} {night.day}  rows {night.rows:>6}  debt {night.debt:>5}  late {night.late_requests:>2}"
        f"  entries {night.entries:>6}  ledger {night.ledger_bytes:>8}  reports {night.report_bytes:>9}"
        f"  {events}  {'; '.join(night.red)}"
    )


def is_disturbed(night: Night) -> bool:
    """Whether something was in the way of a night, or of the one before."""
    return any({night.number, night.number - 1} & nights for nights in EVENTS.values())


def test_debt_returns_to_zero_on_the_first_night_that_nothing_disturbs(carrier: Carrier) -> None:
    calm = [night for night in carrier.nights if not is_disturbed(night)]
    assert calm
    assert {night.number: night.debt for night in calm if night.debt} == {}
    assert any(night.debt for night in carrier.nights), "else nothing was in the way"


def test_a_night_is_red_only_for_what_was_in_its_way(carrier: Carrier) -> None:
    assert {night.number: night.red for night in carrier.nights if night.red and not is_disturbed(night)} == {}


def test_every_request_is_answered_in_time_or_named_as_late(carrier: Carrier) -> None:
    told = [night for night in carrier.nights if night.told_late is not None]
    assert told
    assert [(one.number, one.told_late) for one in told] == [(one.number, one.late_requests) for one in told]
    if NIGHTS >= 30:
        assert any(night.late_requests for night in carrier.nights), "some lay somewhere for four weeks"


def test_evidence_grows_as_modelled(carrier: Carrier) -> None:
    """By the night, the batch and the request, and not with what there is already."""
    last = carrier.nights[-1]
    assert last.entries <= FIXED_ENTRIES * NIGHTS + last.batches + last.of_requests
    assert last.ledger_bytes <= ENTRY_BYTES * last.entries
    assert last.report_bytes <= REPORT_BYTES * NIGHTS
    fixed = (last.entries - last.batches - last.of_requests) / NIGHTS
    each, reports = last.ledger_bytes / last.entries, last.report_bytes / NIGHTS / 1000
    print(
        f"{last.entries} entries: {fixed:.1f} a night, {last.batches} of batches, {last.of_requests} of requests;"
        f" {each:.0f} bytes each; {reports:.0f} kB of reports a night"
    )


def test_the_ledger_of_all_nights_verifies(carrier: Carrier) -> None:
    with carrier.engine.connect() as connection:
        found = verify.verify(connection, carrier.settings.seals, Copies(carrier.settings.checkpoints))
    assert found.verdict is verify.Verdict.OK
    assert carrier.nights[-1].rows > 0
    reports = reported.check(carrier.engine, carrier.settings.reports)
    assert (reports.altered, reports.not_entered, reports.not_there) == ((), (), ())
    assert reports.entered >= 2 * (NIGHTS - len([night for night in EVENTS["nobody"] if night <= NIGHTS]))


def test_every_night_that_nobody_ran_is_told_of(carrier: Carrier) -> None:
    with hf_database.transaction(carrier.engine) as connection:
        told = connection.execute(
            sa.text(
                "SELECT coalesce(sum(cast(cast(entry AS jsonb) -> 'facts' ->> 'nights' AS integer)), 0)"
                " FROM holdfast.ledger_entry AS one INNER JOIN holdfast.run ON run.run_id = one.run_id"
                " WHERE kind = 'nights_missed' AND run.job = 'retention_nightly'"
            )
        ).scalar_one()
    assert told >= len([night for night in EVENTS["nobody"] if night < NIGHTS])
