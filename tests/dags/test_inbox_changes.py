"""What the triggerer looks for while a run waits for 999 extracts: other files than before, or the end of its time."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from holdfast.emergency_data.taking_in import names_digest
from holdfast_triggers import CHANGED, LATE, InboxChanges

PAST, FUTURE = dt.datetime(2024, 3, 2, 7, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def waits(inbox: Path, until: dt.datetime) -> InboxChanges:
    given = {"folder": str(inbox), "seen": names_digest(inbox), "until": until.isoformat(), "poll_seconds": 0.01}
    path, kept = InboxChanges(**given).serialize()  # type: ignore[arg-type]
    assert path == "holdfast_triggers.InboxChanges"
    return InboxChanges(**kept)


def fired(trigger: InboxChanges) -> str:
    async def first() -> str:
        async for event in trigger.run():
            return str(event.payload)
        raise AssertionError("it never fires")

    return asyncio.run(asyncio.wait_for(first(), 5))


def test_it_fires_once_the_inbox_has_another_file(tmp_path: Path) -> None:
    (tmp_path / "before.csv").touch()
    trigger = waits(tmp_path, FUTURE)
    (tmp_path / "after.csv").touch()
    assert fired(trigger) == CHANGED


def test_a_file_that_is_still_being_written_is_none(tmp_path: Path) -> None:
    trigger = waits(tmp_path, FUTURE)
    (tmp_path / ".after.csv").touch()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(anext(aiter(trigger.run())), 0.1))


def test_it_says_that_time_is_up(tmp_path: Path) -> None:
    assert fired(waits(tmp_path, PAST)) == LATE


def test_airflow_keeps_no_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "of-somebody.csv").touch()
    assert "of-somebody" not in str(waits(tmp_path, FUTURE).serialize())
