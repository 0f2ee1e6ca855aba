"""Puts the fitted parts of a training into a bundle."""

import platform
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from model import bundle as bundles
from model.lexical_input import LexicalInput
from model.network import build_network
from model.shape import BIAS, LEXICAL_TABLE, NetworkShape
from model.taxonomy import Taxonomy
from model.training.backbone_graph import lay_in
from model.training.data import LabelledData
from model.training.fusion import Fusion
from model.training.parting import Parting
from model.training.picture_head import Head
from model.training.recipe import Recipe
from model.training.start import Start

_SOURCES = {
    "official": "the challenge's files",
    "table": "a labelled table",
    "decisions": "decisions of moderators",
}


@dataclass(frozen=True)
class Parts:
    """All that a trained network is made of. ``encoder`` and ``backbone``: weights by path."""

    name: str
    taxonomy: Taxonomy
    taxonomy_csv: str
    start: Start
    shape: NetworkShape
    lexical: LexicalInput
    table: np.ndarray
    encoder: dict[str, np.ndarray]
    backbone: dict[str, np.ndarray]
    head: Head | None
    prior: np.ndarray
    fusion: Fusion


def save(out: Path, parts: Parts, manifest: dict[str, Any], keys: np.ndarray) -> dict[str, Any]:
    """Writes the bundle; gives its manifest. ``keys``: uint64 of the rows trained on (`parting.Parting.keys`)."""
    imagenet_csv = parts.start.imagenet_csv if parts.start.head else _without_categories(parts.start.imagenet_csv)
    table = bundles.read_imagenet_table(imagenet_csv, parts.taxonomy)
    network = build_network(parts.shape, table, parts.prior)
    values = parts.encoder | parts.backbone
    values[LEXICAL_TABLE] = parts.table
    values["lexical/factor"] = np.float32(parts.fusion.lexical)
    values["semantic/factor"] = np.float32(parts.fusion.semantic)
    values["image_scaled/factor"] = np.float32(parts.fusion.image_table)
    if parts.head is not None:
        values["image_head/kernel"], values["image_head/bias"] = parts.head.kernel, parts.head.bias
        values["image_head_scaled/factor"] = np.float32(parts.fusion.image_head)
    log_prior = np.log(parts.prior)
    values[BIAS] = (parts.fusion.prior * (log_prior - log_prior.mean())).astype(np.float32)
    lay_in(network, values)
    return bundles.save_bundle(
        out, parts.name, parts.taxonomy_csv, imagenet_csv, parts.lexical, parts.start.pieces, parts.start.rows,
        parts.shape, {w.path: np.asarray(w) for w in network.whole.weights}, manifest, {}, keys,
    )  # fmt: skip


def manifest(
    data: LabelledData,
    parting: Parting,
    recipe: Recipe,
    start: Start,
    fusion: Fusion,
    quantile: float,
    found: dict[str, Any],
    fingerprint: str,
    packages: tuple[str, ...],
) -> dict[str, Any]:
    """What the bundle says of itself. ``found``: what the training chose by itself, and facts about the pictures."""
    rows = parting.training
    return {
        "created": date.today().isoformat(),
        "settings": {"threshold": recipe.threshold, "coverage": recipe.coverage, "conformal_quantile": quantile},
        "training": {
            "data": _SOURCES[data.source],
            "rows": len(rows),
            "with_picture": found.pop("with_picture"),
            "with_description": sum(bool(row.description) for row in rows),
            "rows_by_category": {str(code): count for code, count in sorted(Counter(row.code for row in rows).items())},
            "fingerprint": fingerprint,
            "split": {
                "seed": recipe.seed,
                "test_share": recipe.test_share,
                "fingerprint": parting.fingerprint,
                "train_rows": len(rows),
                "test_rows": int(parting.test.sum()),
                "rows_that_weigh_the_branches": int(parting.calibrating.sum()),
            },
            "left_out": data.notices,
            "start": start.version,
            "recipe": asdict(recipe),
            "chosen": found,
            "fusion": asdict(fusion),
        },
        "parts": start.parts,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def _without_categories(imagenet_csv: str) -> str:
    """The table of ImageNet classes for categories it was not written for: it says nothing."""
    return "\n".join(
        line if number == 0 else line.rpartition(",")[0] + "," for number, line in enumerate(imagenet_csv.splitlines())
    )
