"""One worker process, as Airflow would run it: waits for a line, works its shards, tells seconds and peak memory.

Arguments: run id, then shard ids. Everything else comes from the environment, as in production.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from holdfast import database, settings
from holdfast.retention import steps


def main() -> None:
    run_id, *shards = map(int, sys.argv[1:])
    found = settings.load()
    engine = database.connect(found)
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.monotonic()
    done = [steps.enforce_shard(engine, found, run_id=run_id, shard_id=one, label=str(one)) for one in shards]
    facts = {
        "seconds": time.monotonic() - started,
        "batches": sum(int(str(one["batches"])) for one in done),
        "rows": sum(int(str(one["rows"])) for one in done),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
