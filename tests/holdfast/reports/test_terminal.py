"""A table is as wide as it must be, or becomes paragraphs; a number is whole in either."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from holdfast.reports import terminal

HEADINGS = ("rule", "action", "due", "waiting")
ROWS = [("call-detail-records-12m", "delete", 1_234_567, 0), ("accounts-6y [x]", "anonymise", 35, None)]
TOTAL = ("all of them", "", 1_234_602, 0)


def shown(width: int, *, is_terminal: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=is_terminal, color_system=None)
    terminal.show(console, HEADINGS, ROWS, TOTAL)
    return [line.rstrip() for line in file.getvalue().splitlines() if line.strip()]


def test_a_wide_terminal_shows_one_line_for_each_row_and_the_total_last() -> None:
    lines = shown(100)
    assert [line.split() for line in lines if "\u2500" not in line] == [
        ["rule", "action", "due", "waiting"],
        ["call-detail-records-12m", "delete", "1,234,567", "0"],
        ["accounts-6y", "[x]", "anonymise", "35", "-"],
        ["all", "of", "them", "1,234,602", "0"],
    ]
    assert lines[2].index("1,234,567") + 9 == lines[3].index("35") + 2, "counts are flush right"


@pytest.mark.parametrize("width", [20, 40, 50])
def test_a_narrow_one_shows_paragraphs(width: int) -> None:
    assert shown(width) == [
        "call-detail-records-12m",
        "  action   delete",
        "  due      1,234,567",
        "  waiting  0",
        "accounts-6y [x]",
        "  action   anonymise",
        "  due      35",
        "  waiting  -",
        "all of them",
        "  action",
        "  due      1,234,602",
        "  waiting  0",
    ]


def test_what_goes_elsewhere_than_to_a_terminal_is_never_narrow() -> None:
    assert shown(20, is_terminal=False) == shown(100)
