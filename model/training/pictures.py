"""The image branch: features of the backbone, tuned or not, and a linear head on them."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from model.bundle import read_imagenet_table
from model.shape import NetworkShape
from model.taxonomy import Taxonomy
from model.training.data import Example, folds
from model.training.picture_features import GRAPH, PictureFeatures, picture_features
from model.training.picture_head import Head, HeadRecipe, fit_head, held_out_logits
from model.training.recipe import Recipe
from model.training.stages import Stages
from model.training.start import Start

if TYPE_CHECKING:
    from model.network import Network

FEWEST = 50
"""Pictures without which no head is fitted."""
_FOLDS, _MANY = 5, 20_000


class PictureBranch:
    """Over the training rows. ``group``: number of the duplicates a row belongs to, ``calibrating``: rows that weigh
    the branches. ``places`` int (n,): each row's place among the pictures, −1 without a picture."""

    def __init__(
        self,
        examples: Sequence[Example],
        targets: np.ndarray,
        group: np.ndarray,
        taxonomy: Taxonomy,
        start: Start,
        recipe: Recipe,
        stages: Stages,
        prior: np.ndarray,
        calibrating: np.ndarray,
    ) -> None:
        self._rows = np.array([i for i, example in enumerate(examples) if example.picture is not None], np.int64)
        self._paths = [examples[i].picture for i in self._rows]
        self._targets, self._group, self._taxonomy, self._start, self._recipe = targets, group, taxonomy, start, recipe
        self._stages, self._prior, self._calibrating = stages, prior, calibrating
        self._shape = NetworkShape(len(taxonomy), 2, 1, start.shape_backbone, image_head=True)

    @cached_property
    def places(self) -> np.ndarray:
        """See the class; a picture that cannot be read is none."""
        places = np.full(len(self._targets), -1, np.int64)
        if len(self._rows):
            read = np.flatnonzero(self._features.read)
            places[self._rows[read]] = read
        return places

    @cached_property
    def used(self) -> bool:
        """Whether there are pictures enough, of two categories at least, for a head, and some to weigh it on."""
        pictured = self.places >= 0
        enough = pictured.sum() >= FEWEST and len(np.unique(self._targets[pictured & ~self._calibrating])) > 1
        return bool(enough and (pictured & self._calibrating).any())

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest says of the pictures."""
        pictured = int((self.places >= 0).sum())
        return {
            "with_picture": pictured,
            "pictures_unreadable": len(self._rows) - pictured,
            "image_head": asdict(self._trial[1]) if self.used else None,
            "image_blocks_tuned": self._recipe.finetune_image if self.used else 0,
        }

    def held_out(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the table of classes and the head say of the chosen rows (bool (n,)), float32 (rows, categories) each.

        The head has not seen them. Rows without picture have zeros.
        """
        logits, _ = self._trial
        places = self.places[chosen]
        table, head = (np.zeros((len(places), len(self._taxonomy)), np.float32) for _ in range(2))
        there = places >= 0
        table[there] = self._table_evidence[places[there]]
        head[there] = logits[places[there]]
        return table, head

    @cached_property
    def head(self) -> Head | None:
        """The head, fitted on all pictures of the training rows."""
        if not self.used:
            return None

        def make() -> dict[str, np.ndarray]:
            pictured = self.places >= 0
            features = np.asarray(self._features.pooled[self.places[pictured]])
            head = fit_head(features, self._targets[pictured], len(self._taxonomy), self._trial[1])
            return {"kernel": head.kernel, "bias": head.bias}

        return Head(**self._stages.arrays("picture-head", make))

    @cached_property
    def backbone(self) -> dict[str, np.ndarray]:
        """Weights of the backbone by path: tuned where that was asked for and there are pictures."""
        if not self._recipe.finetune_image or len(self._rows) < FEWEST:
            return self._start.backbone
        from model.training.finetune import finetune

        fitted = ~self._calibrating[self._rows]
        tuned = self._stages.arrays(
            "tuned-backbone",
            lambda: finetune(
                self._network(self._start.backbone), self._shape.image_size,
                [path for path, fit in zip(self._paths, fitted, strict=True) if fit], self._targets[self._rows][fitted],
                self._recipe.finetune_image, self._recipe.finetune_epochs, self._recipe.seed,
                self._stages.folder / "finetune",
            ),
        )  # fmt: skip
        return self._start.backbone | tuned

    @cached_property
    def _features(self) -> PictureFeatures:
        folder = self._stages.folder / "pictures"
        folder.mkdir(exist_ok=True)
        if not (folder / GRAPH).exists():
            from model.training.backbone_graph import write_backbone_graph

            write_backbone_graph(self._network(self.backbone), self._shape, folder / GRAPH)
        return picture_features(self._paths, folder / GRAPH, self._shape.image_size, len(self._taxonomy), folder)

    @property
    def _table_evidence(self) -> np.ndarray:
        """What the table of classes says; nothing for a tuned backbone, whose classes are no longer ImageNet's."""
        evidence = np.asarray(self._features.evidence)
        return np.zeros_like(evidence) if self._recipe.finetune_image else evidence

    @cached_property
    def _trial(self) -> tuple[np.ndarray, HeadRecipe]:
        """Logits of every picture from heads that have not seen it (or NaN), and the recipe found."""

        def make() -> dict[str, np.ndarray]:
            pictured = np.flatnonzero(self.places >= 0)
            targets, held = self._targets[pictured], self._calibrating[pictured]
            few = len(pictured) <= _MANY and not self._recipe.finetune_image
            fold = folds(targets, self._group[pictured], _FOLDS, self._recipe.seed) if few else np.where(held, 0, -1)
            found, recipe = held_out_logits(
                np.asarray(self._features.pooled[self.places[pictured]]), targets, fold, np.log(self._prior)
            )
            logits = np.full((len(self._rows), len(self._taxonomy)), np.nan, np.float32)
            logits[self.places[pictured]] = found
            return {"logits": logits, "recipe": np.array(astuple(recipe))}

        stage = self._stages.arrays("picture-trial", make)
        return stage["logits"], HeadRecipe(*stage["recipe"].tolist())

    def _network(self, backbone: dict[str, np.ndarray]) -> "Network":
        from model.network import build_network
        from model.training.backbone_graph import lay_in

        table = read_imagenet_table(self._start.imagenet_csv, self._taxonomy) if self._start.head else None
        network = build_network(self._shape, table, self._prior)
        lay_in(network, backbone)
        return network
