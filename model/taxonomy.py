"""The categories: codes, labels in French and English, scope. Loads without TensorFlow."""

import csv
import io
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

DEFAULT_PATH = Path(__file__).with_name("taxonomy.csv")


@dataclass(frozen=True, slots=True)
class Category:
    """One category. ``train_count`` is its published number of listings, for the prior."""

    code: int
    label_fr: str
    label_en: str
    train_count: int
    scope: str

    def label(self, language: str) -> str:
        """The label in "fr"; in English for any other language."""
        return self.label_fr if language == "fr" else self.label_en


@dataclass(frozen=True)
class Taxonomy:
    """All categories, ordered by code. The order is the order of the network's outputs."""

    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        codes = [category.code for category in self.categories]
        if len(codes) < 2 or codes != sorted(set(codes)):
            raise ValueError("a taxonomy needs at least two categories, each code once, in ascending order")

    def __len__(self) -> int:
        return len(self.categories)

    def __getitem__(self, code: int) -> Category:
        """The category of a code; KeyError when there is none."""
        return self.categories[self._index[code]]

    @cached_property
    def _index(self) -> dict[int, int]:
        return {category.code: position for position, category in enumerate(self.categories)}

    @cached_property
    def codes(self) -> tuple[int, ...]:
        return tuple(self._index)

    def index(self, code: int) -> int:
        """Position of a code among the network's outputs; KeyError when there is none."""
        return self._index[code]

    @classmethod
    def from_csv(cls, text: str) -> "Taxonomy":
        """Reads ``code,label_fr,label_en,train_count,scope``; ValueError when it is not that."""
        try:
            rows = [
                Category(int(r["code"]), r["label_fr"], r["label_en"], int(r["train_count"]), r["scope"])
                for r in csv.DictReader(io.StringIO(text))
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a taxonomy: {error!r}") from error
        return cls(tuple(sorted(rows, key=lambda category: category.code)))


@lru_cache(maxsize=1)
def default_taxonomy() -> Taxonomy:
    """The 27 categories that ship with the project."""
    return Taxonomy.from_csv(DEFAULT_PATH.read_text(encoding="utf-8"))
