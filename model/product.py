"""The types that travel between the classifier and its callers: small, frozen, in category codes."""

from dataclasses import dataclass, field

import numpy as np

from preprocessing.image import Geometry


@dataclass(frozen=True, slots=True)
class Product:
    """What is to be classified. ``image`` is the file's bytes; an empty or missing input is None."""

    designation: str | None = None
    description: str | None = None
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class RankedCategory:
    """A category code with its calibrated probability, in [0, 1]."""

    code: int
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """All categories, most probable first (probabilities sum to 1), and what the answer rests on."""

    categories: tuple[RankedCategory, ...]
    used_text: bool
    used_image: bool
    words: int
    """Words read in designation and description together."""
    prediction_set: tuple[int, ...]
    """Fewest codes that hold the right one with the bundle's stated coverage on its held-out listings."""
    model_version: str
    image_problem: Exception | None = None
    """Why a given picture could not be used (a `preprocessing.image.ImageError`); None when there is none."""
    unknown_words: int = 0
    """Of these words, how many the lexical branch has not met as a whole."""

    @property
    def code(self) -> int:
        """The most probable category."""
        return self.categories[0].code

    @property
    def confidence(self) -> float:
        """The probability of the most probable category."""
        return self.categories[0].probability

    @property
    def margin(self) -> float:
        """Probability of the first category less that of the second, in [0, 1]."""
        return self.categories[0].probability - self.categories[1].probability


@dataclass(frozen=True, slots=True)
class WordContribution:
    """What one word of the user's text adds to (or takes from) a category's logit.

    ``field`` is "designation" or "description"; ``start`` and ``end`` are offsets into that field as typed.
    """

    field: str
    start: int
    end: int
    text: str
    lexical: float
    semantic: float

    @property
    def total(self) -> float:
        return self.lexical + self.semantic


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a category has the logit it has. All terms are in calibrated logits, relative to the mean category.

    ``image + bias + rest + sum(words) == logit`` (to 1e-4): ``lexical`` and ``semantic`` are the two text
    branches' terms, ``rest`` is the part of ``semantic`` that no single word carries.
    """

    code: int
    logit: float
    image: float
    lexical: float
    semantic: float
    bias: float
    rest: float
    words: tuple[WordContribution, ...]
    heatmap: np.ndarray | None = field(default=None, compare=False)
    """Grad-CAM in [0, 1], float32 (h, w) over the model's square input; None without picture or evidence."""
    geometry: Geometry | None = None
    """Lays ``heatmap`` back on the original picture; None without picture."""

    @property
    def shares(self) -> dict[str, float]:
        """Share of "image", "words" and "meaning" in the decision: absolute terms over their sum."""
        terms = {"image": abs(self.image), "words": abs(self.lexical), "meaning": abs(self.semantic)}
        total = sum(terms.values())
        return {name: (value / total if total else 0.0) for name, value in terms.items()}
