"""What the open model is measured by: trained without the held-out pens and concepts, it answers these.

Each stage is kept in ``work`` and not computed again.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model import bundle as bundles
from model import calibration
from model.bundle_parts import QuantizedRows
from model.lexical import LexicalVocabulary, masked
from model.lexical_input import LexicalInput
from model.pieces import PieceVocabulary
from model.reading import ReadText, read_text
from model.taxonomy import DEFAULT_PATH, Taxonomy
from model.training import corpus
from model.training.fusion import Fusion, fit_fusion
from model.training.lexical import LexicalFit, as_matrix, fit_lexical
from model.training.pretrained import sentence_encoder_parts
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


@dataclass(frozen=True)
class Start:
    """What both trainings begin with; ``stages`` is the folder of what is done."""

    recipe: Recipe
    taxonomy_csv: str
    taxonomy: Taxonomy
    pieces: PieceVocabulary
    rows: QuantizedRows
    encoder_weights: dict[str, np.ndarray]
    data: Data
    stages: Path

    def semantic_trainer(self, part: Data, folder: Path) -> SemanticTrainer:
        """The semantic branch fitted on rows."""
        recipe = self.recipe
        trainer = SemanticTrainer(self.rows.values(), self.encoder_weights, len(self.taxonomy), recipe.seed)
        trainer.fit(part.title_pieces, part.text_pieces, part.targets, part.weights, folder, recipe.epochs, recipe.rate)
        return trainer

    def lexical(self, part: Data, name: str) -> LexicalFit:
        """The lexical branch fitted on rows, kept as the stage ``name``."""
        return _lexical(part, len(self.taxonomy), self.recipe, self.stages / f"{name}.npz")

    @property
    def log_prior(self) -> np.ndarray:
        """float64 (categories,)"""
        return np.log(bundles.prior(self.taxonomy))


@dataclass(frozen=True)
class Trial:
    """The held-out rows and what the branches say of them: float32 (held-out rows, categories).

    ``held``: bool (rows,); ``new``: which of the held-out ones are of concepts that were not seen, bool (held-out,).
    """

    held: np.ndarray
    unseen: Data
    new: np.ndarray
    lexical: np.ndarray
    semantic: np.ndarray


@dataclass(frozen=True)
class Judged:
    """The held-out rows as two halves judge each other; ``fusion`` is fitted on both.

    ``probabilities``: (held-out, categories); ``quantiles`` and ``weights``: (held-out,).
    """

    fusion: Fusion
    probabilities: np.ndarray
    quantiles: np.ndarray
    weights: np.ndarray


def begin(recipe: Recipe, work: Path) -> Start:
    """Reads the corpus and the pretrained parts."""
    started = time.monotonic()
    taxonomy_csv = DEFAULT_PATH.read_text(encoding="utf-8")
    taxonomy = Taxonomy.from_csv(taxonomy_csv)
    sentencepiece_model, quantized, encoder_weights = sentence_encoder_parts()
    pieces = PieceVocabulary.for_folded_text(sentencepiece_model)
    data = _read(taxonomy, pieces)
    print(f"{len(data.rows)} listings read, {time.monotonic() - started:.0f} s")
    stages = work / key(corpus.fingerprint(data.rows), recipe, STAGE_SOURCES, PACKAGES)
    stages.mkdir(parents=True, exist_ok=True)
    return Start(recipe, taxonomy_csv, taxonomy, pieces, quantized.take(pieces.kept), encoder_weights, data, stages)


def try_out(start: Start) -> Trial:
    """Trains without the held-out rows, and has them answered."""
    data, recipe = start.data, start.recipe
    held = corpus.held_out(data.rows, frozenset(recipe.held_out_voices), recipe.held_out_concepts, recipe.seed)
    unseen, trial = data.take(held), start.stages / "trial.npz"
    if not trial.exists():
        seen = data.take(~held)
        lexical_terms = _terms(start.lexical(seen, "trial-lexical"), unseen.texts)
        semantic_terms = start.semantic_trainer(seen, start.stages / "trial-semantic").logits(unseen.text_pieces)
        keep_stage(trial, lexical=lexical_terms, semantic=semantic_terms)
    with np.load(trial, allow_pickle=False) as arrays:
        lexical, semantic = arrays["lexical"], arrays["semantic"]
    return Trial(held, unseen, corpus.new_concepts(data.rows, held)[held], lexical, semantic)


def judge(start: Start, trial: Trial) -> Judged:
    """Fits the fusion on held-out rows of new concepts, in two halves that judge each other; then on both."""
    recipe, log_prior, lexical, semantic = start.recipe, start.log_prior, trial.lexical, trial.semantic
    truth, shares, new = trial.unseen.targets, np.exp(log_prior), trial.new
    weights = (shares / np.maximum(1, np.bincount(truth, minlength=len(shares))))[truth]
    half = corpus.held_out(trial.unseen.rows, frozenset(), 0.5, recipe.seed + 1)
    probabilities, quantiles = np.zeros_like(lexical), np.zeros(len(truth))
    for part in (half, ~half):
        fit = new & ~part
        fusion = fit_fusion(lexical[fit], semantic[fit], truth[fit], weights[fit], log_prior)
        probabilities[part] = _softmax(fusion.logits(lexical[part], semantic[part], log_prior))
        fitted = _softmax(fusion.logits(lexical[fit], semantic[fit], log_prior))
        quantiles[part] = calibration.conformal_quantile(fitted, truth[fit], recipe.coverage, weights[fit])
    fusion = fit_fusion(lexical[new], semantic[new], truth[new], weights[new], log_prior)
    return Judged(fusion, probabilities, quantiles, weights)


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


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)
