"""What is counted of an answer, to see whether products change: classes of it, and nothing of the product itself."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from model.product import Prediction

WORDS = (1, 6, 11, 21, 51, 151)
"""The first number of words of each class, as in a report (`model.evaluation.facts`)."""
UNKNOWN = (0.0, 1e-9, 0.1, 0.2, 0.3, 0.5)
"""Lower ends of the classes of the share of words that the lexical branch has not met; the first is none at all."""
CONFIDENCE = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Lower ends of the classes of confidence, narrow where most answers are."""
INPUTS = ("text", "image", "text+image", "none")
TEXT = ("text", "text+image")
"""Those with a text."""
MEASURES = ("words", "unknown", "confidence", "category", "inputs")
"""Of the text the first two, so only of products with one; how sure a model is depends on what it was sent, so
confidence is counted by that."""
_BY = ":"

Observed = tuple[str, str]
"""A measure and the class of it."""


def classes(measure: str, codes: Sequence[int] = ()) -> list[str]:
    """The classes of a measure in their order; ``codes``: the categories there are."""
    return {
        "words": _names(WORDS),
        "unknown": _names(UNKNOWN),
        "confidence": _names(CONFIDENCE),
        "category": [str(code) for code in codes],
        "inputs": list(INPUTS),
    }[measure]


def counted_classes(measure: str, codes: Sequence[int] = ()) -> list[str]:
    """The classes as they are counted."""
    names = classes(measure, codes)
    return [_joined(inputs, name) for inputs in INPUTS for name in names] if measure == "confidence" else names


def by_inputs(confidence: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Counts of confidence, as they are counted, by what was sent."""
    found: dict[str, dict[str, float]] = {}
    for key, number in confidence.items():
        inputs, _, name = key.partition(_BY)
        found.setdefault(inputs, {})[name] = number
    return found


def observed(prediction: Prediction) -> tuple[Observed, ...]:
    """The class of each measure that there is of it; none where all that was sent is a picture that cannot be read."""
    if prediction.image_problem is not None and not prediction.used_text:
        return ()
    words, inputs = prediction.words, _inputs(prediction)
    of_text = (
        ("words", _class(WORDS, words)),
        ("unknown", _class(UNKNOWN, prediction.unknown_words / max(1, words))),
    )
    return (
        *(of_text if inputs in TEXT else ()),
        ("confidence", _joined(inputs, _class(CONFIDENCE, prediction.confidence))),
        ("category", str(prediction.code)),
        ("inputs", inputs),
    )


def _joined(inputs: str, name: str) -> str:
    return f"{inputs}{_BY}{name}"


def _inputs(prediction: Prediction) -> str:
    used = [name for name, was in (("text", prediction.used_text), ("image", prediction.used_image)) if was]
    return "+".join(used) or "none"


def _class(ends: Sequence[float], value: float) -> str:
    return _names(ends)[max(0, bisect_right(ends, value) - 1)]


def _names(ends: Sequence[float]) -> list[str]:
    """A class is named by its lower end."""
    return [f"{end:g}" if end == 0 or end >= 1e-6 else ">0" for end in ends]
