"""What a changed model says of things that no decision was about: listings of the open corpus, and other pictures.

Pictures without labels of their own are of two kinds. Drawings of nothing in particular stand for pictures unlike all
that was decided on; decided pictures stand for other categories when the head is fitted without theirs (`strangers`).
Either is shown alone, and beside every listing of the corpus that is checked, all of its categories.
"""

from collections.abc import Iterable
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy.special import softmax

from model.adaptation.company import Company
from model.adaptation.drawings import drawing
from model.adaptation.evidence import Evidence, Looks, look_at, read_evidence
from model.adaptation.judging import compared
from model.adaptation.spaces import PictureWeights, TextWeights
from model.adaptation.strangers import Strangers
from model.loading import LoadedBundle
from model.training.stages import progress

PLAIN, PICTURED = ("text",), ("with_drawings", "with_strangers", "drawings", "strangers")
"""What is shown: listings, and what has a picture."""
ALONE = frozenset({"drawings", "strangers"})
"""Of these, pictures without a text."""
DRAWN_CHECKED, DRAWN_HELD = 200, 200
"""Drawings that forgetting is measured on, and others at which nothing should be added."""
_ASKED = 5
"""How often a drawing is asked for: each time, the truth is drawn from what the model said of it."""


class Memory:
    """Of one model; what it sees is read when it is first needed."""

    def __init__(self, bundle: LoadedBundle, company: Company, seed: int) -> None:
        self._bundle, self._company, self._seed = bundle, company, seed

    @cached_property
    def held(self) -> Evidence:
        """Listings at which the model is to answer as it did."""
        return read_evidence(self._bundle, self._company.held, partial(shown_progress, what="open corpus"))

    @property
    def held_pictures(self) -> np.ndarray:
        """Features of drawings at which nothing should be added, (m, 1280)."""
        return self._drawn.pooled[DRAWN_CHECKED:]

    def remembered(
        self, text: TextWeights, picture: PictureWeights | None, met: Strangers | None, decisions: Evidence,
        targets: np.ndarray, group: np.ndarray,
    ) -> dict[str, Any]:  # fmt: skip
        """Before and after, by what is shown: ``text``, and where pictures add something ``with_drawings``,
        ``drawings``, ``with_strangers`` and ``strangers``. None for what there is not: the corpus has no other
        categories. ``targets`` and ``group`` are the decisions', as in `compared`."""
        found = dict.fromkeys(PLAIN + PICTURED)
        checked = self._checked if self._company.listings else None
        if checked is not None:
            said = text.added(checked)
            found["text"] = self._listings(checked.logits, checked.logits + said)
        if picture is None or met is None:
            return found
        drawn, before = self._drawings, decisions.bias
        added, rows = picture.added(drawn.pooled), met.rows
        found["drawings"] = self._asked(before + drawn.logits, added)
        strange = before + decisions.picture[rows]
        found["strangers"] = compared(strange, strange + met.added[rows], targets[rows], group[rows])
        if checked is not None:
            sides = {
                "with_drawings": (drawn.logits, added),
                "with_strangers": (decisions.picture[rows], met.added[rows]),
            }
            for name, (logits, shift) in sides.items():
                beside = np.arange(len(checked)) % len(logits)
                listed = checked.logits + logits[beside]
                found[name] = self._listings(listed, listed + said + shift[beside])
        return found

    def _listings(self, before: np.ndarray, after: np.ndarray) -> dict[str, Any] | None:
        return compared(before, after, self._truth, np.arange(len(self._truth)))

    def _asked(self, before: np.ndarray, added: np.ndarray) -> dict[str, Any] | None:
        """A drawing has no category: it has what the model said of it, as often as it said so."""
        random = np.random.default_rng(self._seed)
        shares = softmax(before, axis=1).cumsum(axis=1)
        truth = (random.random((len(before), _ASKED, 1)) > shares[:, None, :-1]).sum(axis=2).ravel()
        asked = np.repeat(np.arange(len(before)), _ASKED)
        return compared(before[asked], (before + added)[asked], truth, asked)

    @cached_property
    def _checked(self) -> Evidence:
        return read_evidence(self._bundle, self._company.checked, partial(shown_progress, what="open corpus"))

    @cached_property
    def _truth(self) -> np.ndarray:
        return np.array([self._bundle.taxonomy.index(row.code) for row in self._company.checked])

    @property
    def _drawings(self) -> Looks:
        return Looks(self._drawn.pooled[:DRAWN_CHECKED], self._drawn.logits[:DRAWN_CHECKED])

    @cached_property
    def _drawn(self) -> Looks:
        count, side = DRAWN_CHECKED + DRAWN_HELD, self._bundle.shape.image_size
        images = (drawing(number, self._seed, side) for number in range(count))
        return look_at(self._bundle, images, count, partial(shown_progress, what="other pictures"))


def shown_progress(chunks: Iterable, total: int, desc: str, what: str = "decisions") -> Any:
    """A bar around what is read."""
    return progress(f"{what}: {desc}", " batches")(chunks, total=total, disable=not total)
