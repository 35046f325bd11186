"""Locks that others hold: wait a moment, step back and try again, so that nobody waits behind us for long.

Whoever asks for a lock on a table stands in a queue, and all who come later wait behind. One session that placed a
hold and was then left open would so stop every other hold, and every reader of a partition that is to be dropped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from holdfast import database
from holdfast.errors import RunRefused, sqlstate

WAIT = "200ms"
"""How long a batch waits for a lock: shorter than deadlock_timeout, so it is we who step back from a deadlock."""
FROZEN = "30s"
"""After how long PostgreSQL ends a batch whose worker says nothing, and with it the locks that nobody could pass."""
PATIENCE = 60.0  # seconds without any progress
PAUSE = 0.2  # seconds, in which others have the lock
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"


class Overtaken(Exception):
    """Something came meanwhile that this transaction must not commit over. It was taken back."""


class Busy(Overtaken):
    """A lock could not be had within the transaction's lock_timeout, or only against somebody who waits for us."""


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that is taken back with Busy where a lock is in the way."""
    try:
        with database.transaction(engine) as connection:
            yield connection
    except (sa.exc.DBAPIError, psycopg.Error) as error:  # the driver's own from statements that we compose
        if sqlstate(error) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
            raise
        raise Busy from None


class Patience:
    """How long one attempt at a shard has made no progress."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._since = time.monotonic()

    def renew(self) -> None:
        """Something was committed."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """Leave the lock to others for a moment. Raises RunRefused once it has been in the way for too long."""
        if time.monotonic() - self._since > PATIENCE:
            raise RunRefused(
                f"{self._label} cannot go on: for {PATIENCE:.0f} s somebody has locked its rows, the register of holds"
                " or the ledger.",
                fix="end the session that pg_stat_activity shows as idle in a transaction, then clear the task.",
            )
        time.sleep(PAUSE)
