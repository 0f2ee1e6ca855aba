"""``python -m model COMMAND``: see ``python -m model --help``."""

import argparse
import os
import sys
from pathlib import Path

# Set before TensorFlow is imported: its start-up notes are no news to a user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from settings import ROOT, settings


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Train and measure Rayon's models.")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train-open", help="train the open bundle from corpus/")
    train.add_argument("--out", type=Path, default=ROOT / "model" / "bundles" / "open")
    train.add_argument("--work", type=Path, default=settings().home / "train-open", help="where stages are kept")
    faithful = commands.add_parser("faithfulness", help="measure the explanations, into the bundle's card")
    faithful.add_argument("--bundle", type=Path, default=settings().bundle)
    exporting = commands.add_parser("export", help="write the network as ONNX graphs, checked against TensorFlow")
    exporting.add_argument("--bundle", type=Path, default=settings().bundle)
    exporting.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    if chosen.command == "train-open":
        from model.training.open_bundle import train_open

        manifest = train_open(chosen.out, chosen.work)
        print(f"{manifest['version']} in {chosen.out}")
    elif chosen.command == "export":
        from model.export import export

        card = export(chosen.bundle, chosen.out)
        print(f"{card['version']} in {chosen.out}; largest difference {card['largest_difference']:.1e}")
    else:
        from model.faithfulness import measure_into

        measure_into(chosen.bundle)
    return 0


if __name__ == "__main__":
    sys.exit(main())
