"""The full model: from labelled products to a bundle, stage by stage, each kept on disk."""

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from model import calibration
from model.shape import NetworkShape
from model.taxonomy import Taxonomy
from model.training import data as rows_of
from model.training.corpus import read_corpus
from model.training.fields import FieldsBranch
from model.training.fusion import Fusion, fit_fusion, fit_image
from model.training.parting import Parting, part
from model.training.pictures import PictureBranch
from model.training.recipe import Recipe
from model.training.stages import Stages, key
from model.training.start import Start, start_from
from model.training.texts import Texts, read_texts

if TYPE_CHECKING:
    from model.training.semantic import SemanticTrainer

SOURCES = (
    "preprocessing/text.py",
    "preprocessing/image.py",
    *(f"model/{name}.py" for name in ("lexical", "lexical_input", "pieces", "reading", "layers", "sentence_encoder")),
    *(f"model/training/{n}.py" for n in ("train", "parting", "texts", "fields", "lexical", "semantic", "fusion")),
    *(f"model/training/{n}.py" for n in ("pictures", "picture_features", "picture_head", "finetune", "recipe")),
)
PACKAGES = ("keras", "numpy", "scikit-learn", "scipy", "onnxruntime")


@dataclass(frozen=True)
class Request:
    """What to train on and what from. ``work`` keeps the stages, ``start`` is a bundle's folder."""

    data: rows_of.LabelledData
    taxonomy: Taxonomy
    taxonomy_csv: str
    start: Path
    work: Path
    name: str = "full"


class Training:
    """One run. The stages are made in the order they are asked for, or read when they are there."""

    FEWEST = 40
    """Rows without which nothing is trained."""

    def __init__(self, request: Request, recipe: Recipe, say: Callable[[str], None] | None = None) -> None:
        self.request, self.recipe = request, recipe
        self.say = say or (lambda line: print(line, file=sys.stderr, flush=True))
        self.start: Start = start_from(request.start, request.taxonomy)
        self.fingerprint = rows_of.fingerprint(request.data.examples)
        given = (self.start.version, request.taxonomy_csv, _state_of_pictures(request.data))
        name = key(self.fingerprint, recipe, SOURCES, PACKAGES, *given)
        self.stages = Stages(request.work / name)
        self._lock = FileLock(self.stages.folder / ".lock")  # the system lets go of it, however this process ends
        self._lock.acquire(timeout=0)
        self.parting: Parting = part(request.data, request.taxonomy, recipe, self.stages)
        self.examples = self.parting.training
        self.targets = np.array([request.taxonomy.index(row.code) for row in self.examples])
        counts = np.bincount(self.targets, minlength=len(request.taxonomy)) + 0.5
        self.prior = (counts / counts.sum()).astype(np.float32)
        self.log_prior = np.log(self.prior)
        self.calibrating = self.parting.calibrating
        weighing, testing = int(self.calibrating.sum()), int(self.parting.test.sum())
        self.say(
            f"{len(request.data.examples):,} rows: {len(self.examples):,} to train on ({weighing:,} of them weigh the "
            f"branches), {testing:,} to test. Stages are kept in {self.stages.folder}"
        )

    def run(self, out: Path) -> dict[str, Any]:
        """Trains and writes the bundle to ``out``; gives its manifest. The report is not in it yet."""
        # Here and below: what loads TensorFlow waits until it is needed, and is not where stages are read.
        texts, calibrating = self.texts, self.calibrating
        semantic = self.semantic_terms
        encoder = self.stages.arrays("semantic-weights", lambda: self.semantic.weights())
        self.__dict__.pop("semantic", None)  # its memory is needed
        weight, fusion = self._company_weight(semantic)
        table = self.fields.table("lexical", np.ones(len(texts), bool), weight)
        logits = fusion.logits(self._trial_terms(weight), semantic, self.log_prior)
        pictures = self.pictures
        if unreadable := pictures.facts["pictures_unreadable"]:
            self.say(f"Pictures that cannot be read: {unreadable:,}; their rows are read by their words alone.")
        if pictures.used:
            seen = pictures.places[calibrating] >= 0
            parts = [evidence[seen] for evidence in pictures.held_out(calibrating)]
            fusion = fit_image(fusion, logits[seen], *parts, self.targets[calibrating][seen], self.log_prior)
            logits[seen] += fusion.image(*parts)
            if self.recipe.finetune_image:  # its classes are no longer ImageNet's: the table says nothing of them
                fusion = replace(fusion, image_table=0.0)
        elif self.start.head and pictures.backbone is self.start.backbone:
            # Nothing to weigh pictures on: they are read as they are where the training started.
            fusion = replace(fusion, image_table=self.start.image_table)
            self.say(f"Too few pictures to learn from: they weigh what they do in {self.start.version}.")
        else:
            self.say("Too few pictures to learn from: the model will not read any.")
        # One row more than there are, for the one that will be asked about (Vovk et al. 2005).
        coverage = min(1.0, self.recipe.coverage * (1 + 1 / len(logits)))
        quantile = calibration.conformal_quantile(
            _softmax(logits), self.targets[calibrating], coverage, self._as_in_the_data(pictures.places >= 0)
        )
        shape = NetworkShape(
            len(self.request.taxonomy), len(self.fields.input), len(self.start.pieces.kept),
            self.start.shape_backbone, image_head=pictures.used,
        )  # fmt: skip
        from model.training.assemble import Parts, manifest, save

        parts = Parts(
            name=self.request.name,
            taxonomy=self.request.taxonomy,
            taxonomy_csv=self.request.taxonomy_csv,
            start=self.start,
            shape=shape,
            lexical=self.fields.input,
            table=table,
            encoder=encoder,
            backbone=pictures.backbone,
            head=pictures.head,
            prior=self.prior,
            fusion=fusion,
        )
        found = pictures.facts | {"company_weight": weight}
        about = manifest(
            self.request.data,
            self.parting,
            self.recipe,
            self.start,
            fusion,
            quantile,
            found,
            self.fingerprint,
            PACKAGES,
        )
        return save(out, parts, about, self.parting.keys)

    def _as_in_the_data(self, pictured: np.ndarray) -> np.ndarray:
        """Weights (rows,) that give calibration rows with a picture, taken more often, their share in the data."""
        here, everywhere = float(pictured[self.calibrating].mean()), float(pictured.mean())
        if here in (0.0, 1.0):
            return np.ones(int(self.calibrating.sum()))
        return np.where(pictured[self.calibrating], everywhere / here, (1 - everywhere) / (1 - here))

    @cached_property
    def pictures(self) -> PictureBranch:
        """The image branch over the training rows."""
        return PictureBranch(
            self.examples, self.targets, self.parting.groups, self.request.taxonomy, self.start, self.recipe,
            self.stages, self.prior, self.calibrating,
        )  # fmt: skip

    @cached_property
    def texts(self) -> Texts:
        """The training rows' texts."""
        rows = [(row.designation, row.description) for row in self.examples]
        return read_texts(rows, self.start.pieces, self.stages, "texts")

    @cached_property
    def fields(self) -> FieldsBranch:
        """The lexical branch over the training rows."""
        company, company_targets = self._company()
        return FieldsBranch(
            self.texts, self.targets, company, company_targets, len(self.request.taxonomy),
            self.recipe.regularization, self.recipe.seed, self.stages,
        )  # fmt: skip

    @property
    def _with_company(self) -> bool:
        """The open corpus is of use where it has the same categories, and the data are few."""
        return self.start.head and any(self.recipe.company_weights) and len(self.examples) <= self.recipe.company_until

    def _company(self) -> tuple[Texts, np.ndarray]:
        listings = read_corpus() if self._with_company else []
        rows = [(row.designation, row.description) for row in listings]
        texts = read_texts(rows, self.start.pieces, self.stages, "corpus")
        return texts, np.array([self.request.taxonomy.index(row.code) for row in listings], np.int64)

    @cached_property
    def semantic(self) -> "SemanticTrainer":
        """The encoder, fitted on the training rows but for those that weigh the branches."""
        from model.training.semantic import SemanticTrainer

        trainer = SemanticTrainer(
            self.start.embedding, self.start.encoder, len(self.request.taxonomy), self.recipe.seed
        )
        fitted = np.flatnonzero(~self.calibrating & self.texts.worded)
        if not len(fitted):  # pictures alone: the encoder stays what it was
            return trainer
        trainer.fit(
            [self.texts.short[i] if len(self.texts.short[i]) else self.texts.long[i] for i in fitted],
            [self.texts.long[i] for i in fitted],
            self.targets[fitted],
            np.ones(len(fitted)),
            self.stages.folder / "semantic",
            self.recipe.epochs(len(fitted), self.start.head),
            self.recipe.rate if self.start.head else 1.5 * self.recipe.rate,
            most_pieces=self.recipe.most_pieces,
        )
        return trainer

    @cached_property
    def semantic_terms(self) -> np.ndarray:
        """Terms of the calibration rows, float32 (rows, categories); zeros for a row without words."""

        def make() -> dict[str, np.ndarray]:
            chosen = np.flatnonzero(self.calibrating)
            terms = self.semantic.logits([self.texts.long[i] for i in chosen])
            terms -= terms.mean(axis=1, keepdims=True)
            return {"terms": terms * self.texts.worded[chosen, None]}

        return self.stages.arrays("semantic-terms", make)["terms"]

    def _trial_terms(self, weight: float) -> np.ndarray:
        table = self.fields.table(f"lexical-trial-{weight:g}", ~self.calibrating, weight)
        name = f"lexical-terms-{weight:g}"
        return self.stages.arrays(name, lambda: {"terms": self.fields.terms(table, self.calibrating)})["terms"]

    def _company_weight(self, semantic: np.ndarray) -> tuple[float, Fusion]:
        """The weight of the open corpus that answers the calibration rows best, and the branches' weights with it."""
        worded, truth = self.texts.worded[self.calibrating], self.targets[self.calibrating]
        candidates = self.recipe.company_weights if self._with_company else (0.0,)
        found = []
        for weight in candidates:
            lexical = self._trial_terms(weight)
            fusion = fit_fusion(lexical[worded], semantic[worded], truth[worded], np.ones(worded.sum()), self.log_prior)
            probabilities = _softmax(fusion.logits(lexical, semantic, self.log_prior))
            loss = -float(np.log(probabilities[np.arange(len(truth)), truth]).mean())
            found.append((loss, weight, fusion))
            if len(candidates) > 1:
                self.say(f"Open corpus at weight {weight:g}: log loss {loss:.4f} on the calibration rows")
        _, weight, fusion = min(found, key=lambda item: item[0])
        return weight, fusion


def _state_of_pictures(data: rows_of.LabelledData) -> str:
    """Sizes and times of the pictures, hashed: one that is exchanged under its name makes old stages useless."""
    digest = hashlib.sha256()
    for path in sorted({row.picture for row in data.examples if row.picture is not None}):
        state = os.stat(path)
        digest.update(f"{state.st_size} {state.st_mtime_ns};".encode())
    return digest.hexdigest()


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)
