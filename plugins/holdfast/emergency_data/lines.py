"""Header and trailer as values: read from a line, and written as one. Details go to the database unread."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from holdfast.emergency_data.layout import Layout, LayoutField, Line

Value: TypeAlias = str | int | dt.date | dt.datetime | None


@dataclass(frozen=True)
class Fault:
    """A column of a header or trailer that is not what the layout says. Never the value: it may be a record's."""

    column: str
    reason: str


def read_line(layout: Layout, line: Line, text: str) -> tuple[dict[str, Value], list[Fault]]:
    """The values by field name, and what is wrong. No values where the line has another number of columns."""
    cells = _cut(layout, line, text)
    if cells is None:
        return {}, [Fault(line.mark, "columns")]
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    for field, cell in zip(line.fields, cells, strict=True):
        try:
            value = _value(layout, field, cell)
        except ValueError as error:
            faults.append(Fault(field.column, str(error)))
            continue
        if field.name is not None:
            values[field.name] = value
    return values, faults


def write_line(layout: Layout, line: Line, values: Mapping[str, Value]) -> bytes:
    """The line with its end. ValueError if a value does not fit its column."""
    cells = [_cell(layout, field, _given(field, values)) for field in line.fields]
    if layout.separator is None:
        text = line.mark + "".join(cells)
    else:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=layout.separator, lineterminator="").writerow([line.mark, *cells])
        text = buffer.getvalue()
    return text.encode(layout.encoding) + layout.end


def _given(field: LayoutField, values: Mapping[str, Value]) -> Value:
    if field.constant is not None:
        return field.constant
    return None if field.name is None else values.get(field.name)


def _cut(layout: Layout, line: Line, text: str) -> list[str] | None:
    if layout.separator is None:
        if len(text) != len(line.mark) + sum(field.length for field in line.fields) or not text.startswith(line.mark):
            return None
        cells, at = [], len(line.mark)
        for field in line.fields:
            cells.append(text[at : at + field.length].rstrip(" "))
            at += field.length
        return cells
    try:
        row = next(csv.reader([text], delimiter=layout.separator, strict=True), [])
    except csv.Error:
        return None
    return row[1:] if row[:1] == [line.mark] and len(row) == len(line.fields) + 1 else None


def _value(layout: Layout, field: LayoutField, cell: str) -> Value:
    if cell == "":
        if field.mandatory:
            raise ValueError("missing")
        return None
    if len(cell) > field.length:
        raise ValueError("too_long")
    if field.characters is not None and not re.fullmatch(field.characters, cell):
        raise ValueError("characters")
    if field.constant is not None and cell != field.constant:
        raise ValueError("not_the_constant")
    return _converted(layout, field, cell)


def _converted(layout: Layout, field: LayoutField, cell: str) -> Value:
    match field.kind:
        case "number":
            if not re.fullmatch(r"[0-9]{1,18}", cell):
                raise ValueError("not_a_number")
            return int(cell)
        case "date":
            return _instant(cell, layout.date_format, "not_a_date").date()
        case "timestamp":
            return _instant(cell, layout.timestamp_format, "not_a_time")
        case "text":
            return field.read(cell)


def _instant(cell: str, form: str, fault: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(cell, form).replace(tzinfo=dt.UTC)
    except ValueError:
        raise ValueError(fault) from None


def _cell(layout: Layout, field: LayoutField, value: Value) -> str:
    match value:
        case None:
            text = ""
        case dt.datetime():
            text = value.astimezone(dt.UTC).strftime(layout.timestamp_format)
        case dt.date():
            text = value.strftime(layout.date_format)
        case _:
            text = field.written(str(value))
    if len(text) > field.length:
        raise ValueError(f"{field.column} does not fit its {field.length} characters")
    if layout.separator is None:
        return text.rjust(field.length, "0") if field.kind == "number" and text else text.ljust(field.length)
    return text
