"""``python -m benchmarks`` writes docs/benchmarks.md; ``python -m benchmarks lexical`` docs/lexical.md."""

import os
import platform
import sys

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


def main(arguments: list[str]) -> int:
    """Measures and writes one document; gives the exit status."""
    name = arguments[0] if arguments else "speed"
    if name == "lexical":
        from benchmarks.lexical_variants import measure

        path, text = ROOT / "docs" / "lexical.md", measure()
    elif name == "speed":
        path, text = ROOT / "docs" / "benchmarks.md", speed()
    else:
        print(f"unknown benchmark {name!r}: speed or lexical", file=sys.stderr)
        return 2
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
