"""The few Keras layers that Keras itself does not have."""

import keras
import numpy as np
from keras import ops


class WeightedEmbeddingSum(keras.layers.Layer):
    """Sum of embedding rows, each times its weight: a linear layer over sparse input.

    Call with ids int32 (batch, n) and weights float32 (batch, n); gives float32 (batch, units).
    Padding is any id with weight 0.
    """

    def __init__(self, rows: int, units: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.rows, self.units = rows, units

    def build(self, input_shape) -> None:
        self.table = self.add_weight(shape=(self.rows, self.units), initializer="zeros", name="table")

    def call(self, ids, weights):
        return ops.einsum("bn,bnu->bu", weights, ops.take(self.table, ids, axis=0))


class PaddingMask(keras.layers.Layer):
    """1 where a row id stands, 0 where padding does: int32 (batch, n) to float32 (batch, n, 1)."""

    def call(self, rows):
        return ops.cast(ops.not_equal(rows, 0), "float32")[..., None]


class PadTime(keras.layers.Layer):
    """Zeros before and after the time axis of (batch, n, channels)."""

    def __init__(self, before: int, after: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.before, self.after = before, after

    def call(self, x):
        return ops.pad(x, [[0, 0], [self.before, self.after], [0, 0]])


class PooledDense(keras.layers.Layer):
    """A dense layer over time, then its sum divided by the square root of the length: (batch, n, c) and mask to
    (batch, units). The sum is taken first, which is the same and spares a product for each step of time."""

    def __init__(self, units: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x, mask):
        root = ops.sqrt(ops.maximum(ops.sum(mask, axis=1), 1.0))
        return ops.matmul(ops.sum(x * mask, axis=1) / root, self.kernel) + self.bias * root


class AnyInput(keras.layers.Layer):
    """1.0 where a row of the mask (batch, n, 1) holds anything, else 0.0: float32 (batch, 1)."""

    def call(self, mask):
        return ops.max(mask, axis=1)


class CategoriesOfClasses(keras.layers.Layer):
    """Evidence for each category from class probabilities, through a hand-written table.

    ``P(c | picture) = sum_k p_k table[k, c] + (1 - sum_k p_k sum_c table[k, c]) prior[c]``: what the table
    does not say is left to the prior. The output is ``ln P(c | picture) - ln prior[c]``, centred over
    categories; float32 (batch, categories). Because rows of the table sum to ``MOST`` at most, it is bounded.
    """

    MOST = 0.95

    def __init__(self, table: np.ndarray, prior: np.ndarray, **kwargs) -> None:
        super().__init__(trainable=False, **kwargs)
        self.initial_table, self.initial_prior = table, prior

    def build(self, input_shape) -> None:
        constant = keras.initializers.Constant
        self.table = self.add_weight(
            shape=self.initial_table.shape, initializer=constant(self.initial_table), name="table"
        )
        self.prior = self.add_weight(
            shape=self.initial_prior.shape, initializer=constant(self.initial_prior), name="prior"
        )

    def call(self, probabilities):
        said = ops.matmul(probabilities, self.table)
        unsaid = 1.0 - ops.sum(said, axis=-1, keepdims=True)
        evidence = ops.log(said + unsaid * self.prior) - ops.log(self.prior)
        return evidence - ops.mean(evidence, axis=-1, keepdims=True)


class Scale(keras.layers.Layer):
    """Times one number, the weight of a branch in the sum."""

    def __init__(self, value: float = 1.0, **kwargs) -> None:
        super().__init__(trainable=False, **kwargs)
        self.value = value

    def build(self, input_shape) -> None:
        self.factor = self.add_weight(shape=(), initializer=keras.initializers.Constant(self.value), name="factor")

    def call(self, x):
        return x * self.factor


class AddBias(keras.layers.Layer):
    """Adds one learned vector."""

    def build(self, input_shape) -> None:
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, x):
        return x + self.bias
