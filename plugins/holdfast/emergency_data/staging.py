"""An extract's records in the database: one unlogged table for each extract, every field as text, as the file has it.

The file is streamed into it by COPY and never held in memory. The table is made, filled and counted in one transaction:
a file that breaks on the way leaves nothing. Where a layout has codes, dates or widths of its own, the file goes into a
table of raw lines first, and one statement turns that into the words of the rules.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from holdfast.emergency_data import statements
from holdfast.emergency_data.conditions import SCHEMA
from holdfast.emergency_data.fields import DATE_FIELDS, FIELDS
from holdfast.emergency_data.layout import Layout, LayoutField
from holdfast.emergency_data.scan import Finding, Scan, blocks_of_details
from holdfast.errors import ExtractRefused

_DATE_PARTS = {"%Y": "([0-9]{4})", "%m": "([0-9]{2})", "%d": "([0-9]{2})"}
_CSV_MESSAGES = {"missing data": "columns_missing", "extra data": "columns_too_many", "unterminated": "quote_open"}


def table_of(extract_id: int) -> sa.Table:
    """The table of one extract. `record_no` counts the records of the file from 1."""
    return sa.Table(
        f"extract_{extract_id}",
        sa.MetaData(),
        sa.Column("record_no", sa.BigInteger, sa.Identity(always=False, cache=10_000), nullable=False),
        *(sa.Column(name, sa.Text) for name in FIELDS),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )


def load(connection: sa.Connection, extract_id: int, path: Path, layout: Layout, seen: Scan) -> sa.Table:
    """Make the extract's table and fill it, in the caller's transaction.

    Raises ExtractRefused, with the finding as its fact, if a record is not made up as the layout says.
    """
    table = table_of(extract_id)
    table.create(connection)
    if _is_plain(layout):
        assert layout.separator is not None
        mark = _own_columns(connection, table, layout)
        _copy(connection, table.name, [mark, *_columns(layout)], layout, layout.separator, '"', path, seen)
    else:
        _load_by_raw(connection, table, layout, path, seen)
    copied = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    if copied != seen.records:
        raise _refusal(Finding("F016", "line_break_in_a_value"))
    statements.make_key(connection, table, "record_no")
    statements.analyze(connection, table)
    return table


def counts_differ(connection: sa.Connection, table: sa.Table, seen: Scan) -> list[Finding]:
    """F007: the trailer's counts by action and its control total, against what was loaded."""
    action, number = table.c.action, table.c.number_e164
    digits = sa.func.right(sa.func.regexp_replace(number, "[^0-9]", "", "g"), 6)
    statement = sa.select(
        *(
            sa.func.count().filter(action == code).label(name)
            for name, code in (("inserts", "I"), ("amends", "A"), ("ceases", "C"))
        ),
        sa.func.coalesce(sa.func.sum(sa.cast(sa.func.nullif(digits, ""), sa.BigInteger)), 0).label("control_total"),
    ).select_from(table)
    found = connection.execute(statement).mappings().one()
    return [
        Finding("F007", "count_differs", seen.records + 2, name)
        for name in ("inserts", "amends", "ceases", "control_total")
        if name in seen.trailer and seen.trailer[name] != int(found[name])
    ]


def drop(connection: sa.Connection, extract_id: int) -> None:
    """Remove the extract's table, if there is one."""
    table_of(extract_id).drop(connection, checkfirst=True)


def _is_plain(layout: Layout) -> bool:
    """Whether the file's values are the canonical ones as they stand."""
    return (
        not layout.is_fixed
        and layout.date_format == "%Y-%m-%d"
        and not any(field.values for field in layout.detail.fields)
    )


def _columns(layout: Layout) -> list[str]:
    return [field.name or f"own_{n}" for n, field in enumerate(layout.detail.fields)]


def _own_columns(connection: sa.Connection, table: sa.Table, layout: Layout) -> str:
    """Room for the mark and for what no rule reads: COPY must put them somewhere."""
    mark = "mark"
    for name in (mark, *(name for name in _columns(layout) if name not in FIELDS)):
        statements.add_column(connection, table, name)
    return mark


def _load_by_raw(connection: sa.Connection, table: sa.Table, layout: Layout, path: Path, seen: Scan) -> None:
    columns = ["line"] if layout.is_fixed else ["mark", *_columns(layout)]
    raw = sa.Table(
        f"raw_{table.name}",
        sa.MetaData(),
        sa.Column("record_no", sa.BigInteger, sa.Identity(always=False, cache=10_000), nullable=False),
        *(sa.Column(name, sa.Text) for name in columns),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )
    raw.create(connection)
    separator, quote = (
        (statements.LINE_SEPARATOR, statements.LINE_QUOTE) if layout.separator is None else (layout.separator, '"')
    )
    _copy(connection, raw.name, columns, layout, separator, quote, path, seen)
    named: dict[str, sa.ColumnElement[str]] = {}
    at = len(layout.detail.mark) + 1
    for column, field in zip(_columns(layout), layout.detail.fields, strict=True):
        cell: sa.ColumnElement[str] = (
            sa.func.nullif(sa.func.rtrim(sa.func.substr(raw.c.line, at, field.length), " "), "", type_=sa.Text)
            if layout.is_fixed
            else raw.c[column]
        )
        at += field.length
        if field.name is not None:
            named[field.name] = _cell_in(layout, field, cell)
    rows = sa.select(raw.c.record_no, *named.values()).order_by(raw.c.record_no)
    connection.execute(sa.insert(table).from_select(["record_no", *named], rows))
    raw.drop(connection)


def _cell_in(layout: Layout, field: LayoutField, cell: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    if field.values:
        return sa.case(dict(field.values), value=cell, else_=cell)
    if field.name in DATE_FIELDS and layout.date_format != "%Y-%m-%d":
        order = re.findall(r"%[Ymd]", layout.date_format)
        pattern = re.escape(layout.date_format)
        for part, digits in _DATE_PARTS.items():
            pattern = pattern.replace(re.escape(part), digits)
        iso = "-".join(f"\\{order.index(part) + 1}" for part in _DATE_PARTS)
        return sa.func.regexp_replace(cell, f"^{pattern}$", iso, type_=sa.Text)
    if layout.is_fixed and field.kind == "number":
        return sa.func.regexp_replace(cell, "^0+(?=.)", "", type_=sa.Text)
    return cell


def _copy(
    connection: sa.Connection,
    table: str,
    columns: list[str],
    layout: Layout,
    separator: str,
    quote: str,
    path: Path,
    seen: Scan,
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL(
        "COPY {} ({}) FROM STDIN"
        " (FORMAT csv, FREEZE true, DELIMITER {}, QUOTE {}, NULL '', FORCE_NULL ({}), ENCODING {})"
    ).format(
        sql.Identifier(SCHEMA, table),
        names,
        sql.Literal(separator),
        sql.Literal(quote),
        names,
        sql.Literal(statements.COPY_ENCODINGS[layout.encoding]),
    )
    finding: Finding
    try:
        with statements.driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
            for block in blocks_of_details(path, seen):
                copy.write(block)
        return
    except (psycopg.errors.BadCopyFileFormat, psycopg.errors.CharacterNotInRepertoire) as error:
        finding = _place(error)
    raise _refusal(finding)  # outside the handler: the driver's message quotes the line


def _place(error: psycopg.Error) -> Finding:
    """The line and the column that COPY complains about, without what stands there."""
    line = re.search(r"line ([0-9]+)", error.diag.context or "")
    message = error.diag.message_primary or ""
    column = re.search(r'for column "([a-z0-9_]+)"', message)
    reason = next((code for text, code in _CSV_MESSAGES.items() if text in message), "columns")
    return Finding("F016", reason, int(line.group(1)) + 1 if line else None, column.group(1) if column else None)


def _refusal(finding: Finding) -> ExtractRefused:
    return ExtractRefused(f"The file breaks {finding}.", fix="have it sent again, whole.", finding=finding)
