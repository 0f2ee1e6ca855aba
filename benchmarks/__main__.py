"""``python -m benchmarks`` writes docs/benchmarks.md, ``… lexical`` docs/lexical.md, ``… batch`` docs/batch.md,
``… training`` docs/training-cost.md, ``… queue`` docs/queue.md, ``… load`` docs/load.md."""

import os
import platform
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from settings import ROOT


def speed() -> str:
    """Every timing, on the shipped model."""
    from benchmarks import single
    from model.classifier import Classifier

    classifier = Classifier.load()
    classifier.warm_up()
    head = (
        "# Benchmarks\n\nWritten by `make bench`. The sides of a table are timed by turns in one run: read the ratios,"
        " the milliseconds are those of one machine on one day.\n\n"
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" model {classifier.bundle.version}.\n"
    )
    return "\n".join(
        [head, single.network_paths(classifier), single.request_parts(classifier), single.page_overhead(classifier)]
    )


def batches() -> str:
    """What batches cost."""
    from benchmarks import batch_pictures, batch_text
    from model.bundle import read_manifest
    from model.versions import active_bundle

    head = (
        "# Batches, measured\n\nWritten by `make bench-batch`: all in one run. Read the ratios, the speeds are those of"
        " one machine on one day.\n\n"
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" model {read_manifest(active_bundle())['version']}.\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measures = (batch_pictures.speed, batch_text.speed, batch_text.ray, batch_text.memory)
        parts = [measure(folder) for measure in measures]
    return "\n".join([head, *parts])


def training() -> str:
    """What training costs."""
    from benchmarks import training as measured

    head = (
        "# Training, measured\n\nWritten by `make bench-training`: all in one run, on a machine of"
        f" {os.cpu_count()} cores ({platform.machine()}, Python {platform.python_version()}), on one day.\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return "\n".join([head, measured.texts(folder), measured.pictures(folder)])


def queue() -> str:
    """What a decision costs."""
    from benchmarks import queue as measured

    head = (
        "# The queue, measured\n\nWritten by `make bench-queue`. The sides of a table are timed by turns in one run:"
        f" read the ratios. {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.\n"
    )
    with tempfile.TemporaryDirectory() as name:
        return "\n".join([head, *(part(Path(name)) for part in (measured.lengths, measured.safety, measured.company))])


def load() -> str:
    """What a server bears."""
    from benchmarks import load as measured
    from model.bundle import read_manifest
    from settings import SHIPPED_BUNDLE

    head = (
        "# Load, measured\n\nWritten by `make bench-load`: server, clients and browsers share"
        f" {os.cpu_count()} cores ({platform.machine()}, Python {platform.python_version()}),"
        f" model {read_manifest(SHIPPED_BUNDLE)['version']}.\n"
    )
    with tempfile.TemporaryDirectory() as name:
        return "\n".join([head, measured.measure(Path(name))])


def main(arguments: list[str]) -> int:
    """Measures and writes one document; gives the exit status."""
    name = arguments[0] if arguments else "speed"
    if name == "lexical":
        from benchmarks.lexical_variants import measure

        path, text = ROOT / "docs" / "lexical.md", measure()
    elif name == "batch":
        path, text = ROOT / "docs" / "batch.md", batches()
    elif name == "training":
        path, text = ROOT / "docs" / "training-cost.md", training()
    elif name == "queue":
        path, text = ROOT / "docs" / "queue.md", queue()
    elif name == "load":
        path, text = ROOT / "docs" / "load.md", load()
    elif name == "speed":
        path, text = ROOT / "docs" / "benchmarks.md", speed()
    else:
        print(f"unknown benchmark {name!r}: speed, lexical, batch, training, queue or load", file=sys.stderr)
        return 2
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
