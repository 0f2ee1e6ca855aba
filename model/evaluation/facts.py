"""What a report divides the rows by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_LENGTHS = (0, 6, 11, 21, 51, 151)
"""The first number of words of each group."""


@dataclass(frozen=True, slots=True, eq=False)
class RowFacts:
    """About each of n rows: what was read of it, its words (both texts), its language ("fr", "unknown" …)."""

    has_text: np.ndarray
    """bool (n,): at least one word"""
    has_image: np.ndarray
    """bool (n,): a picture that could be read"""
    described: np.ndarray
    """bool (n,): a description that is not empty"""
    words: np.ndarray
    """int (n,)"""
    language: Sequence[str]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def by_inputs(self) -> dict[str, np.ndarray]:
        """Rows with text alone, a picture alone, both: bool (n,) each. A row with neither is in none."""
        text, image = self.has_text, self.has_image
        return {"text": text & ~image, "image": image & ~text, "both": text & image}

    @property
    def by_language(self) -> dict[str, np.ndarray]:
        """The rows of each language there is, the most frequent first: bool (n,) each."""
        languages = np.array(self.language, dtype=str)
        names, counts = np.unique(languages, return_counts=True)
        ranked = sorted(zip(-counts, names.tolist(), strict=True))
        return {name: languages == name for _, name in ranked}

    @property
    def by_length(self) -> Iterator[tuple[int, int | None, np.ndarray]]:
        """From and to how many words, and the rows of it: bool (n,)."""
        for first, after in pairwise((*_LENGTHS, None)):
            chosen = self.words >= first
            yield (
                first,
                None if after is None else after - 1,
                chosen if after is None else chosen & (self.words < after),
            )
