"""Records as the lines of a file, formatted by the database: no record passes through Python but as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from psycopg import sql

from holdfast.emergency_data import statements
from holdfast.emergency_data.fields import DATE_FIELDS
from holdfast.emergency_data.layout import Layout, LayoutField
from holdfast.errors import ExtractRefused


def details(connection: sa.Connection, rows: sa.Select[Any], layout: Layout) -> Iterator[bytes]:
    """The lines of a file for `rows`, which give the canonical fields that the layout names, in its order.

    No value may hold a line break; the rules refuse records whose values do.
    """
    given = rows.subquery("given")
    if layout.is_fixed:
        _check_widths(connection, given, layout)
    cells = [_cell(layout, field, given.c[field.name] if field.name else None) for field in layout.detail.fields]
    if layout.separator is None:
        line: sa.ColumnElement[str] = sa.literal(layout.detail.mark)
        for cell in cells:
            line = line.concat(cell)
        chosen: Any = sa.select(line).select_from(given)
        separator, quote = statements.LINE_SEPARATOR, statements.LINE_QUOTE
    else:
        chosen = sa.select(sa.literal(layout.detail.mark), *cells).select_from(given)
        separator, quote = layout.separator, '"'
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, DELIMITER {}, QUOTE {}, ENCODING {})").format(
        statements.literal(connection, chosen),
        sql.Literal(separator),
        sql.Literal(quote),
        sql.Literal(statements.COPY_ENCODINGS[layout.encoding]),
    )
    with statements.driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            yield bytes(block) if layout.end == b"\n" else bytes(block).replace(b"\n", layout.end)


def _check_widths(connection: sa.Connection, given: sa.Subquery, layout: Layout) -> None:
    """Raises ExtractRefused if a value is wider than its field: in fixed widths it would lose its end unseen."""
    widths = {field.column: (given.c[field.name], field) for field in layout.detail.fields if field.name}
    too_wide = sa.select(
        *(
            sa.func.count().filter(sa.func.length(_cell(layout, field, value, filled=False)) > field.length).label(name)
            for name, (value, field) in widths.items()
        )
    ).select_from(given)
    found = {name: number for name, number in connection.execute(too_wide).mappings().one().items() if number}
    if found:
        raise ExtractRefused(
            f"Values do not fit the columns {', '.join(map(str, found))} of the layout {layout.layout}.",
            fix="correct the records, or write another layout.",
            columns=sorted(map(str, found)),
        )


def _cell(
    layout: Layout, field: LayoutField, value: sa.ColumnElement[str] | None, *, filled: bool = True
) -> sa.ColumnElement[str]:
    cell: sa.ColumnElement[str] = sa.cast(sa.null() if value is None else value, sa.Text)
    if field.constant is not None:
        cell = sa.literal(field.constant)
    if field.values:
        cell = sa.case({theirs: mine for mine, theirs in field.values.items()}, value=cell, else_=cell)
    if field.name in DATE_FIELDS and layout.date_format != "%Y-%m-%d":
        form = layout.date_format
        for part, group in (("%Y", r"\1"), ("%m", r"\2"), ("%d", r"\3")):
            form = form.replace(part, group)
        cell = sa.func.regexp_replace(cell, "^([0-9]{4})-([0-9]{2})-([0-9]{2})$", form, type_=sa.Text)
    if not (layout.is_fixed and filled):
        return cell
    pad = sa.func.lpad if field.kind == "number" else sa.func.rpad
    fill = sa.case((cell.is_(None), " "), else_="0") if field.kind == "number" else sa.literal(" ")
    return pad(sa.func.coalesce(cell, ""), field.length, fill, type_=sa.Text)
