"""What Airflow calls: every step takes an engine and the settings, and names of arguments that the DAG gives."""

from __future__ import annotations

import inspect
import re

import pytest

from holdfast import settings
from holdfast.emergency_data import steps

DAG = (settings.load().project / "dags" / "emergency_data_999.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r'step\(\s*"emergency_data\.(\w+)"', DAG))))
def test_a_step_of_the_dag_can_be_called_by_it(name: str) -> None:
    first, second, *others = inspect.signature(getattr(steps, name)).parameters.values()
    assert (first.name, second.name) == ("engine", "settings")
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in others)
    assert all(f"{one.name}=" in DAG or one.name == "provider" for one in others)
