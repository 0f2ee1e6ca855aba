"""What is made of the measures: whether the model may be written, and what it says of itself then."""

import platform
from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np

from model.adaptation import strangers
from model.adaptation.decided import Decisions
from model.adaptation.errors import AdaptationError
from model.adaptation.evidence import Evidence
from model.adaptation.memory import ALONE, PICTURED, PLAIN
from model.bundle import Bundle
from model.calibration import conformal_quantile, prediction_sets
from model.evaluation.facts import RowFacts
from model.evaluation.report import About, report
from model.evaluation.scores import number

MOST_LOST = 0.01
"""Of weighted F1, on held-out decisions and on the open corpus: more is worse, and forgetting."""
MOST = {"weighted_f1": MOST_LOST, "log_loss": 0.02, "ece": 0.01}
"""By how much the open corpus may be answered worse: rightness, and whether the shares given are to be believed."""
MOST_ALONE = {"log_loss": 0.2}
"""The same of pictures alone, of which a model without a head knows nothing: of 27 categories, a guess costs 3.3. It
has to stay a guess; which category is guessed is no loss."""
LEFT = {
    "few": "Of pictures nothing is learned, because there are too few that can be read.",
    "few_categories": f"Of pictures nothing is learned, because they are of less than {strangers.FEWEST} categories: "
    "what would become of all others cannot be known.",
    "no_gain": "Of pictures nothing is learned, because they tell the decisions no better, or others worse.",
    "forgets": "Of pictures nothing is learned, because others would be answered worse than may be.",
}
"""Why what is said of pictures stays as it was."""
_SHOWN = {
    "text": "listings of the open corpus",
    "with_drawings": "listings of the open corpus with a drawing",
    "with_strangers": "listings of the open corpus with a picture of something else",
    "drawings": "questions about drawings",
    "strangers": "pictures of categories left out",
}
_MEASURES = {"weighted_f1": "weighted F1", "log_loss": "log loss", "ece": "calibration error"}
_PACKAGES = ("keras", "numpy", "scipy")
_OWN = ("format_version", "name", "version", "shape", "files")
"""Entries of a manifest that every bundle has of its own."""
_CAUTION = {
    "en": "These are decisions of moderators, who see above all what the model is unsure of: over all products the "
    "numbers are others. Each was answered by a model adapted to the other decisions; this one has learned from all.",
    "fr": "Ce sont des décisions de modérateurs, qui voient surtout ce qui laisse le modèle hésitant : sur l’ensemble "
    "des produits, les chiffres sont autres. Chacune a eu la réponse d’un modèle adapté aux autres décisions ; "
    "celui-ci a appris de toutes.",
}


def lost(
    found: Mapping[str, Any], shown: Collection[str] = PLAIN + PICTURED, share: float = 1.0
) -> list[tuple[str, str]]:
    """What a report says is answered worse than may be, or than this share of it: what is shown, and the measure."""
    return [
        (name, measure)
        for name, one in found["remembered"].items()
        if one is not None and name in shown
        for measure, limit in _most(name).items()
        if _worse(one["difference"], measure) > share * limit
    ]


def _most(shown: str) -> Mapping[str, float]:
    return MOST_ALONE if shown in ALONE else MOST


def _worse(difference: Mapping[str, float], measure: str) -> float:
    return -difference[measure] if measure == "weighted_f1" else difference[measure]


def check_better(found: Mapping[str, Any]) -> None:
    """`AdaptationError` unless held-out decisions are answered better than before: log loss lower beyond chance, and
    weighted F1 not lower by more than `MOST_LOST`, nor lower beyond chance."""
    held = found["held_out"]["all"]
    before, after, difference = held["before"], held["after"], held["difference"]
    if not any(found["strength"].values()):
        why = f"{LEFT[found['pictures']['left']]} " if found["decisions"]["with_picture"] else ""
        told = {"model": found["adapted_from"], "rows": held["rows"], "left": why}
        raise AdaptationError("no_gain", told | {"loss": _3(before["log_loss"]), "f1": _3(before["weighted_f1"])})
    intervals = held["difference_interval"]
    f1, loss = (intervals[name] or [-np.inf, np.inf] for name in ("weighted_f1", "log_loss"))
    worse = difference["weighted_f1"] < -MOST_LOST or f1[1] < 0 or loss[0] > 0
    if worse or loss[1] >= 0:
        details = {
            "model": found["adapted_from"],
            "rows": held["rows"],
            "loss_before": _3(before["log_loss"]),
            "loss_after": _3(after["log_loss"]),
            "f1_before": _3(before["weighted_f1"]),
            "f1_after": _3(after["weighted_f1"]),
            "f1_ends": f"{f1[0]:+.3f} to {f1[1]:+.3f}",
            "loss_ends": f"{loss[0]:+.3f} to {loss[1]:+.3f}",
        }
        raise AdaptationError("worse" if worse else "no_better", details)


def check_remembers(found: Mapping[str, Any]) -> None:
    """`AdaptationError` when what no decision was about is answered worse than may be."""
    if worse := lost(found):
        name, measure = worse[0]
        one, most = found["remembered"][name], _most(name)[measure]
        told = {"measure": _MEASURES[measure], "before": _3(one["before"][measure]), "after": _3(one["after"][measure])}
        details = {"model": found["adapted_from"], "rows": one["rows"], "what": _SHOWN[name], "most": most}
        raise AdaptationError("forgets", details | told)


def quantile(before: np.ndarray, after: np.ndarray, truth: np.ndarray, settings: Mapping[str, float]) -> dict[str, Any]:
    """The quantile for prediction sets, and how often they hold the truth of held-out decisions.

    Decisions are no fair sample to calibrate on, so it stays, unless the sets would hold the truth of these very
    decisions less often than before: then it is raised until they do as often.
    """
    stated, given = settings["coverage"], float(settings["conformal_quantile"])
    held_before, _ = prediction_sets(before, truth, given)
    held_same, _ = prediction_sets(after, truth, given)
    chosen = given
    if held_same.mean() < min(stated, held_before.mean()):
        wanted = min(stated, float(held_before.mean()))
        chosen = max(given, min(1.0, conformal_quantile(after, truth, wanted, np.ones(len(truth)))))
    held_after, sizes = prediction_sets(after, truth, chosen)
    return {
        "stated_coverage": stated,
        "quantile_before": given,
        "quantile": chosen,
        "measured_coverage_before": number(held_before.mean()),
        "measured_coverage": number(held_after.mean()),
        "mean_size": number(sizes.mean()),
    }


def manifest(parent: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What the bundle says of itself: the parent's words, and what was done to it."""
    training = dict(parent.get("training") or {})
    if isinstance(training.get("data"), str):
        training["data"] += f"; then {found['decisions']['rows']:,} decisions of moderators"
    versions = {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}
    return {
        **{name: value for name, value in parent.items() if name not in _OWN},
        "created": date.today().isoformat(),
        "settings": {**parent["settings"], "conformal_quantile": found["sets"]["quantile"]},
        "training": training,
        "adapted_from": found["adapted_from"],
        "adaptation": dict(found),
        "versions": versions,
    }


def metrics(
    probabilities: np.ndarray, evidence: Evidence, decisions: Decisions, bundle: Bundle, about: Mapping[str, Any],
    command: str,
) -> dict[str, Any]:  # fmt: skip
    """The report for the bundle's card: held-out decisions, (n, categories) of all, and no number of the parent's."""
    from model.evaluation.languages import LANGUAGE_BY, language_of

    new = decisions.new
    texts = list(zip(evidence.texts, decisions.examples, strict=True))
    facts = RowFacts(
        has_text=evidence.has_text,
        has_image=evidence.has_picture,
        described=np.array([bool(row.description) for _, row in texts], bool),
        words=np.array([len(text.tokens) for text, _ in texts]),
        language=np.array([language_of(text, row.designation, row.description) for text, row in texts]),
    )
    found = about["adaptation"]["decisions"]
    data = {
        "name": f"{decisions.file}, each decision held out",
        "rows": int(new.sum()),
        "fingerprint": found["fingerprint"],
        "left_out": {"trained_on": found["learned_before"]},
        "notices": {"unreadable_pictures": found["pictures_unreadable"]},
    }
    return report(
        probabilities[new],
        decisions.targets[new],
        bundle.taxonomy.codes,
        RowFacts(**{field.name: getattr(facts, field.name)[new] for field in fields(facts)}),
        About(command=command, model=about["version"], data=data, caution=_CAUTION, language_by=LANGUAGE_BY),
        quantile=about["settings"]["conformal_quantile"],
        coverage=about["settings"]["coverage"],
    )


def _3(value: float) -> str:
    return f"{value:.3f}"
