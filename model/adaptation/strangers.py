"""What a head over pictures says of categories it knows no picture of: measured on decided ones left out of it.

A few categories decided on tell their own pictures apart, and nothing about all others. Fitted on them alone, a linear
head says something of any picture: what lies between two decided categories decides where a third one falls, and being
sure of the decided ones costs the fit nothing. Which way others fall cannot be told from these categories. It can from
each of them while the head is fitted without it: it is then a category never decided on, and its pictures come from
the same shop, which no other picture at hand does. Three uses are made of that:

- Where less than `FEWEST` categories have pictures, this cannot be measured, and nothing is learned from them.
- An added logit stands for the log of p(picture | category) / p(picture | another one), whose mean over pictures of
  others is 1 before the log, as both densities sum to 1. The `reserve`, taken off the decided categories, makes it so:
  strangers are not drawn to them, and the log loss of strangers does not rise on average (Jensen's inequality).
- The strength of the prior is the one with the least loss expected over all products, strangers by their share.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_softmax, logsumexp

from model.adaptation.residual import ALONE, Basis, Decided, Strength, fit_residual, pictured

FEWEST = 4
"""Categories with pictures: a head without one of them still has to tell three apart. With fewer, strangers fall much
further from zero than is measured; with five and more, as far."""
_PARTS = 4
"""How often the head is fitted without a part of its categories."""
_ENOUGH = 300
"""Pictures to meet strangers by: beyond, more only take longer."""


@dataclass(frozen=True)
class Strangers:
    """``rows`` bool (n,): the decisions whose picture was met; ``added`` (n, categories): to their logits, reserve
    included, by a head fitted without their category. ``reserve`` (categories,): 0 or less, of the whole head."""

    rows: np.ndarray
    added: np.ndarray
    reserve: np.ndarray


def meet(decided: Decided, rows: np.ndarray, variance: float) -> Strangers:
    """The chosen rows, bool (n,), that have a picture, as a head of this prior variance sees them as strangers."""
    known, seen = pictured(decided, rows), _some(rows & decided.has_picture)
    added, here = np.zeros_like(decided.text), np.zeros(decided.text.shape, bool)
    part = np.where(known, np.cumsum(known) % _PARTS, -1)[decided.targets]
    for one in np.unique(part[seen]):
        others, strangers = np.flatnonzero(seen & (part != one)), np.flatnonzero(seen & (part == one))
        added[strangers], here[strangers] = _unseen(decided, others, strangers, variance)
    reserve = min(0.0, np.log(here.sum()) - float(logsumexp(added[here]))) if here.any() else 0.0
    return Strangers(seen, added + reserve * here, np.where(known, reserve, 0.0))


def _unseen(
    decided: Decided, others: np.ndarray, strangers: np.ndarray, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """What a head fitted on ``others`` adds to ``strangers``, both places of rows, (strangers, categories); and the
    categories it is fitted for.

    It has a basis of its own: the fit ends when it is close enough, in the given one by a way that leads around rows
    it is not fitted on. Texts say what the model made of them, so that the pictures have to tell the rest.
    """
    values = decided.picture_basis.values
    middle = values[others].mean(axis=0)
    own, away = values[others] - middle, values[strangers] - middle
    basis, every = Basis.of(own @ own.T), np.ones(len(others), bool)
    arrays = ("text", "picture", "has_text", "has_picture", "targets")
    taken = {name: getattr(decided, name)[others] for name in arrays}
    nothing = Basis(np.zeros((len(others), 0)), np.zeros((len(others), 0)))
    alone = replace(decided, **taken, text_basis=nothing, picture_basis=basis)
    fitted = fit_residual(alone, every, Strength(0.0, variance))
    return away @ (own.T @ (basis.back @ fitted.picture)), pictured(alone, every)


def _some(rows: np.ndarray) -> np.ndarray:
    """`_ENOUGH` of the rows, evenly among them; bool (n,)."""
    places = np.flatnonzero(rows)
    if len(places) <= _ENOUGH:
        return rows
    kept = np.zeros(len(rows), bool)
    kept[places[np.linspace(0, len(places) - 1, _ENOUGH).astype(int)]] = True
    return kept


def loss(decided: Decided, met: Strangers) -> float:
    """How far strangers are told otherwise than before, with their text and alone: mean divergence in nats.

    Their own label would not do: a picture unlike those decided on may be of any category, of a decided one, too.
    """
    rows, both = met.rows, decided.has_text[met.rows]
    alone = (decided.bias + decided.picture)[rows]
    read = alone + decided.text[rows]
    told = _divergence(read, met.added[rows]).sum() + ALONE * _divergence(alone, met.added[rows])[both].sum()
    return float(told) / len(alone)


def share(decided: Decided, rows: np.ndarray) -> float:
    """How many products are strangers, as the model expects before it has read anything: 0 to 1."""
    expected = np.exp(log_softmax(decided.bias))
    return float(expected[~pictured(decided, rows)].sum())


def _divergence(logits: np.ndarray, added: np.ndarray) -> np.ndarray:
    """From what was said to what is (Kullback & Leibler 1951), (n,)."""
    before, after = log_softmax(logits, axis=1), log_softmax(logits + added, axis=1)
    return (np.exp(before) * (before - after)).sum(axis=1)
