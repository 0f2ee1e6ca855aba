"""Texts as the branches read them: words for the lexical one, rows of word pieces for the semantic one."""

import multiprocessing
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from model.lexical import masked
from model.pieces import PieceVocabulary
from model.reading import read_text
from model.training.stages import Stages, flat, progress, unflat
from model.watchdog import end_with_parent

_CHUNK = 500
_ALONE = 3_000
"""Rows that one process reads sooner than others start."""


@dataclass(frozen=True)
class Texts:
    """Rows in order; ``short`` and ``long`` are rows of pieces (int32) of the designation alone and of all the text."""

    designations: list[list[str]]
    descriptions: list[list[str]]
    short: list[np.ndarray]
    long: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.short)

    @property
    def described(self) -> np.ndarray:
        """bool (n,)"""
        return np.array([bool(words) for words in self.descriptions], bool)

    @property
    def worded(self) -> np.ndarray:
        """Whether there is any word: bool (n,)."""
        return np.array([bool(a or b) for a, b in zip(self.designations, self.descriptions, strict=True)], bool)


def read_texts(rows: Sequence[tuple[str, str]], pieces: PieceVocabulary, stages: Stages, name: str) -> Texts:
    """Reads designations and descriptions, in several processes; kept as stage ``name``."""
    stage = stages.arrays(name, lambda: _packed(_read_all(rows, pieces, name)))
    designations, descriptions = (_words(stage[part]) for part in ("designations", "descriptions"))
    short, long = (unflat(stage[f"{part}_values"], stage[f"{part}_lengths"]) for part in ("short", "long"))
    return Texts(designations, descriptions, short, long)


def _read_all(rows: Sequence[tuple[str, str]], pieces: PieceVocabulary, name: str) -> Texts:
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    bar = progress(f"reading {name}")(total=len(rows))
    with bar:
        if len(rows) <= _ALONE:
            _start(pieces.model, pieces.kept)
            return _joined(map(_read, chunks), bar)
        # Spawned: a process with TensorFlow in it must not be forked.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), context, _start_worker, (pieces.model, pieces.kept)) as pool:
            return _joined(pool.map(_read, chunks), bar)


def _joined(parts: Iterable[Texts], bar: tqdm) -> Texts:
    whole = Texts([], [], [], [])
    known: dict[str, str] = {}  # one string for each word, however often it stands
    for part in parts:
        for into, words in ((whole.designations, part.designations), (whole.descriptions, part.descriptions)):
            into.extend([known.setdefault(word, word) for word in row] for row in words)
        whole.short.extend(part.short)
        whole.long.extend(part.long)
        bar.update(len(part.short))
    return whole


_pieces: PieceVocabulary


def _start(model: bytes, kept: np.ndarray) -> None:
    global _pieces
    _pieces = PieceVocabulary(model, kept)


def _start_worker(model: bytes, kept: np.ndarray) -> None:
    end_with_parent()
    _start(model, kept)


def _read(rows: Sequence[tuple[str, str]]) -> Texts:
    texts = Texts([], [], [], [])
    for designation, description in rows:
        text = read_text(designation, description)
        title, rest = text.by_field
        texts.designations.append(masked(title))
        texts.descriptions.append(masked(rest))
        short = _pieces.encode(text.folded["designation"].text if title else "")
        texts.short.append(short)
        texts.long.append(_pieces.encode(text.sentence if text.tokens else "") if rest else short)
    return texts


def _packed(texts: Texts) -> dict[str, np.ndarray]:
    packed = {}
    for name, words in (("designations", texts.designations), ("descriptions", texts.descriptions)):
        packed[name] = np.frombuffer("\n".join(map(" ".join, words)).encode("utf-8", "surrogatepass"), np.uint8)
    for name, rows in (("short", texts.short), ("long", texts.long)):
        packed |= {f"{name}_{part}": value for part, value in flat(rows).items()}
    return packed


def _words(packed: np.ndarray) -> list[list[str]]:
    known: dict[str, str] = {}
    lines = packed.tobytes().decode("utf-8", "surrogatepass").split("\n")
    # A row without words is an empty line; so is the whole of no row, which `Texts.short` tells apart.
    return [[known.setdefault(word, word) for word in line.split()] for line in lines]
