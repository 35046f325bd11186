"""What waits in Airflow's triggerer, apart from the tasks, so that nothing of a worker is taken while nothing comes."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

CHANGED, LATE = "changed", "late"


class InboxChanges(BaseTrigger):
    """Fires when the inbox of 999 data has other files than those that were seen, or at a moment if it has not.

    `seen` is the digest of the files' names: a name may tell of a person, and this is kept in Airflow's database.
    """

    def __init__(self, *, folder: str, seen: str, until: str, poll_seconds: float = 5.0) -> None:
        super().__init__()
        self.folder = folder
        self.seen = seen
        self.until = until
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        given = {"folder": self.folder, "seen": self.seen, "until": self.until, "poll_seconds": self.poll_seconds}
        return f"{type(self).__module__}.{type(self).__qualname__}", given

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from holdfast import store
        from holdfast.emergency_data.taking_in import names_digest

        folder = store.at(self.folder)
        until = dt.datetime.fromisoformat(self.until)
        while await asyncio.to_thread(names_digest, folder) == self.seen:
            if timezone.utcnow() >= until:
                yield TriggerEvent(LATE)
                return
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent(CHANGED)
