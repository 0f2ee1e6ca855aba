"""The engine of one machine: a process for each core, fed from one reading of the table, memory flat."""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from batch.classify import Done, Plan, Rows, classify_chunk
from model.watchdog import end_with_parent

_WAITING = 2
"""Chunks handed out for each worker: one at work, one ready."""
_PATIENCE = 3
"""Times that workers may be killed without a single part in between."""
_TICK_SECONDS = 0.5
# The cores are filled by processes: threads inside them would only get in each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class EngineError(RuntimeError):
    """The work cannot go on; the message says why."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_local(plan: Plan, chunks: Iterable[tuple[int, Rows]], workers: int | None = None) -> Iterator[Done | None]:
    """Classifies numbered chunks; yields each part as it is written, in any order, and None while waiting.

    A killed worker costs no row: its chunks are handed out again; `EngineError` when that happens again and again.
    Closing the iterator stops the workers.
    """
    count = workers or cores()
    source, handed, again, broken = iter(chunks), {}, [], 0
    pool = _pool(count)
    try:
        while True:
            while len(handed) < _WAITING * count and (chunk := again.pop() if again else next(source, None)):
                try:
                    handed[pool.submit(classify_chunk, plan, *chunk)] = chunk
                except BrokenProcessPool:
                    again.append(chunk)
                    break
            if not handed and not again:
                return
            finished, _ = wait(handed, _TICK_SECONDS, FIRST_COMPLETED)
            yield None
            for future in finished:
                chunk = handed.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    again.append(chunk)
                    continue
                yield future.result()
                broken = 0
            if again and not handed:
                broken += 1
                if broken == _PATIENCE:
                    raise EngineError(f"workers were killed {_PATIENCE} times with nothing finished: is memory short?")
                pool.shutdown(wait=False, cancel_futures=True)
                pool = _pool(count)
    finally:
        _stop(pool, handed)


def _pool(count: int) -> ProcessPoolExecutor:
    os.environ.update({name: os.environ.get(name, value) for name, value in ONE_THREAD.items()})
    # Spawned: a fork would copy the threads' locks of whatever runs here.
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_start, initargs=(os.getpid(),))


def _start(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to all processes; this one's parent sees to it
    end_with_parent(parent)


def _stop(pool: ProcessPoolExecutor, handed: dict[Future, object]) -> None:
    processes = list((pool._processes or {}).values()) if handed else []
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:  # what is at work is not needed: parts are written whole or not at all
        process.terminate()
