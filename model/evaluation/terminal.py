"""What the commands of this package share: errors told on one line, files written whole, the model chosen."""

import argparse
import errno
import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from preprocessing.errors import InputError

OK, FAILED, INTERRUPTED = 0, 1, 130
_SHOWN = 5


class EvaluationError(InputError):
    """A model or data that cannot be measured: `reason` names the cause, `details` fills in the message."""

    SENTENCES: Mapping[str, str] = {
        "all_trained_on": "All {rows} rows of {data} are among those that {model} was trained on, and what it has "
        "seen says nothing about what it has not: give other data, or add --part all to measure on them all the same.",
        "no_rows": "{data} has no rows to answer: give the file whole.",
        "incomplete": "{answers} answers for {rows} rows: nothing was written; please report this.",
        "unwritable": "{path} cannot be written ({error}): give --out another place.",
        "in_bundle": "{path} lies in the model's folder, and a model with foreign files is refused: give --out "
        "another place; --into-bundle puts the report into the model.",
        "not_of_corpus": "{model} was not trained from corpus/ as it is now by `train-open`: name labelled rows of its "
        "kind with --data.",
        "other_trial": "The trial kept in --work is not the one {model} was measured with: give another --work, or "
        "train it again (make train-open).",
        "same_file": "{path} is what is read: give --out another name.",
    }


def run_told(work: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    """Does the work; what is wrong with the input is said on stderr. Gives the exit status."""
    from model.bundle_files import BundleError

    try:
        work(arguments)
    except (InputError, BundleError) as error:
        return _said(str(error), FAILED)
    except ModuleNotFoundError as error:
        what = f"{error.name} is not installed: this needs the whole repository and requirements-train.txt"
        return _said(what, FAILED)
    except KeyboardInterrupt:
        return _said("interrupted", INTERRUPTED)
    return OK


def chosen_bundle(arguments: argparse.Namespace) -> Path:
    """The folder that --bundle names, else the active one."""
    from model.versions import active_bundle

    return arguments.bundle or active_bundle()


def unreadable_pictures(problems: Sequence[str]) -> str:
    """A note on the pictures that could not be read, the first few by name."""
    shown = "\n".join(f"- {problem}" for problem in problems[:_SHOWN])
    more = f"\n- and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"Pictures that cannot be read, so that their rows are answered without: {len(problems)}\n{shown}{more}"


def make_folder(folder: Path) -> None:
    """Makes a folder to write in; `EvaluationError` at once when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unwritable(folder, error) from error


def write_whole(path: Path, text: str) -> None:
    """Puts the file in its place at once, UTF-8; `EvaluationError` when that cannot be done."""
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        try:
            unfinished.write_text(text, encoding="utf-8", newline="")
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> EvaluationError:
    """The error of a place where nothing can be written."""
    return EvaluationError("unwritable", {"path": path, "error": error.strerror or error})


def _said(what: str, status: int) -> int:
    print(f"error: {what}", file=sys.stderr)
    return status
