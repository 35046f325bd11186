"""The whole job on 999 data in one process: waits for a line, works every step, tells what each took.

It takes everything from the environment. Nothing of ours is imported before the line comes: imports are part of it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any


def main() -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    from holdfast import database, settings
    from holdfast.emergency_data import bounds, steps

    seconds = {"import": time.monotonic() - started}
    found = settings.load()
    engine = database.connect(found)
    provider = bounds.load(found.expectations / "emergency_data" / "bounds.yaml").provider

    def timed(name: str, **values: Any) -> Any:
        before = time.monotonic()
        told = getattr(steps, name)(engine, found, **values)
        seconds[name] = time.monotonic() - before
        return told

    timed("prepare")
    worked = timed("work_through", provider=provider)
    timed("deliver_files")
    timed("reconcile")
    timed("write_report")
    facts = {
        "seconds": seconds,
        "extracts": worked["extracts"],
        "rules_broken": worked["rules_broken"],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
