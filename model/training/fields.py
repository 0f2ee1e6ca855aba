"""The lexical branch on designation and description as fields of their own, with the open corpus for company."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from model.lexical import LexicalVocabulary
from model.lexical_input import LexicalInput
from model.training.lexical import as_matrix, fit_table
from model.training.stages import Stages, progress
from model.training.texts import Texts

MOST = 300_000
"""N-grams of words, and of characters, of each field: the most frequent."""
_LEAST = {"designation": 2, "description": 3}
_BARE_SHARE = 1 / 3
"""Of the rows, at least so many are read without a description, so that a title alone is known, too."""


@dataclass
class FieldsBranch:
    """Fits tables over one vocabulary. ``targets`` and ``company_targets`` are category positions.

    ``company``: listings that are no part of the data, which count as much as a fit says.
    """

    texts: Texts
    targets: np.ndarray
    company: Texts
    company_targets: np.ndarray
    categories: int
    regularization: float
    seed: int
    stages: Stages

    @cached_property
    def input(self) -> LexicalInput:
        """The vocabularies of both fields, fitted on the data and its company; kept as a stage."""
        stage = self.stages.arrays("vocabulary", self._fit_vocabularies)
        return LexicalInput(*(_vocabulary(stage, field) for field in _LEAST))

    def table(self, name: str, rows: np.ndarray, company_weight: float) -> np.ndarray:
        """Fitted on the chosen rows (bool (n,)): float32 (rows of the input, categories); kept as stage ``name``."""
        return self.stages.arrays(name, lambda: {"table": self._fit(name, rows, company_weight)})["table"]

    def terms(self, table: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Unscaled terms of the chosen rows, float32 (rows, categories)."""
        return np.asarray(self._matrix[rows] @ table)

    def _fit(self, name: str, rows: np.ndarray, company_weight: float) -> np.ndarray:
        described = self.texts.described
        missing = _BARE_SHARE - float(np.mean(~described[rows]))
        bare = np.zeros(len(rows), bool)
        if missing > 0:
            chance = missing / max(1e-9, float(np.mean(described[rows])))
            bare = rows & described & (np.random.default_rng(self.seed).random(len(rows)) < chance)
        targets, weights = [self.targets[rows], self.targets[bare]], [np.ones(rows.sum()), np.ones(bare.sum())]
        if company_weight:
            targets.append(self.company_targets)
            weights.append(np.full(len(self.company_targets), company_weight))
        bar = progress(name, " categories")(total=self.categories)
        with bar:
            return fit_table(
                self._stacked(rows, bare, bool(company_weight)),  # held nowhere else: it is large
                np.concatenate(targets), np.concatenate(weights),
                self.categories, self.regularization, self.seed, bar.update,
            )  # fmt: skip

    def _stacked(self, rows: np.ndarray, bare: np.ndarray, company: bool) -> sparse.csr_matrix:
        """The chosen rows, those to be read by their designations alone, and the company: float64."""
        parts = [self._matrix[rows]]
        if bare.any():
            parts.append(self._bare(bare))
        if company:
            parts.append(self._company_matrix)
        return (sparse.vstack(parts, format="csr") if len(parts) > 1 else parts[0]).astype(np.float64)

    def _bare(self, rows: np.ndarray) -> sparse.csr_matrix:
        """The chosen rows by their designations alone."""
        first = len(self.input.vocabulary)
        titles = self._matrix[rows][:, :first]
        return sparse.csr_matrix((titles.data, titles.indices, titles.indptr), (titles.shape[0], len(self.input)))

    @cached_property
    def _matrix(self) -> sparse.csr_matrix:
        return self._features(self.texts)

    @cached_property
    def _company_matrix(self) -> sparse.csr_matrix:
        return self._features(self.company)

    def _features(self, texts: Texts) -> sparse.csr_matrix:
        title, rest = self.input.vocabulary, self.input.description
        first = np.int32(len(title))

        def encode(words: tuple[list[str], list[str]]) -> tuple[np.ndarray, np.ndarray]:
            (ids, weights), (more, rest_weights) = title.encode_words(words[0]), rest.encode_words(words[1])
            return np.concatenate([ids, more + first]), np.concatenate([weights, rest_weights])

        return as_matrix(map(encode, zip(texts.designations, texts.descriptions, strict=True)), len(self.input))

    def _fit_vocabularies(self) -> dict[str, np.ndarray]:
        fields = {
            "designation": [*self.texts.designations, *self.company.designations],
            "description": [words for words in (*self.texts.descriptions, *self.company.descriptions) if words],
        }
        arrays = {}
        for field, documents in fields.items():
            vocabulary = LexicalVocabulary.fit(documents, _LEAST[field], MOST)
            for part, texts in (("words", vocabulary.words), ("characters", vocabulary.characters)):
                arrays[f"{field}_{part}"] = np.frombuffer("\n".join(texts).encode(), np.uint8)
            arrays[f"{field}_idf"] = vocabulary.idf[2:]
        return arrays


def _vocabulary(stage: dict[str, np.ndarray], field: str) -> LexicalVocabulary:
    words, characters = (stage[f"{field}_{part}"].tobytes().decode() for part in ("words", "characters"))
    return LexicalVocabulary(
        words.split("\n") if words else [], characters.split("\n") if characters else [], stage[f"{field}_idf"]
    )
