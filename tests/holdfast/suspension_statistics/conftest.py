"""A feed of events as provider, in a database of the test's own; and a month of May that is made once for a module."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.holdfast.suspension_statistics import feed as library
from tests.holdfast.suspension_statistics.feed import Feed, at, decision, ending, notice, request

from holdfast import queries, settings

MAY, HOUR = dt.date(2026, 5, 1), dt.timedelta(hours=1)
Fresh = Callable[..., AbstractContextManager[sa.Engine]]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The project whose provider is the feed."""
    project = tmp_path_factory.mktemp("feed") / "project"
    library.lay_out(project)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(settings.PROJECT, str(project))
        queries.query.cache_clear()
        yield
    queries.query.cache_clear()


@pytest.fixture
def feed(database: sa.Engine, home: Path, provider: None) -> Feed:
    return library.build(database)


@pytest.fixture(scope="module")
def one_may(fresh_database: Fresh, provider: None) -> Iterator[Feed]:
    """Forty suspensions in May, all told, thirty of them reviewed, three of another product; every day arrived."""
    with fresh_database() as engine:
        made = library.build(engine)
        for n in range(40):
            when = at("2026-05-01") + n * 17 * HOUR
            about = {"automation": ("fully", "not")[n % 4 == 0], "product": "api" if n < 3 else "voice"}
            made.say(
                decision=[decision(f"d{n}", when, subject_key=str(n), **about)],
                notice=[notice(f"n{n}", f"d{n}", when + HOUR, when)],
            )
            if n < 30:
                asked, outcome = when + 2 * HOUR, ("upheld", "overturned")[n % 3 == 0]
                made.say(
                    request=[request(f"r{n}", f"d{n}", asked, when)],
                    ending=[ending(f"e{n}", f"d{n}", f"r{n}", asked + 5 * HOUR, asked, outcome)],
                )
        made.end_days(MAY, dt.date(2026, 5, 31))
        made.take(at("2026-06-05"))
        yield made


@pytest.fixture
def may(one_may: Feed, fresh_database: Fresh, home: Path) -> Iterator[Feed]:
    """That month, to do with as a test likes."""
    with fresh_database(source=one_may.engine) as engine:
        yield Feed(engine, {kind: list(rows) for kind, rows in one_may.rows.items()}, dict(one_may.complete))
