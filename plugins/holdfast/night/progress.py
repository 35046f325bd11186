"""What a person sees while the night runs: one line for each thing that is done, and what is being done now.

On a terminal the current work shows as a moving line; in a file or a CI log only the finished lines appear.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

_SIGNS = {
    "success": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "upstream_failed": "[red]·[/]",
    "skipped": "[dim]-[/]",
    "up_for_retry": "[yellow]↻[/]",
    "awaiting_input": "[yellow]?[/]",
    "deferred": "[yellow]…[/]",
}


class Progress:
    """Lines on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show `title` while the block runs, then how long it took. The yielded function adds what is done just now."""
        started = time.monotonic()
        with self.console.status(title) as status:
            yield lambda detail: status.update(f"{title}: {escape(detail)}")
        self.line("success", title, time.monotonic() - started)

    def line(self, state: str, text: str, seconds: float | None = None) -> None:
        duration = "" if seconds is None else f" [dim]{seconds:.1f} s[/]"
        self.console.print(f"  {_SIGNS.get(state, '•')} {escape(text)}{duration}", highlight=False)

    def detail(self, text: str) -> None:
        """More about the line above."""
        self.console.print(f"      {escape(text)}", highlight=False)

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False)
