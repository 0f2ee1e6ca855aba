"""One request: the network by each way TensorFlow has, then what decoding, explaining and the page add."""

import io

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from streamlit.testing.v1 import AppTest

from benchmarks.measuring import by_turns, table
from model.classifier import Classifier
from model.planted import alone
from model.predictor import pad
from model.product import Product
from model.reading import read_text
from preprocessing.image import prepare
from settings import ROOT

DESIGNATION = "Horloge murale silencieuse 30 cm en bois style scandinave pour salon et cuisine"


def photo(side: int = 1600) -> bytes:
    """A JPEG of the size phones and shops use, drawn."""
    large = Image.fromarray(alone("clock", 224)).resize((side, side), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).integers(0, 12, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(large) // 16 * 15 + noise).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def network_paths(classifier: Classifier) -> str:
    """The whole network on one prepared product."""
    whole = classifier.bundle.network.whole
    text = read_text(DESIGNATION, None)
    ids, weights = classifier.bundle.lexical.encode(text)
    rows = classifier.bundle.pieces.encode(text.sentence)
    image = prepare(photo(), classifier.bundle.shape.image_size).array[None].astype(np.float32)
    inputs = [pad([ids]), pad([weights]), pad([rows]), image, np.ones((1, 1), np.float32)]
    function = tf.function(lambda *x: whole(list(x), training=False))
    tensors = [tf.constant(x) for x in inputs]
    sides = {
        "tf.function": lambda: function(*tensors)["logits"].numpy(),
        "predict_on_batch": lambda: whole.predict_on_batch(inputs),
        "predict": lambda: whole.predict(inputs, verbose=0),
        "eager call": lambda: whole(tensors, training=False)["logits"].numpy(),
    }
    return table("The network on one product, by TensorFlow path", by_turns(sides), "tf.function")


def request_parts(classifier: Classifier) -> str:
    """One request from bytes and text, part by part."""
    data = photo()
    array = prepare(data, classifier.bundle.shape.image_size).array[None].astype(np.float32)
    picture = Product(image=data)
    both = Product(designation=DESIGNATION, image=data)
    sides = {
        "picture branch alone": lambda: classifier.runtime.picture(array),
        "decoding alone": lambda: prepare(data, classifier.bundle.shape.image_size),
        "predict, text": lambda: classifier.predict([Product(designation=DESIGNATION)]),
        "predict, picture": lambda: classifier.predict([picture]),
        "predict, both": lambda: classifier.predict([both]),
        "explain, text": lambda: classifier.explain(Product(designation=DESIGNATION), 2060),
        "explain, both": lambda: classifier.explain(both, 2060),
        "predict and explain, both": lambda: (classifier.predict([both]), classifier.explain(both, 2060)),
    }
    return table("One request (JPEG of 1600 x 1600 px)", by_turns(sides), "predict, both")


def page_overhead(classifier: Classifier) -> str:
    """A run of the page's script with a designation, against the classifier alone on the same text."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120).run()
    names = iter(f"{DESIGNATION} {i}" for i in range(10_000))  # a new text each time: no cache answers

    def page() -> None:
        app.text_input(key="classify_designation").set_value(next(names)).run()
        if app.exception:
            raise RuntimeError(app.exception)

    def page_of_cleared_session() -> None:
        keras.utils.clear_session()  # what Streamlit would do after each run, see model/serving.py
        page()

    alone = {
        "classifier alone": lambda: classifier.predict([Product(designation=next(names))]),
        "page's script, no browser": page,
    }
    cleared = {"page's script": page, "Keras' session cleared before it": page_of_cleared_session}
    return "\n".join(
        [
            table("The page's overhead", by_turns(alone), "classifier alone"),
            table("What keeping Keras' session saves (model/serving.py)", by_turns(cleared), "page's script"),
        ]
    )
