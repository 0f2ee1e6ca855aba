"""The commands as ``python -m model`` runs them."""

import argparse

from model.evaluation import command, submission

COMMANDS = {"evaluate": command, "predict-test": submission}


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    for module in COMMANDS.values():
        module.add_parser(commands)
    chosen = parser.parse_args([str(argument) for argument in arguments])
    return COMMANDS[chosen.command].run(chosen)
