"""`holdfast hold`: what a person types and sees."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from tests.holdfast.holds.library import FINE, Library
from typer.testing import CliRunner, Result

from holdfast import cli, settings


@pytest.fixture
def desk(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library as the settings' database, its sources complete a moment ago."""
    monkeypatch.setenv(settings.DATABASE_URL, library.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COLUMNS", "160")
    for source in library.policy.holds.sources:
        library.loaded(dt.datetime.now(tz=dt.UTC), source)
    return library


def holdfast(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["hold", *words])


def rows(result: Result) -> list[list[str]]:
    """The table's rows without its heading, cells separated by two spaces or more."""
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    return [re.split(r" {2,}", line) for line in lines[2:]]


def test_sources_before_and_after_a_refresh(desk: Library) -> None:
    assert rows(holdfast("sources")) == [
        ["desk", "never asked", "-", "-", "-", "-"],
        ["court", *["never asked"], *"----"],
    ]
    refreshed = holdfast("refresh")
    assert refreshed.exit_code == 0, refreshed.output
    assert rows(refreshed) == [["desk", "trusted", "1", "1", "0", "0"], ["court", "trusted", *4 * ["not shown"]]]
    desk_row, court_row = rows(holdfast("sources"))
    assert (desk_row[:2], desk_row[4:]) == (["desk", "trusted"], ["1", "1"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", desk_row[3])
    assert court_row[4:] == 2 * ["not shown"], "with the disclosable ones in `list`, the others could be worked out"


def test_a_refresh_that_is_not_believed_says_why_and_fails(desk: Library) -> None:
    desk.loaded(None)
    result = holdfast("refresh")
    assert result.exit_code == 1
    assert rows(result)[0] == ["desk", "missing", "-", "0", "0", "0"]
    assert result.stderr == (
        "Hold source desk says that it was never complete."
        " Fix: load it, or let the load that is under way end, and refresh again.\n"
    )


def test_a_shrunk_source_is_accepted(desk: Library) -> None:
    desk.report(*({**FINE, "reference": f"fine-{i}"} for i in range(10)))
    holdfast("refresh")
    desk.report(FINE)
    assert "`holdfast hold accept desk 1`" in holdfast("refresh").stderr
    assert holdfast("accept", "desk", "2", "--by", "clerk").exit_code == 1
    accepted = holdfast("accept", "desk", "1", "--by", "clerk")
    assert (accepted.exit_code, accepted.stdout) == (0, "1 holds of desk are accepted; refresh to read them.\n")
    assert holdfast("refresh").exit_code == 0


def test_place_list_and_release(desk: Library) -> None:
    holdfast("refresh")
    placed = holdfast(
        "place", "ORDER", "case-1", "--by", "clerk", "--subject", "007", "--dataset", "loans", "--dataset", "letters",
        "--period-from", "2026-01-01", "--period-to", "2026-02-01", "--ends-on", "2999-12-31", "--ground", "writ-9",
    )  # fmt: skip
    assert placed.exit_code == 0, placed.output
    hold = desk.held()["case-1"]
    assert placed.stdout == f"Hold {hold.hold_id} is placed.\n"
    assert (hold.subject_key, hold.datasets, hold.ground, hold.placed_by) == (
        "7",
        ["loans", "letters"],
        "writ-9",
        "clerk",
    )
    assert (hold.period_from, hold.period_to) == (dt.date(2026, 1, 1), dt.date(2026, 2, 1))
    assert (hold.ends_on, hold.review_on) == (dt.date(2999, 12, 31), None)

    ordinary, restricted = holdfast("list"), holdfast("list", "--restricted")
    assert rows(ordinary) == [["billing", "FINE", "1", "1", "0"]]
    assert "ORDER" not in ordinary.output
    assert rows(restricted)[1] == ["legal", "ORDER", "1", "1", "2999-12-31", "0"]

    assert holdfast("release", "case-1", "--reason", "whim").exit_code == 1
    released = holdfast("release", str(hold.hold_id), "--reason", "ended", "--by", "clerk")
    assert (released.exit_code, released.stdout) == (0, f"Hold {hold.hold_id} is released.\n")
    assert rows(holdfast("list", "--restricted")) == [["billing", "FINE", "1", "1", "0"]]


def test_a_refusal_is_one_sentence_and_a_fix(desk: Library) -> None:
    result = holdfast("place", "FINE", "case-2", "--by", "clerk")
    assert result.exit_code == 1
    assert result.stderr == (
        "HoldError: Holds of the type FINE come from a source and are not placed by hand."
        " Fix: enter it in that system, or use one of DAMAGE, ORDER.\n"
    )


def test_whoever_runs_the_command_is_who_placed_it(desk: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "porter")
    assert holdfast("place", "DAMAGE", "case-3", "--record", "7", "--dataset", "members").exit_code == 0
    assert desk.held()["case-3"].placed_by == "porter"
