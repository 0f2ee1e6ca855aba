"""How often somebody may try: waits that grow with each failure, for the name and for the address."""

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

_FORGOTTEN = 3600.0
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Patience:
    """``free``: failures before the first wait of one second, which then doubles; ``longest``: in seconds."""

    free: int
    longest: float

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        return 0.0 if failures < self.free else min(self.longest, 2.0 ** min(failures - self.free, 60))


# A name waits for a minute at most: longer, and anybody could keep its owner out. That leaves 1,440 guesses a day
# from the whole world, against twelve characters. An address is one visitor's, or one proxy's.
FOR_NAME, FOR_ADDRESS = Patience(5, 60), Patience(30, 900)


@dataclass(slots=True)
class _Tally:
    failures: int
    last: float


class Attempts:
    """Failures of one process, forgotten an hour after the last. ``most``: names and addresses that are kept.

    An attempt counts as failed from its beginning, so that many at once are not better off than one by one.
    """

    def __init__(self, most: int = _MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock, self._lock = most, clock, Lock()
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def begin(self, name: str, address: str) -> float:
        """0 when the password may be looked at, which counts; else the seconds to wait, which does not."""
        asked = ((("name", name), FOR_NAME), (("address", address), FOR_ADDRESS))
        now = self._clock()
        with self._lock:
            wait = max(self._wait(key, patience, now) for key, patience in asked)
            if wait <= 0:
                for key, _ in asked:
                    self._count(key, now)
        return wait

    def succeeded(self, name: str, address: str) -> None:
        """The name starts anew; the address loses one failure, or an account of one's own would wipe them all."""
        with self._lock:
            self._tallies.pop(("name", name), None)
            tally = self._tallies.get(("address", address))
            if tally is not None:
                tally.failures -= 1

    def __len__(self) -> int:
        return len(self._tallies)

    def _wait(self, key: tuple[str, str], patience: Patience, now: float) -> float:
        tally = self._tallies.get(key)
        if tally is None or now - tally.last >= _FORGOTTEN:
            return 0.0
        return tally.last + patience.wait(tally.failures) - now

    def _count(self, key: tuple[str, str], now: float) -> None:
        tally = self._tallies.get(key)
        if tally is not None and now - tally.last < _FORGOTTEN:
            tally.failures, tally.last = tally.failures + 1, now
            return
        if tally is None and len(self._tallies) >= self._most:
            self._make_room(now)
        self._tallies[key] = _Tally(1, now)

    def _make_room(self, now: float) -> None:
        for key in [key for key, tally in self._tallies.items() if now - tally.last >= _FORGOTTEN]:
            del self._tallies[key]
        # Made-up names come once each: they make room for one another, not for the name that is attacked.
        surplus = len(self._tallies) - self._most * 9 // 10
        if surplus > 0:
            order = sorted(self._tallies, key=lambda key: (self._tallies[key].failures, self._tallies[key].last))
            for key in order[:surplus]:
                del self._tallies[key]


def network_of(address: str) -> str:
    """What is one visitor's: of IPv6 a network of 64 bits, in which anybody has as many addresses as they like."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4 or known.ipv4_mapped:
        return str(getattr(known, "ipv4_mapped", None) or known)
    return str(ipaddress.ip_network((known.packed[:8] + bytes(8), 64)))


def whole_seconds(wait: float) -> int:
    """A wait as it is told."""
    return max(1, math.ceil(wait))
