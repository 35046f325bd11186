"""How a ratio is told beside the one that was committed."""

from __future__ import annotations

import pytest
from tests.bench import page, ratios


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        (1.0, {"delete": 1.0}, "was  1.00"),
        (1.2, {"delete": 1.0}, "was  1.00"),
        (1.3, {"delete": 1.0}, "was  1.00  worse: measure again"),
        (0.5, {"delete": 1.0}, "was  1.00"),
        (1.0, {}, "was not measured before"),
    ],
)
def test_what_grew_by_more_than_a_quarter_is_pointed_at(now: float, before: dict[str, float], told: str) -> None:
    assert ratios.table({"delete": now}, before) == f"delete  {now:5.2f}  {told}"


def test_every_ratio_of_the_page_was_committed() -> None:
    assert ratios.committed().keys() == {f"{what} / {against}" for what, _, against, _, _ in page.COMPARED}
