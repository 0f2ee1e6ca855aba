"""Which rows are fitted on, which weigh the branches, which are kept for the test."""

from dataclasses import dataclass

import numpy as np

from model.taxonomy import Taxonomy
from model.training.data import (
    Example,
    LabelledData,
    folds,
    groups,
    picture_hashes,
    read_split,
    split,
    text_keys,
    write_split,
)
from model.training.recipe import Recipe
from model.training.stages import Stages, progress

_PICTURES = 400
"""Rows with a picture that weigh the image branch, where there are enough."""


@dataclass(frozen=True)
class Parting:
    """``test`` bool over all rows. ``training``: the others, in order; the rest is about these.

    ``groups``: number of the duplicates a row belongs to, int (n,). ``calibrating``: bool (n,). ``keys``: uint64 (n,),
    by which an evaluation knows the rows that were trained on. ``fingerprint`` of the split.
    """

    test: np.ndarray
    training: tuple[Example, ...]
    groups: np.ndarray
    calibrating: np.ndarray
    keys: np.ndarray
    fingerprint: str


def part(data: LabelledData, taxonomy: Taxonomy, recipe: Recipe, stages: Stages) -> Parting:
    """Parts the rows; duplicates stay together. The split is written beside the stages, with its fingerprint."""
    examples = data.examples
    targets = np.array([taxonomy.index(example.code) for example in examples])

    def find() -> dict[str, np.ndarray]:
        keys = text_keys(examples, progress("duplicate texts"))
        hashes = picture_hashes(examples, progress("duplicate pictures", " pictures"))
        return {"keys": keys, "groups": groups(examples, hashes, keys)}

    stage = stages.arrays("duplicates", find)
    group = stage["groups"]
    folder = stages.folder / "split"
    if not (folder / "split.json").exists():
        test = split(examples, targets, group, recipe.test_share, recipe.seed)
        write_split(folder, examples, test, recipe.seed, recipe.test_share)
    kept_split = read_split(folder, examples)
    kept = np.flatnonzero(~kept_split.test)
    training = tuple(examples[i] for i in kept)
    pictured = np.array([example.picture is not None for example in training], bool)
    return Parting(
        test=kept_split.test,
        training=training,
        groups=group[kept],
        calibrating=_calibrating(targets[kept], group[kept], pictured, recipe),
        keys=stage["keys"][kept],
        fingerprint=kept_split.fingerprint,
    )


def _calibrating(targets: np.ndarray, group: np.ndarray, pictured: np.ndarray, recipe: Recipe) -> np.ndarray:
    """A share of the rows, and of those with pictures a larger one where they are few."""
    least, most = recipe.calibration_shares
    count = round(1 / min(most, max(least, recipe.calibration_rows / len(targets))))
    fold = folds(targets, group, count, recipe.seed + 1)
    chosen = fold == 0
    for more in range(1, int(0.4 * count)):
        if (chosen & pictured).sum() >= _PICTURES:
            break
        # Whole groups: a row without picture may share its text with one that has.
        chosen |= np.isin(group, group[(fold == more) & pictured])
    return chosen
