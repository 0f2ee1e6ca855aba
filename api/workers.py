"""Work that must not hold the event loop up: some at a time, some waiting, the rest sent away."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from api.problems import busy

P = ParamSpec("P")
R = TypeVar("R")


class Places:
    """What is taken on at once, of all clients and of one, who always leaves a quarter to others; whoever comes then is
    answered 503.
    """

    def __init__(self, most: int, retry_seconds: int = 2) -> None:
        self._most, self._inside, self._retry = most, Counter(), retry_seconds

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """One of the places; Problem when there is none."""
        if self._inside.total() >= self._most or self._inside[client] >= max(1, self._most - self._most // 4):
            raise busy("The server takes in as much as it can already: try again in a moment.", self._retry)
        self._inside[client] += 1
        try:
            yield
        finally:
            self._inside[client] -= 1
            if not self._inside[client]:
                del self._inside[client]


class Workers:
    """``threads`` at work and ``waiting`` behind them; whoever comes then is answered 503."""

    def __init__(self, name: str, threads: int, waiting: int, retry_seconds: int = 2) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most, self._inside, self._retry = threads + waiting, 0, retry_seconds

    def check(self) -> None:
        """Problem when there is no place, before anything of a request is read."""
        if self._inside >= self._most:
            raise busy("The server has more to do than it can take on: try again in a moment.", self._retry)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What ``work`` returns or raises; Problem when there is no place.

        The place is kept until the work has ended, also when nobody waits for it any more.
        """
        self.check()
        self._inside += 1
        loop = asyncio.get_running_loop()
        try:
            future = self._pool.submit(copy_context().run, work, *args, **kwargs)
        except RuntimeError:  # the server is stopping
            self._inside -= 1
            raise busy("The server is stopping: try again in a moment.", self._retry) from None
        future.add_done_callback(lambda _: _tell(loop, self._leave))
        return await asyncio.wrap_future(future)

    def _leave(self) -> None:
        self._inside -= 1


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)
