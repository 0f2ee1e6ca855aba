"""A model adapted to decisions, judged on those held out, and written only when it is better."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from model.adaptation.assemble import save
from model.adaptation.choice import FOLDS, VARIANCES, CrossFit, left_because
from model.adaptation.company import Company
from model.adaptation.decided import Decisions, unreadable_sentence
from model.adaptation.evidence import intercepts, read_evidence
from model.adaptation.judging import compared
from model.adaptation.memory import PLAIN, Memory, shown_progress
from model.adaptation.outcome import check_better, check_remembers, lost, manifest, metrics, quantile
from model.adaptation.residual import Basis, Decided, Strength
from model.adaptation.spaces import PictureSpace, PictureWeights, TextSpace, TextWeights
from model.adaptation.strangers import Strangers
from model.bundle import add_report
from model.loading import LoadedBundle, load_bundle
from model.smoke import add_smoke
from model.training.data import folds
from model.training.stages import progress

SCHEMA = 2
LOOSENESS = (None, 10.0, 1.0)
"""How the text's prior is held to listings of the open corpus, tried in order until the model does not forget: not at
all, which teaches most and forgets next to nothing unless decisions go against what the model knows; then ever more."""
MOST_OF_PICTURES = (VARIANCES[-1], 10.0, 2.0, 0.0)
"""How large the prior variance of pictures may be, tried in order until others are answered as well as they may be."""


@dataclass(frozen=True)
class Fitted:
    """``added_text`` and ``added_picture``: to each decision's logits, fitted without its fold."""

    added_text: np.ndarray
    added_picture: np.ndarray
    text: TextWeights
    picture: PictureWeights | None
    strength: Strength
    met: Strangers | None


class Adaptation:
    """One model, one set of decisions, one seed: always the same outcome."""

    def __init__(
        self, parent: Path, decisions: Decisions, company: Company, seed: int, command: str, say: Callable[[str], None]
    ) -> None:
        self.parent, self.company, self.seed, self.command, self.say = parent, company, seed, command, say
        self.bundle: LoadedBundle = load_bundle(parent)
        evidence = read_evidence(self.bundle, decisions.examples, shown_progress)
        self.unreadable = sum(map(bool, evidence.unreadable))
        if told := unreadable_sentence(evidence.unreadable, decisions.examples):
            say(told)
        self.nothing_read = int((~evidence.has_any).sum())
        if self.nothing_read:
            say(f"Decisions left out because nothing of them can be read: {self.nothing_read}.")
        self.evidence, self.decisions = evidence.take(evidence.has_any), decisions.take(evidence.has_any)
        self.decisions.check_enough(self.bundle.version)
        self.memory = Memory(self.bundle, company, seed)
        self._pictures_left = left_because(self.evidence.has_picture, self.decisions.targets)

    def run(self) -> tuple[dict[str, Any], Fitted]:
        """Fits and judges; gives the report and what was fitted."""
        for looseness in LOOSENESS if self.company.listings else LOOSENESS[:1]:
            if looseness is not None:
                self.say("It would forget: fitting again, held closer to what the model answers on the open corpus.")
            fitted, report = self._judged(looseness, MOST_OF_PICTURES[0])
            if not lost(report) or not lost(report, PLAIN, share=0.5):
                break
        would_be = None
        for most in MOST_OF_PICTURES[1:]:
            if fitted.picture is None or not lost(report):
                break
            self.say("Pictures would make it forget: fitting again, with less of what they teach.")
            would_be = would_be or report["remembered"]
            fitted, report = self._judged(looseness, most)
        if would_be:
            left = None if fitted.picture else "forgets"
            report["pictures"] = {"left": left, "would_be": would_be}
        return report, fitted

    def _judged(self, looseness: float | None, most: float) -> tuple[Fitted, dict[str, Any]]:
        fitted = self._fit(looseness, most)
        return fitted, self._report(fitted, looseness)

    @property
    def learned(self) -> np.ndarray:
        """Keys of the texts and pictures that were read, uint64 (n,): not new to the adapted model."""
        return self.decisions.learned(self.evidence.has_picture)

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

    def _fit(self, looseness: float | None, most: float) -> Fitted:
        evidence = self.evidence
        held = None if looseness is None else self.memory.held
        texts = TextSpace(evidence, intercepts(self.bundle), held, looseness or 1.0)
        pictures = PictureSpace(evidence, self.memory.held_pictures if most and self._pictures_left is None else None)
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
            cross = CrossFit(decided, fold, self.decisions.new, bar.update, most)
            added_text, added_picture = cross.held_out()
            final = cross.final()
        strength, residual, met = final.strength, final.residual, final.met
        return Fitted(
            added_text=added_text,
            added_picture=added_picture,
            text=texts.weights(decided.text_basis.back @ residual.text),
            picture=met and pictures.weights(decided.picture_basis.back @ residual.picture, met.reserve),
            strength=strength,
            met=met,
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
            "pictures": {"left": self._pictures_left or (None if fitted.picture else "no_gain"), "would_be": None},
            "remembered": self.memory.remembered(
                fitted.text, fitted.picture, fitted.met, self.evidence, self.decisions.targets, self.decisions.group
            ),
            "sets": quantile(*probabilities, self.decisions.targets[new], self.bundle.manifest["settings"]),
        }

    def _after(self, fitted: Fitted) -> np.ndarray:
        return self.evidence.logits + fitted.added_text + fitted.added_picture
