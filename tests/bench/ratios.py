"""The ratios that a quick run of retention's bench gave, beside those last committed. It tells, and never fails.

On a shared machine a ratio of two short times moves by a tenth or two by itself; what stands out here is measured again
with `make bench`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.bench import page
from tests.bench.measure import Figures

FILE = Path(__file__).with_name("ratios.json")
WORTH_A_LOOK = 1.25
"""A ratio that has grown by more than this factor is pointed at."""


def of(figures: Figures) -> dict[str, float]:
    """What was compared with what -> the ratio of the shortest times; less is better."""
    return {
        f"{what} / {against}": round(figures.ratio(ours, floor), 3) for what, ours, against, floor, _ in page.COMPARED
    }


def committed() -> dict[str, float]:
    """The ratios of the last `--keep`."""
    found: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def commit(now: Mapping[str, float]) -> None:
    FILE.write_text(json.dumps(now, indent=2) + "\n", encoding="utf-8")


def table(now: Mapping[str, float], before: Mapping[str, float]) -> str:
    """One line for each ratio: now, before, and a word if it is worth a look."""
    width = max(map(len, now))
    return "\n".join(
        f"{what:<{width}}  {ratio:5.2f}  {_against(ratio, before.get(what))}" for what, ratio in now.items()
    )


def _against(ratio: float, before: float | None) -> str:
    if before is None:
        return "was not measured before"
    return f"was {before:5.2f}" + ("  worse: measure again" if ratio > before * WORTH_A_LOOK else "")
