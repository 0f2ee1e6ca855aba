"""The lexical branch: a linear support vector machine on TF-IDF n-grams."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.svm import LinearSVC

from model.lexical import TEXT_ID, LexicalVocabulary
from preprocessing.text import Token


@dataclass(frozen=True)
class LexicalFit:
    """A vocabulary and its table, float32 (rows, categories); the intercept is the row `TEXT_ID`."""

    vocabulary: LexicalVocabulary
    table: np.ndarray

    def logits(self, documents: list[list[Token]]) -> np.ndarray:
        """Unscaled terms, float32 (documents, categories)."""
        return np.asarray(features(self.vocabulary, documents) @ self.table)


def features(vocabulary: LexicalVocabulary, documents: list[list[Token]]) -> sparse.csr_matrix:
    """TF-IDF features, (documents, rows of the vocabulary)."""
    encoded = [vocabulary.encode(tokens) for tokens in documents]
    ends = np.cumsum([0] + [len(ids) for ids, _ in encoded])
    ids = np.concatenate([ids for ids, _ in encoded])
    weights = np.concatenate([weights for _, weights in encoded])
    return sparse.csr_matrix((weights, ids, ends), shape=(len(documents), len(vocabulary)))


def fit_lexical(
    documents: list[list[Token]], targets: np.ndarray, sample_weights: np.ndarray, regularization: float, seed: int
) -> LexicalFit:
    """One-against-rest squared hinge. ``targets``: category positions (n,). Terms come out centred."""
    vocabulary = LexicalVocabulary.fit(documents)
    matrix = features(vocabulary, documents)
    machine = LinearSVC(C=regularization, random_state=seed)
    machine.fit(matrix, targets, sample_weight=sample_weights)
    table = machine.coef_.T.astype(np.float32)
    table[TEXT_ID] += machine.intercept_.astype(np.float32)
    return LexicalFit(vocabulary, table - table.mean(axis=1, keepdims=True))
