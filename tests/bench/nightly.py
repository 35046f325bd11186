"""A night of deletion requests in one process: waits for a line, works every step, tells what each took.

Arguments: the days after the benchmark's own, and the steps not to run. Everything else comes from the environment.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from typing import Any

from tests.bench import estate
from tests.bench.carrier import AS_OF

from holdfast import database, settings
from holdfast.deletion_requests import steps
from holdfast.enforcement import shards
from holdfast.enforcement.references import WAVES

_BEFORE = ("refresh_holds", "check_policy", "take_in_requests", "assess", "make_plan", "check_caps")
_AFTER = ("verify_run", "settle_requests", "find_breaks", "seal_run", "write_report", "conclude")


def main() -> None:
    days, skipped = int(sys.argv[1]), sys.argv[2:]
    found = settings.load()
    engine = database.connect(found)
    seconds: dict[str, float] = {}
    rows: dict[str, int] = {"deleted": 0, "anonymised": 0}

    def timed(name: str, key: str, **values: Any) -> Any:
        started = time.monotonic()
        told = getattr(steps, name)(engine, found, **values)
        seconds[key] = seconds.get(key, 0) + time.monotonic() - started
        return told

    print("ready", flush=True)
    sys.stdin.readline()
    run_id = timed("open_run", "open_run", as_of=AS_OF + dt.timedelta(days=days), dry_run=False)["run_id"]
    for name in _BEFORE:
        timed(name, name, run_id=run_id)
    for wave in range(1, WAVES + 1):
        timed("list_shards", "list_shards", run_id=run_id, wave=wave)
        with engine.connect() as connection:
            wave_shards = [one for one in shards.of_run(connection, run_id) if one.wave == wave]
        for one in wave_shards:  # one by one, so that deleting and anonymising are timed apart
            dataset = one.rule_id.removeprefix("erase:")
            what = "anonymised" if dataset in (estate.HOUSEHOLD, *estate.ANONYMISED) else "deleted"
            told = timed("enforce_shards", what, run_id=run_id, shard_ids=[one.shard_id], label=one.label)
            rows[what] += int(told["rows"])
    for name in _AFTER:
        if name not in skipped:
            timed(name, name, run_id=run_id)
    facts = {
        "seconds": seconds,
        "rows": rows,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
