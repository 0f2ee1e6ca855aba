"""The labelled rows a model is measured on: those that it was not trained on."""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from model.bundle import SEEN, read_taxonomy, refusing
from model.evaluation.terminal import EvaluationError
from model.training.data import NOTICES, Example, fingerprint, read_labelled, text_keys

_LEFT_OUT = ("bad_rows", "nothing_to_read", "not_decided")


@dataclass(frozen=True, slots=True)
class MeasuredData:
    """Rows, how many were left out by name ("trained_on" …), and what to be careful about."""

    name: str
    examples: tuple[Example, ...]
    fingerprint: str
    left_out: Mapping[str, int]
    caution: str | None


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


def read_seen(bundle: Path) -> np.ndarray | None:
    """Text keys of the rows a model was trained on, uint64 (n,); None when it does not say. `BundleError`."""
    if not (bundle / SEEN).exists():
        return None
    with refusing(bundle), np.load(bundle / SEEN, allow_pickle=False) as arrays:
        keys = arrays["keys"]
        if keys.dtype != np.uint64 or keys.ndim != 1:
            raise ValueError(f"{SEEN}: keys must be uint64 (n,)")
        return keys


def _caution(known: int | None, textless: int, everything: bool) -> str | None:
    """What makes the numbers better than they would be on new listings; ``known``: rows it was trained on."""
    if known is None:
        return (
            "The model does not say which rows it was trained on: if rows measured here are among them, these numbers "
            "are better than on new listings."
        )
    told = []
    if everything and known:
        told.append(
            f"Rows that the model was trained on are among these ({known}): these numbers are better than on new "
            "listings."
        )
    if textless:
        told.append(f"Rows without words ({textless}) cannot be told from rows that the model was trained on.")
    return " ".join(told) or None
