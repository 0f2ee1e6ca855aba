"""``python -m model COMMAND``: see ``python -m model --help``."""

import argparse
import os
import sys
from pathlib import Path

# Set before TensorFlow is imported: its start-up notes are no news to a user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from model import bundle_command, reference
from model.adaptation import command as adaptation
from model.bundle_files import read_checked
from model.evaluation import command as evaluation
from model.evaluation import submission
from model.evaluation.terminal import chosen_bundle, run_told
from model.training import command as training
from settings import SHIPPED_BUNDLE, settings

COMMANDS = {
    "train": training,
    "adapt": adaptation,
    "evaluate": evaluation,
    "reference": reference,
    "predict-test": submission,
    "bundle": bundle_command,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Train and measure Rayon's models.")
    commands = parser.add_subparsers(dest="command", required=True)
    for module in COMMANDS.values():
        module.add_parser(commands)
    train = commands.add_parser("train-open", help="train the open bundle from corpus/")
    train.add_argument("--out", type=Path, default=SHIPPED_BUNDLE)
    train.add_argument("--work", type=Path, default=settings().home / "train-open", help="where stages are kept")
    faithful = commands.add_parser("faithfulness", help="measure the explanations, into the bundle's card")
    faithful.add_argument("--bundle", type=Path, help="folder of the model (default: the active one)")
    exporting = commands.add_parser("export", help="write the network as ONNX graphs, checked against TensorFlow")
    exporting.add_argument("--bundle", type=Path, help="folder of the model (default: the active one)")
    exporting.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    if chosen.command in COMMANDS:
        return COMMANDS[chosen.command].run(chosen)
    return run_told(_run, chosen)


def _run(chosen: argparse.Namespace) -> None:
    if chosen.command == "train-open":
        from model.training.open_bundle import train_open

        manifest = train_open(chosen.out, chosen.work)
        print(f"{manifest['version']} in {chosen.out}")
    elif chosen.command == "export":
        bundle = chosen_bundle(chosen)
        read_checked(bundle)  # a bundle that is refused need not wait for TensorFlow
        from model.export import export

        card = export(bundle, chosen.out)
        print(f"{card['version']} in {chosen.out}; largest difference {card['largest_difference']:.1e}")
    else:
        from model.faithfulness import measure_into

        measure_into(chosen_bundle(chosen))


if __name__ == "__main__":
    sys.exit(main())
