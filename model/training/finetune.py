"""Fits the last blocks of the backbone to the categories; worth its time on a GPU."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from model.network import Network
from model.training.stages import keep, last_epoch, progress
from preprocessing.image import ImageError, prepare

_BATCH = 32
_RATE = 3e-4
_SMOOTHING = 0.1


def finetune(
    network: Network,
    size: int,
    paths: Sequence[str],
    targets: np.ndarray,
    blocks: int,
    epochs: int,
    seed: int,
    folder: Path,
) -> dict[str, np.ndarray]:
    """Weights of the last ``blocks`` blocks and of the top, by path, fitted with a head that is thrown away.

    Batch statistics stay as they are. Pictures that cannot be read are passed over. An epoch that is done is kept in
    ``folder``.
    """
    keras.utils.set_random_seed(seed)
    whole = network.whole
    pooled = whole.get_layer("image_pool").output
    categories = whole.output["logits"].shape[-1]
    logits = layers.Dense(categories, name="tuning_head")(layers.Dropout(0.2, seed=seed)(pooled))
    model = keras.Model(whole.get_layer("image").output, logits)
    tuned = _choose(model, blocks)
    optimizer = keras.optimizers.Adam(_RATE)
    optimizer.build(model.trainable_variables)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING)
    one_hot, steps = np.eye(categories, dtype=np.float32), -(-len(paths) // _BATCH)

    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3)), tf.TensorSpec((None, categories))])
    def step(images, wanted):
        with tf.GradientTape() as tape:
            value = loss(wanted, model(images, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    state = [*model.variables, *optimizer.variables]
    first = _resume(folder, state)
    bar = progress("finetuning", " pictures")(total=epochs * len(paths), initial=first * len(paths))
    with bar:
        for epoch in range(first, epochs):
            random, total = np.random.default_rng((seed, epoch)), 0.0
            for k, (images, chosen) in enumerate(_batches(paths, size, random)):
                done = (epoch * steps + k) / (epochs * steps)
                optimizer.learning_rate.assign(_RATE * min(1.0, 20 * done + 0.05) * (1 - 0.95 * done))
                total += float(step(images, one_hot[targets[chosen]]))
                bar.update(len(chosen))
            folder.mkdir(parents=True, exist_ok=True)
            keep(folder / f"epoch{epoch + 1}.npz", **{f"v{i}": np.asarray(v) for i, v in enumerate(state)})
            (folder / f"epoch{epoch}.npz").unlink(missing_ok=True)
            bar.set_postfix(epoch=f"{epoch + 1}/{epochs}", loss=f"{total / steps:.3f}")
    return {weight.path: np.asarray(weight) for weight in model.weights if weight.path.split("/")[0] in tuned}


def _choose(model: keras.Model, blocks: int) -> set[str]:
    """Lets the convolutions of the last blocks and of the top learn, and nothing else; gives their layers' names."""
    numbers = {int(found[1]) for layer in model.layers if (found := re.match(r"image_block(\d+)_", layer.name))}
    last = sorted(numbers)[max(0, len(numbers) - blocks) :]
    chosen = (*(f"image_block{number}_" for number in last), "image_top_")
    tuned = set()
    for layer in model.layers:
        learns = layer.name.startswith(chosen) and not isinstance(layer, layers.BatchNormalization)
        layer.trainable = learns or layer.name == "tuning_head"
        if learns and layer.weights:
            tuned.add(layer.name)
    return tuned


def _batches(paths: Sequence[str], size: int, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures float32 (batch, size, size, 3) in random order, half of them mirrored, with their places."""
    order = random.permutation(len(paths))

    def read(place: int) -> np.ndarray | None:
        try:
            return prepare(Path(paths[place]).read_bytes(), size).array
        except (ImageError, OSError):
            return None

    with ThreadPoolExecutor(4) as pool:
        chunks = [order[i : i + _BATCH] for i in range(0, len(order), _BATCH)]
        ahead = [pool.map(read, chunk) for chunk in chunks[:2]]
        for number, chunk in enumerate(chunks):
            found = list(ahead.pop(0))
            if number + 2 < len(chunks):
                ahead.append(pool.map(read, chunks[number + 2]))
            good = [i for i, image in enumerate(found) if image is not None]
            if good:
                images = np.stack([found[i][:, ::-1] if random.random() < 0.5 else found[i] for i in good])
                yield images.astype(np.float32), chunk[good]


def _resume(folder: Path, state: list) -> int:
    epoch = last_epoch(folder)
    if epoch:
        with np.load(folder / f"epoch{epoch}.npz", allow_pickle=False) as arrays:
            for i, variable in enumerate(state):
                variable.assign(arrays[f"v{i}"])
    return epoch
