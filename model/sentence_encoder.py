"""The convolutional Universal Sentence Encoder, multilingual (Yang et al. 2020), as part of a flat graph."""

from keras import layers

from model.layers import PaddingMask, PadTime, PooledDense
from model.shape import EMBEDDING, EMBEDDING_WIDTH

MASK = "semantic_mask"
# n-gram order of each convolution and how many of its steps look back
ORDERS = ((2, 0), (3, 1), (5, 2))
_EPSILON = 1e-12


def sentence_encoder(rows, vocabulary_size: int):
    """Adds the encoder to ``rows``, int32 (batch, n), 0 = padding; gives the sentence, float32 (batch, 512) of
    unit length, and the mask, float32 (batch, n, 1)."""

    def dense(units, name, **kwargs):
        return layers.Dense(units, name=f"semantic_{name}", **kwargs)

    def normalize(name):
        return layers.LayerNormalization(epsilon=_EPSILON, name=f"semantic_{name}")

    mask = PaddingMask(name=MASK)(rows)
    embedded = layers.Embedding(vocabulary_size + 1, EMBEDDING_WIDTH, trainable=False, name=EMBEDDING)(rows)
    features = [embedded]
    for order, back in ORDERS:
        x = normalize(f"norm{order}")(dense(256, f"project{order}")(embedded))
        for step in (1, 2):
            x = layers.Multiply(name=f"semantic_masked{step}_{order}")([x, mask])
            padded = PadTime(back, order - 1 - back, name=f"semantic_pad{step}_{order}")(x)
            convolved = layers.Conv1D(256, order, activation="relu", name=f"semantic_conv{step}_{order}")(padded)
            x = layers.Add(name=f"semantic_add{step}_{order}")([convolved, x])
        features.append(x)
    joined = normalize("norm_features")(layers.Concatenate(name="semantic_features")(features))
    pooled = PooledDense(EMBEDDING_WIDTH, name="semantic_output")(joined, mask)
    first = layers.ReLU(name="semantic_relu0")(dense(320, "d0", use_bias=False)(pooled))
    shortcut = dense(320, "p1", use_bias=False)(pooled)
    second = layers.ReLU(name="semantic_relu1")(
        layers.Add(name="semantic_sum1")([shortcut, dense(320, "d1", use_bias=False)(first)])
    )
    third = layers.ReLU(name="semantic_relu2")(dense(EMBEDDING_WIDTH, "d2", use_bias=False)(second))
    top = layers.Add(name="semantic_sum3")(
        [dense(EMBEDDING_WIDTH, "p3", use_bias=False)(second), dense(EMBEDDING_WIDTH, "d3", use_bias=False)(third)]
    )
    bounded = layers.Activation("tanh", name="semantic_tanh")(top)
    return layers.UnitNormalization(name="semantic_unit")(bounded), mask
