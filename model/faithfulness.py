"""Do the reasons follow what the model does? Measures that need no human label, against chance."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from model.bundle import add_report
from model.calibration import mean_ranks
from model.classifier import Classifier
from model.explanation import Explainer
from model.loading import LoadedBundle, load_bundle
from model.planted import OBJECTS, alone, planted
from model.product import Product
from model.training.corpus import read_corpus

_GRID = 7
_PLACES = 6  # plantings of each object
_LISTINGS = 200
_RANDOM_ORDERS = 5


def pointing_hit(heat: np.ndarray, box: tuple[int, int, int, int], side: int) -> bool:
    """Whether ``heat`` (h, w), laid over a square of ``side``, is hottest inside ``box`` (Zhang et al. 2018)."""
    large = Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR)
    y, x = np.unravel_index(int(np.argmax(np.asarray(large))), (side, side))
    left, top, right, bottom = box
    return bool(left <= x < right and top <= y < bottom)


def area_under(curve: np.ndarray) -> float:
    """Mean height of a curve sampled evenly, by trapezoids."""
    return float(np.mean((curve[1:] + curve[:-1]) / 2))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's coefficient of two maps of one size, in [-1, 1]; 0 when one of them is constant."""
    ranks = [mean_ranks(x.ravel()) for x in (a, b)]
    if min(r.std() for r in ranks) == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def erased(array: np.ndarray, order: np.ndarray, ground: np.ndarray, insert: bool) -> np.ndarray:
    """Pictures in which the cells of a 7x7 grid go one by one, in ``order`` (49,): float32 (50, side, side, 3).

    Deletion starts from ``array`` and puts ``ground`` in; insertion the other way round (Petsiuk et al. 2018).
    """
    side = array.shape[0]
    edges = np.linspace(0, side, _GRID + 1).astype(int)
    start, other = (ground, array) if insert else (array, ground)
    steps = [start.astype(np.float32)]
    for cell in order:
        y, x = divmod(int(cell), _GRID)
        after = steps[-1].copy()
        region = np.s_[edges[y] : edges[y + 1], edges[x] : edges[x + 1]]
        after[region] = other[region]
        steps.append(after)
    return np.stack(steps)


def measure_into(folder: Path) -> dict[str, Any]:
    """Measures the bundle in ``folder`` and keeps the report in it; gives the report."""
    bundle = load_bundle(folder)
    result = {
        "command": "python -m model faithfulness",
        "picture": picture_faithfulness(bundle),
        "words": word_faithfulness(Classifier(bundle)),
    }
    add_report(folder, "faithfulness", result)
    print(result)
    return result


def picture_faithfulness(bundle: LoadedBundle, seed: int = 0) -> dict[str, float]:
    """Grad-CAM on planted objects: pointing, deletion and insertion against random orders, randomised weights.

    The category asked for is the one the image branch reads from the object alone.
    """
    random, side = np.random.default_rng(seed), bundle.shape.image_size
    explainer = Explainer(bundle)

    def probability(images: np.ndarray, index: int) -> np.ndarray:
        return tf.nn.softmax(bundle.network.picture(tf.constant(images, tf.float32), training=False)).numpy()[:, index]

    hits, areas, deletion, insertion, maps = [], [], [], [], []
    for name in OBJECTS:
        first = bundle.network.picture(tf.constant(alone(name, side)[None], tf.float32), training=False)
        index = int(np.argmax(first))
        for place in range(_PLACES):
            image, box = planted(name, side, random)
            _, heat = explainer.heatmap(image, index)
            areas.append((box[2] - box[0]) * (box[3] - box[1]) / side**2)
            hits.append(heat is not None and pointing_hit(heat, box, side))
            if heat is None:
                continue
            maps.append((image, index, heat))
            if place:  # one planting of each object for the curves: 50 pictures for each order
                continue
            ground = np.broadcast_to(image.mean(axis=(0, 1)), image.shape)
            orders = [np.argsort(-_to_grid(heat).ravel(), kind="stable")]
            orders += [random.permutation(_GRID**2) for _ in range(_RANDOM_ORDERS)]
            for curves, insert in ((deletion, False), (insertion, True)):
                found = [area_under(probability(erased(image, o, ground, insert), index)) for o in orders]
                curves.append((found[0], float(np.mean(found[1:]))))
    result = {
        "pointing_game": float(np.mean(hits)),
        "pointing_game_by_chance": float(np.mean(areas)),
        "pictures": len(hits),
        "pictures_without_evidence": len(hits) - len(maps),
        "deletion_auc": float(np.mean([d for d, _ in deletion])),
        "deletion_auc_random": float(np.mean([r for _, r in deletion])),
        "insertion_auc": float(np.mean([i for i, _ in insertion])),
        "insertion_auc_random": float(np.mean([r for _, r in insertion])),
    }
    result["rank_correlation_after_randomising"] = _randomised_correlation(bundle, maps, seed)
    return result


def word_faithfulness(classifier: Classifier, seed: int = 0) -> dict[str, float]:
    """Words on listings of the corpus: what taking out or keeping the strongest fifth does, against random words.

    Comprehensiveness and sufficiency after DeYoung et al. 2020: loss of probability of the first category when
    the words are taken out (higher is better), and when only they are kept (lower is better).
    """
    random = np.random.default_rng(seed)
    rows = read_corpus()
    rows = [rows[i] for i in random.permutation(len(rows))]
    rows = [row for row in rows if len(row.designation.split()) >= 5][:_LISTINGS]
    losses: dict[str, list[float]] = {name: [] for name in ("out", "out_random", "kept", "kept_random")}
    error = 0.0
    for row in rows:
        product = Product(designation=row.designation)
        first = classifier.predict([product])[0]
        explanation = classifier.explain(product, first.code)
        whole = explanation.image + explanation.bias + explanation.rest + sum(w.total for w in explanation.words)
        error = max(error, abs(whole - classifier.logits(product)[first.code]))
        words = explanation.words
        count = max(1, len(words) // 5)
        strongest = sorted(range(len(words)), key=lambda i: -words[i].total)[:count]
        chance = random.choice(len(words), count, replace=False).tolist()
        variants = []
        for chosen in (strongest, chance):
            spans = [(words[i].start, words[i].end) for i in sorted(chosen)]
            variants += [_without(row.designation, spans), " ".join(row.designation[a:b] for a, b in spans)]
        after = [
            next(c.probability for c in p.categories if c.code == first.code)
            for p in classifier.predict([Product(designation=v) for v in variants])
        ]
        for name, value in zip(("out", "kept", "out_random", "kept_random"), after, strict=True):
            losses[name].append(first.confidence - value)
    return {
        "data": "listings of the open corpus, which the model was trained on or started from",
        "listings": len(rows),
        "comprehensiveness": float(np.mean(losses["out"])),
        "comprehensiveness_random": float(np.mean(losses["out_random"])),
        "sufficiency": float(np.mean(losses["kept"])),
        "sufficiency_random": float(np.mean(losses["kept_random"])),
        "completeness_error": error,
    }


def _to_grid(heat: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(heat.astype(np.float32)).resize((_GRID, _GRID), Image.Resampling.BILINEAR))


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    kept, done = [], 0
    for start, end in spans:
        kept.append(text[done:start])
        done = end
    return "".join([*kept, text[done:]])


def _randomised_correlation(bundle: LoadedBundle, maps: list, seed: int) -> float:
    """Mean rank correlation with the maps after the layers of classes are drawn anew (Adebayo et al. 2018)."""
    layers = [layer for layer in bundle.network.whole.layers if layer.name in ("image_classes", "image_head")]
    kept = [layer.get_weights() for layer in layers]
    try:
        for layer, (kernel, bias) in zip(layers, kept, strict=True):
            initial = keras.initializers.RandomNormal(stddev=float(kernel.std()), seed=seed)
            layer.set_weights([np.asarray(initial(kernel.shape)), np.zeros_like(bias)])
        explainer = Explainer(bundle)
        pairs = [(heat, explainer.heatmap(image, index)[1]) for image, index, heat in maps]
    finally:
        for layer, weights in zip(layers, kept, strict=True):
            layer.set_weights(weights)
    return float(np.mean([0.0 if after is None else rank_correlation(before, after) for before, after in pairs]))
