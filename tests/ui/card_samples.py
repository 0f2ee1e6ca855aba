"""A report of the present form over made-up answers, and bundles around it: what the page about the model shows."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import softmax

from model.evaluation.facts import RowFacts
from model.evaluation.report import About, report
from model.taxonomy import Category, Taxonomy


@dataclass(frozen=True)
class Model:
    """As much of a classifier as the page asks for."""

    bundle: Any
    taxonomy: Taxonomy


def made_taxonomy(categories: int) -> Taxonomy:
    rows = [Category(10 * i, f"Rayon {i}", f"Aisle {i}", 100 * i, f"things *{i}*") for i in range(1, categories + 1)]
    return Taxonomy(tuple(rows))


def made_report(taxonomy: Taxonomy, rows: int = 1500, seed: int = 0) -> dict[str, Any]:
    """The report of answers that are mostly right; texts alone do worse, and the first category worst."""
    random, n = np.random.default_rng(seed), len(taxonomy)
    truth = np.concatenate([np.arange(n), random.integers(0, n, rows - n)])
    inputs = random.choice(["text", "image", "both"], rows, p=[0.5, 0.1, 0.4])
    logits = random.normal(0, 1, (rows, n))
    logits[np.arange(rows), truth] += np.where(inputs == "text", 2.0, 5.0)
    logits[truth == 0, 1] += 3.0
    probabilities = softmax(logits, axis=1)
    facts = RowFacts(
        has_text=inputs != "image",
        has_image=inputs != "text",
        described=inputs == "both",
        words=np.where(inputs == "text", 4, 200),
        language=random.choice(["fr", "en", "unknown"], rows, p=[0.7, 0.2, 0.1]).tolist(),
    )
    both = probabilities[inputs == "both"]
    blurred = softmax(np.log(both) + random.normal(0, 2, both.shape), axis=1)
    data = {"name": "made up", "rows": rows, "fingerprint": "ab12", "left_out": {"trained_on": 12}}
    about = About("python -m model evaluate", "made-0123456789", data | {"notices": {"no_picture": 4}})
    return report(
        probabilities,
        truth,
        taxonomy.codes,
        facts,
        replace(about, caution="drawn at random", created="2026-11-26", language_by="nobody"),
        quantile=0.85,
        coverage=0.9,
        same_rows={"text": blurred, "image": blurred, "both": both},
        subsets={"other_voices": inputs == "text"},
        branches={"lexical": probabilities, "semantic": probabilities},
    )


def made_manifest(taxonomy: Taxonomy, version: str) -> dict[str, Any]:
    return {
        "format_version": 1,
        "name": "made",
        "version": version,
        "created": "2026-11-25",
        "settings": {"threshold": 0.55, "coverage": 0.9, "conformal_quantile": 0.85},
        "training": {
            "data": "made-up *listings*",
            "rows": 4000,
            "fingerprint": "cd34",
            "with_picture": 0,
            "with_description": 2500,
            "by_language": {"fr": 3000, "en": 1000},
            "split": {"seed": 7, "test_share": 0.2, "fingerprint": "ef56", "train_rows": 3200, "test_rows": 800},
            "recipe": {"seed": 20, "rate": 0.0015, "shortened": [0.3, 0.7], "image": {"epochs": 3}},
            "fusion": {"lexical": 2.5},
            "left_out": {"bad_rows": 3, "no_text": 0},
        },
        "parts": [{"name": "EfficientNet-Lite0", "licence": "Apache-2.0", "role": "image"}],
        "versions": {"python": "3.11.7", "keras": "3.15.1"},
        "weaknesses": [{"fr": "Ne lit que le latin", "en": "Reads Latin letters only"}],
        "files": {"lexical.npz": {"bytes": 2_000_000}, "image.npz": {"bytes": 9_000_000}},
    }


def made_model(classifier: Any, manifest: dict[str, Any], reports: dict[str, Any], **changed: Any) -> Model:
    """The model that ships, said to be another one."""
    bundle = replace(classifier.bundle, manifest=manifest, reports=reports, **changed)
    return Model(bundle, bundle.taxonomy)


def nothing(value: Any) -> Any:
    """The same value with null in the place of each number and text."""
    if isinstance(value, dict):
        return {key: nothing(item) for key, item in value.items()}
    return [nothing(item) for item in value] if isinstance(value, list) else None
