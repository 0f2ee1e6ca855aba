"""The backbone as an ONNX graph that gives features and what the table of ImageNet classes says of them."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

from model.network import Network
from model.shape import NetworkShape

_OPSET = 18


def lay_in(network: Network, weights: dict[str, np.ndarray]) -> None:
    """Puts weights in their places by path; KeyError names those that have none."""
    left = dict(weights)
    for weight in network.whole.weights:
        if weight.path in left:
            weight.assign(left.pop(weight.path))
    if left:
        raise KeyError(f"weights without a place: {sorted(left)}")


def write_backbone_graph(network: Network, shape: NetworkShape, path: Path) -> None:
    """Writes image float32 (batch, size, size, 3) to features (batch, 1280) and evidence (batch, categories)."""
    whole = network.whole
    outputs = [whole.get_layer(name).output for name in ("image_pool", "image_categories")]
    view = keras.Model(whole.get_layer("image").output, outputs)
    image = tf.TensorSpec((None, shape.image_size, shape.image_size, 3), tf.float32, name="image")
    part = path.with_suffix(".part")
    tf2onnx.convert.from_function(
        tf.function(lambda image: tuple(view(image, training=False))),
        input_signature=[image],
        opset=_OPSET,
        output_path=str(part),
    )
    part.replace(path)
