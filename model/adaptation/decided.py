"""The decisions a model is adapted to: which are new to it, which are the same product, whether they are enough."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.adaptation.errors import AdaptationError
from model.taxonomy import Taxonomy
from model.training.data import Example, LabelledData, fingerprint, groups, picture_hashes, text_keys
from model.training.stages import progress

FEWEST = 40
"""Different products that the model has not learned from, without which nothing can be judged."""
MOST = 5_000
"""Beyond, time and memory grow too much, and a training learns more."""


@dataclass(frozen=True)
class Decisions:
    """``keys``: text keys, ``pictures``: keys of picture files, uint64 (n,), 0 where there is none. ``group``: number
    of the duplicates a row belongs to, int (n,). ``new``: whether the model has learned from neither its words nor its
    picture, bool (n,): what shares one of them is the same product, as in ``group``."""

    file: str
    examples: tuple[Example, ...]
    targets: np.ndarray
    keys: np.ndarray
    pictures: np.ndarray
    group: np.ndarray
    new: np.ndarray

    @classmethod
    def of(cls, data: LabelledData, path: Path, taxonomy: Taxonomy, known: np.ndarray | None) -> "Decisions":
        """``known``: keys of the texts and pictures that the model has learned from, None when it does not say."""
        if len(data.examples) > MOST:
            details = {"rows": f"{len(data.examples):,}", "most": f"{MOST:,}", "data": path}
            raise AdaptationError("many", details)
        keys = text_keys(data.examples)
        hashes = picture_hashes(data.examples, progress("duplicate pictures", " pictures"))
        pictures = np.array([int(one[:16], 16) if one else 0 for one in hashes], np.uint64)
        learned = [np.isin(part, [] if known is None else known) & (part != 0) for part in (keys, pictures)]
        return cls(
            file=path.resolve().name,
            examples=data.examples,
            targets=np.array([taxonomy.index(row.code) for row in data.examples], np.int64),
            keys=keys,
            pictures=pictures,
            group=groups(data.examples, hashes, keys),
            new=~(learned[0] | learned[1]),
        )

    def take(self, rows: np.ndarray) -> "Decisions":
        """The rows where ``rows``, bool (n,), is true."""
        examples = tuple(row for row, taken in zip(self.examples, rows, strict=True) if taken)
        parts = (part[rows] for part in (self.targets, self.keys, self.pictures, self.group, self.new))
        return Decisions(self.file, examples, *parts)

    def check_enough(self, model: str) -> None:
        """`AdaptationError` unless there are decisions enough to judge by, of two categories."""
        rows, different = len(self.examples), len(np.unique(self.group))
        if different < FEWEST:
            raise AdaptationError("few", {"rows": rows, "different": different, "fewest": FEWEST})
        left = len(np.unique(self.group[self.new]))
        if left < FEWEST:
            known = int((~self.new).sum())
            details = {"rows": rows, "known": known, "different": left, "fewest": FEWEST, "model": model}
            raise AdaptationError("few_new", details)
        if len(np.unique(self.targets[self.new])) < 2:
            raise AdaptationError("one_category", {"rows": rows})

    def learned(self, read: np.ndarray) -> np.ndarray:
        """Keys of the texts, and of those pictures that could be read, bool (n,): uint64 (k,)."""
        # Broken files are often the same: empty.
        keys = np.concatenate([self.keys, self.pictures[read]])
        return np.unique(keys[keys != 0])

    @property
    def facts(self) -> dict[str, Any]:
        """What a report and a manifest say of them."""
        codes = Counter(row.code for row in self.examples)
        return {
            "file": self.file,
            "rows": len(self.examples),
            "different": len(np.unique(self.group)),
            "learned_before": int((~self.new).sum()),
            "with_picture": sum(row.picture is not None for row in self.examples),
            "rows_by_category": {str(code): count for code, count in sorted(codes.items())},
            "fingerprint": fingerprint(self.examples),
        }


def unreadable_sentence(unreadable: Sequence[str], examples: Sequence[Example]) -> str | None:
    """A note on pictures that cannot be read; None when all can."""
    from model.evaluation.terminal import unreadable_pictures

    named = [f"{row.id[:16]}: {why}" for row, why in zip(examples, unreadable, strict=True) if why]
    return unreadable_pictures(named) if named else None
