"""A large shop for each drill, and worker processes that can be killed, stopped and watched."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drills.large_shop import WIDE_CAPS
from tests.holdfast.retention import shop as shops
from tests.holdfast.retention.shop import Shop

from holdfast import database as hf_database
from holdfast import queries, settings
from holdfast.enforcement import execute, plan, runs
from holdfast.enforcement.undo.keys import Keys
from holdfast.errors import Fenced

FORK = multiprocessing.get_context("fork")
DONE, FENCED, FAILED = 0, 3, 1
"""How a worker's process ends."""


@pytest.fixture
def shop(database: sa.Engine, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop without a row; its policy has no caps that a drill could exceed."""
    monkeypatch.setenv(settings.PROJECT, str(tmp_path / "project"))
    queries.query.cache_clear()
    built = shops.build(database, tmp_path / "project")
    built.set_policy(lambda documents: documents["retention_schedule"].update(caps=WIDE_CAPS))
    yield built
    queries.query.cache_clear()


def worker(shop: Shop, run_id: int, shard_id: int, reached: Callable[[str], None]) -> BaseProcess:
    """A process that makes one attempt at a shard, with connections of its own; not yet started."""
    url = shop.engine.url.render_as_string(hide_password=False)
    policy, key, undo_keys = shop.policy, shop.settings.pseudonym_key(), Keys(shop.settings.undo_keys)

    def work() -> None:
        engine = hf_database.engine_for(url)
        with hf_database.transaction(engine) as connection:
            setting = plan.setting_of(connection, policy, runs.get(connection, run_id))
        execute.enforce(engine, setting, shard_id, key, reached, undo_keys=undo_keys)

    return in_child(work)


def in_child(work: Callable[[], object]) -> BaseProcess:
    """A process that does this, not yet started. It may not use the parent's connections."""
    return FORK.Process(target=_quietly, args=(work,))


def _quietly(work: Callable[[], object]) -> None:
    """Run in the child and leave without any of the parent's clean-up."""
    code = FAILED
    try:
        work()
        code = DONE
    except Fenced:
        code = FENCED
    finally:
        os._exit(code)


def kill(process: BaseProcess) -> bool:
    """SIGKILL; whether it was still at work."""
    was_alive = process.is_alive()
    if was_alive and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return was_alive


def forget_holds(shop: Shop) -> None:
    """Empty the register of holds: with those of all rounds, each round would take longer than the one before."""
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the register keeps its holds
        connection.exec_driver_sql("TRUNCATE holdfast.hold CASCADE")
