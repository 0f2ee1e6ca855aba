"""How strong the priors are, and what each decision is answered by a model that has not seen it: nested cross-fitting.

The decisions are parted into folds, duplicates together. Each fold is answered by a residual fitted on the others, at
the strength that answers these best when they are cross-validated among themselves: no choice has seen the fold.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import log_softmax

from model.adaptation import strangers
from model.adaptation.residual import ALONE, Decided, Residual, Strength, fit_residual
from model.adaptation.strangers import Strangers

VARIANCES = (0.0, 2.0, 10.0, 50.0, 250.0)
"""Candidates, for text and for picture. A search begins at `_USUAL`."""
_USUAL = 50.0
FOLDS = 5
_ENOUGH = 300
"""Decisions to choose a strength by: beyond, more only take longer."""
FEWEST = 20
"""Texts, or pictures, without which nothing is added to what is said of them."""


@dataclass(frozen=True)
class Final:
    """Fitted on all decisions. ``met`` is None where nothing is added by pictures."""

    residual: Residual
    strength: Strength
    met: Strangers | None


@dataclass
class CrossFit:
    """``fold`` int (n,): the fold of each decision, 0…FOLDS-1. ``judged`` bool (n,): those that may choose; the others
    are fitted on only. ``done`` is called after each fit. ``most``: no larger a variance is chosen for pictures; 0
    adds nothing by them."""

    decided: Decided
    fold: np.ndarray
    judged: np.ndarray
    done: Callable[[], object] = lambda: None
    most: float = VARIANCES[-1]
    _fits: dict[tuple[frozenset[int], Strength], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _met: dict[tuple[frozenset[int], float], Strangers] = field(default_factory=dict)

    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """What is added to each decision's logits by text and by picture, from the other folds; (n, categories)."""
        text, picture = np.zeros_like(self.decided.text), np.zeros_like(self.decided.picture)
        for one in range(FOLDS):
            rows, added = self.fold == one, self.answered(frozenset([one]))
            text[rows], picture[rows] = added[0][rows], added[1][rows]
        return text, picture

    def answered(self, out: frozenset[int]) -> tuple[np.ndarray, np.ndarray]:
        """The same of all decisions, fitted and chosen without the folds in ``out``."""
        strength = self.strength(out)
        text, picture = self._added(out, strength)
        return text, picture + self._reserve(out, strength)

    def final(self) -> Final:
        """Fitted on all decisions, at the strength that cross-validation over all folds finds."""
        strength = self.strength(frozenset())
        met = self._strangers(frozenset(), strength.picture) if strength.picture else None
        return Final(fit_residual(self.decided, np.ones(len(self.fold), bool), strength), strength, met)

    def strength(self, out: frozenset[int]) -> Strength:
        """The strength that answers the folds best, those in ``out`` left out of everything."""
        text = picture = 0.0
        seen = self._fitted(out) & self.decided.has_picture
        shown = self.most > 0 and left_because(seen, self.decided.targets) is None
        if self.decided.has_text.sum() >= FEWEST:
            meanwhile = min(_USUAL, self.most) if shown else 0.0
            text = _least(lambda value: self._loss(out, Strength(value, meanwhile), self._text_loss))
        if shown:
            picture = _least(lambda value: self._expected(out, Strength(text, value)), self.most)
        return Strength(text, picture)

    def _expected(self, out: frozenset[int], strength: Strength) -> float:
        """Mean loss over all pictured products: of decided categories, and strangers, by their share."""
        rows = self._fitted(out)
        strange = strangers.share(self.decided, rows)
        reserve = self._reserve(out, strength)
        own = self._loss(out, strength, lambda rows, text, picture: self._picture_loss(rows, text, picture + reserve))
        met = self._strangers(out, strength.picture)
        return (1 - strange) * own + strange * strangers.loss(self.decided, met)

    def _fitted(self, out: frozenset[int]) -> np.ndarray:
        return ~np.isin(self.fold, sorted(out))

    def _strangers(self, out: frozenset[int], variance: float) -> Strangers:
        if (out, variance) not in self._met:
            self._met[out, variance] = strangers.meet(self.decided, self._fitted(out), variance)
            self.done()
        return self._met[out, variance]

    def _reserve(self, out: frozenset[int], strength: Strength) -> np.ndarray:
        """(n, categories), zeros for rows without picture."""
        if not strength.picture:
            return np.zeros_like(self.decided.text)
        return np.outer(self.decided.has_picture, self._strangers(out, strength.picture).reserve)

    def _loss(self, out: frozenset[int], strength: Strength, loss: Callable[..., float]) -> float:
        """Mean over folds that are not in ``out``, each fitted on the rest: as many as it takes to choose by."""
        total, count, rows_seen = 0.0, 0, 0
        first = max(out, default=-1) + 1
        for one in ((first + i) % FOLDS for i in range(FOLDS)):
            if one in out or rows_seen >= _ENOUGH:
                continue
            rows = (self.fold == one) & self.judged
            of_fold, counted = loss(rows, *self._added(out | {one}, strength))
            total, count = total + of_fold, count + counted
            rows_seen += int(rows.sum())
        return total / max(1, count)

    def _text_loss(self, rows: np.ndarray, text: np.ndarray, _picture: np.ndarray) -> tuple[float, int]:
        """Summed, and over how many."""
        found, rows = self.decided, rows & self.decided.has_text
        return _loss(found.bias + found.text[rows] + text[rows], found.targets[rows]), int(rows.sum())

    def _picture_loss(self, rows: np.ndarray, text: np.ndarray, picture: np.ndarray) -> tuple[float, int]:
        found, rows = self.decided, rows & self.decided.has_picture
        seen, both = found.bias + found.picture[rows] + picture[rows], found.has_text[rows]
        read = seen + found.text[rows] + text[rows]
        targets = found.targets[rows]
        return _loss(read, targets) + ALONE * _loss(seen[both], targets[both]), int(rows.sum())

    def _added(self, out: frozenset[int], strength: Strength) -> tuple[np.ndarray, np.ndarray]:
        """By text and picture to all rows, fitted without the folds in ``out``; kept, because pairs of folds recur."""
        key = out, strength
        if key not in self._fits:
            if strength == Strength(0.0, 0.0):
                self._fits[key] = np.zeros_like(self.decided.text), np.zeros_like(self.decided.text)
            else:
                self._fits[key] = fit_residual(self.decided, self._fitted(out), strength).added(self.decided)
            self.done()
        return self._fits[key]


def left_because(seen: np.ndarray, targets: np.ndarray) -> str | None:
    """Why nothing can be learned of the pictures of some rows, bool (n,); None when there are enough to learn from, of
    categories enough to know what becomes of others."""
    if int(seen.sum()) < FEWEST:
        return "few"
    return "few_categories" if len(np.unique(targets[seen])) < strangers.FEWEST else None


def _least(loss: Callable[[float], float], most: float = VARIANCES[-1]) -> float:
    """The variance with the least loss, which has one valley over them: searched for downhill from the usual one."""
    losses: dict[int, float] = {}
    allowed = [value for value in VARIANCES if value <= most]

    def at(place: int) -> float:
        if place not in losses:
            losses[place] = loss(allowed[place]) if 0 <= place < len(allowed) else np.inf
        return losses[place]

    place = min(VARIANCES.index(_USUAL), len(allowed) - 1)
    while (better := min((place, place - 1, place + 1), key=at)) != place:
        place = better
    return allowed[place]


def _loss(logits: np.ndarray, targets: np.ndarray) -> float:
    return -float(log_softmax(logits, axis=1)[np.arange(len(targets)), targets].sum())
