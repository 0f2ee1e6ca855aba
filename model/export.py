"""The network as ONNX graphs, checked against TensorFlow; made once for each bundle and kept."""

import json
import os
import shutil
import uuid
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf2onnx

from model import shape
from model.classifier import Classifier
from model.loading import LoadedBundle
from model.onnx_runtime import CARD, EMBEDDING_TABLE, LEXICAL_TABLE, PICTURE, SEMANTIC, OnnxRuntime

TOLERANCE = 1e-4
"""Largest difference of a logit between the two runtimes, where logits stay below 10; above, in proportion."""
_USUAL = 10.0
_OPSET = 18
_PROBES = 24


class ExportError(RuntimeError):
    """The exported network does not answer as TensorFlow does."""


def export(bundle: Path, out: Path) -> dict[str, object]:
    """Writes the ONNX graphs of the bundle to ``out``, checks them, and gives their card.

    Raises `ExportError` when a logit differs by more than `TOLERANCE`; ``out`` is then not written.
    """
    classifier = Classifier.load(bundle)
    part = out.with_name(f"{out.name}.{uuid.uuid4().hex}.part")
    part.mkdir(parents=True)
    try:
        _write(classifier.bundle, part)
        card = {
            "version": classifier.bundle.version,
            "bias": classifier.runtime.bias.tolist(),
            "largest_difference": 0.0,
            "tolerance": TOLERANCE,
        }
        (part / CARD).write_text(json.dumps(card), encoding="utf-8")
        card["largest_difference"] = difference(classifier, OnnxRuntime(part))
        if not card["largest_difference"] <= TOLERANCE:
            raise ExportError(
                f"the exported network of {classifier.bundle.version} differs from TensorFlow by "
                f"{card['largest_difference']:.2g}, more than {TOLERANCE:g}: it is not used"
            )
        (part / CARD).write_text(json.dumps(card), encoding="utf-8")
        try:
            os.rename(part, out)
        except OSError:  # another process was first: the same graphs
            if not (out / CARD).exists():
                raise
        return card
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(bundle: LoadedBundle, folder: Path) -> None:
    network, size = bundle.network, bundle.shape.image_size

    def semantic(embedded, mask):
        return network.semantic_head([embedded, mask], training=False)

    def picture(image):
        return network.picture(image, training=False)

    embedded = tf.TensorSpec((None, None, shape.EMBEDDING_WIDTH), tf.float32, name="embedded")
    mask = tf.TensorSpec((None, None, 1), tf.float32, name="mask")
    image = tf.TensorSpec((None, size, size, 3), tf.float32, name="image")
    for function, inputs, name in ((semantic, [embedded, mask], SEMANTIC), (picture, [image], PICTURE)):
        tf2onnx.convert.from_function(
            tf.function(function), input_signature=inputs, opset=_OPSET, output_path=str(folder / name)
        )
    weights = {weight.path: weight.numpy() for weight in network.whole.weights}
    # The large tables stay out of the graphs: converting copies constants many times over.
    np.save(folder / LEXICAL_TABLE, weights[shape.LEXICAL_TABLE] * weights["lexical/factor"])
    np.save(folder / EMBEDDING_TABLE, weights[shape.SEMANTIC_TABLE])


def difference(classifier: Classifier, runtime: OnnxRuntime, seed: int = 0) -> float:
    """Largest difference of a logit (see `TOLERANCE`) on random features, pieces, pictures; NaN when one is none."""
    random, sizes = np.random.default_rng(seed), classifier.bundle.shape
    found = []
    for size in (1, 3, _PROBES):
        features, pieces = random.integers(1, 400, size), random.integers(1, 90, size)
        ids = _padded(features, random, sizes.lexical_rows)
        weights = (random.uniform(0, 0.3, ids.shape) * (ids > 0)).astype(np.float32)
        rows = _padded(pieces, random, sizes.semantic_rows)
        images = random.uniform(0, 255, (min(size, 8), sizes.image_size, sizes.image_size, 3)).astype(np.float32)
        # Smooth pictures beside noise: they reach other classes.
        images[::2] = np.round(images[::2, ::56, ::56].repeat(56, axis=1).repeat(56, axis=2)[:, : sizes.image_size])
        found.append(_apart(classifier.runtime.text(ids, weights, rows), runtime.text(ids, weights, rows)))
        found.append(_apart(classifier.runtime.picture(images), runtime.picture(images)))
    return float(np.max(found))


def _apart(expected: np.ndarray, found: np.ndarray) -> float:
    """Largest difference; in proportion where logits are large, as noise makes them, for floats are no finer."""
    return float(np.abs(expected - found).max() / max(1.0, np.abs(expected).max() / _USUAL))


def _padded(lengths: np.ndarray, random: np.random.Generator, highest: int) -> np.ndarray:
    """int32 (rows, longest) of random ids below ``highest``, zeros at the end."""
    ids = random.integers(1, highest, (len(lengths), lengths.max()), dtype=np.int32)
    return np.where(np.arange(ids.shape[1]) < lengths[:, None], ids, 0).astype(np.int32)
