"""A fixed query is read from its file, takes exactly what its header declares, and means what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast import queries, settings
from holdfast.errors import QueryError

HEADER = "-- What is twice a number?\n-- params:  {}\n-- returns: one row (doubled)\n-- locks:   none\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty sql/ of the test's own."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path))
    queries.query.cache_clear()
    (tmp_path / "sql" / "sums").mkdir(parents=True)
    yield tmp_path / "sql" / "sums"
    queries.query.cache_clear()


def write(folder: Path, parameters: str, statement: str, name: str = "double") -> None:
    (folder / f"{name}.sql").write_text(HEADER.format(parameters) + statement, encoding="utf-8")


def test_a_query_runs_with_bound_values(folder: Path, empty_database: sa.Engine) -> None:
    write(folder, "number integer", "SELECT 2 * cast(:number AS integer) AS doubled")
    with empty_database.connect() as connection:
        assert queries.run(connection, "sums/double", {"number": 21}).scalar_one() == 42


def test_a_value_is_never_part_of_the_statement(folder: Path, empty_database: sa.Engine) -> None:
    write(folder, "word text", "SELECT cast(:word AS text) AS doubled")
    evil = "'; DROP SCHEMA public CASCADE; --%s :x"
    with empty_database.connect() as connection:
        assert queries.run(connection, "sums/double", {"word": evil}).scalar_one() == evil


@pytest.mark.parametrize(
    ("parameters", "statement"),
    [
        ("none", "SELECT :number AS doubled"),
        ("", "SELECT :number AS doubled"),
        ("number integer", "SELECT 2 AS doubled"),
        ("nomber integer", "SELECT :number AS doubled"),
        ("number integer, other text", "SELECT :number AS doubled"),
        ("number integer", "SELECT :number AS doubled -- and :other"),
        ("number integer", 'SELECT :number, \'{"a":true, "b" :x}\' AS doubled'),
    ],
)
def test_header_and_statement_must_agree(folder: Path, parameters: str, statement: str) -> None:
    write(folder, parameters, statement)
    with pytest.raises(QueryError, match=r"declares the parameters .* and uses") as caught:
        queries.query("sums/double")
    assert "make the params line of the header agree" in caught.value.fix


def test_the_header_is_no_part_of_what_the_server_sees(folder: Path) -> None:
    write(folder, "none", "\nSELECT 1 AS doubled -- a reason\n")
    assert queries.query("sums/double").text == "SELECT 1 AS doubled -- a reason"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("-- params: none\nSELECT 1", set()),
        ("SELECT 1", set()),
        ("-- params:  a integer, b text[], c timestamptz\nSELECT 1", {"a", "b", "c"}),
        ("--params: a integer\nSELECT 1", {"a"}),
    ],
)
def test_the_names_that_a_header_declares(source: str, names: set[str]) -> None:
    assert queries.declared_parameters(source) == names


def test_a_value_that_is_missing_is_an_error(folder: Path, empty_database: sa.Engine) -> None:
    write(folder, "number integer", "SELECT 2 * cast(:number AS integer) AS doubled")
    with empty_database.connect() as connection, pytest.raises(sa.exc.StatementError, match="number"):
        queries.run(connection, "sums/double")


def test_a_query_that_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        queries.query("sums/treble")
