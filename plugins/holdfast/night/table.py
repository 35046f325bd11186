"""What a person reads at the end of a night: what each job did, in a sentence and a table, and where it is written.

All of it comes from the files that the run's `write_report` task wrote: the terminal never says more than the report.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from holdfast.night.jobs import SUCCESS, Run
from holdfast.reports import terminal
from holdfast.retention.report.figures import known_sum

_OF_A_RULE = {  # heading: its key in the report
    "due": "planned_rows",
    "done": "done_rows",
    "held": "held_rows",
    "waiting": "waiting_rows",
    "unknown": "unknown_rows",
    "refused": "refused_rows",
}
_OF_AN_EXTRACT = ("records", "released", "warned", "quarantined")
_DECISIONS = ("erase", "anonymise", "held", "exempt", "waiting", "unknown")


def show(console: Console, runs: list[Run], began: dt.datetime) -> None:
    """Print the night that began then. A run that was sealed before is said to be that: its figures are not new."""
    for run in runs:
        colour = "green" if run.state == SUCCESS else "red"
        console.print()
        console.print(
            f"[bold]{run.dag}[/] [{colour}]{run.state}[/] after {run.seconds:.0f} s ({escape(run.run_id)})",
            highlight=False,
        )
        if run.report is not None:
            _show_report(console, Path(run.report["folder"]), began)


def _show_report(console: Console, folder: Path, began: dt.datetime) -> None:
    if (folder / "statistics.json").exists():
        _show_statistics(console, json.loads((folder / "statistics.json").read_text()))
        _show_files(console, folder)
        return
    report = json.loads((folder / "report.json").read_text())
    seal, run = report.get("seal"), report.get("run")
    sealed_at = dt.datetime.fromisoformat(seal["sealed_at"]) if seal else began
    if run is not None and sealed_at < began:
        console.print(
            f"[bold yellow]Nothing was left to do: the night of {run['as_of_date']} was done before, and sealed at"
            f" {sealed_at:%Y-%m-%d %H:%M} UTC. These are the figures of that run, number {run['run_id']}.[/]",
            highlight=False,
        )
    console.print(escape(report["verdict"]["sentence"]))
    if "extracts" in report:
        _show_extracts(console, report["extracts"])
    elif "disagreements" in report:
        _show_disagreements(console, report["disagreements"])
    elif "safeguards" in report:
        _show_safeguards(console, report["safeguards"])
    elif "matrix" in report:
        _show_matrix(console, report["matrix"])
    else:
        _show_rules(console, report["rules"])
    _show_files(console, folder)


def _show_files(console: Console, folder: Path) -> None:
    for file in sorted(folder.iterdir()):
        console.print(f"  {escape(str(file))}", highlight=False, soft_wrap=True)


def _show_statistics(console: Console, statistics: dict[str, Any]) -> None:
    """A month of suspensions: its version, and the figures without a breakdown that are counts."""
    console.print(f"{statistics['month']}, version {statistics['version']}, {statistics['digest']}", highlight=False)
    whole = [one for one in statistics["figures"] if one["category"] == "all" and one["unit"] == "count"]
    rows = [(one["metric"], one["name"], one["basis"], one["n"]) for one in whole if one["dimension"] == "all"]
    terminal.show(console, ("metric", "what", "by month of", "number"), rows)


def _show_safeguards(console: Console, kinds: list[dict[str, Any]]) -> None:
    """Broken safeguards of suspensions: one line for each kind of which any is open."""
    rows = [(one["kind"], one["open"], one["new"], one["oldest"]) for one in kinds]
    terminal.show(console, ("broken safeguard", "open", "found today", "days of the oldest"), rows)


def _show_disagreements(console: Console, kinds: list[dict[str, Any]]) -> None:
    """What ledger, Airflow and calendar do not agree on: one line for each kind."""
    rows = [(one["kind"], one["open"], one["unexplained"]) for one in kinds]
    if rows:
        terminal.show(console, ("disagreement", "open", "unexplained"), rows)


def _show_rules(console: Console, rules: list[dict[str, Any]]) -> None:
    """Rows: one line for each rule that had anything to do or to leave, and their sum."""
    lines = [((rule["rule_id"], rule["action"]), rule) for rule in rules]
    _show_counts(console, ("rule", "action"), _OF_A_RULE, lines)


def _show_matrix(console: Console, datasets: list[dict[str, Any]]) -> None:
    """Decisions on requests: one line for each dataset that any was asked for in, and their sum."""
    keys = {decision: decision for decision in _DECISIONS}
    _show_counts(console, ("dataset",), keys, [((one["dataset"],), one) for one in datasets])


def _show_extracts(console: Console, extracts: list[dict[str, Any]]) -> None:
    """999 emergency data: one line for each file that came on the day. Nobody counted the records of a broken one."""
    names = [f"{one['provider'] or ''} {one['sequence'] or ''}".strip() for one in extracts]
    rows = [
        (name, one["state"], *(one[count] for count in _OF_AN_EXTRACT))
        for name, one in zip(names, extracts, strict=True)
    ]
    sums = (known_sum(one[name] for one in extracts if one["state"] != "refused") for name in _OF_AN_EXTRACT)
    terminal.show(console, ("extract", "state", *_OF_AN_EXTRACT), rows, ("all of them", "", *sums))


def _show_counts(
    console: Console,
    headings: tuple[str, ...],
    keys: dict[str, str],
    lines: Sequence[tuple[tuple[str, ...], dict[str, Any]]],
) -> None:
    busy = [(names, counts) for names, counts in lines if any(counts[key] for key in keys.values())]
    rows = [(*names, *(counts[key] for key in keys.values())) for names, counts in busy]
    sums = (known_sum(counts[key] for _, counts in lines) for key in keys.values())
    total = ("all of them", *[""] * (len(headings) - 1), *sums)
    terminal.show(console, (*headings, *keys), rows, total)
