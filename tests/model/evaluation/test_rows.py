"""Rows through the network: the same answers as one product at a time."""

from pathlib import Path

import numpy as np
import pytest

from model.evaluation import rows as module
from model.evaluation.rows import FEW, answer, load
from model.product import Product
from model.taxonomy import default_taxonomy
from model.training.data import Example, read_labelled
from tests.model.evaluation.conftest import OPEN


@pytest.fixture(scope="module")
def predictors(exports):
    """Those for few rows and for many."""
    return [load(OPEN, exports, rows) for rows in (FEW, FEW + 1)]


@pytest.fixture(params=[0, 1], ids=["few rows", "many rows"])
def predictor(predictors, request):
    return predictors[request.param]


def test_few_and_many_rows_have_the_same_answers(predictors, official):
    assert len({type(predictor.runtime) for predictor in predictors}) == 2
    examples = read_labelled(official, default_taxonomy()).examples[:20]
    few, many = (answer(predictor, examples).probabilities for predictor in predictors)
    assert np.allclose(few, many, atol=1e-5)


def test_as_the_predictor_answers(predictor, official, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 7)
    examples = read_labelled(official, default_taxonomy()).examples[:40]
    examples = (*examples, Example("empty", 10, "", "", None), Example("gone", 10, "table", "", "/nowhere.jpg"))
    found = answer(predictor, examples, lambda _text, designation, _description: designation[:2])

    def product(row, text=True, image=True):
        file = Path(row.picture) if image and row.picture else None
        data = file.read_bytes() if file and file.exists() else None
        return Product(row.designation if text else None, row.description if text else None, data)

    def probabilities(products):
        answers = np.zeros((len(products), len(predictor.taxonomy)), np.float32)
        for i, prediction in enumerate(predictor.predict(products)):
            for category in prediction.categories:
                answers[i, predictor.taxonomy.index(category.code)] = category.probability
        return answers

    assert np.allclose(found.probabilities, probabilities([product(row) for row in examples]), atol=1e-5)
    predictions = predictor.predict([product(row) for row in examples])
    assert found.facts.words.tolist() == [prediction.words for prediction in predictions]
    assert found.facts.has_text.tolist() == [prediction.used_text for prediction in predictions]
    assert found.facts.has_image.tolist() == [prediction.used_image for prediction in predictions]
    assert found.facts.described.tolist() == [bool(row.description) for row in examples]
    assert list(found.facts.language) == [row.designation[:2] for row in examples]
    both = [row for row, chosen in zip(examples, found.facts.by_inputs["both"], strict=True) if chosen]
    assert 5 < len(both) < 40
    for name, read in (("text", (True, False)), ("image", (False, True)), ("both", (True, True))):
        assert np.allclose(found.same_rows[name], probabilities([product(row, *read) for row in both]), atol=1e-5)
    problems = {row.id: why for row, why in zip(examples, found.unreadable, strict=True) if why}
    assert "gone" in problems and "No such file" in problems["gone"]


def test_no_rows(predictor):
    found = answer(predictor, [])
    assert found.probabilities.shape == (0, 27) and len(found.facts) == 0
