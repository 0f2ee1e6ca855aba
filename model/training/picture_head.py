"""A linear head on the backbone's features: multinomial logistic regression, its penalty chosen on unseen rows."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Candidates for C, on features of unit variance."""
_ITERATIONS = 200


@dataclass(frozen=True)
class Head:
    """``kernel`` float32 (features, categories) and ``bias`` (categories,), logits centred over categories."""

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """float32 (n, categories)"""
        return features.astype(np.float32) @ self.kernel + self.bias


def fit_head(features: np.ndarray, targets: np.ndarray, log_prior: np.ndarray, penalty: float) -> Head:
    """Fitted on features (n, width) and category positions (n,).

    What is left of each logit is evidence: the log prior of the fitted rows is taken out, since the sum of branches
    has a prior of its own. A category without a row keeps the lowest bias.
    """
    categories = len(log_prior)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    # Features that hardly vary say nothing, and must not be blown up.
    spread = np.maximum(features.std(axis=0, dtype=np.float64), 1e-3).astype(np.float32)
    scaled = (features.astype(np.float32) - mean) / spread
    fitted = LogisticRegression(C=penalty, max_iter=_ITERATIONS, tol=1e-3).fit(scaled, targets)
    kernel, bias = np.zeros((features.shape[1], categories), np.float32), np.zeros(categories, np.float32)
    coefficients, intercept = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn gives one column for two classes
        coefficients, intercept = np.stack([-coefficients[0], coefficients[0]]) / 2, np.array([-1, 1]) * intercept / 2
    kernel[:, fitted.classes_] = coefficients.T / spread[:, None]
    shares = np.bincount(targets, minlength=categories) / len(targets)
    bias[fitted.classes_] = intercept - np.log(shares[fitted.classes_])
    absent = np.setdiff1d(np.arange(categories), fitted.classes_)
    bias -= mean @ kernel
    bias[absent] = bias[fitted.classes_].min() if len(absent) else 0.0
    return Head(kernel - kernel.mean(axis=1, keepdims=True), (bias - bias.mean()).astype(np.float32))


def held_out_logits(
    features: np.ndarray, targets: np.ndarray, folds: np.ndarray, log_prior: np.ndarray
) -> tuple[np.ndarray, float]:
    """Logits of each row from a head that has not seen its fold, and the penalty with the least log loss there.

    ``folds`` int (n,): a row of fold −1 is fitted on always, and its logits are NaN.
    """
    judged, best = folds >= 0, None
    for penalty in PENALTIES:
        logits = np.full((len(targets), len(log_prior)), np.nan, np.float32)
        for fold in np.unique(folds[judged]):
            out = folds == fold
            head = fit_head(features[~out], targets[~out], log_prior, penalty)
            logits[out] = head.logits(features[out])
        scored = log_softmax(logits[judged] + log_prior, axis=1)
        loss = -float(scored[np.arange(judged.sum()), targets[judged]].mean())
        if best is not None and loss > best[0]:
            break  # past the best: the loss is convex enough in log C
        best = loss, logits, penalty
    return best[1], best[2]
