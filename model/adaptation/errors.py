"""Why a model is not adapted."""

from collections.abc import Mapping
from typing import ClassVar

from preprocessing.errors import InputError


class AdaptationError(InputError):
    """What is asked for cannot be done, or would make the model worse: nothing is written."""

    SENTENCES: ClassVar[Mapping[str, str]] = {
        "few": "{rows} decisions on {different} different products are too few to learn from and to judge by: decide "
        "on {fewest} different ones at least.",
        "few_new": "{known} of {rows} decisions are on products that {model} has learned from already, and the others, "
        "on {different} different products, are too few to judge by: decide on {fewest} new ones at least.",
        "one_category": "All {rows} decisions are for one category: two are needed at least.",
        "many": "{rows} decisions are more than are adapted to at once ({most}): train on them instead, with python -m "
        "model train --data {data}.",
        "no_gain": "Nothing was written, because the decisions teach {model} nothing that holds for others: on {rows} "
        "held-out decisions no change answers better than none (log loss {loss}, weighted F1 {f1}). {left}Gather more.",
        "no_better": "Nothing was written, because {model} would not be better beyond chance: on {rows} held-out "
        "decisions log loss goes from {loss_before} to {loss_after} (difference {loss_ends} at 95 %), weighted F1 from "
        "{f1_before} to {f1_after} ({f1_ends}). Gather more decisions.",
        "worse": "Nothing was written, because {model} would be worse: on {rows} held-out decisions log loss goes from "
        "{loss_before} to {loss_after} (difference {loss_ends} at 95 %), weighted F1 from {f1_before} to {f1_after} "
        "({f1_ends}). Gather more decisions, or look for wrong ones among them.",
        "forgets": "Nothing was written, because {model} would forget: on {rows} {what} its {measure} goes from "
        "{before} to {after}, and may get worse by {most} at most. Look for decisions that go against what it knows; "
        "where they are right, train on all your data with python -m model train.",
        "seed": "--seed must lie between 0 and 2147483647, not {seed}.",
        "name": "{name} is no name for a model: use lower-case letters, digits, dots and dashes, at most 40.",
        "not_a_bundle": "{path} is there already and holds other things than a model: name another place with --out.",
        "in_service": "{path} is a model in use: name another place with --out, and install what is written there.",
        "link": "{path} is a link: name the folder itself with --out.",
        "no_out": "Name the folder for the adapted model with --out, or add --check to see what there is only.",
        "unwritable": "Nothing can be written to {path} ({error}): name another place.",
        "json_in_bundle": "{path} lies in a model's folder, and a model with foreign files is refused: give --json "
        "another place.",
        "json_folder": "{path} is a folder: name a file with --json.",
        "same_file": "{path} is what is read: give --json another name.",
    }
