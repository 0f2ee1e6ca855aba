"""``python -m model bundle …``: the models of this server, installed, listed, put into service and taken back."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from settings import settings

if TYPE_CHECKING:
    from model.versions import ModelStore

_DESCRIPTION = """The models of this server. One is active: it answers, and running sessions pick up another one at
their next request, without a restart. RAYON_BUNDLE, where it is set, names the model whatever is activated here."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    parser = commands.add_parser("bundle", help="install, list, activate, roll back models", description=_DESCRIPTION)
    actions = parser.add_subparsers(dest="action", required=True)

    def action(name: str, work: Callable[[argparse.Namespace], None], summary: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=summary, description=summary)
        added.set_defaults(work=work)
        return added

    listing = action("list", _list, "show the models there are; * marks the active one")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    install = action("install", _install, "copy a model here, checked whole, its answers included")
    install.add_argument("source", type=Path, metavar="SOURCE", help="folder of a model, or a ZIP of one")
    install.add_argument("--activate", action="store_true", help="put it into service, too")
    install.add_argument("--other-taxonomy", action="store_true", help="even when its categories are others")
    for name, work, summary in (
        ("activate", _activate, "check an installed model again, and put it into service"),
        ("remove", _remove, "delete an installed model"),
    ):
        action(name, work, summary).add_argument("version", metavar="VERSION")
    action("rollback", _rollback, "put the model that was active before back into service")
    verify = action("verify", _verify, "check a model whole, its answers included, and install nothing")
    verify.add_argument("source", type=Path, metavar="SOURCE", help="folder of a model, or a ZIP of one")
    verify.add_argument("--ends-with", type=int, metavar="PID", help="end when that process, the parent, has ended")
    smoke = action("smoke", _smoke, "put a few answers of a model into it, by which it is checked wherever it is used")
    smoke.add_argument("--bundle", type=Path, metavar="DIR", help="folder of the model (default: the active one)")


def run(arguments: argparse.Namespace) -> int:
    """Does what is asked; gives the exit status."""
    from model.evaluation.terminal import run_told

    return run_told(arguments.work, arguments)


# Imports are in the functions, so that the parser of all commands is there at once.


def _store() -> "ModelStore":
    from model.versions import ModelStore

    return ModelStore(settings().home)


def _list(arguments: argparse.Namespace) -> None:
    store = _store()
    models = store.installed()
    if arguments.json:
        print(json.dumps([asdict(model) | {"path": str(model.path)} for model in models], indent=1))
    else:
        width = max(len(model.version) for model in models)
        for model in models:
            place = "came with the program" if model.shipped else str(model.path)
            print(f"{'*' if model.active else ' '} {model.version:{width}}  {model.created or '?':10}  {place}")
    store.active()  # says what is wrong with the pointer, if anything is
    _note_named()


def _install(arguments: argparse.Namespace) -> None:
    store = _store()
    model, added = store.take_in(arguments.source, arguments.other_taxonomy)
    already = "" if added else " already, and was left as it is"
    print(f"{model.version} is installed in {model.path}{already}")
    if arguments.activate:
        _told_active(store.activate(model.version, checked=True).version)


def _activate(arguments: argparse.Namespace) -> None:
    _told_active(_store().activate(arguments.version).version)


def _rollback(_arguments: argparse.Namespace) -> None:
    _told_active(_store().rollback().version)


def _remove(arguments: argparse.Namespace) -> None:
    _store().remove(arguments.version)
    print(f"{arguments.version} is removed")


def _verify(arguments: argparse.Namespace) -> None:
    from model.archive import fetch
    from model.watchdog import end_with_parent

    if arguments.ends_with is not None:
        end_with_parent(arguments.ends_with)
    if arguments.source.is_dir():
        print(f"{_checked(arguments.source)} can be used")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model"
        fetch(arguments.source, copy)
        print(f"{_checked(copy)} can be used")


def _checked(folder: Path) -> str:
    """The version of a bundle that is whole and answers as it says; or `BundleError`."""
    from model.classifier import Classifier
    from model.pointer import VersionError

    bundle = Classifier.load(folder).bundle  # which asks for its smoke predictions, where it brings them
    if "smoke" not in bundle.reports:
        raise VersionError("no_smoke", {"version": bundle.version})
    return bundle.version


def _smoke(arguments: argparse.Namespace) -> None:
    from model.evaluation.terminal import chosen_bundle
    from model.smoke import add_smoke

    bundle = chosen_bundle(arguments)
    add_smoke(bundle)
    print(f"smoke predictions are in {bundle}")


def _told_active(version: str) -> None:
    print(f"{version} is active")
    _note_named()


def _note_named() -> None:
    if settings().named_bundle is not None:
        print(f"note: RAYON_BUNDLE is set, so {settings().named_bundle} is used whatever is active", file=sys.stderr)
