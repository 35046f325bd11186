"""Every file below sql/ says what it is, prepares on a migrated database, takes what it declares, and is used."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from holdfast import database as hf_database
from holdfast import queries, settings
from holdfast.suspension_facts import shapes, take_in

SQL = settings.load().sql
PLUGINS = settings.load().project / "plugins"
DAGS = settings.load().project / "dags"
SCRIPTS = {"provider/schema"}  # several statements, run as they stand; and the migrations
NAMES = sorted(
    str(file.relative_to(SQL).with_suffix(""))
    for file in SQL.rglob("*.sql")
    if file.parent.name != "migrations" and str(file.relative_to(SQL).with_suffix("")) not in SCRIPTS
)
MONTH = {
    "first_day": dt.date(2024, 2, 1),
    "next_month": dt.date(2024, 3, 1),
    "known_until": dt.datetime(2024, 3, 2, tzinfo=dt.UTC),
}
TEMPORARY = {  # statements that others need in the same transaction, with values for their parameters
    "enforcement/objects_listed": {},
    "enforcement/object_urls": {},
    "holds/stage": {},
    "deletion_requests/elsewhere_stage_matrix": {},
    "deletion_requests/elsewhere_stage_open": {},
    "deletion_requests/replay_lines": {},
    "deletion_requests/replay_records": {},
    "deletion_requests/replay_subjects": {},
    "deletion_requests/replay_stage_erased": {},
    "deletion_requests/replay_stage_found": {},
    "deletion_requests/break_completed": {"zone": "UTC"},
    "emergency/stage_answers": {},
    "emergency/stage_gaps": {},
    "provider/generate/windows": {"as_of": dt.datetime(2024, 3, 2, tzinfo=dt.UTC), "backlog": False},
    "provider/generate/cases": {},
    "suspension_facts/chain_stage": {},
    "suspension_statistics/safeguards_stage": {
        "today": dt.date(2024, 3, 2),
        "notice_days": 1,
        "assign_days": 1,
        "restore_days": 1,
    },
    **{
        f"suspension_statistics/stage_{name}": {key: value for key, value in MONTH.items() if key in used}
        for name, used in {
            "decisions": ("first_day", "next_month", "known_until"),
            "requests": ("first_day", "next_month", "known_until"),
            "notices": ("known_until",),
            "restorations": ("first_day", "next_month", "known_until"),
        }.items()
    },
}
PREPARABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.fixture(scope="module")
def connection(fresh_database: Callable[..., AbstractContextManager[sa.Engine]]) -> Iterator[sa.Connection]:
    """Migrated, with the provider's schema and all temporary tables, in a transaction that is rolled back."""
    with fresh_database() as engine, engine.connect() as connection, connection.begin() as transaction:
        hf_database.run_script(connection, (SQL / "provider" / "schema.sql").read_text(encoding="utf-8"))
        for shape in shapes.SHAPES:
            take_in.incoming_table(shape).create(connection)
        for name, values in TEMPORARY.items():
            queries.run(connection, name, values)
        yield connection
        transaction.rollback()


def header_of(name: str) -> list[str]:
    lines = queries.path_of(name).read_text(encoding="utf-8").splitlines()
    length = next(n for n, line in enumerate(lines) if not line.startswith("--"))
    return [line.removeprefix("--").strip() for line in lines[:length]]


def declared_types(name: str) -> dict[str, str]:
    """Parameter -> type, as the header declares them."""
    found = re.search(r"^params:\s*(.*?)^returns:", "\n".join(header_of(name)), re.MULTILINE | re.DOTALL)
    assert found is not None, "no line `params:` before `returns:`"
    listed = " ".join(found.group(1).split())
    return {} if listed == "none" else dict(one.strip().split(" ", 1) for one in listed.split(", "))  # type: ignore[misc]


def numbered(name: str, parameters: list[str]) -> str:
    """The statement with $1, $2 in place of named parameters."""
    compiled = str(queries.query(name).compile(dialect=postgresql.psycopg.dialect()))
    for number, parameter in enumerate(parameters, start=1):
        compiled = compiled.replace(f"%({parameter})s", f"${number}")
    return compiled.replace("%%", "%")


@pytest.mark.parametrize("name", NAMES)
def test_a_header_asks_a_question_and_tells_parameters_result_and_locks(name: str) -> None:
    header = header_of(name)
    assert header[0].endswith(("?", ".")) or len(header[0]) > 20, "the first line says what the statement is for"
    places = [next((n for n, line in enumerate(header) if line.startswith(key)), -1) for key in KEYS]
    assert places[0] > 0, f"{KEYS} in this order"
    assert places == sorted(places), f"{KEYS} in this order"
    assert not any(":" + word in line for line in header for word in queries.query(name)._bindparams)


KEYS = ("params:", "returns:", "locks:")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_one_statement(name: str) -> None:
    body = re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", queries.path_of(name).read_text(encoding="utf-8"))
    assert ";" not in body.rstrip().removesuffix(";")


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_prepares_with_the_types_that_its_header_declares(connection: sa.Connection, name: str) -> None:
    types = declared_types(name)
    assert set(types) == set(queries.query(name)._bindparams) == queries.declared_parameters(source_of(name))
    with connection.begin_nested() as savepoint:
        statement = numbered(name, list(types))
        if statement.lstrip().startswith(PREPARABLE):
            signature = f"({', '.join(types.values())})" if types else ""
            connection.exec_driver_sql(f"PREPARE contract {signature} AS {statement}".replace("%", "%%"))
            connection.exec_driver_sql("DEALLOCATE contract")
        elif name not in TEMPORARY:
            queries.run(connection, name)
        savepoint.rollback()


def source_of(name: str) -> str:
    return queries.path_of(name).read_text(encoding="utf-8")


def strings_in_the_code() -> set[str]:
    """Every string literal in the package, and the literal parts of those with values in between."""
    found: set[str] = set()
    for file in [*PLUGINS.rglob("*.py"), *DAGS.rglob("*.py")]:
        nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        found.update(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return found


def test_every_file_is_used() -> None:
    """By its whole name, or by its own name where the folder's name is put before it."""
    known = strings_in_the_code()
    unused = [
        name
        for name in NAMES
        if name not in known
        and not (name.startswith("provider/generate/") and name.rpartition("/")[2] in known)
        and not name.startswith("provider/holds/")  # the policy names these, and its check finds what it does not name
    ]
    assert unused == []


def test_every_query_that_the_code_names_is_there() -> None:
    folders = "|".join(sorted({name.partition("/")[0] for name in NAMES} - {"provider"}))
    named = {one for one in strings_in_the_code() if re.fullmatch(rf"({folders})/[a-z_]+", one)}
    assert sorted(named - set(NAMES)) == []


_VERBS = re.compile(
    r"\b(SELECT\s.*\bFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+[\w.\"{]+.*\bSET|TRUNCATE|DROP\s+(TABLE|SCHEMA)"
    r"|ALTER\s+TABLE|LOCK\s+TABLE|GRANT\s)\b",
    re.DOTALL,
)


@pytest.mark.parametrize("file", sorted(PLUGINS.rglob("*.py")), ids=lambda file: str(file.relative_to(PLUGINS)))
def test_no_sql_is_put_together_from_strings(file: Path) -> None:
    """Identifiers are quoted by SQLAlchemy or psycopg, and values are bound: never formatted into a text."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            assert not _VERBS.search("".join(parts)), f"line {node.lineno} formats values into a statement"
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mod | ast.Add)
            and isinstance(node.left, ast.Constant)
        ):
            assert not _VERBS.search(str(node.left.value)), f"line {node.lineno} puts a statement together"


def test_nothing_in_the_code_names_a_table_of_the_provider() -> None:
    """The same jobs must run on another schema by changing policy/ and sql/provider/ alone."""
    schema = (SQL / "provider" / "schema.sql").read_text(encoding="utf-8")
    tables = set(re.findall(r"CREATE TABLE provider\.(\w+)", schema))
    assert len(tables) > 20
    named = re.compile(rf"\bprovider\.({'|'.join(sorted(tables))})\b")
    files = [file for file in [*PLUGINS.rglob("*.py"), *DAGS.rglob("*.py")] if "synthetic" not in file.parts]
    files += [file for file in SQL.rglob("*.sql") if "provider" not in file.relative_to(SQL).parts]
    assert [file for file in files if named.search(file.read_text(encoding="utf-8"))] == []
