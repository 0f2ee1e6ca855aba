"""The model that ships: trained on the open corpus and pretrained parts alone, from fixed seeds.

Twice over: once without the held-out pens and concepts, to weigh and calibrate the branches and to measure;
once on everything, for the weights that ship. Each stage is kept in ``work`` and not computed again.
"""

import json
import platform
import time
from collections import Counter
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from model import bundle as bundles
from model import calibration
from model.evaluation.facts import RowFacts
from model.evaluation.report import About, report
from model.evaluation.scores import scores
from model.lexical_input import LexicalInput
from model.network import build_network
from model.shape import BIAS, LEXICAL_TABLE, NetworkShape
from model.smoke import add_smoke
from model.training import corpus
from model.training.backbone_graph import lay_in
from model.training.fusion import Fusion
from model.training.open_trial import PACKAGES, Data, Judged, Recipe, Start, Trial, begin, judge, try_out
from model.training.pretrained import backbone_weights

IMAGENET_CATEGORIES = Path(__file__).parents[1] / "imagenet_categories.csv"


CAUTION = (
    "the recipe was chosen by trying variants on voices b, f, j and k, three of which are measured here: these numbers "
    "are optimistic even for listings written like these"
)


def train_open(out: Path, work: Path, recipe: Recipe | None = None) -> dict[str, Any]:
    """Trains, measures and writes the open bundle; gives its manifest. ``work`` keeps the stages."""
    recipe, started = recipe or Recipe(), time.monotonic()
    start = begin(recipe, work)
    data, taxonomy, log_prior = start.data, start.taxonomy, start.log_prior
    trial = try_out(start)
    judged = judge(start, trial)
    metrics = _measure(start, trial, judged)
    print(json.dumps(metrics["overall"], indent=1))
    lexical = start.lexical(data, "lexical")
    trainer = start.semantic_trainer(data, start.stages / "semantic")
    shape = NetworkShape(len(taxonomy), len(lexical.vocabulary), len(start.pieces.kept))
    imagenet_csv = IMAGENET_CATEGORIES.read_text(encoding="utf-8")
    prior = bundles.prior(taxonomy)
    network = build_network(shape, bundles.read_imagenet_table(imagenet_csv, taxonomy), prior)
    values = trainer.weights() | backbone_weights(shape.backbone)
    values[LEXICAL_TABLE] = lexical.table
    values["lexical/factor"] = np.float32(judged.fusion.lexical)
    values["semantic/factor"] = np.float32(judged.fusion.semantic)
    values["image_scaled/factor"] = np.float32(recipe.image_weight)
    values[BIAS] = (judged.fusion.prior * (log_prior - log_prior.mean())).astype(np.float32)
    lay_in(network, values)
    print(f"trained, {(time.monotonic() - started) / 60:.1f} min")
    new, truth = trial.new, trial.unseen.targets
    quantile = calibration.conformal_quantile(
        judged.probabilities[new], truth[new], recipe.coverage, judged.weights[new]
    )
    manifest = bundles.save_bundle(
        out, "open", start.taxonomy_csv, imagenet_csv, LexicalInput(lexical.vocabulary), start.pieces, start.rows,
        shape, {w.path: np.asarray(w) for w in network.whole.weights},
        _manifest(data, recipe, judged.fusion, quantile), {},
    )  # fmt: skip
    bundles.add_report(out, "metrics", metrics | {"model": manifest["version"]})
    add_smoke(out)
    return manifest


def _measure(start: Start, trial: Trial, judged: Judged) -> dict[str, Any]:
    """The report: of the held-out rows of new concepts, and in short of all, and of the other pens'."""
    unseen, new, probabilities, weights = trial.unseen, trial.new, judged.probabilities, judged.weights
    recipe, truth = start.recipe, trial.unseen.targets
    other_pen = np.isin([row.voice for row in unseen.rows], recipe.held_out_voices)
    facts = RowFacts(
        has_text=np.ones(new.sum(), bool),
        has_image=np.zeros(new.sum(), bool),
        described=unseen.described[new],
        words=np.array([len(text.tokens) for text, chosen in zip(unseen.texts, new, strict=True) if chosen]),
        language=[row.language for row, chosen in zip(unseen.rows, new, strict=True) if chosen],
    )
    metrics = report(
        probabilities[new], truth[new], start.taxonomy.codes, facts, _about(start.data, int(new.sum())),
        quantile=judged.quantiles[new], coverage=recipe.coverage, weights=weights[new],
        branches={"lexical": trial.lexical[new], "semantic": trial.semantic[new]},
    )  # fmt: skip
    for name, chosen in (("all_held_out", np.ones(len(truth), bool)), ("other_voices", other_pen)):
        metrics["subsets"][name] = scores(probabilities[chosen], truth[chosen], weights[chosen])
    return metrics


def _about(data: Data, rows: int) -> About:
    return About(
        command="make train-open",
        model="",  # named once the weights are there
        data={
            "name": "listings of new concepts in the open corpus",
            "rows": rows,
            "fingerprint": corpus.fingerprint(data.rows),
            "left_out": {"trained_on": len(data.rows) - rows},
        },
        weighting="rows count so that categories have their published shares",
        caution=CAUTION,
    )


def _manifest(data: Data, recipe: Recipe, fusion: Fusion, quantile: float) -> dict[str, Any]:
    return {
        "created": date.today().isoformat(),
        "settings": {
            "threshold": recipe.threshold,
            "coverage": recipe.coverage,
            "conformal_quantile": quantile,
        },
        "training": {
            "data": "open corpus: listings written for this project, no challenge data",
            "rows": len(data.rows),
            "fingerprint": corpus.fingerprint(data.rows),
            "by_voice": dict(sorted(Counter(row.voice for row in data.rows).items())),
            "by_language": dict(Counter(row.language for row in data.rows).most_common()),
            "recipe": asdict(recipe),
            "fusion": asdict(fusion),
        },
        "parts": [
            {"name": "Universal Sentence Encoder multilingual v3", "licence": "Apache-2.0", "role": "semantic"},
            {"name": "EfficientNet-Lite0, ImageNet-1k", "licence": "Apache-2.0", "role": "image"},
        ],
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }
