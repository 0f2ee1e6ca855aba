"""What may be added to a model: by texts and by pictures, as Gram matrices of the decisions and as weights.

Features are taken relative to their mean over the decisions, so that what is added says nothing of an average product.
None of them looks at a label.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from model.adaptation.evidence import Evidence

_SENTENCE = 0.3
"""Prior variance of what the sentence vector adds, to that of an n-gram: of 0.05 to 4, 0.2 and 1 taught most."""


@dataclass(frozen=True)
class TextWeights:
    """In logits: ``words`` (rows of the table, categories), ``sentence`` (512, categories), and ``intercept``
    (categories,) of whatever has a text."""

    words: np.ndarray
    sentence: np.ndarray
    intercept: np.ndarray

    def added(self, evidence: Evidence) -> np.ndarray:
        """To the logits of texts, (n, categories); zeros where there is none."""
        said = evidence.words @ self.words + evidence.sentence @ self.sentence + self.intercept
        return said * evidence.has_text[:, None]


@dataclass(frozen=True)
class PictureWeights:
    """In logits, over pooled features: ``kernel`` (1280, categories) and ``bias`` (categories,)."""

    kernel: np.ndarray
    bias: np.ndarray

    def added(self, pooled: np.ndarray) -> np.ndarray:
        """To the logits of pictures with these features (n, 1280): (n, categories)."""
        return pooled @ self.kernel + self.bias


class TextSpace:
    """N-grams and sentence vectors of decisions. ``intercepts``: columns of ``words`` that every text has.

    ``held``: texts at which nothing should be added, as so many observations of 0 with the variance ``looseness``
    times that of the prior; the prior of what is added is conditioned on them.
    """

    def __init__(
        self, evidence: Evidence, intercepts: list[int], held: Evidence | None = None, looseness: float = 1.0
    ) -> None:
        self._intercepts = intercepts
        self._has_text = evidence.has_text
        self._words, self._sentence = self._features(evidence)
        texts = max(1, int(self._has_text.sum()))
        self._mean_words = np.asarray(self._words.sum(axis=0)).ravel() / texts
        self._mean_sentence = self._sentence.sum(axis=0) / texts
        self._held = None if held is None else self._features(held)
        self._looseness = looseness

    @cached_property
    def gram(self) -> np.ndarray:
        """Of the decisions, (n, n); zeros for those without text."""
        own = self._words, self._sentence
        gram = self._between(own, own)
        if self._held is not None:
            gram = gram - self._between(own, self._held) @ self._solved
        return gram * np.outer(self._has_text, self._has_text)

    def weights(self, rows: np.ndarray) -> TextWeights:
        """The weights that are the sum of the decisions' features times ``rows``, (n, categories)."""
        rows = rows * self._has_text[:, None]
        words, sentence, total = self._words.T @ rows, self._sentence.T @ rows, rows.sum(axis=0)
        if self._held is not None:
            back = -self._solved @ rows
            words, sentence = words + self._held[0].T @ back, sentence + self._held[1].T @ back
            total = total + back.sum(axis=0)
        words = words - np.outer(self._mean_words, total)
        sentence = _SENTENCE * (sentence - np.outer(self._mean_sentence, total))
        return TextWeights(words, sentence, -(self._mean_words @ words + self._mean_sentence @ sentence))

    @cached_property
    def _solved(self) -> np.ndarray:
        """(held, n)"""
        among = self._between(self._held, self._held)
        among[np.diag_indices_from(among)] += self._looseness
        return np.linalg.solve(among, self._between(self._held, (self._words, self._sentence)))

    def _features(self, evidence: Evidence) -> tuple[sparse.csr_matrix, np.ndarray]:
        kept = np.ones(evidence.words.shape[1])
        kept[self._intercepts] = 0
        return (evidence.words.astype(np.float64) @ sparse.diags_array(kept)).tocsr(), evidence.sentence

    def _between(
        self, some: tuple[sparse.csr_matrix, np.ndarray], others: tuple[sparse.csr_matrix, np.ndarray]
    ) -> np.ndarray:
        """Inner products of features less their mean, (some, others)."""
        means = self._mean_words, _SENTENCE * self._mean_sentence
        products = (some[0] @ others[0].T).toarray() + _SENTENCE * some[1] @ others[1].T
        along = [part[0] @ means[0] + part[1] @ means[1] for part in (some, others)]
        middle = self._mean_words @ means[0] + self._mean_sentence @ means[1]
        return products - along[0][:, None] - along[1][None] + middle


class PictureSpace:
    """Pooled features of decisions' pictures, less their mean, of unit length on average.

    ``held`` (m, 1280): features of pictures at which nothing should be added, as in `TextSpace`. What pictures of all
    kinds differ in is left alone then, and what only the decided ones differ in is learned.
    """

    def __init__(self, evidence: Evidence, held: np.ndarray | None = None, looseness: float = 1.0) -> None:
        has = evidence.has_picture
        self._mean = evidence.pooled[has].mean(axis=0) if has.any() else np.zeros(evidence.pooled.shape[1])
        centred = (evidence.pooled - self._mean) * has[:, None]
        size = float((centred**2).sum() / max(1, has.sum()))
        self._scale = 1 / np.sqrt(size) if size else 0.0
        self._features = centred * self._scale
        self._held = None if held is None else (held - self._mean) * self._scale
        self._looseness = looseness

    @cached_property
    def gram(self) -> np.ndarray:
        """Of the decisions, (n, n); zeros for those without picture."""
        gram = self._features @ self._features.T
        return gram if self._held is None else gram - (self._features @ self._held.T) @ self._solved

    def weights(self, rows: np.ndarray, reserve: np.ndarray | None = None) -> PictureWeights:
        """The weights that are the sum of the decisions' features times ``rows``, (n, categories), and what is added
        to the logits of whatever has a picture, (categories,). Relative to the mean category, as explanations are."""
        kernel = self._features.T @ rows
        if self._held is not None:
            kernel = kernel - self._held.T @ (self._solved @ rows)
        kernel = self._scale * (kernel - kernel.mean(axis=1, keepdims=True))
        bias = np.zeros(kernel.shape[1]) if reserve is None else reserve - reserve.mean()
        return PictureWeights(kernel, bias - self._mean @ kernel)

    @cached_property
    def _solved(self) -> np.ndarray:
        """(held, n)"""
        among = self._held @ self._held.T
        among[np.diag_indices_from(among)] += self._looseness
        return np.linalg.solve(among, self._held @ self._features.T)
