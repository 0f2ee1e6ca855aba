"""Lexical features against their formula, and that every weight is traced to words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.lexical import TEXT_ID, LexicalVocabulary, character_ngrams, masked
from preprocessing.text import tokenize

DOCUMENTS = ["table basse en bois", "table de jardin en bois", "chaise de jardin 45x45", "chaise basse 30x30"]


@pytest.fixture(scope="module")
def vocabulary() -> LexicalVocabulary:
    return LexicalVocabulary.fit([masked(tokenize(d)) for d in DOCUMENTS])


def test_character_ngrams() -> None:
    assert character_ngrams("abc") == [" ab", "abc", "bc ", " abc", "abc ", " abc "]
    assert character_ngrams("a") == [" a "]
    assert character_ngrams("ab") == [" ab", "ab ", " ab "]


def test_keeps_what_two_documents_share(vocabulary: LexicalVocabulary) -> None:
    assert vocabulary.words == sorted(
        ["00x00", "basse", "bois", "chaise", "de", "de jardin", "en", "en bois", "jardin", "table"]
    )


def test_weights_follow_the_formula(vocabulary: LexicalVocabulary) -> None:
    ids, weights = vocabulary.encode(tokenize("table table basse inconnue"))
    known = dict(zip(ids.tolist(), weights.tolist(), strict=True))
    idf = math.log((1 + 4) / (1 + 2)) + 1
    raw = {"table": (1 + math.log(2)) * idf, "basse": idf}
    norm = math.sqrt(sum(v * v for v in raw.values()))
    for word, value in raw.items():
        assert known[vocabulary.words.index(word) + 2] == pytest.approx(value / norm, rel=1e-5)
    assert known[TEXT_ID] == 1


@given(st.text(alphabet="abcdehijlnorstxé 0123456789'", max_size=120))
def test_groups_have_unit_length(raw: str) -> None:
    vocabulary = LexicalVocabulary.fit([masked(tokenize(d)) for d in DOCUMENTS])
    ids, weights = vocabulary.encode(tokenize(raw))
    if not tokenize(raw):
        assert len(ids) == 0
        return
    border = 2 + len(vocabulary.words)
    for group in (weights[(ids >= 2) & (ids < border)], weights[ids >= border]):
        assert len(group) == 0 or np.linalg.norm(group) == pytest.approx(1, rel=1e-5)


@given(st.text(alphabet="abcdehijlnorstx 0123456789", max_size=120))
def test_every_feature_belongs_to_words(raw: str) -> None:
    vocabulary = LexicalVocabulary.fit([masked(tokenize(d)) for d in DOCUMENTS])
    tokens = tokenize(raw)
    ids, _ = vocabulary.encode(tokens)
    shares = vocabulary.shares(tokens)
    assert set(shares) == set(ids.tolist()) - {TEXT_ID}
    for places in shares.values():
        assert sum(share for _, share in places) == pytest.approx(1)
        assert all(0 <= i < len(tokens) for i, _ in places)


def test_order_of_idf_is_checked() -> None:
    with pytest.raises(ValueError, match="one idf"):
        LexicalVocabulary(["a"], ["b"], np.ones(3))
