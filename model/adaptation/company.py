"""Listings of the open corpus, which tell whether a model forgets, where they have its categories."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from model.bundle import read_seen
from model.taxonomy import Taxonomy, default_taxonomy
from model.training.corpus import Listing, fingerprint, read_corpus
from model.training.data import Example, text_keys
from model.training.stages import progress

CHECKED, HELD = 1_500, 1_500
"""Listings that forgetting is measured on, and others that a model is held to where it would forget."""


class Company:
    """The open corpus for a model with these categories; empty where it has others."""

    def __init__(self, taxonomy: Taxonomy, seed: int) -> None:
        self.listings: list[Listing] = read_corpus() if taxonomy.codes == default_taxonomy().codes else []
        order = np.random.default_rng(seed).permutation(len(self.listings))
        self._checked, self._held = order[:CHECKED], order[CHECKED : CHECKED + HELD]

    @property
    def checked(self) -> list[Example]:
        """Those that forgetting is measured on; nothing is fitted to them."""
        return self._examples(self._checked)

    @property
    def held(self) -> list[Example]:
        """Others, at which the model is to answer as it did."""
        return self._examples(self._held)

    def _examples(self, places: np.ndarray) -> list[Example]:
        listings = ((place, self.listings[place]) for place in places.tolist())
        return [Example(str(p), row.code, row.designation, row.description, None) for p, row in listings]


def known_keys(folder: Path, manifest: dict, listings: Sequence[Listing]) -> np.ndarray | None:
    """Keys of texts (and of pictures, where it was adapted) a bundle has learned from, uint64 (n,); None when it does
    not say.

    The model that ships names the open corpus by its fingerprint alone.
    """
    seen = read_seen(folder)
    told = manifest.get("training")
    named = told.get("fingerprint") if isinstance(told, dict) else None
    if seen is not None or not listings or named != fingerprint(list(listings)):
        return seen
    return _corpus_keys()


@cache
def _corpus_keys() -> np.ndarray:
    rows = [Example("", row.code, row.designation, row.description, None) for row in read_corpus()]
    return np.unique(text_keys(rows, progress("rows it was trained on")))
