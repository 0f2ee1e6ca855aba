"""Texts in batches: the command against the classifier alone, memory against rows, Ray against one machine."""

import time
from collections.abc import Callable
from pathlib import Path

from batch.local import cores
from benchmarks.batch_data import classify, listings, write_texts
from model.classifier import Classifier
from model.exported import exported
from model.onnx_runtime import load_predictor
from model.product import Product
from model.versions import active_bundle
from settings import settings

OFFICIAL_ROWS = 84_916
"""Rows of the challenge's training file."""
DESCRIBED = 0.65
MEMORY_ROWS = (10_000, 100_000, 1_000_000)
RAY_ROWS = 10_000
_SLICE, _SHORT = 512, 12


def speed(folder: Path, rows: int = OFFICIAL_ROWS) -> str:
    """File to file, against the classifier on the same rows when they lie in memory already."""
    table = write_texts(folder / "texts.csv", rows, DESCRIBED)
    products = [Product(title, text or None) for title, text in listings(rows, DESCRIBED)]
    classifier = Classifier.load()
    classifier.warm_up()
    predictor = load_predictor(active_bundle(), exported(active_bundle(), settings().home))
    reference = "classifier alone (TensorFlow), rows in memory"
    rates = {reference: rows / _seconds(classifier.predict, products)}
    some = products[: rows // 8]
    rates[f"the same on ONNX Runtime, one process (first {len(some):,} rows)"] = len(some) / _seconds(
        predictor.predict, some
    )
    usage = classify(table)
    rates["`python -m batch classify`, file to file"] = rows / usage.seconds
    lines = [
        f"### {rows:,} rows of text, as many and as long as the challenge's ({table.stat().st_size / 1e6:.0f} MB)",
        "",
        f"| | rows/s | times {reference} |",
        "|---|---:|---:|",
        *(f"| {side} | {rate:.0f} | {rate / rates[reference]:.2f} |" for side, rate in rates.items()),
        "",
        f"Cores at work while the command runs: {usage.cpu / usage.seconds:.2f} of {cores()}.",
        "",
    ]
    return "\n".join(lines)


def _seconds(predict: Callable[[list[Product]], object], products: list[Product]) -> float:
    started = time.perf_counter()
    for start in range(0, len(products), _SLICE):  # answers of all rows at once would not fit every memory
        predict(products[start : start + _SLICE])
    return time.perf_counter() - started


def memory(folder: Path, sizes: tuple[int, ...] = MEMORY_ROWS) -> str:
    """Peak memory of all processes together, for designations cut short: rows are what counts, not their length."""
    lines = [
        "### Memory, designations of a dozen characters",
        "",
        "| rows | peak, all processes (MB) | times the first | rows/s |",
        "|---:|---:|---:|---:|",
    ]
    first = 0
    for rows in sizes:
        table = write_texts(folder / "titles.csv", rows, 0.0, _SHORT)
        usage = classify(table)
        first = first or usage.memory
        ratio, rate = usage.memory / first, rows / usage.seconds
        lines.append(f"| {rows:,} | {usage.memory / 1e6:.0f} | {ratio:.2f} | {rate:.0f} |")
        table.unlink()
    return "\n".join([*lines, ""])


def ray(folder: Path, rows: int = RAY_ROWS) -> str:
    """The same job by both engines, each with two workers on this machine."""
    table = write_texts(folder / "ray.csv", rows, DESCRIBED)
    local = classify(table, "--workers", "2")
    remote = classify(table, "--workers", "2", "--engine", "ray")
    lines = [
        f"### The same {rows:,} rows by both engines, two workers on this machine",
        "",
        "| engine | rows/s | times local | peak, all processes (MB) |",
        "|---|---:|---:|---:|",
    ]
    for name, usage in (("local", local), ("ray", remote)):
        ratio = local.seconds / usage.seconds
        lines.append(f"| {name} | {rows / usage.seconds:.0f} | {ratio:.2f} | {usage.memory / 1e6:.0f} |")
    return "\n".join([*lines, ""])
