"""Products to predictions, whatever runs the network. Loads without TensorFlow."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from model.bundle import Bundle
from model.product import Prediction, Product, RankedCategory
from model.reading import ReadText, read_text
from preprocessing.image import ImageError, PreparedImage, prepare


class Runtime(Protocol):
    """What computes the network's terms; all logits are float32 (batch, categories)."""

    bias: np.ndarray
    """float32 (categories,)"""
    text_batch: int
    image_batch: int
    """Also the number of pictures decoded and held at a time."""

    def text(self, ids: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Lexical + semantic term of int32 and float32 (batch, features) and int32 (batch, pieces), zero-padded."""

    def picture(self, images: np.ndarray) -> np.ndarray:
        """Image term of float32 (batch, size, size, 3) in [0, 255]."""


class Predictor:
    """A bundle and a runtime that answer."""

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        self.bundle, self.runtime = bundle, runtime
        self.taxonomy = bundle.taxonomy
        self._coverage_quantile = float(bundle.manifest["settings"]["conformal_quantile"])

    def predict(self, products: Sequence[Product]) -> list[Prediction]:
        """A prediction for each product, in order.

        A picture that cannot be read is left out, and said so in ``Prediction.image_problem``; a product
        with neither text nor readable picture gets the categories' shares in the catalogue.
        """
        logits = np.tile(self.runtime.bias, (len(products), 1))
        texts = [read_text(p.designation, p.description) for p in products]
        with_text = [i for i, text in enumerate(texts) if text.tokens]
        # Similar lengths together: less padding.
        with_text.sort(key=lambda i: len(texts[i].sentence))
        for batch in _chunks(with_text, self.runtime.text_batch):
            logits[batch] += self.runtime.text(*self.text_arrays([texts[i] for i in batch]))
        problems: dict[int, ImageError] = {}
        used_image: set[int] = set()
        for batch in _chunks([i for i, p in enumerate(products) if p.image is not None], self.runtime.image_batch):
            images, read = [], []
            for i in batch:
                try:
                    images.append(self.prepare(products[i].image).array)
                    read.append(i)
                except ImageError as error:
                    problems[i] = error
            if read:
                logits[read] += self.runtime.picture(np.stack(images).astype(np.float32))
                used_image.update(read)
        probabilities = _softmax(logits)
        return [
            self._prediction(row, text, i in used_image, problems.get(i))
            for i, (row, text) in enumerate(zip(probabilities, texts, strict=True))
        ]

    def prepare(self, data: bytes) -> PreparedImage:
        """The picture as the network reads it; or `ImageError`."""
        return prepare(data, self.bundle.shape.image_size)

    def text_arrays(self, texts: list[ReadText]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `Runtime.text` takes."""
        features = [self.bundle.lexical.encode(text) for text in texts]
        rows = [self.bundle.pieces.encode(text.sentence if text.tokens else "") for text in texts]
        return pad([f[0] for f in features]), pad([f[1] for f in features]), pad(rows)

    def _prediction(self, row: np.ndarray, text: ReadText, used_image: bool, problem: ImageError | None) -> Prediction:
        order = np.argsort(-row, kind="stable")
        ranked = tuple(RankedCategory(self.taxonomy.codes[i], float(row[i])) for i in order)
        # Smallest set whose mass reaches the quantile (Romano, Sesia & Candes 2020, without randomisation).
        size = int(np.searchsorted(np.cumsum(row[order]), self._coverage_quantile, side="right")) + 1
        return Prediction(
            categories=ranked,
            used_text=bool(text.tokens),
            used_image=used_image,
            words=len(text.tokens),
            prediction_set=tuple(category.code for category in ranked[:size]),
            model_version=self.bundle.version,
            image_problem=problem,
            unknown_words=self.bundle.lexical.unknown(text),
        )


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
