"""CSV (RFC 4180) that a spreadsheet shows and never runs.

A spreadsheet takes a text cell that begins with = + - @ (or with a tab or a line break, after which it looks again, or
with the full-width and small forms of those signs) for a formula, which can fetch addresses and start programs. Such a
cell gets an apostrophe in front, as OWASP advises under "CSV injection". Every text is in quotation marks and every
number is bare, so numbers stay numbers, minus signs included. A reader whose list separator is a semicolon cuts texts
into cells of their own: what follows a semicolon, tab or line break inside a text is treated as the beginning of one.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeAlias

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Cell: TypeAlias = str | int | float | bool | dt.date | dt.datetime | None
"""What a cell may hold. None is an empty cell: not known, which is not zero."""

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as a Windows code page

_SIGNS = "=+\\-@" + "".join(
    (
        "\uff1d\uff0b\uff0d\uff20",  # full-width = + - @
        "\ufe66\ufe62\ufe63\ufe6b",  # small = + - @
        "\u207a\u207b\u208a\u208b",  # raised and lowered + -
        "\u2212",  # the minus sign
    )
)
_INVISIBLE = "\\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_FORMULA = re.compile(rf"(^|[;\t\r\n])(?=[{_INVISIBLE}]*[{_SIGNS}])|^(?=[\t\r\n\x00])")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The text of a CSV file with one header line. ValueError for a row of another length or an endless number."""
    buffer = io.StringIO(newline="")
    write = csv_writer(buffer, header)
    for row in rows:
        write(row)
    return buffer.getvalue()


def csv_writer(file: TextIO, header: Sequence[str]) -> Callable[[Sequence[Cell]], None]:
    """Begin a CSV file; what is returned writes one row. `file` must leave line ends as they are (newline="")."""
    file.write(BYTE_ORDER_MARK)
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")

    def write(row: Sequence[Cell]) -> None:
        if len(row) != len(header):
            raise ValueError(f"a row has {len(row)} cells and the header {len(header)}")
        writer.writerow([_cell(value) for value in row])

    write(header)
    return write


def csv_of(kind: type[DataclassInstance], records: Iterable[DataclassInstance]) -> str:
    """The text of a CSV file with a column for each field of the dataclass `kind`, and a row for each record."""
    header = [field.name for field in dataclasses.fields(kind)]
    return csv_text(header, ([getattr(record, name) for name in header] for record in records))


def harmless(text: str) -> str:
    """The text, with an apostrophe before whatever a spreadsheet would take for a formula."""
    return _FORMULA.sub(r"\1'", text.replace("\x00", "\ufffd"))


def _cell(value: Cell) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if not math.isfinite(value):
            raise ValueError("a number without an end has no place in a table")
        case int() | float():
            return value
        case dt.datetime():
            return value.isoformat(timespec="seconds")
        case dt.date():
            return value.isoformat()
        case str():
            return harmless(value)
