"""Weights of the branches in the sum, and the temperature: four numbers fitted on held-out listings."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax


@dataclass(frozen=True, slots=True)
class Fusion:
    """``lexical`` and ``semantic`` multiply the branches' terms, ``prior`` the log share of each category.

    The temperature is in them: terms times these are calibrated logits.
    """

    lexical: float
    semantic: float
    prior: float

    def logits(self, lexical: np.ndarray, semantic: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
        """Calibrated logits (n, categories) from the terms (n, categories) and the log prior (categories,)."""
        return self.lexical * lexical + self.semantic * semantic + self.prior * log_prior


def fit_fusion(
    lexical: np.ndarray, semantic: np.ndarray, truth: np.ndarray, weights: np.ndarray, log_prior: np.ndarray
) -> Fusion:
    """Least weighted negative log likelihood; weights of branches are kept from going below zero."""

    def loss(x: np.ndarray) -> float:
        predicted = log_softmax(Fusion(*x).logits(lexical, semantic, log_prior), axis=1)
        return -float(np.average(predicted[np.arange(len(truth)), truth], weights=weights))

    found = minimize(loss, x0=[3.0, 1.0, 0.3], bounds=[(0, None), (0, None), (0, 1)], method="L-BFGS-B")
    return Fusion(*map(float, found.x))
