"""Fixed SQL lives in files below `sql/`; this loads one, checks its declared parameters and runs it.

A file starts with a header of comment lines: the question it answers, then `params:`, `returns:` and `locks:`.
Parameters are named there without a colon, because SQLAlchemy binds `:name` inside a comment as well; the loader
cuts the header off before the text reaches the driver.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from holdfast import settings
from holdfast.errors import QueryError

_PARAMS = re.compile(r"^--\s*params:\s*(.*)$", re.MULTILINE)


def path_of(name: str) -> Path:
    """The file of a query, for example `retention/survivors` -> `sql/retention/survivors.sql`."""
    return settings.load().sql / f"{name}.sql"


@functools.cache
def query(name: str) -> sa.TextClause:
    """The statement in `sql/<name>.sql`. Raises QueryError if header and text disagree about the parameters."""
    path = path_of(name)
    source = path.read_text(encoding="utf-8")
    clause = sa.text(_without_header(source))
    declared = declared_parameters(source)
    used = set(clause._bindparams)
    if declared != used:
        raise QueryError(
            f"{path} declares the parameters {sorted(declared)} and uses {sorted(used)}.",
            fix="make the params line of the header agree with the statement.",
        )
    return clause


def declared_parameters(source: str) -> set[str]:
    """The names in the header's `params:` line; `none` means no parameter."""
    found = _PARAMS.search(source)
    if found is None or found.group(1).strip() in ("none", ""):
        return set()
    return {part.split()[0] for part in found.group(1).split(",")}


def run(connection: sa.Connection, name: str, values: Mapping[str, object] | None = None) -> sa.CursorResult[Any]:
    """Execute `sql/<name>.sql` with bound values."""
    return connection.execute(query(name), dict(values or {}))


def _without_header(source: str) -> str:
    lines = source.splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines))
    return "\n".join(lines[start:])
