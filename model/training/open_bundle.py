"""The model that ships: trained on the open corpus and pretrained parts alone, from fixed seeds.

Twice over: once without the held-out pens and concepts, to weigh and calibrate the branches and to measure;
once on everything, for the weights that ship. Each stage is kept in ``work`` and not computed again.
"""

import json
import platform
import time
from collections import Counter
from dataclasses import asdict, dataclass
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
from model.lexical import LexicalVocabulary, masked
from model.lexical_input import LexicalInput
from model.network import build_network
from model.pieces import PieceVocabulary
from model.reading import ReadText, read_text
from model.shape import BIAS, LEXICAL_TABLE, NetworkShape
from model.smoke import add_smoke
from model.taxonomy import DEFAULT_PATH, Taxonomy
from model.training import corpus
from model.training.backbone_graph import lay_in
from model.training.fusion import Fusion, fit_fusion
from model.training.lexical import LexicalFit, as_matrix, fit_lexical
from model.training.pretrained import backbone_weights, sentence_encoder_parts
from model.training.semantic import SemanticTrainer
from model.training.stages import keep as keep_stage
from model.training.stages import key

# What decides the outcome of a stage beside corpus and recipe: a change in one of these makes old stages useless.
STAGE_SOURCES = (
    "preprocessing/text.py",
    *(f"model/{name}.py" for name in ("lexical", "lexical_input", "pieces", "reading", "layers", "sentence_encoder")),
    *(f"model/training/{name}.py" for name in ("corpus", "lexical", "semantic", "pretrained")),
)
PACKAGES = ("keras", "numpy", "scikit-learn")
IMAGENET_CATEGORIES = Path(__file__).parents[1] / "imagenet_categories.csv"


CAUTION = (
    "the recipe was chosen by trying variants on voices b, f, j and k, three of which are measured here: these numbers "
    "are optimistic even for listings written like these"
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome, beside the corpus and the pretrained parts."""

    seed: int = 20
    regularization: float = 0.6
    shortened: tuple[float, float] = (0.3, 0.7)
    epochs: int = 5
    rate: float = 1.5e-3
    image_weight: float = 0.7
    coverage: float = 0.9
    threshold: float = 0.6
    held_out_voices: tuple[str, ...] = ("b", "f", "j", "w")
    held_out_concepts: float = 0.08


@dataclass(frozen=True)
class Data:
    """Rows of the corpus as the branches read them. ``weights``: how much a row counts, mean 1."""

    rows: list[corpus.Listing]
    titles: list[ReadText]
    texts: list[ReadText]
    targets: np.ndarray
    weights: np.ndarray
    title_pieces: list[np.ndarray]
    text_pieces: list[np.ndarray]

    def take(self, chosen: np.ndarray) -> "Data":
        """The rows where ``chosen`` is true."""
        places = np.flatnonzero(chosen)
        lists = (self.rows, self.titles, self.texts, self.title_pieces, self.text_pieces)
        rows, titles, texts, title_pieces, text_pieces = ([part[i] for i in places] for part in lists)
        return Data(rows, titles, texts, self.targets[places], self.weights[places], title_pieces, text_pieces)

    @property
    def described(self) -> np.ndarray:
        return np.array([bool(row.description) for row in self.rows])


def train_open(out: Path, work: Path, recipe: Recipe | None = None) -> dict[str, Any]:
    """Trains, measures and writes the open bundle; gives its manifest. ``work`` keeps the stages."""
    recipe, started = recipe or Recipe(), time.monotonic()
    taxonomy_csv = DEFAULT_PATH.read_text(encoding="utf-8")
    taxonomy = Taxonomy.from_csv(taxonomy_csv)
    sentencepiece_model, quantized, encoder_weights = sentence_encoder_parts()
    pieces = PieceVocabulary.for_folded_text(sentencepiece_model)
    rows = quantized.take(pieces.kept)
    data = _read(taxonomy, pieces)
    print(f"{len(data.rows)} listings read, {time.monotonic() - started:.0f} s")
    stages = work / key(corpus.fingerprint(data.rows), recipe, STAGE_SOURCES, PACKAGES)
    stages.mkdir(parents=True, exist_ok=True)

    def semantic_trainer(part: Data, folder: Path) -> SemanticTrainer:
        trainer = SemanticTrainer(rows.values(), encoder_weights, len(taxonomy), recipe.seed)
        trainer.fit(part.title_pieces, part.text_pieces, part.targets, part.weights, folder, recipe.epochs, recipe.rate)
        return trainer

    held = corpus.held_out(data.rows, frozenset(recipe.held_out_voices), recipe.held_out_concepts, recipe.seed)
    log_prior = np.log(bundles.prior(taxonomy))
    trial = stages / "trial.npz"
    if not trial.exists():
        seen, unseen = data.take(~held), data.take(held)
        lexical_terms = _terms(_lexical(seen, len(taxonomy), recipe, stages / "trial-lexical.npz"), unseen.texts)
        semantic_terms = semantic_trainer(seen, stages / "trial-semantic").logits(unseen.text_pieces)
        keep_stage(trial, lexical=lexical_terms, semantic=semantic_terms)
    with np.load(trial, allow_pickle=False) as arrays:
        lexical_terms, semantic_terms = arrays["lexical"], arrays["semantic"]
    fusion, metrics, quantile = _measure(data, taxonomy.codes, held, lexical_terms, semantic_terms, log_prior, recipe)
    print(json.dumps(metrics["overall"], indent=1))
    lexical = _lexical(data, len(taxonomy), recipe, stages / "lexical.npz")
    trainer = semantic_trainer(data, stages / "semantic")
    shape = NetworkShape(len(taxonomy), len(lexical.vocabulary), len(pieces.kept))
    imagenet_csv = IMAGENET_CATEGORIES.read_text(encoding="utf-8")
    prior = bundles.prior(taxonomy)
    network = build_network(shape, bundles.read_imagenet_table(imagenet_csv, taxonomy), prior)
    values = trainer.weights() | backbone_weights(shape.backbone)
    values[LEXICAL_TABLE] = lexical.table
    values["lexical/factor"] = np.float32(fusion.lexical)
    values["semantic/factor"] = np.float32(fusion.semantic)
    values["image_scaled/factor"] = np.float32(recipe.image_weight)
    values[BIAS] = (fusion.prior * (log_prior - log_prior.mean())).astype(np.float32)
    lay_in(network, values)
    print(f"trained, {(time.monotonic() - started) / 60:.1f} min")
    manifest = bundles.save_bundle(
        out, "open", taxonomy_csv, imagenet_csv, LexicalInput(lexical.vocabulary), pieces, rows, shape,
        {w.path: np.asarray(w) for w in network.whole.weights},
        _manifest(data, recipe, fusion, quantile), {},
    )  # fmt: skip
    bundles.add_report(out, "metrics", metrics | {"model": manifest["version"]})
    add_smoke(out)
    return manifest


def _read(taxonomy: Taxonomy, pieces: PieceVocabulary) -> Data:
    rows = corpus.read_corpus()
    titles = [read_text(row.designation, None) for row in rows]
    texts = [
        read_text(row.designation, row.description) if row.description else title
        for row, title in zip(rows, titles, strict=True)
    ]
    targets = np.array([taxonomy.index(row.code) for row in rows])
    # Rows count so that categories have the shares of the catalogue, which the corpus does not have.
    weights = bundles.prior(taxonomy)[targets] / (np.bincount(targets) / len(rows))[targets]
    title_pieces = [pieces.encode(text.sentence) for text in titles]
    text_pieces = [pieces.encode(text.sentence) for text in texts]
    return Data(rows, titles, texts, targets, weights / weights.mean(), title_pieces, text_pieces)


def _lexical(data: Data, categories: int, recipe: Recipe, path: Path) -> LexicalFit:
    """The fit on designations, whole and cut short, and on designations with descriptions; kept at ``path``."""
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            words, characters = (bytes(arrays[n]).decode().split("\n") for n in ("words", "characters"))
            return LexicalFit(LexicalVocabulary(words, characters, arrays["idf"]), arrays["table"])
    started, described = time.monotonic(), data.described
    titles = [masked(t.tokens) for t in data.titles]
    documents = titles + [masked(text.tokens) for text, keep in zip(data.texts, described, strict=True) if keep]
    # A third reading of each listing, its designation cut short: what a product is stands first.
    random = np.random.default_rng(recipe.seed)
    parts = random.uniform(*recipe.shortened, len(titles))
    documents += [words[: max(2, round(len(words) * p))] for words, p in zip(titles, parts, strict=True)]
    targets = np.concatenate([data.targets, data.targets[described], data.targets])
    weights = np.concatenate([data.weights, data.weights[described], data.weights])
    fit = fit_lexical(documents, targets, weights, categories, recipe.regularization, recipe.seed)
    vocabulary = fit.vocabulary
    words, characters = ("\n".join(t).encode() for t in (vocabulary.words, vocabulary.characters))
    keep_stage(
        path,
        words=np.frombuffer(words, np.uint8),
        characters=np.frombuffer(characters, np.uint8),
        idf=vocabulary.idf[2:],
        table=fit.table,
    )
    print(f"lexical: {len(vocabulary)} rows, {time.monotonic() - started:.0f} s")
    return fit


def _terms(fit: LexicalFit, texts: list[ReadText]) -> np.ndarray:
    """The lexical branch's terms as the classifier reads a text, float32 (texts, categories)."""
    reader = LexicalInput(fit.vocabulary)
    return np.asarray(as_matrix([reader.encode(text) for text in texts], len(reader)) @ fit.table)


def _measure(
    data: Data,
    codes: tuple[int, ...],
    held: np.ndarray,
    lexical: np.ndarray,
    semantic: np.ndarray,
    log_prior: np.ndarray,
    recipe: Recipe,
) -> tuple[Fusion, dict[str, Any], float]:
    """Fits the fusion on held-out rows of new concepts, in two halves that judge each other; then on both."""
    unseen, shares = data.take(held), np.exp(log_prior)
    truth, categories = unseen.targets, len(shares)
    new = corpus.new_concepts(data.rows, held)[held]
    weights = (shares / np.maximum(1, np.bincount(truth, minlength=categories)))[truth]
    half = corpus.held_out(unseen.rows, frozenset(), 0.5, recipe.seed + 1)
    probabilities, quantiles = np.zeros_like(lexical), np.zeros(len(truth))
    for part in (half, ~half):
        fit = new & ~part
        fusion = fit_fusion(lexical[fit], semantic[fit], truth[fit], weights[fit], log_prior)
        probabilities[part] = _softmax(fusion.logits(lexical[part], semantic[part], log_prior))
        fitted = _softmax(fusion.logits(lexical[fit], semantic[fit], log_prior))
        quantiles[part] = calibration.conformal_quantile(fitted, truth[fit], recipe.coverage, weights[fit])
    fusion = fit_fusion(lexical[new], semantic[new], truth[new], weights[new], log_prior)
    other_pen = np.isin([row.voice for row in unseen.rows], recipe.held_out_voices)
    facts = RowFacts(
        has_text=np.ones(new.sum(), bool),
        has_image=np.zeros(new.sum(), bool),
        described=unseen.described[new],
        words=np.array([len(text.tokens) for text, chosen in zip(unseen.texts, new, strict=True) if chosen]),
        language=[row.language for row, chosen in zip(unseen.rows, new, strict=True) if chosen],
    )
    metrics = report(
        probabilities[new], truth[new], codes, facts, _about(data, int(new.sum())),
        quantile=quantiles[new], coverage=recipe.coverage, weights=weights[new],
        branches={"lexical": lexical[new], "semantic": semantic[new]},
    )  # fmt: skip
    for name, chosen in (("all_held_out", np.ones(len(truth), bool)), ("other_voices", other_pen)):
        metrics["subsets"][name] = scores(probabilities[chosen], truth[chosen], weights[chosen])
    quantile = calibration.conformal_quantile(probabilities[new], truth[new], recipe.coverage, weights[new])
    return fusion, metrics, quantile


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


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
