"""Tables for people at a terminal, in which no number is ever cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_ANY_WIDTH = 10_000

Cells = Sequence[object]


def show(console: Console, headings: Sequence[str], rows: Iterable[Cells], total: Cells | None = None) -> None:
    """Print a table, counts to the right; `total` is its last line.

    Where a terminal is too narrow for it, each row becomes a paragraph of its own, one line for each cell. Output that
    goes elsewhere than to a terminal has no width to keep to.
    """
    lines = [[_text(cell) for cell in row] for row in (*rows, *([total] if total else []))]
    table = Table(box=box.SIMPLE)
    for number, heading in enumerate(headings):
        are_counts = any(line[number].justify == "right" for line in lines)
        table.add_column(heading, justify="right" if are_counts else "left", no_wrap=True)
    for number, line in enumerate(lines, start=1):
        table.add_row(*line, end_section=total is not None and number == len(lines) - 1)
    table.width = console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum
    if console.is_terminal and table.width > console.width:
        for line in lines:
            _show_paragraph(console, headings, line)
    else:
        console.print(table, crop=False)


def _show_paragraph(console: Console, headings: Sequence[str], line: Sequence[Text]) -> None:
    longest = max(map(len, headings[1:]), default=0)
    console.print(Text("\n").append_text(Text(line[0].plain, style="bold")), soft_wrap=True)
    for heading, cell in zip(headings[1:], line[1:], strict=True):
        console.print(Text(f"  {heading:<{longest}}  {cell.plain}"), soft_wrap=True)


def _text(cell: object) -> Text:
    """A cell as it stands: what looks like markup is none. None is a count that nobody made, which is not zero."""
    if cell is None or isinstance(cell, int):
        return Text("-" if cell is None else f"{cell:,}", justify="right")
    return Text(str(cell))
