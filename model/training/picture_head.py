"""A linear head on the backbone's features: two linear classifiers, blended as answers unseen rows best."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
"""Candidates for C of the regression, on features of unit variance."""
_ITERATIONS = 200
_SMOOTHING = 0.02
"""Doubt in each label when the classifiers are blended: logits of categories that lie apart stay within reach of a
text's, and a picture of something else does not outweigh everything."""


@dataclass(frozen=True)
class Head:
    """``kernel`` float32 (features, categories) and ``bias`` (categories,), logits centred over categories."""

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """float32 (n, categories)"""
        return features.astype(np.float32) @ self.kernel + self.bias


@dataclass(frozen=True)
class HeadRecipe:
    """``penalty`` of the regression, and what either classifier counts in the head."""

    penalty: float
    regression: float
    discriminant: float


def fit_head(features: np.ndarray, targets: np.ndarray, categories: int, recipe: HeadRecipe) -> Head:
    """Fitted on features (n, width) and category positions (n,); the log shares of categories are not in its logits."""
    parts = (
        (recipe.regression, _regression(features, targets, categories, recipe.penalty)),
        (recipe.discriminant, _discriminant(features, targets, categories)),
    )
    kernel, bias = sum(w * head.kernel for w, head in parts), sum(w * head.bias for w, head in parts)
    return Head(kernel.astype(np.float32), bias.astype(np.float32))


def held_out_logits(
    features: np.ndarray, targets: np.ndarray, folds: np.ndarray, log_prior: np.ndarray
) -> tuple[np.ndarray, HeadRecipe]:
    """Logits of each row from a head that has not seen its fold, and the recipe with the least log loss there.

    ``folds`` int (n,): a row of fold −1 is fitted on always, and its logits are NaN.
    """
    judged, truth = folds >= 0, targets[folds >= 0]

    def loss(logits: np.ndarray) -> float:
        return -float(log_softmax(logits + log_prior, axis=1)[np.arange(len(truth)), truth].mean())

    def doubting(logits: np.ndarray) -> float:
        scored = log_softmax(logits + log_prior, axis=1)
        return (1 - _SMOOTHING) * -float(scored[np.arange(len(truth)), truth].mean()) - _SMOOTHING * float(
            scored.mean()
        )

    def unseen(fit) -> np.ndarray:
        logits = np.full((len(targets), len(log_prior)), np.nan, np.float32)
        for fold in np.unique(folds[judged]):
            out = folds == fold
            logits[out] = fit(features[~out], targets[~out]).logits(features[out])
        return logits

    best: tuple[float, float, np.ndarray] | None = None
    for penalty in PENALTIES:
        logits = unseen(lambda x, y, c=penalty: _regression(x, y, len(log_prior), c))
        found = loss(logits[judged])
        if best is not None and found > best[0]:
            break  # past the best: the loss has one valley over the penalty
        best = found, penalty, logits
    _, penalty, regression = best
    discriminant = unseen(lambda x, y: _discriminant(x, y, len(log_prior)))
    blend = minimize(
        lambda x: doubting(x[0] * regression[judged] + x[1] * discriminant[judged]),
        x0=[0.3, 0.01], bounds=[(0, None), (0, None)], method="L-BFGS-B",
    )  # fmt: skip
    recipe = HeadRecipe(penalty, *map(float, blend.x))
    return recipe.regression * regression + recipe.discriminant * discriminant, recipe


def _regression(features: np.ndarray, targets: np.ndarray, categories: int, penalty: float) -> Head:
    """Multinomial logistic regression, the log shares of the fitted rows taken out of its bias."""
    if len(np.unique(targets)) < 2:
        return _silent(features, categories)
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    # Features that hardly vary say nothing, and must not be blown up.
    spread = np.maximum(features.std(axis=0, dtype=np.float64), 1e-3).astype(np.float32)
    scaled = (features.astype(np.float32) - mean) / spread
    fitted = LogisticRegression(C=penalty, max_iter=_ITERATIONS, tol=1e-3).fit(scaled, targets)
    coefficients, intercept = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn gives one column for two classes
        coefficients, intercept = np.stack([-coefficients[0], coefficients[0]]) / 2, np.array([-1, 1]) * intercept / 2
    kernel = coefficients.T / spread[:, None]
    shares = np.bincount(targets, minlength=categories)[fitted.classes_] / len(targets)
    return _laid_out(kernel, intercept - np.log(shares) - mean @ kernel, fitted.classes_, categories)


def _discriminant(features: np.ndarray, targets: np.ndarray, categories: int) -> Head:
    """Fisher's linear discriminant with the covariance of Ledoit & Wolf 2004, which few rows suffice for."""
    classes, places = np.unique(targets, return_inverse=True)
    if len(classes) < 2:
        return _silent(features, categories)
    features = features.astype(np.float32)
    means = np.stack([features[places == c].mean(axis=0) for c in range(len(classes))])
    covariance, _ = ledoit_wolf(features - means[places], assume_centered=True)
    kernel = np.linalg.solve(covariance, means.T)
    return _laid_out(kernel, -0.5 * np.einsum("cf,fc->c", means, kernel), classes, categories)


def _silent(features: np.ndarray, categories: int) -> Head:
    """Says nothing: pictures of one category alone tell nothing apart."""
    return Head(np.zeros((features.shape[1], categories), np.float32), np.zeros(categories, np.float32))


def _laid_out(kernel: np.ndarray, bias: np.ndarray, classes: np.ndarray, categories: int) -> Head:
    """Columns of all categories, centred; a category that was not fitted has the lowest bias."""
    whole, biases = np.zeros((len(kernel), categories), np.float32), np.full(categories, bias.min(), np.float32)
    centre = kernel.mean(axis=1, keepdims=True)
    whole[:, classes] = kernel - centre
    biases[classes] = bias
    return Head(whole - whole.mean(axis=1, keepdims=True), biases - biases.mean())
