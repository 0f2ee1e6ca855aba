"""The classifier as pages and interface ask it: each answer is timed and counted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from model.observed import observed
from model.product import Explanation, Prediction, Product
from watch.metrics import metrics
from watch.observations import observations

if TYPE_CHECKING:
    from model.classifier import Classifier


def classify(classifier: Classifier, product: Product, source: str, strict: bool = False) -> Prediction:
    """The prediction for one product. ``source``: "page" or "api".

    A picture that cannot be read is counted as refused, and without a text beside it nothing else is. ``strict``: it
    is an `ImageError` instead.
    """
    found, start = metrics(), time.perf_counter()
    [prediction] = classifier.predict([product])
    found.classifier_seconds.labels(source).observe(time.perf_counter() - start)
    if (problem := prediction.image_problem) is not None:
        if strict:
            raise problem
        refused(source, problem.reason)
    if observed(prediction):
        found.classifications.labels(source, str(prediction.code)).inc()
        found.confidence.labels(source).observe(prediction.confidence)
        observations().note(source, prediction)
    return prediction


def explain(classifier: Classifier, product: Product, code: int, source: str) -> Explanation:
    """Why ``code`` has the logit it has; `ImageError` for a picture that cannot be read."""
    explanation = classifier.explain(product, code)
    metrics().explanations.labels(source).inc()
    return explanation


def overloaded() -> None:
    """A request that was sent away because all places were taken."""
    metrics().overload.inc()


def refused(source: str, reason: str) -> None:
    """An input that was not taken; ``reason`` is one of the code's own."""
    metrics().refused.labels(source, reason).inc()
