"""Reasons: exact n-gram contributions, integrated gradients over word pieces, Grad-CAM over the picture."""

import numpy as np
import tensorflow as tf

from model.loading import LoadedBundle
from model.product import Explanation, WordContribution
from model.reading import ReadText
from model.shape import BIAS, LEXICAL_TABLE
from preprocessing.image import PreparedImage

_STEPS = 32
"""Points of the integral; the part that the sum misses is shown as ``rest``, not hidden."""


class Explainer:
    """Takes the logit of one category apart. Terms are relative to the mean over categories."""

    def __init__(self, bundle: LoadedBundle) -> None:
        self._bundle = bundle
        network, n = bundle.network, len(bundle.taxonomy)
        by_path = {weight.path: weight for weight in network.whole.weights}
        scale = float(by_path["lexical/factor"].numpy())
        table = by_path[LEXICAL_TABLE].numpy()
        self._lexical = scale * (table - table.mean(axis=1, keepdims=True))
        bias = by_path[BIAS].numpy()
        self._bias = bias - bias.mean()
        centre = tf.eye(n) - 1.0 / n
        size = bundle.shape.image_size

        @tf.function(input_signature=[tf.TensorSpec((1, None), tf.int32), tf.TensorSpec((), tf.int32)])
        def semantic(rows, index):
            """Term of category ``index`` and its integrated gradient for each piece (Sundararajan et al. 2017)."""
            embedded, mask = network.semantic_embedding(rows, training=False)
            # Midpoints of [0, 1]; the baseline is the zero embedding, a text of the same length that says nothing.
            alphas = (tf.range(_STEPS, dtype=tf.float32) + 0.5) / _STEPS
            path = alphas[:, None, None] * embedded
            masks = tf.repeat(mask, _STEPS, axis=0)
            with tf.GradientTape() as tape:
                tape.watch(path)
                along = network.semantic_head([path, masks], training=False) @ centre[:, index][:, None]
            gradients = tf.reduce_mean(tape.gradient(along, path), axis=0)
            term = (network.semantic_head([embedded, mask], training=False) @ centre[:, index][:, None])[0, 0]
            return term, tf.reduce_sum(gradients * embedded[0], axis=-1)

        @tf.function(input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32), tf.TensorSpec((), tf.int32)])
        def grad_cam(image, index):
            """Term of category ``index`` and the Grad-CAM map (Selvaraju et al. 2017), of the logit."""
            features = network.feature_map(image, training=False)
            with tf.GradientTape() as tape:
                tape.watch(features)
                term = network.picture_head(features, training=False)[0, index]
            weights = tf.reduce_mean(tape.gradient(term, features), axis=(1, 2), keepdims=True)
            return term, tf.nn.relu(tf.reduce_sum(weights * features, axis=-1))[0]

        self._semantic, self._grad_cam = semantic, grad_cam

    def explain(
        self,
        text: ReadText,
        rows: np.ndarray,
        picture: PreparedImage | None,
        code: int,
    ) -> Explanation:
        """``rows``: the padded semantic rows of ``text``, int32 (1, n)."""
        index = self._bundle.taxonomy.index(code)
        lexical, by_word, intercept = self._lexical_terms(text, index)
        semantic, meaning_by_word = self._semantic_terms(text, rows, index)
        image, heatmap = (0.0, None) if picture is None else self.heatmap(picture.array, index)
        words = tuple(
            WordContribution(field, token.start, token.end, token.text, float(by_word[i]), float(meaning_by_word[i]))
            for i, (token, field) in enumerate(zip(text.tokens, text.fields, strict=True))
        )
        bias = float(self._bias[index])
        return Explanation(
            code=code,
            logit=bias + lexical + semantic + image,
            image=image,
            lexical=lexical,
            semantic=semantic,
            bias=bias,
            rest=float(intercept + semantic - meaning_by_word.sum()),
            words=words,
            heatmap=heatmap,
            geometry=None if picture is None else picture.geometry,
        )

    def heatmap(self, array: np.ndarray, index: int) -> tuple[float, np.ndarray | None]:
        """The picture's term and where it comes from: float32 (7, 7) in [0, 1], None without evidence for."""
        term, heat = self._grad_cam(tf.constant(array[None], tf.float32), tf.constant(index))
        heat, highest = heat.numpy(), float(tf.reduce_max(heat))
        return float(term), (heat / highest if highest > 1e-8 else None)

    def _lexical_terms(self, text: ReadText, index: int) -> tuple[float, np.ndarray, float]:
        """The branch's term, its part by token, and the part no token carries (the intercept)."""
        by_word, term = np.zeros(len(text.tokens)), 0.0
        for reading in self._bundle.lexical.readings(text):
            ids, weights = reading.vocabulary.encode(reading.tokens)
            contributions = reading.weight * weights * self._lexical[ids + reading.first_row, index]
            term += float(contributions.sum())
            shares = reading.vocabulary.shares(reading.tokens)
            for feature, contribution in zip(ids.tolist(), contributions.tolist(), strict=True):
                for token, share in shares.get(feature, ()):
                    by_word[reading.first_token + token] += share * contribution
        return term, by_word, term - float(by_word.sum())

    def _semantic_terms(self, text: ReadText, rows: np.ndarray, index: int) -> tuple[float, np.ndarray]:
        """The branch's term and its part by token; pieces are shared by the letters they have in a token."""
        by_word = np.zeros(len(text.tokens))
        if not text.tokens:
            return 0.0, by_word
        term, gradients = self._semantic(tf.constant(rows), tf.constant(index))
        places: dict[tuple[str, int], int] = {}
        for i, (token, field) in enumerate(zip(text.tokens, text.fields, strict=True)):
            places.update({(field, position): i for position in range(token.start, token.end)})
        pieces = self._bundle.pieces.pieces(text.sentence)
        for piece, gradient in zip(pieces, gradients.numpy()[1:-1].tolist(), strict=True):
            if (place := text.place(piece.start, piece.end)) is None:
                continue
            field, start, end = place
            letters = [places[field, p] for p in range(start, end) if (field, p) in places]
            for token in letters:
                by_word[token] += gradient / len(letters)
        return float(term), by_word
