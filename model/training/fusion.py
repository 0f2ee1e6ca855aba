"""Weights of the branches in the sum, the temperature in them: a few numbers fitted on held-out listings."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

ALONE = 0.3
"""How much a row counts that is read by its picture alone: products come with their text, mostly."""
_TEXT, _IMAGE = np.array([3.0, 1.0, 0.3]), np.array([0.3, 0.7])
"""Usual weights: of lexical and semantic branch and prior; of the table of ImageNet classes and the head."""
_ROWS = 1.0


@dataclass(frozen=True, slots=True)
class Fusion:
    """``lexical`` and ``semantic`` multiply the text branches' terms, ``prior`` the log share of each category,
    ``image_table`` and ``image_head`` the two parts of the image branch.

    The temperature is in them: terms times these are calibrated logits.
    """

    lexical: float
    semantic: float
    prior: float
    image_table: float = 0.0
    image_head: float = 0.0

    def logits(self, lexical: np.ndarray, semantic: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
        """Calibrated logits (n, categories) from the text's terms (n, categories) and the log prior (categories,)."""
        return self.lexical * lexical + self.semantic * semantic + self.prior * log_prior

    def image(self, table: np.ndarray, head: np.ndarray) -> np.ndarray:
        """What a picture adds (n, categories), from the parts of its branch."""
        return self.image_table * table + self.image_head * head


def fit_fusion(
    lexical: np.ndarray, semantic: np.ndarray, truth: np.ndarray, weights: np.ndarray, log_prior: np.ndarray
) -> Fusion:
    """Least weighted negative log likelihood of the texts; weights of branches are kept from going below zero.

    Without any row, the usual weights.
    """
    if not len(truth):
        return Fusion(*_TEXT.tolist())

    def loss(x: np.ndarray) -> float:
        return _loss(Fusion(*x).logits(lexical, semantic, log_prior), truth, weights) + _far(x, _TEXT, len(truth))

    found = minimize(loss, x0=_TEXT, bounds=[(0, None), (0, None), (0, 1)], method="L-BFGS-B")
    return Fusion(*map(float, found.x))


def fit_image(
    text: Fusion, logits: np.ndarray, table: np.ndarray, head: np.ndarray, truth: np.ndarray, log_prior: np.ndarray
) -> Fusion:
    """``text`` with weights for the picture, fitted on rows that have both: with their text, and without it.

    ``logits``: what the text says, prior included (n, categories). The text's weights stay, so that a product without
    picture keeps its calibrated probabilities.
    """
    alone, ones = np.broadcast_to(text.prior * log_prior, logits.shape), np.ones(len(truth))

    def loss(x: np.ndarray) -> float:
        added = x[0] * table + x[1] * head
        loss = _loss(logits + added, truth, ones) + ALONE * _loss(alone + added, truth, ones)
        return loss + _far(x, _IMAGE, len(truth))

    found = minimize(loss, x0=_IMAGE, bounds=[(0, 2), (0, None)], method="L-BFGS-B")
    return Fusion(text.lexical, text.semantic, text.prior, *map(float, found.x))


def _far(x: np.ndarray, usual: np.ndarray, rows: int) -> float:
    """Holds weights near the usual ones, as `_ROWS` rows would: where every answer is right, nothing else does."""
    return _ROWS / rows * float((((x - usual) / usual) ** 2).sum())


def _loss(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    return -float(np.average(log_softmax(logits, axis=1)[np.arange(len(truth)), truth], weights=weights))
