"""A workbook: text is never a formula, nothing is cut off, and the same tables give the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reports import xlsx
from holdfast.reports.tables import Cell

NIGHT = dt.date(2026, 11, 24)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class Line:
    """A row with a value of each kind."""

    name: str
    rows: int
    share: float | None
    day: dt.date | None
    at: dt.datetime
    is_held: bool


LINE = Line("tickets", 1_200, 0.5, NIGHT, dt.datetime(2026, 11, 24, 1, 30, tzinfo=dt.UTC), True)


def made(*rows: list[Cell], header: tuple[str, ...] = ("text",)) -> bytes:
    return xlsx.workbook([xlsx.Sheet("Sheet", header, rows)], title="A title", on=NIGHT)


def cells(book: bytes) -> list[tuple[str, str]]:
    """Type and value of each cell of the first sheet."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{_MAIN}f")), "no formula"
    found = []
    for cell in sheet.iter(f"{_MAIN}c"):
        text, value = cell.find(f"{_MAIN}is/{_MAIN}t"), cell.findtext(f"{_MAIN}v")
        if text is not None:
            found.append((cell.get("t", ""), text.text or ""))
        elif value is not None:
            found.append((cell.get("t", "n"), value))
    return found


def test_each_kind_of_value_has_its_kind_of_cell() -> None:
    book = xlsx.workbook([xlsx.sheet_of("Lines", Line, [LINE])], title="Lines", on=NIGHT)
    assert cells(book) == [
        *(("inlineStr", name) for name in ("name", "rows", "share", "day", "at", "is_held")),
        ("inlineStr", "tickets"),
        ("n", "1200"),
        ("n", "0.5"),
        ("n", "46350"),  # 24 November 2026, as a spreadsheet counts days
        ("inlineStr", "2026-11-24T01:30:00+00:00"),
        ("inlineStr", "yes"),
    ]


def test_what_is_not_known_is_an_empty_cell_and_not_zero() -> None:
    assert cells(made([None, 0], header=("a", "b"))) == [("inlineStr", "a"), ("inlineStr", "b"), ("n", "0")]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=60))
def test_a_text_is_what_it_was_and_never_a_formula(text: str) -> None:
    shown = [value for kind, value in cells(made([text]))[1:] if kind == "inlineStr"]
    assert shown == [text]


@pytest.mark.parametrize("text", ["=1+1", "+44", "@SUM(A1)", "-1", '=HYPERLINK("http://example.test")', "a;=1"])
def test_what_would_be_a_formula_is_text_and_says_so(text: str) -> None:
    book = made([text])
    assert cells(book)[1:] == [("inlineStr", text)]
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        styles = ElementTree.fromstring(archive.read("xl/styles.xml"))
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    formats = list(styles.find(f"{_MAIN}cellXfs") or ())
    style = next(int(cell.get("s", "0")) for cell in sheet.iter(f"{_MAIN}c") if cell.get("r") == "A2")
    assert formats[style].get("quotePrefix") == "1"


@pytest.mark.parametrize("text", ["{=1}", "http://example.test", "internal:Sheet!A1", "mailto:a@example.test"])
def test_no_text_becomes_a_link_or_an_array(text: str) -> None:
    book = made([text])
    assert cells(book)[1:] == [("inlineStr", text)]
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".rels") and "sheets" in name]


def test_the_same_tables_give_the_same_bytes() -> None:
    assert made(["a", "b"], header=("x", "y")) == made(["a", "b"], header=("x", "y"))


def test_what_does_not_fit_is_refused_and_not_cut_off() -> None:
    with pytest.raises(ValueError, match="40000 characters"):
        made(["x" * 40_000])
