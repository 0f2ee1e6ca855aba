"""What a bundle sees in rows, where it is linear (n-grams, sentence vectors, pooled features), and what it says."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from model.lexical import TEXT_ID
from model.loading import LoadedBundle
from model.network import SEMANTIC_GAIN
from model.predictor import pad
from model.reading import ReadText, read_text
from model.shape import BIAS, LEXICAL_TABLE
from model.training.lexical import as_matrix
from preprocessing.image import ImageError, prepare

_TEXTS, _PICTURES = 64, 16
_POOL = "image_pool"

Progress = Callable[..., Iterable]
"""Called as tqdm is: with an iterable and `total`, it hands the iterable's items on."""


class Row(Protocol):
    """A product; texts are "" when empty, ``picture`` is a path or None."""

    designation: str
    description: str
    picture: str | None


@dataclass(frozen=True)
class Looks:
    """Of n pictures: ``pooled`` features (n, 1280) and ``logits`` (n, categories)."""

    pooled: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """Of n rows. ``words``: n-gram weights, float32 (n, rows of the table); ``sentence``: unit vectors (n, 512);
    ``pooled``: backbone features (n, 1280). ``text`` and ``picture``: logits of these inputs (n, categories), ``bias``
    (categories,). Zeros where an input is missing.

    ``unreadable``: why a row's picture could not be read, "" when it was or there is none.
    """

    words: sparse.csr_matrix
    sentence: np.ndarray
    pooled: np.ndarray
    text: np.ndarray
    picture: np.ndarray
    bias: np.ndarray
    texts: Sequence[ReadText]
    has_text: np.ndarray
    has_picture: np.ndarray
    unreadable: Sequence[str]

    @property
    def has_any(self) -> np.ndarray:
        """Whether anything could be read: bool (n,)."""
        return self.has_text | self.has_picture

    def take(self, rows: np.ndarray) -> "Evidence":
        """The rows where ``rows``, bool (n,), is true."""
        places = np.flatnonzero(rows)
        arrays = ("words", "sentence", "pooled", "text", "picture", "has_text", "has_picture")
        taken = {name: getattr(self, name)[places] for name in arrays}
        lists = {name: [getattr(self, name)[i] for i in places] for name in ("texts", "unreadable")}
        return replace(self, **taken, **lists)

    @property
    def logits(self) -> np.ndarray:
        """What the bundle answers, float64 (n, categories)."""
        return self.bias + self.text + self.picture

    def __len__(self) -> int:
        return len(self.text)


def read_evidence(bundle: LoadedBundle, rows: Sequence[Row], progress: Progress) -> Evidence:
    """Reads the rows as the bundle does; one pass through encoder and backbone."""
    weights = {weight.path: np.asarray(weight, np.float64) for weight in bundle.network.whole.weights if _used(weight)}
    texts = [read_text(row.designation, row.description) for row in rows]
    has_text = np.array([bool(text.tokens) for text in texts], bool)
    words = as_matrix(map(bundle.lexical.encode, texts), len(bundle.lexical))
    sentence = _sentences(bundle, texts, progress)
    lexical = weights["lexical/factor"] * (words @ weights[LEXICAL_TABLE])
    said = SEMANTIC_GAIN * sentence @ weights["semantic_logits/kernel"] + weights["semantic_logits/bias"]
    pooled, picture, unreadable, read = _pictures(bundle, rows, progress)
    return Evidence(
        words=words,
        sentence=sentence,
        pooled=pooled,
        text=lexical + weights["semantic/factor"] * said * has_text[:, None],
        picture=picture,
        bias=weights[BIAS],
        texts=texts,
        has_text=has_text,
        has_picture=read,
        unreadable=unreadable,
    )


def look_at(bundle: LoadedBundle, images: Iterator[np.ndarray], count: int, progress: Progress) -> Looks:
    """What the bundle sees in ``count`` prepared pictures, float32 (size, size, 3)."""
    look, seen = _looking(bundle), []
    for start in progress(range(0, count, _PICTURES), total=-(-count // _PICTURES), desc="drawings"):
        chunk = np.stack(list(islice(images, min(_PICTURES, count - start))))
        seen.append([part.numpy().astype(np.float64) for part in look(chunk)])
    return Looks(*map(np.concatenate, zip(*seen, strict=True)))


def intercepts(bundle: LoadedBundle) -> list[int]:
    """Rows of the lexical table that are there for every text, one for each field with features of its own."""
    description = bundle.lexical.description
    return [TEXT_ID] if description is None else [TEXT_ID, len(bundle.lexical.vocabulary) + TEXT_ID]


def _used(weight: keras.Variable) -> bool:
    return weight.path in (LEXICAL_TABLE, BIAS) or weight.path.startswith(("lexical/", "semantic/", "semantic_logits/"))


def _sentences(bundle: LoadedBundle, texts: Sequence[ReadText], progress: Progress) -> np.ndarray:
    network, width = bundle.network, bundle.network.whole.get_layer("semantic_unit").output.shape[-1]
    encoder = keras.Model(network.semantic_embedding.input, network.whole.get_layer("semantic_unit").output)
    encode = tf.function(lambda rows: encoder(rows, training=False), input_signature=[tf.TensorSpec((None, None), tf.int32)])  # fmt: skip  # noqa: E501
    found = np.zeros((len(texts), width))
    # Similar lengths together: less padding.
    ranked = sorted((i for i, text in enumerate(texts) if text.tokens), key=lambda i: len(texts[i].sentence))
    chunks = [ranked[start : start + _TEXTS] for start in range(0, len(ranked), _TEXTS)]
    for chunk in progress(chunks, total=len(chunks), desc="texts"):
        found[chunk] = encode(pad([bundle.pieces.encode(texts[i].sentence) for i in chunk])).numpy()
    return found


def _pictures(
    bundle: LoadedBundle, rows: Sequence[Row], progress: Progress
) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Pooled features, logits, why a picture was not read, whether it was."""
    n, size, look = len(rows), bundle.shape.image_size, _looking(bundle)
    pooled, logits = np.zeros((n, _width(bundle))), np.zeros((n, len(bundle.taxonomy)))
    unreadable, read = [""] * n, np.zeros(n, bool)
    pictured = [i for i, row in enumerate(rows) if row.picture is not None]
    chunks = [pictured[start : start + _PICTURES] for start in range(0, len(pictured), _PICTURES)]
    for chunk in progress(chunks, total=len(chunks), desc="pictures"):
        images, places = [], []
        for i in chunk:
            try:
                images.append(prepare(Path(rows[i].picture).read_bytes(), size).array.astype(np.float32))
                places.append(i)
            except ImageError as error:
                unreadable[i] = str(error)
            except OSError as error:
                unreadable[i] = error.strerror or str(error)
        if places:
            features, terms = look(np.stack(images))
            pooled[places], logits[places], read[places] = features.numpy(), terms.numpy(), True
    return pooled, logits, unreadable, read


def _looking(bundle: LoadedBundle) -> Callable[[np.ndarray], tuple[tf.Tensor, tf.Tensor]]:
    """From prepared pictures, float32 (n, size, size, 3), to pooled features and logits."""
    network, size = bundle.network, bundle.shape.image_size
    view = keras.Model(network.picture.input, [network.whole.get_layer(_POOL).output, network.picture.output])
    return tf.function(lambda x: view(x, training=False), input_signature=[tf.TensorSpec((None, size, size, 3))])


def _width(bundle: LoadedBundle) -> int:
    return bundle.network.whole.get_layer(_POOL).output.shape[-1]
