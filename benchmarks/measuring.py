"""Timing by turns, so that a busy moment of the machine falls on all sides alike."""

import statistics
import time
from collections.abc import Callable


def by_turns(sides: dict[str, Callable[[], object]], rounds: int = 15) -> dict[str, float]:
    """Median seconds of each side over ``rounds`` rounds, each side once a round, after one warm-up."""
    for side in sides.values():
        side()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side()
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def table(title: str, seconds: dict[str, float], reference: str) -> str:
    """A Markdown table of milliseconds and of ratios to ``reference``."""
    lines = [f"### {title}", "", f"| path | ms (median) | times {reference} |", "|---|---:|---:|"]
    lines += [f"| {name} | {value * 1000:.1f} | {value / seconds[reference]:.2f} |" for name, value in seconds.items()]
    return "\n".join([*lines, ""])
