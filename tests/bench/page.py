"""docs/benchmarks.md out of the figures."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.measure import Figures

RETENTION, REQUESTS, EMERGENCY = "Retention", "Deletion requests", "999 emergency data"
STATISTICS, EVIDENCE, PAGES = "Suspension statistics", "Evidence", "Pages inside Airflow"
UNDO = "Undo window"
"""The sections of the page."""

COMPARED = (
    ("Due rows everywhere: two shards", "mixed: 2 shards", "one DELETE", "mixed: DELETE", "1.0"),
    ("Due rows everywhere: one shard", "mixed: 1 shards", "one DELETE", "mixed: DELETE", "1.25"),
    ("Due rows at the beginning: two shards", "timed: 2 shards", "one DELETE by index", "timed: DELETE", "1.0"),
    ("Due rows at the beginning: one shard", "timed: 1 shards", "one DELETE by index", "timed: DELETE", "1.25"),
    ("Anonymising two columns", "anonymising", "one UPDATE", "UPDATE", "1.1"),
    ("Plan", "plan", "its answers, and no others, by hand", "count: the plan's answers", ""),
    ("Plan", "plan", "total, due and held by hand", "count: total, due, held", "1.2"),
    ("Plan", "plan", "due by hand", "count: due", ""),
)
"""What is measured, as it is called among the figures; against what, and what that is called; the goal."""


@dataclass
class Facts:
    """What was measured besides seconds."""

    rows: int
    rounds: int
    settings: dict[str, str]
    peak_mb: dict[int, float] = field(default_factory=dict)
    recording: dict[int, tuple[int, float, float]] = field(default_factory=dict)
    """Workers -> batches, and the median and longest milliseconds that one took to enter itself in the ledger."""
    load: tuple[float, float, float] = (0, 0, 0)

    def note_memory(self, rows: int, told: list[dict[str, Any]]) -> None:
        """The most that any worker used over a table of so many rows."""
        self.peak_mb[rows] = max([self.peak_mb.get(rows, 0), *(one["peak_mb"] for one in told)])


def write(path: Path, sections: dict[str, str]) -> None:
    """Put these sections into the page, in place of those of the same name; the others stay as they are."""
    known = re.split(r"^## (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE) if path.exists() else [""]
    kept = dict(zip(known[1::2], known[2::2], strict=True))
    kept.update({name: f"\n{text}\n" for name, text in sections.items()})
    order = (RETENTION, UNDO, REQUESTS, EMERGENCY, STATISTICS, EVIDENCE, PAGES)
    parts = (f"## {name}\n\n{kept[name].strip()}\n" for name in order if name in kept)
    path.write_text("\n".join(["# Benchmarks\n", *parts]), encoding="utf-8")


def text(figures: Figures, facts: Facts) -> str:
    """The section about retention."""
    lines = [
        _introduction(facts),
        "",
        "| what | seconds | against | seconds | ratio | goal |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(figures, *one) for one in COMPARED),
        "",
        "Seconds are the shortest of the rounds and, in brackets, their median; ratios are of the shortest.",
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        *(
            f"| dropping an expired partition of {rows:,} rows | {figures.best(_drop(rows)):.2f} s | 1 s |"
            for rows in (facts.rows // 10, facts.rows)
        ),
        *(
            f"| a worker's memory at its highest, {rows:,} rows | {mb:.0f} MB | 300 MB |"
            for rows, mb in sorted(facts.peak_mb.items())
        ),
        f"| parsing all DAG files | {figures.best('parse all DAG files'):.2f} s | 2 s |",
        *(
            f"| a batch's entry in the ledger, {workers} shards | {median:.1f} ms, at most {longest:.0f} ms"
            f" ({number} batches) | |"
            for workers, (number, median, longest) in sorted(facts.recording.items())
        ),
        "",
        _reading(figures),
        "",
        "All times in seconds, in the order measured:",
        "",
        *(f"- {what}: {', '.join(f'{one:.2f}' for one in seconds)}" for what, seconds in figures.seconds.items()),
    ]
    return "\n".join(lines) + "\n"


def _drop(rows: int) -> str:
    return f"drop a partition of {rows:,}"


def _row(figures: Figures, what: str, ours: str, against: str, floor: str, goal: str) -> str:
    def seconds(name: str) -> str:
        return f"{figures.best(name):.2f} ({statistics.median(figures.seconds[name]):.2f})"

    return f"| {what} | {seconds(ours)} | {against} | {seconds(floor)} | {figures.ratio(ours, floor):.2f} | {goal} |"


def conditions(settings: dict[str, str], load: tuple[float, float, float]) -> str:
    """When, where and under what it was measured."""
    described = ", ".join(f"{name} {value}" for name, value in settings.items())
    return (
        f"Written by `make bench` on {dt.datetime.now(dt.UTC):%Y-%m-%d}. {os.cpu_count()} cores ({_processor()}),"
        f" {platform.system()}, Python {platform.python_version()},\nembedded PostgreSQL 18 with {described};"
        f" other settings are its own.\nLoad average at the end: {', '.join(f'{one:.1f}' for one in load)}.\n"
    )


def _introduction(facts: Facts) -> str:
    return (
        f"{conditions(facts.settings, facts.load)}\n"
        f"{facts.rows:,} call records, three in ten due, 3% of 100,000 accounts held, three indexes (primary key;\n"
        f"account and start; start). {facts.rounds} rounds take turns, each on a fresh copy that is on disk before. "
        "Enforcement is\nworker processes from the word go to the last commit: policy, fences, batches, ledger entries "
        "and the second look at\nthe holds included. Anonymising is measured on a tenth of the rows."
    )


def _reading(figures: Figures) -> str:
    usual = figures.best("mixed: DELETE with NOT EXISTS") / figures.best("mixed: DELETE")
    return (
        "The hand-written DELETE excludes held accounts by `NOT IN`, which PostgreSQL hashes and checks as it scans. "
        f"With\n`NOT EXISTS` it took {usual:.1f} times as long here: the anti-join hands the rows over in the order of "
        "its hash.\nWhere the due rows lie at the beginning, the hand-written statement finds them by the index on the "
        "start and reads three\ntenths of the table; we read all of it, unless it is partitioned. The plan answers, "
        "besides total, due and held: unknown,\nthe forecast for 30, 60 and 90 days, who holds how much, and the "
        "fingerprints of what is due and of what is held."
    )


def _processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.exists():
        for line in names.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
