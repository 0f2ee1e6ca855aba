"""Stages of a training that are kept on disk, so that an interrupted run goes on where it was."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from settings import ROOT


class Stages:
    """A folder of finished stages. What is in it follows from its key alone, which the folder is named after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def arrays(self, name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """The arrays of a stage: read when they are there, else made and kept."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            keep(path, **make())
        with np.load(path, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in arrays.files}


def keep(path: Path, **arrays: np.ndarray) -> None:
    """Writes arrays; the file appears whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)


def last_epoch(folder: Path) -> int:
    """The epoch of the last checkpoint ``epochN.npz`` of a folder, 0 without one.

    A checkpoint appears whole, and the one before it goes afterwards.
    """
    found = (re.fullmatch(r"epoch(\d+)", path.stem) for path in folder.glob("epoch*.npz"))
    return max((int(match[1]) for match in found if match), default=0)


def key(data: str, recipe: Any, sources: Iterable[str], packages: Iterable[str], *more: str) -> str:
    """Names the data (a fingerprint), and everything else that stages follow from: a change gives another name.

    ``sources`` are files of this project whose text decides the outcome, ``recipe`` a dataclass.
    """
    digest = hashlib.sha256(json.dumps([asdict(recipe), more], default=str).encode())
    for name in sources:
        digest.update((ROOT / name).read_bytes())
    digest.update(" ".join(version(name) for name in packages).encode())
    return f"{data[:12]}-{digest.hexdigest()[:8]}"


def progress(name: str, unit: str = " rows") -> partial:
    """Makes a bar with the time left around what is counted: ``progress(name)(items, total=n)``."""
    return partial(tqdm, desc=name, unit=unit, file=sys.stderr, dynamic_ncols=True, mininterval=0.5)


def flat(arrays: list[np.ndarray], dtype: type = np.int32) -> dict[str, np.ndarray]:
    """Arrays of different lengths as one, with their lengths: what `unflat` takes."""
    lengths = np.array([len(a) for a in arrays], np.int64)
    return {"values": np.concatenate([np.zeros(0, dtype), *arrays]).astype(dtype), "lengths": lengths}


def unflat(values: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """The inverse of `flat`."""
    return np.split(values, np.cumsum(lengths)[:-1]) if len(lengths) else []
