"""One worker process, as Airflow would run it: waits for a line, works its shards, tells what it took.

Arguments: run id, then shard ids. Everything else comes from the environment, as in production.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from tests.bench.measure import processor

from holdfast import database, settings
from holdfast.enforcement import execute, plan, runs
from holdfast.enforcement.undo.keys import Keys
from holdfast.policy.load import load_policy


class Recording:
    """How long batches stood between their change and their record: the ledger's entry, and the wait for its head."""

    def __init__(self) -> None:
        self._since = 0.0
        self.milliseconds: list[float] = []

    def reached(self, point: str) -> None:
        if point == "batch.changed":
            self._since = time.monotonic()
        if point == "batch.recorded":
            self.milliseconds.append(1000 * (time.monotonic() - self._since))


def main() -> None:
    run_id, *shards = map(int, sys.argv[1:])
    found = settings.load()
    engine = database.connect(found)
    print("ready", flush=True)
    sys.stdin.readline()
    recording = Recording()
    started = time.monotonic()
    with engine.connect() as connection:
        used = processor(connection)
    policy = load_policy(found.policy)
    with database.transaction(engine) as connection:
        setting = plan.setting_of(connection, policy, runs.get(connection, run_id))
    key = found.pseudonym_key()
    undo_keys = Keys(found.undo_keys)
    done = [execute.enforce(engine, setting, one, key, recording.reached, undo_keys=undo_keys) for one in shards]
    with engine.connect() as connection:  # the pool's one
        used = processor(connection) - used
    facts = {
        "processor": used,
        "seconds": time.monotonic() - started,
        "batches": sum(one.batches for one in done),
        "rows": sum(one.rows for one in done),
        "recording": recording.milliseconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
