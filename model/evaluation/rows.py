"""Many rows through the network, their pictures read from disk one at a time: what text and picture say apart."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from model.evaluation.facts import RowFacts
from model.exported import exported
from model.onnx_runtime import load_predictor
from model.predictor import Predictor
from model.reading import ReadText, read_text
from preprocessing.image import ImageError

_CHUNK = 64
FEW = 1000
"""Up to here TensorFlow answers: by their number, not by what is exported, so that numbers repeat to the last digit."""

LanguageOf = Callable[[ReadText, str, str], str]


class Row(Protocol):
    """A listing; texts are "" when empty, ``picture`` is a path or None."""

    id: str
    designation: str
    description: str
    picture: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Of n rows. ``text`` and ``picture`` are these inputs' logits, float32 (n, categories), 0 without the input."""

    bias: np.ndarray
    text: np.ndarray
    picture: np.ndarray
    facts: RowFacts
    unreadable: Sequence[str]
    """Why the row's picture could not be read; "" when it was, or there is none."""

    @property
    def probabilities(self) -> np.ndarray:
        """From all that was read of each row: float32 (n, categories)."""
        return _softmax(self.bias + self.text + self.picture)

    @property
    def same_rows(self) -> dict[str, np.ndarray]:
        """Probabilities from the text alone, the picture alone and both, of the rows that have both."""
        both = self.facts.by_inputs["both"]
        text, picture = self.text[both], self.picture[both]
        return {
            "text": _softmax(self.bias + text),
            "image": _softmax(self.bias + picture),
            "both": _softmax(self.bias + text + picture),
        }


def load(bundle: Path, home: Path, rows: int) -> Predictor:
    """A bundle to answer so many rows; `model.bundle.BundleError`.

    Many are answered on ONNX Runtime, faster once the network is exported; a few before the export would be done.
    """
    if rows > FEW:
        return load_predictor(bundle, exported(bundle, home))
    # Here: TensorFlow takes seconds to load.
    from model.loading import load_bundle
    from model.tensorflow_runtime import TensorFlowRuntime

    loaded = load_bundle(bundle)
    return Predictor(loaded, TensorFlowRuntime(loaded))


def answer(predictor: Predictor, rows: Sequence[Row], language_of: LanguageOf | None = None) -> Answers:
    """Answers the rows in order, on all cores, with a progress bar where there is a terminal.

    A picture that cannot be read is left out and told. Languages are "" unless ``language_of`` tells them.
    """
    chunks = [rows[start : start + _CHUNK] for start in range(0, max(1, len(rows)), _CHUNK)]
    parts = []
    with _threads() as pool, tqdm(total=len(rows), unit="row", disable=None) as bar:
        for part in pool.map(partial(_chunk, predictor, language_of), chunks):
            parts.append(part)
            bar.update(len(part.facts))
    facts = [part.facts for part in parts]
    return Answers(
        bias=predictor.runtime.bias,
        text=np.concatenate([part.text for part in parts]),
        picture=np.concatenate([part.picture for part in parts]),
        facts=RowFacts(
            has_text=np.concatenate([part.has_text for part in facts]),
            has_image=np.concatenate([part.has_image for part in facts]),
            described=np.concatenate([part.described for part in facts]),
            words=np.concatenate([part.words for part in facts]),
            language=[language for part in facts for language in part.language],
        ),
        unreadable=[reason for part in parts for reason in part.unreadable],
    )


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core: decoding and the network run beside each other. What waits is dropped at the end."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pool = ThreadPoolExecutor(cores)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _chunk(predictor: Predictor, language_of: LanguageOf | None, rows: Sequence[Row]) -> Answers:
    texts = [read_text(row.designation, row.description) for row in rows]
    picture, has_image, unreadable = _pictures(predictor, rows)
    words = np.array([len(text.tokens) for text in texts], int)
    described = np.array([bool(row.description) for row in rows], bool)
    tell = language_of or (lambda *_: "")
    language = [tell(text, row.designation, row.description) for text, row in zip(texts, rows, strict=True)]
    facts = RowFacts(words > 0, has_image, described, words, language)
    return Answers(predictor.runtime.bias, _texts(predictor, texts), picture, facts, unreadable)


def _texts(predictor: Predictor, texts: list[ReadText]) -> np.ndarray:
    logits = np.zeros((len(texts), len(predictor.taxonomy)), np.float32)
    # Similar lengths together: less padding.
    ranked = sorted((i for i, text in enumerate(texts) if text.tokens), key=lambda i: len(texts[i].sentence))
    size = predictor.runtime.text_batch
    for start in range(0, len(ranked), size):
        batch = ranked[start : start + size]
        logits[batch] = predictor.runtime.text(*predictor.text_arrays([texts[i] for i in batch]))
    return logits


def _pictures(predictor: Predictor, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    logits, read = np.zeros((len(rows), len(predictor.taxonomy)), np.float32), np.zeros(len(rows), bool)
    unreadable = [""] * len(rows)
    for i, row in enumerate(rows):
        if row.picture is None:
            continue
        try:
            image = predictor.prepare(Path(row.picture).read_bytes())
        except ImageError as error:
            unreadable[i] = str(error)
        except OSError as error:
            unreadable[i] = error.strerror or str(error)
        else:
            logits[i] = predictor.runtime.picture(image.array[None].astype(np.float32))[0]
            read[i] = True
    return logits, read, unreadable


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)
