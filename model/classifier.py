"""The one way in: products to predictions, and the reasons for them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from model.bundle import Bundle, load_bundle
from model.explanation import Explainer
from model.lexical import LexicalVocabulary
from model.product import Explanation, Prediction, Product, RankedCategory
from model.reading import ReadText, read_text
from preprocessing.image import ImageError, PreparedImage, prepare
from settings import settings

_TEXT_BATCH = 64
_IMAGE_BATCH = 16  # pictures decoded and held at a time


class Classifier:
    """A loaded bundle that answers. Safe to share between threads: nothing in it changes after loading."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.taxonomy = bundle.taxonomy
        network, size = bundle.network, bundle.shape.image_size
        self._bias = np.asarray(network.bias.bias)
        self._coverage_quantile = float(bundle.manifest["settings"]["conformal_quantile"])
        # Explicit signatures: one trace for any batch and length.
        self._text = tf.function(
            lambda ids, weights, rows: network.text([ids, weights, rows], training=False),
            input_signature=[
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((None, None), tf.float32),
                tf.TensorSpec((None, None), tf.int32),
            ],
        )
        self._picture = tf.function(
            lambda image: network.picture(image, training=False),
            input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)],
        )
        self._explainer = Explainer(bundle)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Classifier":
        """Loads a bundle, the active one unless named; raises `model.bundle.BundleError` when refused."""
        return cls(load_bundle(folder or settings().bundle))

    def warm_up(self) -> None:
        """Traces each function once, so that the first user does not wait for it."""
        size = self.bundle.shape.image_size
        self._picture(tf.zeros((1, size, size, 3)))
        self.explain(Product(designation="table"), self.taxonomy.codes[0])
        self._explainer.heatmap(np.zeros((size, size, 3), np.uint8), 0)

    def predict(self, products: Sequence[Product]) -> list[Prediction]:
        """A prediction for each product, in order.

        A picture that cannot be read is left out, and said so in ``Prediction.image_problem``; a product
        with neither text nor readable picture gets the categories' shares in the catalogue.
        """
        logits = np.tile(self._bias, (len(products), 1))
        texts = [read_text(p.designation, p.description) for p in products]
        with_text = [i for i, text in enumerate(texts) if text.tokens]
        # Similar lengths together: less padding.
        with_text.sort(key=lambda i: len(texts[i].sentence))
        for batch in _chunks(with_text, _TEXT_BATCH):
            lexical, semantic = self._text(*self._text_arrays([texts[i] for i in batch]))
            logits[batch] += lexical.numpy() + semantic.numpy()
        problems: dict[int, ImageError] = {}
        with_image: list[int] = []
        for batch in _chunks([i for i, p in enumerate(products) if p.image is not None], _IMAGE_BATCH):
            images, read = [], []
            for i in batch:
                try:
                    images.append(self._prepare(products[i].image).array)
                    read.append(i)
                except ImageError as error:
                    problems[i] = error
            if read:
                logits[read] += self._picture(tf.constant(np.stack(images), tf.float32)).numpy()
                with_image += read
        probabilities = _softmax(logits)
        used_image = set(with_image)
        return [
            self._prediction(row, bool(text.tokens), i in used_image, len(text.tokens), problems.get(i))
            for i, (row, text) in enumerate(zip(probabilities, texts, strict=True))
        ]

    def explain(self, product: Product, code: int) -> Explanation:
        """Why the category ``code`` has the logit it has for this product.

        Raises KeyError for a code outside the taxonomy and `ImageError` for a picture that cannot be read.
        """
        text = read_text(product.designation, product.description)
        prepared = None if product.image is None else self._prepare(product.image)
        return self._explainer.explain(text, self._text_arrays([text])[2], prepared, code)

    def logits(self, product: Product) -> dict[int, float]:
        """Calibrated logits by code, relative to the mean category: what `explain` takes apart."""
        text = read_text(product.designation, product.description)
        row = self._bias.copy()
        if text.tokens:
            lexical, semantic = self._text(*self._text_arrays([text]))
            row += lexical.numpy()[0] + semantic.numpy()[0]
        if product.image is not None:
            row += self._picture(tf.constant(self._prepare(product.image).array[None], tf.float32)).numpy()[0]
        return dict(zip(self.taxonomy.codes, (row - row.mean()).tolist(), strict=True))

    def _prepare(self, data: bytes) -> PreparedImage:
        return prepare(data, self.bundle.shape.image_size)

    def _text_arrays(self, texts: list[ReadText]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        features = [lexical_input(self.bundle.vocabulary, text) for text in texts]
        rows = [self.bundle.pieces.encode(text.sentence if text.tokens else "") for text in texts]
        return pad([f[0] for f in features]), pad([f[1] for f in features]), pad(rows)

    def _prediction(self, row, used_text, used_image, words, problem) -> Prediction:
        order = np.argsort(-row, kind="stable")
        ranked = tuple(RankedCategory(self.taxonomy.codes[i], float(row[i])) for i in order)
        # Smallest set whose mass reaches the quantile (Romano, Sesia & Candes 2020, without randomisation).
        size = int(np.searchsorted(np.cumsum(row[order]), self._coverage_quantile, side="right")) + 1
        return Prediction(
            categories=ranked,
            used_text=used_text,
            used_image=used_image,
            words=words,
            prediction_set=tuple(category.code for category in ranked[:size]),
            model_version=self.bundle.version,
            image_problem=problem,
        )


def lexical_input(vocabulary: LexicalVocabulary, text: ReadText) -> tuple[np.ndarray, np.ndarray]:
    """Feature ids and weights of all readings of a text, one after the other; the network sums them."""
    parts = [(share, *vocabulary.encode(tokens)) for share, tokens in text.readings]
    return np.concatenate([ids for _, ids, _ in parts]), np.concatenate([share * w for share, _, w in parts])


def pad(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of one dimension side by side, zeros at the end: (batch, longest), at least one column."""
    padded = np.zeros((len(arrays), max(1, *map(len, arrays))), arrays[0].dtype)
    for i, array in enumerate(arrays):
        padded[i, : len(array)] = array
    return padded


def _chunks(items: list[int], size: int) -> list[list[int]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)
