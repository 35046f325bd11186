"""Airflow itself takes a night over two databases, task by task, in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.holdfast.retention.chain import Chain, away
from tests.holdfast.retention.shop import OLD

from holdfast import embedded, roles

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def chain(chain: Chain) -> Chain:
    """With three purchases that are due in each database, and the roles that steps work as."""
    chain.shop.purchases(range(1, 4))
    chain.archive.add("purchase", *({"purchase_id": n, "customer_no": 1, "bought_on": OLD} for n in range(1, 4)))
    for shop in (chain.shop, chain.archive):
        roles.renew(shop.engine, shop.settings)
    return chain


@pytest.fixture(scope="module")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With Airflow's own tables."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], env=_environment(home), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return home


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def _night(home: Path) -> str:
    """What the night said, and how it ended."""
    command = [sys.executable, str(Path(__file__).with_name("take_a_night.py")), str(PROJECT / "dags")]
    done = subprocess.run(command, env=_environment(home), capture_output=True, text=True, check=False)
    return done.stderr + done.stdout


def test_a_night_over_both_deletes_in_both_and_seals_both(chain: Chain, airflow_home: Path) -> None:
    told = _night(airflow_home)
    assert "The run ended as success" in told, told[-3000:]
    for shop in (chain.shop, chain.archive):
        assert shop.ids("purchase", "purchase_id") == set()
        assert [shop.state(run) for run in shop.scalars("SELECT run_id FROM holdfast.run")] == ["sealed"]
        assert (shop.settings.reports / "retention_nightly").is_dir()


def test_without_one_of_them_the_other_is_done_and_the_run_is_red(
    chain: Chain, airflow_home: Path, postgres_url_for: Callable[[str], str]
) -> None:
    with away(chain.archive.engine, postgres_url_for(embedded.ADMIN_DATABASE)):
        told = _night(airflow_home)
    assert "The run ended as failed" in told, told[-3000:]
    assert chain.shop.ids("purchase", "purchase_id") == set()
    assert chain.shop.state(1) == "sealed"
    assert chain.archive.ids("purchase", "purchase_id") == {1, 2, 3}
