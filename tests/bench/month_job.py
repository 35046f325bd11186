"""A month's report in one process: waits for a line, works the monthly job's steps, tells what each took.

The argument is the month. Everything else comes from the environment.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import scipy.optimize  # as all that is imported here, before the word go
import scipy.stats  # noqa: F401

from holdfast import database, settings
from holdfast.suspension_statistics import report, steps
from holdfast.suspension_statistics.report import edition


def main() -> None:
    month = sys.argv[1]
    found = settings.load()
    engine = database.connect(found)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Any, *given: Any, **values: Any) -> Any:
        started = time.monotonic()
        told = work(*given, **values)
        seconds[name] = seconds.get(name, 0) + time.monotonic() - started
        return told

    kept = {name: getattr(edition, name) for name in ("internal", "published")}
    for name, work in kept.items():  # what a report asks of the database and of disclosure control, apart from drawing
        setattr(report.edition, name, lambda *a, name=name, work=work, **k: timed(f"{name} edition", work, *a, **k))

    print("ready", flush=True)
    sys.stdin.readline()
    frozen = timed("freeze_month", steps.freeze_month, engine, found, month=month)
    timed("reproduce_month", steps.reproduce_month, engine, found, month=month)
    written = timed("write_report", steps.write_report, engine, found, month=month)
    seconds["drawing"] = seconds["write_report"] - sum(seconds[f"{name} edition"] for name in kept)
    facts = {
        "seconds": seconds,
        "is_new": frozen["is_new"],
        "suspensions": written["suspensions"],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
