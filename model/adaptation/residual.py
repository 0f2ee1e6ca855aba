"""The most probable residual on a model's logits, given decisions: a Gaussian prior around what the model is.

The answer is a sum of logits, linear in n-grams, sentence vector and pooled features. With a Gaussian prior, centred
on the present weights, on what is added to each, the most probable addition lies in the span of the decisions'
features (Kimeldorf & Wahba 1971): everything is done in a basis of their Gram matrix, whatever the features' number.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

ALONE = 0.5
"""How much a row with text and picture counts besides when it is read by one of the two: each must be able to answer
by itself, and may not lean on the other."""
_OFFSET_VARIANCE = 1.0
"""Of the categories' offsets while fitting. Which categories were sent to moderators is no news about the catalogue:
the offsets take it up, and are dropped."""
_ITERATIONS = 300
_STEEP = 0.02
"""Where the loss is less steep than this in every direction, its lowest point is as good as reached."""
_STEEPNESS = 0.1
"""About what the shares of categories leave of the loss's curvature."""


@dataclass(frozen=True)
class Basis:
    """``values`` (n, r): rows of a Gram matrix factor, K = values @ values.T; zeros for rows without the input.
    ``back`` (n, r) leads from coefficients in it to weights of the rows: K @ (back @ c) = values @ c."""

    values: np.ndarray
    back: np.ndarray

    @classmethod
    def of(cls, gram: np.ndarray) -> "Basis":
        """The factor of a Gram matrix (n, n), without directions in which there is next to nothing."""
        spread, directions = np.linalg.eigh(gram)
        kept = spread > 1e-6 * max(spread[-1], 1e-12)
        root, directions = np.sqrt(spread[kept]), directions[:, kept]
        return cls(directions * root, directions / root)


@dataclass(frozen=True)
class Decided:
    """n decisions: logits of text (bias included) and picture (n, categories), which of them there are, category
    positions (n,), and the bases of what may be added."""

    text: np.ndarray
    picture: np.ndarray
    bias: np.ndarray
    has_text: np.ndarray
    has_picture: np.ndarray
    targets: np.ndarray
    text_basis: Basis
    picture_basis: Basis

    @property
    def logits(self) -> np.ndarray:
        """What the model says of each row."""
        return self.bias + self.text + self.picture


@dataclass(frozen=True)
class Strength:
    """Prior variances of what is added to the logits by text and by picture; 0 adds nothing."""

    text: float
    picture: float


@dataclass(frozen=True)
class Residual:
    """Coefficients in the bases, (r, categories) each."""

    text: np.ndarray
    picture: np.ndarray

    def added(self, decided: Decided) -> tuple[np.ndarray, np.ndarray]:
        """What is added to the logits by text and by picture: (n, categories) each."""
        return decided.text_basis.values @ self.text, decided.picture_basis.values @ self.picture


def fit_residual(decided: Decided, rows: np.ndarray, strength: Strength) -> Residual:
    """The most probable residual given the chosen rows, bool (n,).

    By pictures, nothing is added to categories without one among these rows: nothing was learned of their looks.
    """
    categories, targets = decided.text.shape[1], decided.targets[rows]
    variances = strength.text, strength.picture
    bases = [_scaled(decided.text_basis, strength.text), _scaled(decided.picture_basis, strength.picture)]
    columns = [np.arange(categories), np.flatnonzero(pictured(decided, rows))]
    # In these coordinates the loss is about as steep in every direction: the same is found, sooner.
    steps = [1 / np.sqrt(1 + _STEEPNESS * (base**2).sum(axis=0)) for base in bases]
    # In single precision, which halves the time: the loss is summed in double.
    taken = [(base[rows] * step).astype(np.float32) for base, step in zip(bases, steps, strict=True)]
    step = 1 / np.sqrt(1 / _OFFSET_VARIANCE + _STEEPNESS * len(targets))
    sizes = [(base.shape[1], len(into)) for base, into in zip(bases, columns, strict=True)]
    precision = [np.repeat(one**2, width) for one, (_, width) in zip(steps, sizes, strict=True)]
    precision = np.concatenate([*precision, np.full(categories, step**2 / _OFFSET_VARIANCE)])
    views = _views(decided, rows)

    def parted(x: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        *parts, offset = np.split(x, np.cumsum([high * wide for high, wide in sizes]))
        return [part.reshape(size) for part, size in zip(parts, sizes, strict=True)], offset

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        parts, offset = parted(x)
        added = [np.zeros((len(targets), categories)) for _ in parts]
        for one, base, part, into in zip(added, taken, parts, columns, strict=True):
            one[:, into] = base @ part.astype(np.float32)
        value, slopes = 0.5 * float(precision @ x**2), [np.zeros(one.shape) for one in added]
        total = np.zeros(categories)
        for view in views:
            shown = sum(one for one, read in zip(added, view.inputs, strict=True) if read)
            value += view.loss(shown + step * offset, targets)
            for slope, read in zip(slopes, view.inputs, strict=True):
                if read:
                    slope += view.slope
            total += view.slope.sum(axis=0)
        back = [
            (base.T @ slope[:, into].astype(np.float32)).ravel()
            for base, slope, into in zip(taken, slopes, columns, strict=True)
        ]
        return value, precision * x + np.concatenate([*back, step * total])

    # Conjugate gradients: their own work is next to nothing, and takes no threads that others are kept from.
    options = {"maxiter": _ITERATIONS, "gtol": _STEEP}
    found, _ = parted(minimize(loss, np.zeros(len(precision)), jac=True, method="CG", options=options).x)
    whole = [np.zeros((basis.values.shape[1], categories)) for basis in (decided.text_basis, decided.picture_basis)]
    for one, variance, stretch, part, into in zip(whole, variances, steps, found, columns, strict=True):
        if len(part):
            one[:, into] = np.sqrt(variance) * stretch[:, None] * part
    return Residual(*whole)


def pictured(decided: Decided, rows: np.ndarray) -> np.ndarray:
    """Which categories have a picture among the chosen rows, bool (categories,)."""
    found = np.zeros(decided.text.shape[1], bool)
    found[decided.targets[rows & decided.has_picture]] = True
    return found


def _scaled(basis: Basis, variance: float) -> np.ndarray:
    """The basis of what may be added with this prior variance; without columns where that is nothing."""
    return basis.values * np.sqrt(variance) if variance else basis.values[:, :0]


@dataclass
class _View:
    """The rows read by some of their inputs: with which logits to start from, and how much each counts, (n,)."""

    logits: np.ndarray
    inputs: tuple[bool, bool]
    weights: np.ndarray

    def loss(self, added: np.ndarray, targets: np.ndarray) -> float:
        """Weighted negative log likelihood; ``slope`` is then its derivative by the logits."""
        log_shares = log_softmax(self.logits + added, axis=1)
        at = np.arange(len(targets)), targets
        self.slope = np.exp(log_shares)
        self.slope[at] -= 1
        self.slope *= self.weights[:, None]
        return -float(self.weights @ log_shares[at])


def _views(decided: Decided, rows: np.ndarray) -> list[_View]:
    """The chosen rows by all that there is of each, and those with both inputs by each alone."""
    both = (decided.has_text & decided.has_picture)[rows]
    views = [_View(decided.logits[rows], (True, True), np.ones(len(both)))]
    if both.any():
        alone = ALONE * both
        views.append(_View((decided.bias + decided.text)[rows], (True, False), alone))
        views.append(_View((decided.bias + decided.picture)[rows], (False, True), alone))
    return views
