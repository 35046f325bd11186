"""The table at the end of a night: what each run did, and where its report is."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from holdfast.night.jobs import SUCCESS, Run

_FACTS_FIRST = ("due", "deleted", "anonymised", "held", "unknown")


def show(console: Console, runs: list[Run]) -> None:
    """Print one row for each run, with the counts and paths its report task returned."""
    facts = _facts(runs)
    table = Table(title="The night", title_justify="left", expand=False)
    for heading in ("job", "state", "seconds", *facts):
        table.add_column(heading, justify="right" if heading in facts or heading == "seconds" else "left")
    for run in runs:
        colour = "green" if run.state == SUCCESS else "red"
        counts = [_number((run.report or {}).get(fact)) for fact in facts]
        table.add_row(run.dag, f"[{colour}]{run.state}[/]", f"{run.seconds:.0f}", *counts)
    console.print(table)
    for run in runs:
        for name, path in (run.report or {}).items():
            if isinstance(path, str) and "/" in path:
                console.print(f"  {name}: {escape(path)}", highlight=False, soft_wrap=True)


def _facts(runs: list[Run]) -> list[str]:
    """The counts that any report names, the usual ones first."""
    named = {name for run in runs for name, value in (run.report or {}).items() if type(value) is int}
    return [*(name for name in _FACTS_FIRST if name in named), *sorted(named.difference(_FACTS_FIRST, {"run_id"}))]


def _number(value: object) -> str:
    return f"{value:,}" if type(value) is int else ""
