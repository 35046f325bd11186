"""Tables as one workbook (Office Open XML), a sheet for each: text stays text and is never run, days are days.

A cell of text holds whatever it is given as text; where a spreadsheet would take that for a formula if it were typed,
the cell says that it was quoted, so that editing it changes nothing. The same tables give the same bytes.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.reports.tables import Cell, harmless

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_LONGEST_TEXT = 32_767  # what a cell holds
_MOST_ROWS = 1_048_575  # below the header
_WIDEST = 60
_MADE = dt.time(12, 0)  # noon, so that no time zone moves the day of the file's properties


@dataclass(frozen=True)
class Sheet:
    """One table. `name` is at most 31 characters long."""

    name: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class _Formats:
    head: Format
    day: Format
    quoted: Format


def sheet_of(name: str, kind: type[DataclassInstance], records: Iterable[DataclassInstance]) -> Sheet:
    """A sheet with a column for each field of the dataclass `kind`, and a row for each record."""
    header = tuple(field.name for field in dataclasses.fields(kind))
    return Sheet(name, header, [[getattr(record, column) for column in header] for record in records])


def workbook(sheets: Sequence[Sheet], *, title: str, on: dt.date) -> bytes:
    """The file. ValueError for a text or a table that is too long for it, which would be cut off unseen."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:  # a row is written and forgotten
        book.set_properties({"title": title, "created": dt.datetime.combine(on, _MADE)})
        formats = _Formats(
            head=book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            day=book.add_format({"num_format": "yyyy-mm-dd"}),
            quoted=book.add_format({"quote_prefix": True}),
        )
        for sheet in sheets:
            if len(sheet.rows) > _MOST_ROWS:
                raise ValueError(f"{sheet.name} has {len(sheet.rows)} rows, and a sheet at most {_MOST_ROWS}")
            _fill(book.add_worksheet(sheet.name), sheet, formats)
    return buffer.getvalue()


def _fill(target: Worksheet, sheet: Sheet, formats: _Formats) -> None:
    for column, name in enumerate(sheet.header):
        target.write_string(0, column, name, formats.head)
        lengths = [len(_shown(row[column])) for row in sheet.rows]
        target.set_column(column, column, min(max([len(name), *lengths]) + 2, _WIDEST))
    for number, row in enumerate(sheet.rows, start=1):
        for column, value in enumerate(row):
            _write(target, number, column, value, formats)
    target.freeze_panes(1, 0)
    target.autofilter(0, 0, len(sheet.rows), len(sheet.header) - 1)


def _write(target: Worksheet, row: int, column: int, value: Cell, formats: _Formats) -> None:
    match value:
        case None:
            pass
        case bool() | dt.datetime():  # a moment has a zone, which a cell cannot say
            target.write_string(row, column, _shown(value))
        case int() | float():
            target.write_number(row, column, value)
        case dt.date():
            target.write_datetime(row, column, dt.datetime.combine(value, dt.time()), formats.day)
        case str():
            if len(value) > _LONGEST_TEXT:
                raise ValueError(f"a text of {len(value)} characters does not fit into a cell")
            target.write_string(row, column, value, formats.quoted if harmless(value) != value else None)


def _shown(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dt.datetime():
            return value.isoformat(timespec="seconds")
        case _:
            return str(value)
