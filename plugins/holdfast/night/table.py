"""What a person reads at the end of a night: what each rule did, in a sentence and a table, and where it is written.

All of it comes from the files that the run's `write_report` task wrote: the terminal never says more than the report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from holdfast.night.jobs import SUCCESS, Run

_COUNTS = {  # heading: its key in the report
    "due": "planned_rows",
    "done": "done_rows",
    "held": "held_rows",
    "unknown": "unknown_rows",
    "refused": "refused_rows",
}


def show(console: Console, runs: list[Run]) -> None:
    """Print the night."""
    for run in runs:
        colour = "green" if run.state == SUCCESS else "red"
        console.print()
        console.print(
            f"[bold]{run.dag}[/] [{colour}]{run.state}[/] after {run.seconds:.0f} s ({escape(run.run_id)})",
            highlight=False,
        )
        if run.report is not None:
            _show_report(console, Path(run.report["folder"]))


def _show_report(console: Console, folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text())
    console.print(escape(report["verdict"]["sentence"]))
    console.print(_rules(report["rules"]) if "rules" in report else _extracts(report["extracts"]))
    for file in sorted(folder.iterdir()):
        console.print(f"  {escape(str(file))}", highlight=False, soft_wrap=True)


def _extracts(extracts: list[dict[str, Any]]) -> Table:
    """One row for each file of 999 emergency data that came."""
    counts = ("records", "released", "warned", "quarantined")
    table = Table("extract", "state", *counts)
    for one in extracts:
        numbers = ("" if one[name] is None else f"{one[name]:,}" for name in counts)
        table.add_row(f"{one['provider'] or ''} {one['sequence'] or ''}", one["state"], *numbers)
    return table


def _rules(rules: list[dict[str, Any]]) -> Table:
    """One row for each rule that had anything to do or to leave, and their sum."""
    busy = [rule for rule in rules if any(rule[key] for key in _COUNTS.values())]
    table = Table(show_footer=True)
    table.add_column("rule", "all of them")
    table.add_column("action", "")
    for heading, key in _COUNTS.items():
        table.add_column(heading, f"{sum(rule[key] for rule in rules):,}", justify="right")
    for rule in busy:
        table.add_row(rule["rule_id"], rule["action"], *(f"{rule[key]:,}" for key in _COUNTS.values()))
    return table
