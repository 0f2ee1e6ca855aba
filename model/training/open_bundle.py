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
from model.lexical import LexicalVocabulary
from model.network import NetworkShape, build_network
from model.pieces import PieceVocabulary
from model.reading import ReadText, read_text
from model.taxonomy import DEFAULT_PATH, Taxonomy
from model.training import corpus
from model.training.fusion import Fusion, fit_fusion
from model.training.lexical import LexicalFit, fit_lexical
from model.training.pretrained import backbone_weights, sentence_encoder_parts
from model.training.semantic import SemanticTrainer

IMAGENET_CATEGORIES = Path(__file__).parents[1] / "imagenet_categories.csv"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome, beside the corpus and the pretrained parts."""

    seed: int = 20
    regularization: float = 0.5
    epochs: int = 3
    rate: float = 5e-4
    image_weight: float = 0.5
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
    name = corpus.fingerprint(data.rows)[:12]
    stages = work / f"{name}-{bundles.hashlib.sha256(json.dumps(asdict(recipe)).encode()).hexdigest()[:8]}"
    stages.mkdir(parents=True, exist_ok=True)

    def semantic_trainer(part: Data, folder: Path) -> SemanticTrainer:
        trainer = SemanticTrainer(rows.values(), encoder_weights, len(taxonomy), recipe.seed)
        trainer.fit(
            part.title_pieces, part.text_pieces, part.targets, part.weights, folder, recipe.epochs, recipe.rate
        )
        return trainer

    held = corpus.held_out(data.rows, frozenset(recipe.held_out_voices), recipe.held_out_concepts, recipe.seed)
    log_prior = np.log(bundles.prior(taxonomy))
    trial = stages / "trial.npz"
    if not trial.exists():
        seen, unseen = data.take(~held), data.take(held)
        _, lexical_terms = _lexical(seen, recipe, stages / "trial-lexical.npz", unseen)
        semantic_terms = semantic_trainer(seen, stages / "trial-semantic").logits(_pieces_read(unseen))
        np.savez(trial, lexical=lexical_terms, semantic=semantic_terms)
    with np.load(trial, allow_pickle=False) as arrays:
        lexical_terms, semantic_terms = arrays["lexical"], arrays["semantic"]
    fusion, metrics, quantile = _measure(data.take(held), lexical_terms, semantic_terms, log_prior, recipe)
    print(json.dumps(metrics["held_out"], indent=1))
    lexical, _ = _lexical(data, recipe, stages / "lexical.npz")
    trainer = semantic_trainer(data, stages / "semantic")
    shape = NetworkShape(len(taxonomy), len(lexical.vocabulary), len(pieces.kept))
    imagenet_csv = IMAGENET_CATEGORIES.read_text(encoding="utf-8")
    prior = bundles.prior(taxonomy)
    network = build_network(shape, bundles.read_imagenet_table(imagenet_csv, taxonomy), prior)
    values = trainer.weights() | backbone_weights(shape.backbone)
    values[bundles.LEXICAL_TABLE] = lexical.table
    values["lexical/factor"] = np.float32(fusion.lexical)
    values["semantic/factor"] = np.float32(fusion.semantic)
    values["image_scaled/factor"] = np.float32(recipe.image_weight)
    values["bias/bias"] = (fusion.prior * (log_prior - log_prior.mean())).astype(np.float32)
    for weight in network.whole.weights:
        if weight.path in values:
            weight.assign(values.pop(weight.path))
    if values:
        raise ValueError(f"weights without a place: {sorted(values)}")
    print(f"trained, {(time.monotonic() - started) / 60:.1f} min")
    return bundles.save_bundle(
        out, "open", taxonomy_csv, imagenet_csv, lexical.vocabulary, pieces, rows, shape, network,
        _manifest(data, recipe, fusion, quantile), {"metrics": metrics},
    )  # fmt: skip


def _read(taxonomy: Taxonomy, pieces: PieceVocabulary) -> Data:
    rows = corpus.read_corpus()
    titles = [read_text(row.designation, None) for row in rows]
    texts = [
        read_text(row.designation, row.description) if row.description else title
        for row, title in zip(rows, titles, strict=True)
    ]
    targets = np.array([taxonomy.index(row.code) for row in rows])
    # Half way from the corpus' shares to the catalogue's: common categories count more, rare ones keep a voice.
    weights = np.sqrt(bundles.prior(taxonomy)[targets] / (np.bincount(targets) / len(rows))[targets])
    title_pieces = [pieces.encode(text.sentence) for text in titles]
    text_pieces = [pieces.encode(text.sentence) for text in texts]
    return Data(rows, titles, texts, targets, weights / weights.mean(), title_pieces, text_pieces)


def _lexical(data: Data, recipe: Recipe, path: Path, unseen: Data | None = None) -> tuple[LexicalFit, np.ndarray]:
    """The fit on designations and on designations with descriptions, and its terms for ``unseen``."""
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            words, characters = (bytes(arrays[n]).decode().split("\n") for n in ("words", "characters"))
            fit = LexicalFit(LexicalVocabulary(words, characters, arrays["idf"]), arrays["table"])
    else:
        started, described = time.monotonic(), data.described
        documents = [t.tokens for t in data.titles]
        documents += [text.tokens for text, keep in zip(data.texts, described, strict=True) if keep]
        targets = np.concatenate([data.targets, data.targets[described]])
        weights = np.concatenate([data.weights, data.weights[described]])
        fit = fit_lexical(documents, targets, weights, recipe.regularization, recipe.seed)
        vocabulary = fit.vocabulary
        words, characters = ("\n".join(t).encode() for t in (vocabulary.words, vocabulary.characters))
        np.savez(
            path,
            words=np.frombuffer(words, np.uint8),
            characters=np.frombuffer(characters, np.uint8),
            idf=vocabulary.idf[2:],
            table=fit.table,
        )
        print(f"lexical: {len(vocabulary)} rows, {time.monotonic() - started:.0f} s")
    return fit, fit.logits(_tokens_read(unseen)) if unseen else np.zeros(0)


def _tokens_read(data: Data) -> list:
    """Each listing as moderators meet it: with its description where it has one."""
    return [text.tokens for text in data.texts]


def _pieces_read(data: Data) -> list[np.ndarray]:
    return data.text_pieces


def _measure(
    unseen: Data, lexical: np.ndarray, semantic: np.ndarray, log_prior: np.ndarray, recipe: Recipe
) -> tuple[Fusion, dict[str, Any], float]:
    """Fits the fusion on half the held-out concepts, measures on the other half, and the reverse; then on all."""
    truth = unseen.targets
    shares = np.exp(log_prior)
    weights = (shares / np.bincount(truth, minlength=len(shares)))[truth]
    half = corpus.held_out(unseen.rows, frozenset(), 0.5, recipe.seed + 1)
    probabilities = np.zeros_like(lexical)
    for part in (half, ~half):
        fusion = fit_fusion(lexical[~part], semantic[~part], truth[~part], weights[~part], log_prior)
        probabilities[part] = _softmax(fusion.logits(lexical[part], semantic[part], log_prior))
    fusion = fit_fusion(lexical, semantic, truth, weights, log_prior)
    voices = np.array([row.voice for row in unseen.rows])
    described = unseen.described

    def part(chosen: np.ndarray) -> dict[str, float]:
        return calibration.report(probabilities[chosen], truth[chosen], weights[chosen])

    other_pen = np.isin(voices, recipe.held_out_voices)
    f1, _ = calibration.f1_by_category(truth, probabilities.argmax(1), len(shares), weights)
    metrics = {
        "held_out": part(np.ones(len(truth), bool)),
        "other_voices": part(other_pen),
        "other_concepts": part(~other_pen),
        "designation_alone": part(~described),
        "with_description": part(described),
        "lexical_branch": calibration.report(_softmax(3 * lexical), truth, weights)["weighted_f1"],
        "semantic_branch": calibration.report(_softmax(semantic), truth, weights)["weighted_f1"],
        "f1_by_category": {str(row.code): round(float(value), 4) for row, value in _one_each(unseen, f1)},
        "weighting": "rows count so that categories have their published shares",
        "command": "make train-open",
    }
    quantile = calibration.conformal_quantile(probabilities, truth, recipe.coverage, weights)
    return fusion, metrics, quantile


def _one_each(data: Data, values: np.ndarray):
    first = {int(t): row for t, row in zip(data.targets, data.rows, strict=True)}
    return [(first[i], values[i]) for i in sorted(first)]


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


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
            **{name: version(name) for name in ("keras", "numpy", "scikit-learn")},
        },
    }
