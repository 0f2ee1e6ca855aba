"""The network: lexical + semantic + image logits, summed. One flat graph, and views of parts of it."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from model.backbone import FEATURE_MAP, efficientnet_lite
from model.layers import AddBias, AnyInput, CategoriesOfClasses, Scale, WeightedEmbeddingSum
from model.sentence_encoder import sentence_encoder
from model.shape import EMBEDDING, NetworkShape

SEMANTIC_GAIN = 8.0
"""The encoder's output has unit length; the gain puts it where a dense layer learns at the usual rate."""


@dataclass(frozen=True)
class Network:
    """Views that share layers and weights. All logits are float32 (batch, categories).

    ``whole``: all five inputs to {"logits", "lexical", "semantic", "image"}; logits = the three terms + bias.
    ``text``: lexical ids and weights, semantic rows to [lexical, semantic]. ``picture``: image to image term.
    ``feature_map`` and ``picture_head``: ``picture`` cut at the last feature map, for Grad-CAM.
    ``semantic_head``: from embedded pieces and mask to the semantic term, for integrated gradients.
    """

    whole: keras.Model
    text: keras.Model
    picture: keras.Model
    feature_map: keras.Model
    picture_head: keras.Model
    semantic_embedding: keras.Model
    semantic_head: keras.Model
    bias: AddBias


def build_network(shape: NetworkShape, table: np.ndarray | None = None, prior: np.ndarray | None = None) -> Network:
    """An untrained network. ``table`` (1000, categories) and ``prior`` (categories,) fill the image branch."""
    size, n = shape.image_size, shape.categories
    ids = keras.Input((None,), dtype="int32", name="lexical_ids")
    weights = keras.Input((None,), dtype="float32", name="lexical_weights")
    rows = keras.Input((None,), dtype="int32", name="semantic_rows")
    image = keras.Input((size, size, 3), dtype="float32", name="image")
    has_image = keras.Input((1,), dtype="float32", name="has_image")

    lexical = WeightedEmbeddingSum(shape.lexical_rows, n, name="lexical_logits")(ids, weights)
    lexical = Scale(name="lexical")(lexical)

    sentence, mask = sentence_encoder(rows, shape.semantic_rows)
    semantic = layers.Rescaling(SEMANTIC_GAIN, name="semantic_gain")(sentence)
    semantic = layers.Dense(n, name="semantic_logits")(semantic)
    any_text = AnyInput(name="has_text")(mask)
    semantic = layers.Multiply(name="semantic_present")([semantic, any_text])
    semantic = Scale(name="semantic")(semantic)

    feature_map = efficientnet_lite(image, shape.backbone)
    pooled = layers.GlobalAveragePooling2D(name="image_pool")(feature_map)
    classes = layers.Dense(1000, activation="softmax", name="image_classes")(pooled)
    table = np.zeros((1000, n), np.float32) if table is None else table
    prior = np.full(n, 1 / n, np.float32) if prior is None else prior
    picture = Scale(name="image_scaled")(CategoriesOfClasses(table, prior, name="image_categories")(classes))
    if shape.image_head:
        head = Scale(name="image_head_scaled")(layers.Dense(n, name="image_head")(pooled))
        picture = layers.Add(name="image_evidence")([picture, head])
    picture_present = layers.Multiply(name="image_term")([picture, has_image])

    bias = AddBias(name="bias")
    logits = bias(layers.Add(name="sum")([lexical, semantic, picture_present]))
    whole = keras.Model(
        [ids, weights, rows, image, has_image],
        {"logits": logits, "lexical": lexical, "semantic": semantic, "image": picture_present},
        name="rayon",
    )
    embedded = whole.get_layer(EMBEDDING).output
    return Network(
        whole=whole,
        text=keras.Model([ids, weights, rows], [lexical, semantic], name="text"),
        picture=keras.Model(image, picture, name="picture"),
        feature_map=keras.Model(image, feature_map, name=FEATURE_MAP),
        picture_head=keras.Model(feature_map, picture, name="picture_head"),
        semantic_embedding=keras.Model(rows, [embedded, mask], name="semantic_embedded"),
        semantic_head=keras.Model([embedded, mask], semantic, name="semantic_head"),
        bias=bias,
    )
