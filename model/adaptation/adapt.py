"""A model adapted to decisions, judged on those held out, and written only when it is better."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from model.adaptation.assemble import save
from model.adaptation.choice import FOLDS, CrossFit
from model.adaptation.company import Company
from model.adaptation.decided import Decisions, unreadable_sentence
from model.adaptation.evidence import Evidence, intercepts, read_evidence
from model.adaptation.judging import compared
from model.adaptation.outcome import check_better, check_remembers, forgets, manifest, metrics, quantile
from model.adaptation.residual import Basis, Decided, Strength
from model.adaptation.spaces import PictureSpace, PictureWeights, TextSpace, TextWeights
from model.bundle import add_report
from model.loading import LoadedBundle, load_bundle
from model.smoke import add_smoke
from model.training.data import folds
from model.training.stages import progress

SCHEMA = 1
LOOSENESS = (None, 10.0, 1.0)
"""How the text's prior is held to listings of the open corpus, tried in order until the model does not forget: not at
all, which teaches most and forgets next to nothing unless decisions go against what the model knows; then ever more."""


@dataclass(frozen=True)
class Fitted:
    """``added_text`` and ``added_picture``: to each decision's logits, fitted without its fold."""

    added_text: np.ndarray
    added_picture: np.ndarray
    text: TextWeights
    picture: PictureWeights | None
    strength: Strength


class Adaptation:
    """One model, one set of decisions, one seed: always the same outcome."""

    def __init__(
        self, parent: Path, decisions: Decisions, company: Company, seed: int, command: str, say: Callable[[str], None]
    ) -> None:
        self.parent, self.company, self.seed, self.command, self.say = parent, company, seed, command, say
        self.bundle: LoadedBundle = load_bundle(parent)
        evidence = read_evidence(self.bundle, decisions.examples, _progress)
        self.unreadable = sum(map(bool, evidence.unreadable))
        if told := unreadable_sentence(evidence.unreadable, decisions.examples):
            say(told)
        self.nothing_read = int((~evidence.has_any).sum())
        if self.nothing_read:
            say(f"Decisions left out because nothing of them can be read: {self.nothing_read}.")
        self.evidence, self.decisions = evidence.take(evidence.has_any), decisions.take(evidence.has_any)
        self.decisions.check_enough(self.bundle.version)

    def run(self) -> tuple[dict[str, Any], Fitted]:
        """Fits and judges; gives the report and what was fitted."""
        for looseness in LOOSENESS if self.company.listings else LOOSENESS[:1]:
            fitted = self._fit(looseness)
            report = self._report(fitted, looseness)
            if not forgets(report):
                break
            self.say("It would forget: fitting again, held closer to what the model answers on the open corpus.")
        return report, fitted

    def write(self, out: Path, name: str, report: dict[str, Any], fitted: Fitted, seen: np.ndarray | None) -> str:
        """Writes the bundle with its smoke predictions and its report; gives its version."""
        about = manifest(self.bundle.manifest, report)
        about = save(out, self.parent, name, about, seen, fitted.text, fitted.picture)
        add_smoke(out)
        after = softmax(self._after(fitted), axis=1)
        add_report(out, "metrics", metrics(after, self.evidence, self.decisions, self.bundle, about, self.command))
        return about["version"]

    def check(self, report: dict[str, Any]) -> None:
        """`AdaptationError` when the model would be worse, or would forget."""
        check_better(report)
        check_remembers(report)

    def _fit(self, looseness: float | None) -> Fitted:
        evidence = self.evidence
        held = None if looseness is None else self._held
        texts = TextSpace(evidence, intercepts(self.bundle), held, looseness or 1.0)
        pictures = PictureSpace(evidence)
        decided = Decided(
            text=evidence.text,
            picture=evidence.picture,
            bias=evidence.bias,
            has_text=evidence.has_text,
            has_picture=evidence.has_picture,
            targets=self.decisions.targets,
            text_basis=Basis.of(texts.gram),
            picture_basis=Basis.of(pictures.gram),
        )
        fold = folds(decided.targets, self.decisions.group, FOLDS, self.seed)
        with progress("fitting", " fits")() as bar:
            cross = CrossFit(decided, fold, self.decisions.new, bar.update)
            added_text, added_picture = cross.held_out()
            residual, strength = cross.final()
        return Fitted(
            added_text=added_text,
            added_picture=added_picture,
            text=texts.weights(decided.text_basis.back @ residual.text),
            picture=pictures.weights(decided.picture_basis.back @ residual.picture) if strength.picture else None,
            strength=strength,
        )

    def _report(self, fitted: Fitted, looseness: float | None) -> dict[str, Any]:
        new, before, after = self.decisions.new, self.evidence.logits, self._after(fitted)

        def judged(rows: np.ndarray) -> dict[str, Any] | None:
            rows = rows & new
            return compared(before[rows], after[rows], self.decisions.targets[rows], self.decisions.group[rows])

        text, picture = self.evidence.has_text, self.evidence.has_picture
        probabilities = [softmax(logits[new], axis=1) for logits in (before, after)]
        return {
            "schema": SCHEMA,
            "command": self.command,
            "created": date.today().isoformat(),
            "adapted_from": self.bundle.version,
            "decisions": self.decisions.facts
            | {"pictures_unreadable": self.unreadable, "nothing_read": self.nothing_read},
            "seed": self.seed,
            "folds": FOLDS,
            "strength": {"text": fitted.strength.text, "picture": fitted.strength.picture},
            "held_to_corpus": looseness,
            "held_out": {
                "all": judged(text | picture),
                "text": judged(text & ~picture),
                "image": judged(picture & ~text),
                "both": judged(text & picture),
            },
            "remembered": self._remembered(fitted.text),
            "sets": quantile(*probabilities, self.decisions.targets[new], self.bundle.manifest["settings"]),
        }

    def _after(self, fitted: Fitted) -> np.ndarray:
        return self.evidence.logits + fitted.added_text + fitted.added_picture

    def _remembered(self, text: TextWeights) -> dict[str, Any] | None:
        """Listings of the open corpus before and after; None for other categories."""
        if not self.company.listings:
            return None
        listings, evidence = self.company.checked, self._checked
        truth = np.array([self.bundle.taxonomy.index(row.code) for row in listings])
        before = evidence.logits
        return compared(before, before + text.added(evidence), truth, np.arange(len(truth)))

    @cached_property
    def _checked(self) -> Evidence:
        return read_evidence(self.bundle, self.company.checked, partial(_progress, what="open corpus"))

    @cached_property
    def _held(self) -> Evidence:
        return read_evidence(self.bundle, self.company.held, partial(_progress, what="open corpus"))


def _progress(chunks: list, total: int, desc: str, what: str = "decisions") -> Any:
    return progress(f"{what}: {desc}", " batches")(chunks, total=total, disable=not total)
