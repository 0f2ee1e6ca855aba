"""Puts what was learned into a bundle: its weights moved, everything else as it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model.adaptation.spaces import PictureWeights, TextWeights
from model.bundle import Bundle, read_bundle_and_weights, read_embedding_rows, save_bundle
from model.network import SEMANTIC_GAIN
from model.shape import LEXICAL_TABLE, NetworkShape

_LEXICAL, _SEMANTIC, _PICTURE = "lexical/factor", "semantic/factor", "image_head_scaled/factor"


def moved(
    weights: dict[str, np.ndarray], shape: NetworkShape, text: TextWeights, picture: PictureWeights | None
) -> tuple[dict[str, np.ndarray], NetworkShape]:
    """The weights by path with these added, and the shape they have: a head over pictures is made where there is none.

    What is added is in logits, and a branch's terms are multiplied by its factor.
    """
    weights = dict(weights)
    _add(weights, _LEXICAL, {LEXICAL_TABLE: text.words})
    head = {"semantic_logits/kernel": text.sentence / SEMANTIC_GAIN, "semantic_logits/bias": text.intercept}
    _add(weights, _SEMANTIC, head)
    if picture is None:
        return weights, shape
    head = {"image_head/kernel": picture.kernel, "image_head/bias": picture.bias}
    if not shape.image_head:
        weights[_PICTURE] = np.float32(1.0)
        weights |= {path: np.zeros(value.shape, np.float32) for path, value in head.items()}
    _add(weights, _PICTURE, head)
    return weights, replace(shape, image_head=True)


def save(
    out: Path, parent: Path, name: str, manifest: dict[str, Any], seen: np.ndarray | None,
    text: TextWeights, picture: PictureWeights | None,
) -> dict[str, Any]:  # fmt: skip
    """Writes the parent with what is added to it, without its reports, which are about other weights; gives the
    manifest. ``seen``: uint64 (n,)."""
    bundle: Bundle
    bundle, weights = read_bundle_and_weights(parent)
    weights, shape = moved(weights, bundle.shape, text, picture)
    taxonomy_csv, imagenet_csv = (
        (parent / file).read_text(encoding="utf-8") for file in ("taxonomy.csv", "imagenet_categories.csv")
    )
    return save_bundle(
        out, name, taxonomy_csv, imagenet_csv, bundle.lexical, bundle.pieces, read_embedding_rows(parent),
        shape, {path: np.asarray(value, np.float32) for path, value in weights.items()}, manifest, {}, seen,
    )  # fmt: skip


def _add(weights: dict[str, np.ndarray], factor: str, added: dict[str, np.ndarray]) -> None:
    """Adds in logits; a branch whose factor silences it starts from nothing."""
    times = float(weights[factor])
    if not times:
        times, weights[factor] = 1.0, np.float32(1.0)
        weights |= {path: np.zeros_like(weights[path]) for path in added}
    for path, value in added.items():
        weights[path] = (weights[path] + value / times).astype(np.float32)
