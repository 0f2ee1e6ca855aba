"""What is counted of an answer, to see whether products change: classes of it, and nothing of the product itself."""

from bisect import bisect_right
from collections.abc import Sequence

from model.product import Prediction

WORDS = (0, 1, 6, 11, 21, 51, 151)
"""The first number of words of each class; but for the first, as in a report (`model.evaluation.facts`)."""
UNKNOWN = (0.0, 1e-9, 0.1, 0.2, 0.3, 0.5)
"""Lower ends of the classes of the share of words that the lexical branch has not met; the first is none at all."""
CONFIDENCE = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Lower ends of the classes of confidence, narrow where most answers are."""
INPUTS = ("text", "image", "text+image", "none")
NO_WORDS = "-"
"""The class of unknown words of a product without any."""
MEASURES = ("words", "unknown", "confidence", "category", "inputs")
MAX_CLASS = 20
"""Characters of a class, at most."""

Observed = tuple[str, str]
"""A measure and the class of it."""


def classes(measure: str, codes: Sequence[int] = ()) -> list[str]:
    """The classes of a measure in their order; ``codes``: the categories there are."""
    return {
        "words": _names(WORDS),
        "unknown": [NO_WORDS, *_names(UNKNOWN)],
        "confidence": _names(CONFIDENCE),
        "category": [str(code) for code in codes],
        "inputs": list(INPUTS),
    }[measure]


def observed(prediction: Prediction) -> tuple[Observed, ...]:
    """The class of each measure."""
    words, unknown = prediction.words, prediction.unknown_words
    return (
        ("words", _class(WORDS, words)),
        ("unknown", _class(UNKNOWN, unknown / words) if words else NO_WORDS),
        ("confidence", _class(CONFIDENCE, prediction.confidence)),
        ("category", str(prediction.code)),
        ("inputs", _inputs(prediction)),
    )


def _inputs(prediction: Prediction) -> str:
    used = [name for name, was in (("text", prediction.used_text), ("image", prediction.used_image)) if was]
    return "+".join(used) or "none"


def _class(ends: Sequence[float], value: float) -> str:
    return _names(ends)[max(0, bisect_right(ends, value) - 1)]


def _names(ends: Sequence[float]) -> list[str]:
    """A class is named by its lower end."""
    return [f"{end:g}" if end == 0 or end >= 1e-6 else ">0" for end in ends]
