"""Reasons add up, lead back to the user's words, and point at what is there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classifier
from model.faithfulness import area_under, erased, pointing_hit, rank_correlation
from model.planted import OBJECTS, alone
from model.product import Explanation, Product
from tests.model.samples import CLEAR, CLOCK, png


def total(explanation: Explanation) -> float:
    words = sum(word.total for word in explanation.words)
    return explanation.image + explanation.bias + explanation.rest + words


@pytest.mark.parametrize(
    "product",
    [Product(d) for d in CLEAR]
    + [
        Product("Horloge murale", "Diam&egrave;tre <b>30 cm</b>, pile AA", CLOCK),
        Product(image=CLOCK),
        Product(),
        Product("北京 Œuvre ÉTÉ <script>alert(1)</script>"),
        Product("table " * 500),
        Product(None, "description seule, sans titre"),
    ],
)
def test_contributions_add_up_to_the_logit(classifier: Classifier, product: Product) -> None:
    logits = classifier.logits(product)
    for code in (10, 1560, 2583):
        explanation = classifier.explain(product, code)
        assert total(explanation) == pytest.approx(logits[code], abs=1e-4)
        assert explanation.logit == pytest.approx(logits[code], abs=1e-4)
        shares = explanation.shares
        assert sum(shares.values()) == pytest.approx(1 if product != Product() else 0, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
def test_contributions_add_up_for_any_text(classifier: Classifier, designation: str, description: str) -> None:
    product = Product(designation, description)
    explanation = classifier.explain(product, 1280)
    assert total(explanation) == pytest.approx(classifier.logits(product)[1280], abs=1e-4)
    for word in explanation.words:
        raw = {"designation": designation, "description": description}[word.field]
        assert 0 <= word.start < word.end <= len(raw)


def test_the_telling_word_leads(classifier: Classifier) -> None:
    text = "Très belle croquettes pour votre chat"
    explanation = classifier.explain(Product(text), 2220)
    strongest = max(explanation.words, key=lambda word: word.total)
    assert text[strongest.start : strongest.end] in ("croquettes", "chat")
    assert max(explanation.words, key=lambda w: w.semantic).text in ("croquettes", "chat")


def test_same_input_same_map(classifier: Classifier) -> None:
    first, second = (classifier.explain(Product(image=CLOCK), 2060) for _ in range(2))
    assert first.heatmap is not None and np.array_equal(first.heatmap, second.heatmap)
    assert first.heatmap.min() >= 0 and first.heatmap.max() == pytest.approx(1)
    assert first.geometry is not None and first.geometry.to_picture(first.heatmap).shape == (320, 320)


def test_maps_differ_by_category(classifier: Classifier) -> None:
    maps = [classifier.explain(Product(image=CLOCK), code).heatmap for code in (2060, 1560)]
    assert any(m is None for m in maps) or not np.allclose(maps[0], maps[1])


def test_no_evidence_is_said(classifier: Classifier) -> None:
    """A map without positive evidence is None, never noise stretched to full scale."""
    found = [
        classifier.explain(Product(image=png(alone(name, 240))), code).heatmap
        for name in list(OBJECTS)[:5]
        for code in classifier.taxonomy.codes
    ]
    assert any(heat is None for heat in found)
    assert all(heat is None or np.isfinite(heat).all() for heat in found)


def test_a_code_outside_the_taxonomy_is_an_error(classifier: Classifier) -> None:
    with pytest.raises(KeyError):
        classifier.explain(Product("table"), 99)


def test_measures_on_closed_forms() -> None:
    heat = np.zeros((7, 7))
    heat[5, 1] = 1
    assert pointing_hit(heat, (32, 160, 64, 192), 224) and not pointing_hit(heat, (100, 0, 224, 100), 224)
    assert area_under(np.ones(50)) == 1 and area_under(np.linspace(0, 1, 50)) == pytest.approx(0.5)
    random = np.random.default_rng(0).normal(size=(7, 7))
    assert rank_correlation(random, random * 2 + 1) == pytest.approx(1)
    assert rank_correlation(random, -random) == pytest.approx(-1)
    assert rank_correlation(random, np.ones((7, 7))) == 0
    # With ties: ranks (2, 2, 2, 4) and (4, 1, 2, 3); Spearman is Pearson's coefficient of them.
    expected = np.corrcoef([2, 2, 2, 4], [4, 1, 2, 3])[0, 1]
    assert rank_correlation(np.array([0, 0, 0, 5]), np.array([9, 1, 2, 3])) == pytest.approx(expected)
    # For f(x) = sum of the picture, erasing in order of value must beat the reverse order.
    value = np.random.default_rng(1).random((7, 7))
    picture = np.kron(value, np.ones((32, 32)))[..., None].repeat(3, axis=2)
    best, worst = np.argsort(-value.ravel()), np.argsort(value.ravel())
    curves = [erased(picture, o, np.zeros_like(picture), insert=False).sum((1, 2, 3)) for o in (best, worst)]
    assert area_under(curves[0]) < area_under(curves[1])
    assert curves[0][-1] == 0 and curves[0][0] == pytest.approx(picture.sum(), rel=1e-5)
