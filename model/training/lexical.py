"""The lexical branch: a linear support vector machine on TF-IDF n-grams."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy import sparse
from sklearn.svm import LinearSVC

from model.lexical import TEXT_ID, LexicalVocabulary


@dataclass(frozen=True)
class LexicalFit:
    """A vocabulary and its table, float32 (rows, categories); the intercept is the row `TEXT_ID`."""

    vocabulary: LexicalVocabulary
    table: np.ndarray

    def logits(self, documents: Sequence[Sequence[str]]) -> np.ndarray:
        """Unscaled terms of documents of masked words, float32 (documents, categories)."""
        return np.asarray(features(self.vocabulary, documents) @ self.table)


def features(vocabulary: LexicalVocabulary, documents: Iterable[Sequence[str]]) -> sparse.csr_matrix:
    """TF-IDF features of documents of masked words, float32 (documents, rows of the vocabulary)."""
    return as_matrix(map(vocabulary.encode_words, documents), len(vocabulary))


def as_matrix(encoded: Iterable[tuple[np.ndarray, np.ndarray]], columns: int) -> sparse.csr_matrix:
    """Ids and weights of each document as a matrix, float32 (documents, columns)."""
    lengths, ids, weights = [0], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for chunk in _chunks(encoded, 5_000):  # few large arrays: many small ones cost more than they hold
        lengths += [len(found) for found, _ in chunk]
        ids.append(np.concatenate([found for found, _ in chunk]))
        weights.append(np.concatenate([weight for _, weight in chunk]))
    shape = (len(lengths) - 1, columns)
    return sparse.csr_matrix((np.concatenate(weights), np.concatenate(ids), np.cumsum(lengths)), shape=shape)


def _chunks(items: Iterable, size: int) -> Iterator[list]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def fit_lexical(
    documents: Sequence[Sequence[str]],
    targets: np.ndarray,
    sample_weights: np.ndarray,
    categories: int,
    regularization: float,
    seed: int,
) -> LexicalFit:
    """A vocabulary of the documents and its table. ``targets``: category positions (n,)."""
    vocabulary = LexicalVocabulary.fit(documents)
    matrix = features(vocabulary, documents)
    return LexicalFit(vocabulary, fit_table(matrix, targets, sample_weights, categories, regularization, seed))


def fit_table(
    matrix: sparse.csr_matrix,
    targets: np.ndarray,
    sample_weights: np.ndarray,
    categories: int,
    regularization: float,
    seed: int,
    done: Callable[[], object] = lambda: None,
) -> np.ndarray:
    """One-against-rest squared hinge: float32 (features, categories), terms centred.

    The intercept goes to the row `TEXT_ID`, whose feature is 1 wherever there is text. A category without a row
    is answered nowhere: its column says no. ``done`` is called after each category.
    """
    table = np.zeros((matrix.shape[1], categories), np.float32)
    # What scikit-learn would make of it, once for each category.
    matrix, sample_weights = matrix.astype(np.float64, copy=False), sample_weights.astype(np.float64, copy=False)
    # One after the other: liblinear draws from one source in a process, and threads would share its numbers by chance.
    for category in range(categories):
        wanted = targets == category
        if wanted.any() and not wanted.all():
            machine = LinearSVC(C=regularization, random_state=seed).fit(matrix, wanted, sample_weight=sample_weights)
            table[:, category] = machine.coef_[0]
            table[TEXT_ID, category] += machine.intercept_[0]
        else:
            table[TEXT_ID, category] = 1.0 if wanted.all() else -1.0
        done()
    return table - table.mean(axis=1, keepdims=True)
