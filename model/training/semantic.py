"""The semantic branch: the sentence encoder, fine-tuned with its embedding frozen."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from model.network import SEMANTIC_GAIN
from model.predictor import pad
from model.sentence_encoder import sentence_encoder
from model.shape import EMBEDDING, EMBEDDING_WIDTH
from model.training.stages import keep, last_epoch, progress

_EVALUATION_BATCH = 128


class SemanticTrainer:
    """Fits encoder and head on piece rows; goes on from its last checkpoint after a kill."""

    def __init__(self, embedding: np.ndarray, encoder_weights: dict[str, np.ndarray], categories: int, seed: int):
        """``embedding``: float32 (rows, 512) without the padding row; ``encoder_weights`` by weight path."""
        keras.utils.set_random_seed(seed)
        self.seed = seed
        rows = keras.Input((None,), dtype="int32", name="semantic_rows")
        sentence, _ = sentence_encoder(rows, len(embedding))
        x = layers.Rescaling(SEMANTIC_GAIN, name="semantic_gain")(sentence)
        x = layers.Dropout(0.3, seed=seed)(x)
        self.model = keras.Model(rows, layers.Dense(categories, name="semantic_logits")(x))
        for weight in self.model.weights:
            if weight.path in encoder_weights:
                weight.assign(encoder_weights[weight.path])
        padded = np.concatenate([np.zeros((1, EMBEDDING_WIDTH), np.float32), embedding])
        self.model.get_layer(EMBEDDING).embeddings.assign(padded)
        self._predict = tf.function(
            lambda rows: self.model(rows, training=False), input_signature=[tf.TensorSpec((None, None), tf.int32)]
        )

    def fit(
        self,
        short: list[np.ndarray],
        long: list[np.ndarray],
        targets: np.ndarray,
        sample_weights: np.ndarray,
        folder: Path,
        epochs: int,
        rate: float,
        batch: int = 64,
        smoothing: float = 0.1,
        most_pieces: int = 1_000,
    ) -> None:
        """``short`` and ``long``: rows of designation alone and with description (the same where there is none).

        Each epoch reads each listing once, long or short by chance, some with pieces missing, ``most_pieces`` at
        most. A checkpoint is written to ``folder`` after each epoch.
        """
        n, categories = len(targets), self.model.output_shape[-1]
        steps = -(-n // batch)
        optimizer = keras.optimizers.Adam(rate)
        optimizer.build(self.model.trainable_variables)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None)
        one_hot = np.eye(categories, dtype=np.float32)

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((None, categories)),
                tf.TensorSpec((None,)),
            ]
        )
        def step(rows, wanted, weights):
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(weights * loss(wanted, self.model(rows, training=True)))
            variables = self.model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
            return value

        warm_up = min(100, max(1, epochs * steps // 5))
        first = self._resume(folder, optimizer)
        bar = progress(folder.name, " texts")(total=epochs * n, initial=first * n)
        for epoch in range(first, epochs):
            total = 0.0
            random = np.random.default_rng((self.seed, epoch))
            texts = [long[i] if random.random() < 0.5 else short[i] for i in range(n)]
            texts = [_cut(text, most_pieces) for text in texts]
            for k, chosen in enumerate(_batches([len(t) for t in texts], batch, random)):
                done = (epoch * steps + k) / (epochs * steps)
                optimizer.learning_rate.assign(rate * min(1.0, (epoch * steps + k) / warm_up) * (1 - 0.95 * done))
                read = [_drop_pieces(texts[i], random) for i in chosen]
                total += float(step(pad(read), one_hot[targets[chosen]], sample_weights[chosen].astype(np.float32)))
                bar.update(len(chosen))
            self._checkpoint(folder, epoch + 1, optimizer)
            bar.set_postfix(epoch=f"{epoch + 1}/{epochs}", loss=f"{total / steps:.3f}")
        bar.close()

    def logits(self, rows: list[np.ndarray]) -> np.ndarray:
        """Unscaled terms, float32 (texts, categories)."""
        out = np.zeros((len(rows), self.model.output_shape[-1]), np.float32)
        order = np.argsort([len(r) for r in rows], kind="stable")
        for start in range(0, len(order), _EVALUATION_BATCH):
            batch = order[start : start + _EVALUATION_BATCH]
            out[batch] = self._predict(tf.constant(pad([rows[i] for i in batch]))).numpy()
        return out

    def weights(self) -> dict[str, np.ndarray]:
        """Fitted weights by path, the frozen embedding left out; the head is centred over categories."""
        values = {w.path: np.asarray(w) for w in self.model.weights if not w.path.startswith(EMBEDDING)}
        values = {path: value for path, value in values.items() if path.startswith("semantic")}
        for path in ("semantic_logits/kernel", "semantic_logits/bias"):
            values[path] = values[path] - values[path].mean(axis=-1, keepdims=True)
        return values

    def _state(self, optimizer) -> list:
        """All that a run goes on from: weights, the state of dropout, the optimizer's moments."""
        return [*(v for v in self.model.variables if not v.path.startswith(EMBEDDING)), *optimizer.variables]

    def _checkpoint(self, folder: Path, epoch: int, optimizer) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        state = self._state(optimizer)
        keep(folder / f"epoch{epoch}.npz", **{f"arr_{i}": np.asarray(v) for i, v in enumerate(state)})
        (folder / f"epoch{epoch - 1}.npz").unlink(missing_ok=True)

    def _resume(self, folder: Path, optimizer) -> int:
        epoch = last_epoch(folder)
        if not epoch:
            return 0
        with np.load(folder / f"epoch{epoch}.npz", allow_pickle=False) as arrays:
            for variable, name in zip(self._state(optimizer), arrays.files, strict=True):
                variable.assign(arrays[name])
        return epoch


def _batches(lengths: list[int], batch: int, random: np.random.Generator) -> list[np.ndarray]:
    """Batches of similar length, in random order: little padding without a fixed curriculum."""
    order, size = random.permutation(len(lengths)), batch * 50
    batches = []
    for start in range(0, len(order), size):
        part = sorted(order[start : start + size], key=lambda i: lengths[i])
        batches += [np.array(part[i : i + batch]) for i in range(0, len(part), batch)]
    return [batches[i] for i in random.permutation(len(batches))]


def _cut(rows: np.ndarray, most: int) -> np.ndarray:
    """The first of too many pieces; the end mark stays."""
    return rows if len(rows) <= most else np.append(rows[: most - 1], rows[-1])


def _drop_pieces(rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cuts three texts of ten short and leaves a tenth of the pieces out of most; begin and end marks stay."""
    if len(rows) > 6 and random.random() < 0.3:
        rows = np.append(rows[: int(len(rows) * random.uniform(0.4, 1.0))], rows[-1])
    if random.random() > 0.7:
        return rows
    kept = random.random(len(rows)) > 0.1
    kept[0] = kept[-1] = True
    return rows[kept]
