"""The cinema's policy, read once for all tests that only look at it."""

from __future__ import annotations

import pytest
from tests.holdfast.retention.report import cinema

from holdfast.policy.model import Policy


@pytest.fixture(scope="session")
def cinema_policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return cinema.write_policy(tmp_path_factory.mktemp("cinema"))
