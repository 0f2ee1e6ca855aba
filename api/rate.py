"""How many requests a client may make: a bucket of tokens for each, refilled evenly (RFC 6585 has the answer, 429)."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_CLIENTS = 10_000


class RateLimiter:
    """``per_minute`` requests on average, and as many as a quarter of that at once; 0 for no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_minute / 60, clock
        self._most = max(1.0, per_minute / 4)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> int:
        """0 when the client may go on, else the seconds after which it may."""
        if not self._rate:
            return 0
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(client, (self._most, now))
            left = min(self._most, left + (now - since) * self._rate)
            allowed = left >= 1
            self._buckets[client] = (left - allowed, now)
            while len(self._buckets) > _MOST_CLIENTS:  # the one that has been silent for longest
                self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) / self._rate)
