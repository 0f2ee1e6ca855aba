"""The network run by TensorFlow: the engine of the pages, and the reference for every other."""

import numpy as np
import tensorflow as tf

from model.loading import LoadedBundle


class TensorFlowRuntime:
    """A `model.predictor.Runtime`. Safe to share between threads: nothing in it changes."""

    text_batch = 64
    image_batch = 16

    def __init__(self, bundle: LoadedBundle) -> None:
        network, size = bundle.network, bundle.shape.image_size
        self.bias = np.asarray(network.bias.bias)

        # Explicit signatures: one trace for any batch and length.
        @tf.function(
            input_signature=[
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((None, None), tf.float32),
                tf.TensorSpec((None, None), tf.int32),
            ]
        )
        def text_term(ids, weights, rows):
            lexical, semantic = network.text([ids, weights, rows], training=False)
            return lexical + semantic

        @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)])
        def picture_term(image):
            return network.picture(image, training=False)

        self._text_term, self._picture_term = text_term, picture_term

    def text(self, ids: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """See `model.predictor.Runtime`."""
        return self._text_term(ids, weights, rows).numpy()

    def picture(self, images: np.ndarray) -> np.ndarray:
        """See `model.predictor.Runtime`."""
        return self._picture_term(tf.constant(images)).numpy()
