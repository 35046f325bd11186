"""What was published stays as it was printed, and all that is printed later is safe beside it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.suspension_statistics.test_disclosure import (
    AUTOMATION,
    KINDS,
    OUTCOMES,
    REASONS,
    Attacker,
    assert_nothing_small_is_told,
    defined,
    terms,
    true_values,
    world,
)

from holdfast import database as databases
from holdfast import settings
from holdfast.errors import StatisticsError
from holdfast.suspension_statistics import publication, report, rules, store, trend
from holdfast.suspension_statistics.disclosure import HIDDEN, Cell, Edition
from holdfast.suspension_statistics.publication import CLOSING, OPENING, Publication
from holdfast.suspension_statistics.report import edition
from holdfast.suspension_statistics.rules import Figure
from holdfast.suspension_statistics.terms import terms_of

MAY, JUNE = dt.date(2026, 5, 1), dt.date(2026, 6, 1)
NOW = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def month(seed: int, size: int = 80) -> list[Figure]:
    """A month with a crowd and a few of other kinds."""
    draw = random.Random(seed)
    crowd = [
        (draw.choice(AUTOMATION + ("fully",) * 9), draw.choice(KINDS), draw.choice(REASONS + ("fraud",) * 7))
        for _ in range(size)
    ]
    return world(crowd, draw.choices(OUTCOMES, (30, 4, 2, 3, 1), k=size // 2))


def freeze(connection: sa.Connection, when: dt.date, figures: Sequence[Figure], version: int = 1) -> store.Version:
    text = rules.text_of(figures)
    made = store.Version(
        month=when,
        version=version,
        known_until=NOW,
        made_at=NOW,
        reason="frozen" if version == 1 else "late-facts",
        made_by="tests",
        terms=terms_of(settings.load().policy, when).model_dump_json(),
        definitions=rules.digest_of("any"),
        figures=text,
        digest=rules.digest_of(text),
    )
    store.add(connection, made)
    return made


def published(connection: sa.Connection, when: dt.date) -> edition.Edition:
    return edition.published(connection, settings.load().policy, when, now=NOW)


def printed(cells: Sequence[Cell], place: tuple[str, str, str, str]) -> object:
    return next(cell.n for cell in cells if cell.place == place)


def flow(figures: Sequence[Figure], **numbers: int) -> list[Figure]:
    """The month with other numbers of open reviews."""
    return [replace(one, n=numbers.get(one.category, one.n)) if one.cut == CLOSING[:3] else one for one in figures]


def test_it_is_made_once_and_printed_again_as_it_was(database: sa.Engine) -> None:
    with databases.transaction(database) as connection:
        freeze(connection, MAY, month(1))
        first = published(connection, MAY)
        freeze(connection, rules.after(MAY, -1), month(2))
        published(connection, rules.after(MAY, -1))
        assert published(connection, MAY).cells == first.cells
        entries = connection.execute(sa.text("SELECT kind FROM holdfast.ledger_entry ORDER BY seq")).scalars().all()
    assert entries.count("statistics_published") == 2


def test_nothing_of_it_can_be_changed(database: sa.Engine) -> None:
    with databases.transaction(database) as connection:
        freeze(connection, MAY, month(1))
        published(connection, MAY)
    for change in ("UPDATE statistics.publication SET cells = ''", "TRUNCATE statistics.publication"):
        with pytest.raises(sa.exc.DBAPIError, match="refused"), databases.transaction(database) as connection:
            connection.exec_driver_sql(change)


def test_a_comparison_prints_nothing_but_what_was_published_of_each_month(database: sa.Engine) -> None:
    """So it tells nobody more than they have: the attack on each month is the whole attack."""
    months = [rules.after(MAY, -n) for n in range(8, -1, -1)]
    shown: dict[dt.date, Sequence[Cell]] = {}
    with databases.transaction(database) as connection:
        for n, when in enumerate(months):
            freeze(connection, when, month(n, size=40 + 5 * n))
            made = published(connection, when)
            shown[when] = made.cells
    assert made.trends
    for one in made.trends:
        assert one.months == [
            (when, value) for when in months if (value := printed(shown[when], one.place)) is not None
        ]
        numbers = [n for _, n in one.months[:-1] if isinstance(n, int)]
        assert (one.low, one.high) == trend.limits(numbers), "from printed numbers alone"
    assert HIDDEN in {n for one in made.trends for _, n in one.months}, "or nothing was tried"


@pytest.mark.parametrize("seed", range(3))
def test_a_restatement_tells_nothing_small_beside_what_it_replaces(database: sa.Engine, seed: int) -> None:
    before, after = month(seed), month(seed, size=84)
    with databases.transaction(database) as connection:
        freeze(connection, MAY, before)
        first = published(connection, MAY)
        freeze(connection, MAY, after, version=2)
        second = published(connection, MAY)
    old, new = true_values(before), true_values(after)
    attacker, earlier = (Attacker(list(one.cells), "round5-supp7") for one in (second, first))
    attacker.also(earlier, {name for name in new if old.get(name) == new[name]})
    assert_nothing_small_is_told(after, attacker)
    places = {cell.place: (cell.n, cell.of_n) for cell in first.cells}
    for one in second.differences:
        assert places.get(one.place, (None, None)) == (one.n_before, one.of_n_before), "as it was printed"


@pytest.mark.parametrize(("theirs", "ours", "when"), [(CLOSING, OPENING, JUNE), (OPENING, CLOSING, MAY)])
def test_what_is_hidden_at_the_end_of_a_month_is_hidden_where_the_next_begins(
    database: sa.Engine, theirs: tuple[str, str, str, str], ours: tuple[str, str, str, str], when: dt.date
) -> None:
    """And the other way round, where the month before is published anew."""
    other = MAY if when == JUNE else JUNE
    numbers = {"open_at_the_beginning": 12, "open_at_the_end": 12, "asked_for": 0, "decided": 0, "withdrawn": 0}
    figures = flow(world([("fully", "individual", "fraud")] * 40, []), **numbers)
    hidden = Edition(tuple(figures), frozenset({"/".join(theirs)}), terms())
    with databases.transaction(database) as connection:
        version = freeze(connection, when, figures)
        before = [Publication(other, 1, [], hidden)]
        alone = publication.publish(connection, version, defined(), terms(), [], now=NOW)
    assert printed(alone.cells, ours) == 10
    with databases.transaction(database) as connection:
        version = freeze(connection, when, figures, version=2)
        beside = publication.publish(connection, version, defined(), terms(), before, now=NOW)
    assert printed(beside.cells, ours) == HIDDEN


def test_what_may_not_be_published_is_still_written_for_those_within(
    database: sa.Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StatisticsError("A small number could be told.", fix="publish nothing.")

    monkeypatch.setattr(publication.disclosure, "publish", refuse)
    with databases.transaction(database) as connection:
        freeze(connection, MAY, month(1))
    with pytest.raises(StatisticsError, match="small number"):
        report.write(database, settings.load(), MAY, late={}, now=NOW)
    folder = settings.load().reports / report.JOB / "2026-05"
    assert [one.name for one in folder.iterdir()] == ["internal"]
