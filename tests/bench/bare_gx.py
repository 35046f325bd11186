"""The same rules over the same file by Great Expectations on pandas alone: waits for a line, imports, reads, validates.

Arguments: the extract, the folder of expectations, a file with the provider's numbers, and the result format. Our own
expectations are given here to pandas as plainly as somebody would who writes them for a DataFrame.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    file, folder, numbers, result_format = sys.argv[1:]
    print("ready", flush=True)
    sys.stdin.readline()
    seconds: dict[str, float] = {}
    started = time.monotonic()

    def lap(name: str) -> None:
        seconds[name] = time.monotonic() - started - sum(seconds.values())

    import pandas as pd
    from tests.bench import bare_gx_metrics as metrics

    from holdfast.emergency_data import bounds, catalogue, layout_files

    lap("import")
    shape = layout_files.load(Path(folder) / "layout_ng999_v1.yaml")
    columns = ["mark", *(field.name for field in shape.detail.fields)]
    header = pd.read_csv(file, nrows=1, header=None).iloc[0]
    frame = pd.read_csv(
        file, skiprows=1, header=None, names=columns, dtype=str, keep_default_na=False, na_values=[""]
    ).iloc[:-1]
    frame["record_no"] = range(1, len(frame) + 1)
    metrics.know(Path(folder) / "reference", Path(numbers), frame)
    lap("read")
    limits = bounds.load(Path(folder) / "bounds.yaml")
    suite = catalogue.load(Path(folder) / "records.json", shape).without(
        {**limits.switched_off, **dict.fromkeys(("E112", "E206", "W207"), "Its list is not supplied.")}
    )
    provider, extract_type, business_date = str(header[2]), str(header[4]), pd.Timestamp(header[5]).date()
    results = metrics.validate(
        frame, suite, limits.parameters(provider, extract_type, business_date), result_format=result_format
    )
    lap("validate")
    facts: dict[str, Any] = {
        "seconds": seconds,
        "records": len(frame),
        "broken": metrics.by_rule(results),
        "expectations": len(suite.expectations),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(facts), flush=True)


main()
