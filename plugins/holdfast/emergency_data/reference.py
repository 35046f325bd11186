"""The lists that rules look into: those that come with the project, and those that a provider supplies.

A list of the project is a file `expectations/emergency_data/reference/<list>.csv`. It replaces what the database has of
that list. A supplied list (Ofcom's allocated blocks, a postcode directory) is loaded by command and stays.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from holdfast import queries
from holdfast.emergency_data.catalogue import Suite
from holdfast.errors import RuleSetError

SUPPLIED = ("allocated_block", "postcode", "postcode_ended")
"""Lists that the project cannot bring along. A rule that needs one is switched off until it is there."""

_INVENTED = "invented"


def load_shipped(connection: sa.Connection, folder: Path, *, invented_places: bool) -> None:
    """Put the project's lists into the database, in place of what it has of them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for where in (folder, folder / _INVENTED) if invented_places else (folder,):
        for path in sorted(where.glob("*.csv")):
            found.setdefault(path.stem, []).extend(_rows(path))
    for list_name, rows in found.items():
        if list_name in SUPPLIED:
            raise RuleSetError(f"{list_name}.csv is a list that providers supply.", fix="load it by command instead.")
        _replace(connection, list_name, rows)


def supply(connection: sa.Connection, list_name: str, path: Path) -> int:
    """Load a list that the provider supplies, from a file with the columns key and value; its number of entries."""
    if list_name not in SUPPLIED:
        raise RuleSetError(f"No rule asks for a list {list_name!r}.", fix=f"use one of {', '.join(SUPPLIED)}.")
    return _replace(connection, list_name, list(_rows(path)))


def not_supplied(connection: sa.Connection, suite: Suite) -> dict[str, str]:
    """The rules of the suite that cannot run because their list is not there, each with the reason."""
    there = set(queries.run(connection, "emergency/lists").scalars())
    return {
        one.rule.rule_id: f"The list {one.kwargs['list_name']} is not supplied."
        for one in suite.expectations
        if one.kwargs.get("list_name") in SUPPLIED and one.kwargs["list_name"] not in there
    }


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != ["key", "value"]:
                raise RuleSetError(f"{path} has not the columns key and value.", fix="give it the line key,value.")
            for row in reader:
                yield _checked(path, reader.line_num, row)
    except (OSError, UnicodeDecodeError) as error:
        raise RuleSetError(f"{path} cannot be read ({type(error).__name__}).", fix="restore the file.") from error


def _checked(path: Path, line: int, row: Mapping[str, str | None]) -> tuple[str, str]:
    key, value = row["key"], row["value"]
    if not key or value is None:
        raise RuleSetError(f"{path}:{line} has no key, or no comma.", fix="write key,value.")
    return key, value


def _replace(connection: sa.Connection, list_name: str, rows: list[tuple[str, str]]) -> int:
    values = {"list_name": list_name, "keys": [key for key, _ in rows], "list_values": [value for _, value in rows]}
    queries.run(connection, "emergency/forget_list", {"list_name": list_name})
    return queries.run(connection, "emergency/store_list", values).rowcount
