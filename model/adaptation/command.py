"""``python -m model adapt``: a model improved from a few hundred decisions of moderators."""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.adaptation.errors import AdaptationError

if TYPE_CHECKING:
    from model.adaptation.decided import Decisions

_DESCRIPTION = """Improves a model from decisions that moderators exported, pictures included, without making it forget.
Each decision is answered before and after, by a model that has not seen it; when that is worse, nothing is written.
docs/adapting.md says more."""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command to the parser of ``python -m model``."""
    parser = commands.add_parser("adapt", help="improve a model from moderators' decisions", description=_DESCRIPTION)
    add = parser.add_argument
    add("--decisions", type=Path, required=True, metavar="FILE", help="exported decisions (CSV, Parquet), or labelled products")  # fmt: skip  # noqa: E501
    add("--out", type=Path, metavar="BUNDLE", help="folder the adapted model is written to")
    add("--bundle", type=Path, metavar="DIR", help="folder of the model to adapt (default: the active one)")
    add("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the decisions")
    add("--name", help="begins the adapted model's version (default: the model's name and -adapted)")
    add("--seed", type=int, default=20, help="of the folds and of everything drawn (default: 20)")
    add("--leave-out-bad-rows", action="store_true", help="go on without the rows that cannot be used")
    add("--json", type=Path, metavar="FILE", help="write the report there, when the model is refused, too")
    add("--check", action="store_true", help="only read the decisions and say what is there")


def run(arguments: argparse.Namespace) -> int:
    """Adapts, judges, writes the bundle; gives the exit status."""
    from model.evaluation.terminal import run_told

    return run_told(_adapt, arguments)


# Imports are in the functions, so that the parser of all commands is there at once.


def _adapt(arguments: argparse.Namespace) -> None:
    from model.adaptation.company import Company, known_keys
    from model.adaptation.decided import Decisions
    from model.bundle import read_manifest, read_taxonomy
    from model.evaluation.terminal import chosen_bundle
    from model.training.data import NOTICES, read_labelled

    parent = chosen_bundle(arguments)
    _check(arguments, parent)
    about, taxonomy = read_manifest(parent), read_taxonomy(parent)
    data = read_labelled(arguments.decisions, taxonomy, arguments.leave_out_bad_rows, arguments.images)
    for name, count in data.notices.items():
        _say(NOTICES[name].format(count=f"{count:,}"))
    company = Company(taxonomy, arguments.seed)
    known = known_keys(parent, about, company.listings)
    decisions = Decisions.of(data, arguments.decisions, taxonomy, known)
    if known is None:
        _say(f"{about['version']} does not say what it was trained on: decisions on that are judged like the others.")
    if arguments.check:
        print(_what_is_there(decisions, about["version"]))
    decisions.check_enough(about["version"])
    if not arguments.check:
        _fit_and_write(arguments, parent, decisions, company, known)


def _fit_and_write(
    arguments: argparse.Namespace, parent: Path, decisions: "Decisions", company: Any, known: Any
) -> None:
    import numpy as np

    from model.adaptation.adapt import Adaptation
    from model.adaptation.outcome import LEFT
    from model.adaptation.places import replacing

    command = f"python -m model adapt --decisions {decisions.file} --seed {arguments.seed}"
    adaptation = Adaptation(parent, decisions, company, arguments.seed, command, _say)
    report, fitted = adaptation.run()
    _say(summary(report))
    if report["decisions"]["with_picture"] and (left := report["pictures"]["left"]):
        _say(LEFT[left])
    try:
        adaptation.check(report)
    except AdaptationError as error:
        _write_json(arguments.json, report | {"refused": str(error), "model": None})
        raise
    # Without the parent's keys, these alone would pass for all.
    seen = None if known is None else np.union1d(known, adaptation.learned)
    name = arguments.name or _adapted(adaptation.bundle.manifest["name"])
    with replacing(arguments.out) as folder:
        version = adaptation.write(folder, name, report, fitted, seen)
    _write_json(arguments.json, report | {"refused": None, "model": version})
    print(f"{version} in {arguments.out}")
    _say(f"To use it: python -m model bundle install {arguments.out} --activate")


def summary(report: dict[str, Any]) -> str:
    """Before and after, in a few lines."""
    from model.evaluation.summary import INPUTS

    groups = [("held out", report["held_out"]["all"])]
    groups += [(f"- {name}", report["held_out"][key]) for key, name in INPUTS.items()]
    groups += [(name, report["remembered"][key]) for key, name in _REMEMBERED.items()]
    lines = [("", "rows", "weighted F1", "difference", "accuracy", "log loss", "ECE")]
    for name, found in groups:
        if found is not None:
            shifts = [f"{found['before'][m]:.3f} → {found['after'][m]:.3f}" for m in _SHOWN]
            low, high = found["difference_interval"]["weighted_f1"] or (float("nan"),) * 2
            shifts.insert(1, f"{found['difference']['weighted_f1']:+.3f} [{low:+.3f}, {high:+.3f}]")
            lines.append((name, str(found["rows"]), *shifts))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


_REMEMBERED = {
    "text": "open corpus",
    "with_drawings": "- with drawings",
    "with_strangers": "- with other pictures",
    "drawings": "drawings alone",
    "strangers": "other pictures alone",
}
_SHOWN = ("weighted_f1", "accuracy", "log_loss", "ece")


def _what_is_there(decisions: "Decisions", model: str) -> str:
    from model.training.stages import progress
    from preprocessing.image import ImageError, prepare

    pictured, unreadable = [row for row in decisions.examples if row.picture is not None], []
    for row in progress("pictures", " pictures")(pictured, disable=not pictured):
        try:
            prepare(Path(row.picture).read_bytes(), 32)
        except (ImageError, OSError) as error:
            unreadable.append(f"{row.id[:16]}: {error}")
    if unreadable:
        from model.evaluation.terminal import unreadable_pictures

        _say(unreadable_pictures(unreadable))
    facts, codes = decisions.facts, Counter(row.code for row in decisions.examples)
    return (
        f"{facts['rows']:,} decisions on {facts['different']:,} different products, {facts['learned_before']:,} of "
        f"them learned by {model} before, {len(pictured) - len(unreadable):,} with a readable picture\n"
        f"by category: {', '.join(f'{code} ({count})' for code, count in sorted(codes.items()))}"
    )


def _check(arguments: argparse.Namespace, parent: Path) -> None:
    """`AdaptationError` for what could not end well."""
    from model.adaptation.places import checked_place, try_to_write

    if not 0 <= arguments.seed < 2**31:
        raise AdaptationError("seed", {"seed": arguments.seed})
    if arguments.name is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}", arguments.name):
        raise AdaptationError("name", {"name": repr(arguments.name)})
    if arguments.check:
        return
    if arguments.out is None:
        raise AdaptationError("no_out")
    arguments.out = checked_place(arguments.out, parent)
    if (path := arguments.json) is not None:
        if path.is_dir():
            raise AdaptationError("json_folder", {"path": path})
        if any(path.resolve().is_relative_to(folder) for folder in (arguments.out, parent.resolve())):
            raise AdaptationError("json_in_bundle", {"path": path})
        if path.resolve() == arguments.decisions.resolve():
            raise AdaptationError("same_file", {"path": path})
        try_to_write(path.resolve().parent)


def _write_json(path: Path | None, report: dict[str, Any]) -> None:
    from model.evaluation.terminal import write_whole

    if path is not None:
        write_whole(path, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _adapted(name: str) -> str:
    """The name of a model adapted from one of this name."""
    return name if name.endswith("-adapted") else f"{name.lower()[:32]}-adapted"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
