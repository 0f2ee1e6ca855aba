"""What a command and all its processes use, read from /proc (Linux)."""

import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Usage:
    """``memory``: peak of all processes' proportional set sizes together, bytes; ``cpu``: core seconds."""

    seconds: float
    cpu: float
    memory: int


def watched(command: Sequence[str], folder: Path) -> Usage:
    """Runs a command to its end; CalledProcessError when it fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, cwd=folder)
    peak, ended = [0], threading.Event()

    def sample() -> None:
        while not ended.wait(_EVERY_SECONDS):
            peak[0] = max(peak[0], sum(map(memory_of, family(process.pid))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    status = process.wait()
    seconds = time.perf_counter() - started
    ended.set()
    sampler.join()
    if status:
        raise subprocess.CalledProcessError(status, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(seconds, cpu, peak[0])


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:  # gone meanwhile
                continue
    return found


def memory_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
