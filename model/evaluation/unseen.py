"""The labelled rows a model is measured on: those that it was not trained on."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.bundle import read_seen, read_taxonomy
from model.evaluation.terminal import EvaluationError
from model.training.data import NOTICES, Example, fingerprint, read_labelled, text_keys

_LEFT_OUT = ("bad_rows", "nothing_to_read", "not_decided")
# Kept in the model's report, which is shown in both languages.
_UNKNOWN = {
    "en": "The model does not say which rows it was trained on: if rows measured here are among them, these numbers "
    "are better than on new listings.",
    "fr": "Le modèle ne dit pas sur quelles lignes il a été entraîné : si des lignes mesurées ici en font partie, ces "
    "chiffres sont meilleurs que sur de nouvelles annonces.",
}
_KNOWN = {
    "en": "Rows that the model was trained on are among these ({known}): these numbers are better than on new "
    "listings.",
    "fr": "Des lignes ayant servi à l’entraînement en font partie ({known}) : ces chiffres sont meilleurs que sur de "
    "nouvelles annonces.",
}
_TEXTLESS = {
    "en": "Rows without words ({textless}) cannot be told from rows the model was trained on.",
    "fr": "Des lignes sans mots ({textless}) ne se distinguent pas de celles de l’entraînement.",
}


@dataclass(frozen=True, slots=True)
class MeasuredData:
    """Rows, how many were left out by name ("trained_on" …), and what to be careful about."""

    name: str
    examples: tuple[Example, ...]
    fingerprint: str
    left_out: Mapping[str, int]
    caution: Mapping[str, str] | None


def read_unseen(
    path: Path, bundle: Path, images: Path | None = None, leave_out_bad_rows: bool = False, everything: bool = False
) -> MeasuredData:
    """The rows of labelled data less those that the bundle was trained on, or `everything`; says what it leaves out.

    `DataError`, `BundleError`, and `EvaluationError` when no row is left.
    """
    seen = read_seen(bundle)
    read = read_labelled(path, read_taxonomy(bundle), leave_out_bad_rows, images)
    for name, count in read.notices.items():
        print(NOTICES[name].format(count=count), file=sys.stderr)
    progress: Callable[..., Iterable] = partial(tqdm, unit="row", desc="rows it was trained on", disable=None)
    keys = text_keys(read.examples, progress)
    known = np.zeros(len(keys), bool) if seen is None else np.isin(keys, seen) & (keys != 0)
    out = np.zeros(len(keys), bool) if everything else known
    data = path.resolve().name
    if out.all():
        raise EvaluationError("all_trained_on", {"rows": len(keys), "data": data, "model": bundle.resolve().name})
    examples = tuple(row for row, left in zip(read.examples, out, strict=True) if not left)
    left_out = {name: read.notices[name] for name in _LEFT_OUT if name in read.notices}
    caution = _caution(None if seen is None else int(known.sum()), int((keys == 0).sum()), everything)
    return MeasuredData(data, examples, fingerprint(examples), {"trained_on": int(out.sum()), **left_out}, caution)


def _caution(known: int | None, textless: int, everything: bool) -> dict[str, str] | None:
    """What makes the numbers better than they would be on new listings; ``known``: rows it was trained on."""
    if known is None:
        return _UNKNOWN
    told = []
    if everything and known:
        told.append(_KNOWN)
    if textless:
        told.append(_TEXTLESS)
    counts = {"known": known, "textless": textless}
    return {name: " ".join(text[name].format(**counts) for text in told) for name in ("en", "fr")} if told else None
