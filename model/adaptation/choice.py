"""How strong the priors are, and what each decision is answered by a model that has not seen it: nested cross-fitting.

The decisions are parted into folds, duplicates together. Each fold is answered by a residual fitted on the others, at
the strength that answers these best when they are cross-validated among themselves: no choice has seen the fold.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import log_softmax

from model.adaptation.residual import ALONE, Decided, Residual, Strength, fit_residual

VARIANCES = (0.0, 2.0, 10.0, 50.0, 250.0)
"""Candidates, for text and for picture. A search begins at `_USUAL`."""
_USUAL = 50.0
FOLDS = 5
_ENOUGH = 300
"""Decisions to choose a strength by: beyond, more only take longer."""
FEWEST = 20
"""Texts, or pictures, without which nothing is added to what is said of them."""


@dataclass
class CrossFit:
    """``fold`` int (n,): the fold of each decision, 0…FOLDS-1. ``judged`` bool (n,): those that may choose; the others
    are fitted on only. ``done`` is called after each fit."""

    decided: Decided
    fold: np.ndarray
    judged: np.ndarray
    done: Callable[[], object] = lambda: None
    _fits: dict[tuple[frozenset[int], Strength], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """What is added to each decision's logits by text and by picture, from the other folds; (n, categories)."""
        text, picture = np.zeros_like(self.decided.text), np.zeros_like(self.decided.picture)
        for one in range(FOLDS):
            rows = self.fold == one
            added = self._added(frozenset([one]), self.strength(frozenset([one])))
            text[rows], picture[rows] = added[0][rows], added[1][rows]
        return text, picture

    def final(self) -> tuple[Residual, Strength]:
        """Fitted on all decisions, at the strength that cross-validation over all folds finds."""
        strength = self.strength(frozenset())
        return fit_residual(self.decided, np.ones(len(self.fold), bool), strength), strength

    def strength(self, out: frozenset[int]) -> Strength:
        """The strength that answers the folds best, those in ``out`` left out of everything."""
        text = picture = 0.0
        pictured = self.decided.has_picture.sum() >= FEWEST
        if self.decided.has_text.sum() >= FEWEST:
            meanwhile = _USUAL if pictured else 0.0
            text = _least(lambda value: self._loss(out, Strength(value, meanwhile), self._text_loss))
        if pictured:
            picture = _least(lambda value: self._loss(out, Strength(text, value), self._picture_loss))
        return Strength(text, picture)

    def _loss(self, out: frozenset[int], strength: Strength, loss: Callable[..., float]) -> float:
        """Summed over folds that are not in ``out``, each fitted on the rest: as many as it takes to choose by."""
        total, rows_seen = 0.0, 0
        first = max(out, default=-1) + 1
        for one in ((first + i) % FOLDS for i in range(FOLDS)):
            if one in out or rows_seen >= _ENOUGH:
                continue
            rows = (self.fold == one) & self.judged
            total += loss(rows, *self._added(out | {one}, strength))
            rows_seen += int(rows.sum())
        return total

    def _text_loss(self, rows: np.ndarray, text: np.ndarray, _picture: np.ndarray) -> float:
        found, rows = self.decided, rows & self.decided.has_text
        return _loss(found.bias + found.text[rows] + text[rows], found.targets[rows])

    def _picture_loss(self, rows: np.ndarray, text: np.ndarray, picture: np.ndarray) -> float:
        found, rows = self.decided, rows & self.decided.has_picture
        seen, both = found.bias + found.picture[rows] + picture[rows], found.has_text[rows]
        read = seen + found.text[rows] + text[rows]
        return _loss(read, found.targets[rows]) + ALONE * _loss(seen[both], found.targets[rows][both])

    def _added(self, out: frozenset[int], strength: Strength) -> tuple[np.ndarray, np.ndarray]:
        """By text and picture to all rows, fitted without the folds in ``out``; kept, because pairs of folds recur."""
        key = out, strength
        if key not in self._fits:
            if strength == Strength(0.0, 0.0):
                self._fits[key] = np.zeros_like(self.decided.text), np.zeros_like(self.decided.text)
            else:
                fitted = ~np.isin(self.fold, sorted(out))
                self._fits[key] = fit_residual(self.decided, fitted, strength).added(self.decided)
            self.done()
        return self._fits[key]


def _least(loss: Callable[[float], float]) -> float:
    """The variance with the least loss, which has one valley over them: searched for downhill from the usual one."""
    losses: dict[int, float] = {}

    def at(place: int) -> float:
        if place not in losses:
            losses[place] = loss(VARIANCES[place]) if 0 <= place < len(VARIANCES) else np.inf
        return losses[place]

    place = VARIANCES.index(_USUAL)
    while (better := min((place, place - 1, place + 1), key=at)) != place:
        place = better
    return VARIANCES[place]


def _loss(logits: np.ndarray, targets: np.ndarray) -> float:
    return -float(log_softmax(logits, axis=1)[np.arange(len(targets)), targets].sum())
