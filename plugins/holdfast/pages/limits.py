"""How often one user may ask: a bucket of tokens for each, in this process, refilled as time goes by.

It keeps one user, or one runaway script, from taking the server from the others. It is no defence against many
machines: each worker of the API server counts for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_USERS = 10_000  # as many buckets are remembered; beyond, the full ones are forgotten


@dataclass
class Limit:
    """`burst` at once, then `rate` a second. `clock` gives seconds that never go back."""

    burst: float
    rate: float
    clock: Callable[[], float]
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, user: str) -> float:
        """Take a token: 0 if there was one, else the seconds until there is."""
        with self._lock:
            now = self.clock()
            tokens, since = self._buckets.get(user, (self.burst, now))
            tokens = min(self.burst, tokens + (now - since) * self.rate)
            if tokens < 1:
                return (1 - tokens) / self.rate
            if len(self._buckets) >= _USERS:
                self._forget(now)
            self._buckets[user] = (tokens - 1, now)
            return 0

    def _forget(self, now: float) -> None:
        full = [user for user, (left, since) in self._buckets.items() if left + (now - since) * self.rate >= self.burst]
        for user in full:
            del self._buckets[user]
