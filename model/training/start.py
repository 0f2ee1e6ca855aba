"""What a training starts from: the parts of a bundle that are there already, the shipped one unless named.

Its encoder has read tens of thousands of listings and its picture side is pretrained: a few thousand labelled
products go a longer way from there than from the pretrained parts alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.bundle import QuantizedRows, read_bundle_and_weights, read_embedding_rows
from model.pieces import PieceVocabulary
from model.shape import EMBEDDING, SEMANTIC_TABLE
from model.taxonomy import Taxonomy

_HEAD = "semantic_logits"


@dataclass(frozen=True)
class Start:
    """``encoder`` and ``backbone``: weights by path. ``embedding``: float32 (rows, 512), without the padding row.

    ``image_table`` is what the table of ImageNet classes weighs there. ``head`` says whether the encoder's weights
    hold the head of the very categories that are wanted.
    """

    version: str
    pieces: PieceVocabulary
    rows: QuantizedRows
    embedding: np.ndarray
    encoder: dict[str, np.ndarray]
    backbone: dict[str, np.ndarray]
    shape_backbone: str
    image_table: float
    head: bool
    imagenet_csv: str
    parts: list[dict[str, str]]


def start_from(folder: Path, taxonomy: Taxonomy) -> Start:
    """Reads the parts of a bundle; `model.bundle.BundleError` when it is refused."""
    bundle, weights = read_bundle_and_weights(folder)
    same = bundle.taxonomy.codes == taxonomy.codes
    encoder = {path: value for path, value in weights.items() if path.startswith("semantic_")}
    encoder = {path: value for path, value in encoder.items() if not path.startswith(EMBEDDING)}
    if not same:
        encoder = {path: value for path, value in encoder.items() if not path.startswith(_HEAD)}
    made_here = ("image_categories/", "image_scaled/", "image_head")
    return Start(
        version=bundle.version,
        pieces=bundle.pieces,
        rows=read_embedding_rows(folder),
        embedding=weights[SEMANTIC_TABLE][1:],
        encoder=encoder,
        backbone={p: v for p, v in weights.items() if p.startswith("image_") and not p.startswith(made_here)},
        shape_backbone=bundle.shape.backbone,
        image_table=float(weights["image_scaled/factor"]),
        head=same,
        imagenet_csv=(folder / "imagenet_categories.csv").read_text(encoding="utf-8"),
        parts=bundle.manifest.get("parts", []),
    )
