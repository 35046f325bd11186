"""What a person reads at the end of a night: what each job did, in a sentence and a table, and where it is written.

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

_OF_A_RULE = {  # heading: its key in the report
    "due": "planned_rows",
    "done": "done_rows",
    "held": "held_rows",
    "unknown": "unknown_rows",
    "refused": "refused_rows",
}
_DECISIONS = ("erase", "anonymise", "held", "exempt", "waiting", "unknown")


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
    console.print(_rules(report["rules"]) if "rules" in report else _matrix(report["matrix"]))
    for file in sorted(folder.iterdir()):
        console.print(f"  {escape(str(file))}", highlight=False, soft_wrap=True)


def _rules(rules: list[dict[str, Any]]) -> Table:
    """Rows: one line for each rule that had anything to do or to leave, and their sum."""
    return _counts("rule", _OF_A_RULE, [([rule["rule_id"], rule["action"]], rule) for rule in rules], ("action",))


def _matrix(datasets: list[dict[str, Any]]) -> Table:
    """Decisions on requests: one line for each dataset that any was asked for in, and their sum."""
    keys = {decision: decision for decision in _DECISIONS}
    return _counts("dataset", keys, [([one["dataset"]], one) for one in datasets])


def _counts(
    first: str, keys: dict[str, str], lines: list[tuple[list[str], dict[str, Any]]], others: tuple[str, ...] = ()
) -> Table:
    table = Table(show_footer=True)
    table.add_column(first, "all of them")
    for heading in others:
        table.add_column(heading, "")
    for heading, key in keys.items():
        table.add_column(heading, f"{sum(counts[key] for _, counts in lines):,}", justify="right")
    for names, counts in lines:
        if any(counts[key] for key in keys.values()):
            table.add_row(*names, *(f"{counts[key]:,}" for key in keys.values()))
    return table
