"""The one way in, on the model that ships."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import Classifier
from model.planted import OBJECTS, alone
from model.product import Product
from preprocessing.image import ImageError
from tests.model.samples import CLEAR, CLOCK, png


def test_clear_designations_find_their_category(classifier: Classifier) -> None:
    predictions = classifier.predict([Product(designation=d) for d in CLEAR])
    assert [p.code for p in predictions] == list(CLEAR.values())


def test_a_prediction_is_a_ranking_of_all_categories(classifier: Classifier) -> None:
    [prediction] = classifier.predict([Product("table basse", image=CLOCK)])
    probabilities = [c.probability for c in prediction.categories]
    assert probabilities == sorted(probabilities, reverse=True) and sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert {c.code for c in prediction.categories} == set(classifier.taxonomy.codes)
    assert prediction.used_text and prediction.used_image and prediction.words == 2
    assert prediction.margin == pytest.approx(probabilities[0] - probabilities[1])
    assert prediction.prediction_set == tuple(c.code for c in prediction.categories[: len(prediction.prediction_set)])
    assert prediction.model_version == classifier.bundle.version


@pytest.mark.parametrize("text", [None, "", "   ", "<br>", "---", "&nbsp;"])
def test_nothing_to_read_leaves_the_shares_of_the_catalogue(classifier: Classifier, text: str | None) -> None:
    [prediction] = classifier.predict([Product(text, text)])
    assert not prediction.used_text and not prediction.used_image and prediction.words == 0
    assert prediction.code == 2583  # the largest category
    assert prediction.confidence < 0.2


def test_a_missing_input_is_a_missing_term(classifier: Classifier) -> None:
    both, text, image, none = (
        classifier.logits(p)
        for p in (Product("horloge", image=CLOCK), Product("horloge"), Product(image=CLOCK), Product())
    )
    for code in classifier.taxonomy.codes:
        assert both[code] == pytest.approx(text[code] + image[code] - none[code], abs=1e-4)


def test_the_views_agree_with_the_whole_network(classifier: Classifier) -> None:
    product = Product("Puzzle en bois 24 pièces", "dès 3 ans", CLOCK)
    from model.predictor import pad
    from model.reading import read_text
    from preprocessing.image import prepare

    text = read_text(product.designation, product.description)
    ids, weights = classifier.bundle.lexical.encode(text)
    rows = classifier.bundle.pieces.encode(text.sentence)
    image = prepare(CLOCK, 224).array[None].astype(np.float32)
    inputs = [pad([ids]), pad([weights]), pad([rows]), image, np.ones((1, 1), np.float32)]
    whole = {k: v[0] for k, v in classifier.bundle.network.whole.predict_on_batch(inputs).items()}
    bias = np.asarray(classifier.bundle.network.bias.bias)
    assert whole["logits"] == pytest.approx(whole["lexical"] + whole["semantic"] + whole["image"] + bias, abs=1e-4)
    ours = classifier.logits(product)
    centred = whole["logits"] - whole["logits"].mean()
    assert list(ours.values()) == pytest.approx(centred.tolist(), abs=1e-4)


def test_the_picture_never_outvotes_clear_text(classifier: Classifier) -> None:
    """The most any picture can move one category against another, over all corners of the class simplex."""
    layer = classifier.bundle.network.whole.get_layer("image_categories")
    factor = float(classifier.bundle.network.whole.get_layer("image_scaled").factor.numpy())
    corners = np.asarray(layer(np.eye(1000, dtype=np.float32)))
    most = factor * float((corners.max(axis=1) - corners.min(axis=1)).max())
    assert 1 / (1 + np.exp(-most)) < 0.99  # text surer than this keeps its answer whatever the picture shows
    sure = [p for p in map(Product, CLEAR) if classifier.predict([p])[0].confidence > 0.99]
    assert sure
    for name in OBJECTS:
        picture = png(alone(name, 240))
        mixed = classifier.predict([Product(p.designation, image=picture) for p in sure])
        assert [m.code for m in mixed] == [classifier.predict([p])[0].code for p in sure]


def test_the_picture_says_something(classifier: Classifier) -> None:
    [prediction] = classifier.predict([Product(image=CLOCK)])
    assert prediction.code == 2060 and prediction.used_image and not prediction.used_text


def test_a_damaged_picture_is_said_and_the_text_still_counts(classifier: Classifier) -> None:
    designation = next(iter(CLEAR))
    [prediction] = classifier.predict([Product(designation, image=b"no picture")])
    assert isinstance(prediction.image_problem, ImageError) and not prediction.used_image
    assert prediction.code == CLEAR[designation]


def test_one_by_one_or_together_is_the_same(classifier: Classifier) -> None:
    products = [Product(d, image=CLOCK if i % 2 else None) for i, d in enumerate(CLEAR)] * 12
    together = classifier.predict(products)
    for product, prediction in list(zip(products, together, strict=True))[:8]:
        [alone_] = classifier.predict([product])
        assert alone_.code == prediction.code
        assert alone_.confidence == pytest.approx(prediction.confidence, abs=1e-4)
    assert classifier.predict([]) == []


def test_threads_get_their_own_answers(classifier: Classifier) -> None:
    wrong: list[str] = []

    def ask(designation: str, code: int) -> None:
        for _ in range(5):
            if classifier.predict([Product(designation)])[0].code != code:
                wrong.append(designation)

    threads = [threading.Thread(target=ask, args=item) for item in CLEAR.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_gets_an_answer(classifier: Classifier, designation: str, description: str) -> None:
    [prediction] = classifier.predict([Product(designation, description)])
    assert sum(c.probability for c in prediction.categories) == pytest.approx(1, abs=1e-4)
    assert all(0 <= c.probability <= 1 for c in prediction.categories)


def test_a_long_description_does_not_drown_the_designation(classifier: Classifier) -> None:
    about_something_else = "Livraison rapide sous 48 h, paiement en plusieurs fois, service client en France. " * 12
    for designation, code in CLEAR.items():
        [prediction] = classifier.predict([Product(designation, about_something_else)])
        assert prediction.code == code, designation
