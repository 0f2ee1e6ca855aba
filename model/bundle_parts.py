"""The parts of a bundle, each made of the bytes or arrays it is kept in; what cannot be one is refused.

Sizes are checked before anything is built from them: a network is never larger than the arrays that came with it.
"""

import csv
import io
import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from model.bundle_files import SEEN, BundleError
from model.lexical import LexicalVocabulary
from model.lexical_input import LexicalInput
from model.pieces import PieceVocabulary
from model.shape import EMBEDDING_WIDTH, LEXICAL_TABLE, WIDTH_DEPTH_SIZE, NetworkShape
from model.taxonomy import Taxonomy

MAX_CATEGORIES, MAX_LEXICAL_ROWS, MAX_SEMANTIC_ROWS = 10_000, 5_000_000, 500_000
ROWS = ("codes", "scale", "low")
"""Names of the arrays of `QuantizedRows`."""
_DESCRIPTION = "description_"
"""Begins the names of the arrays of the vocabulary for descriptions, where there is one."""
_VOCABULARY = ("words", "characters", "idf")
_SETTINGS = ("threshold", "coverage", "conformal_quantile")
_ROUNDING = 1e-6
_CLASSES = 1000
_MAX_LABEL = 300


@dataclass(frozen=True)
class QuantizedRows:
    """Embedding rows in few levels: ``codes * scale[channel] + low[channel]``.

    The channel is the piece id modulo the number of channels.
    """

    codes: np.ndarray
    scale: np.ndarray
    low: np.ndarray

    def take(self, pieces: np.ndarray) -> "QuantizedRows":
        """The rows of some piece ids, each with its own scale and low: (n, 1)."""
        channel = pieces % len(self.scale)
        return QuantizedRows(self.codes[pieces], self.scale[channel, None], self.low[channel, None])

    def values(self) -> np.ndarray:
        """float32 (rows, width)."""
        with np.errstate(over="ignore"):  # whoever reads a bundle refuses what is not finite
            return self.codes.astype(np.float32) * self.scale + self.low


def read_imagenet_table(text: str, taxonomy: Taxonomy) -> np.ndarray:
    """float32 (1000, categories) from ``index,name,categories`` rows; ValueError when a row is off."""
    table = np.zeros((_CLASSES, len(taxonomy)), np.float32)
    for row in csv.DictReader(io.StringIO(text)):
        for pair in filter(None, row["categories"].split(";")):
            code, weight = pair.split(":")
            index, category, value = int(row["index"]), int(code), float(weight)
            if not (0 <= index < _CLASSES and math.isfinite(value) and category in taxonomy.codes):
                raise ValueError(f"imagenet_categories.csv: class {index}, category {category}, weight {value}")
            table[index, taxonomy.index(category)] = value
    return table


def prior(taxonomy: Taxonomy) -> np.ndarray:
    """Published share of each category, float32 (categories,), sums to 1."""
    counts = np.array([category.train_count for category in taxonomy.categories], np.float32)
    return counts / counts.sum()


def taxonomy_of(data: bytes) -> Taxonomy:
    """The categories, each with a code of its own and labels; ValueError when they are not that."""
    taxonomy = Taxonomy.from_csv(data.decode("utf-8"))
    if len(taxonomy) > MAX_CATEGORIES:
        raise ValueError(f"taxonomy.csv: {len(taxonomy):,} categories; at most {MAX_CATEGORIES:,} are read")
    for category in taxonomy.categories:
        labels = [(label or "").strip() for label in (category.label_fr, category.label_en)]
        if not all(0 < len(label) <= _MAX_LABEL for label in labels):
            raise ValueError(f"taxonomy.csv: category {category.code} needs two labels of 1 to {_MAX_LABEL} characters")
        if not -(2**63) <= category.code < 2**63 or category.train_count < 0:
            raise ValueError(f"taxonomy.csv: code {category.code} with train_count {category.train_count}")
    return taxonomy


def shape_of(given: Any, categories: int) -> NetworkShape:
    """The sizes of the network as the manifest gives them; ValueError when they are not that."""
    if not isinstance(given, dict):
        raise ValueError("the manifest gives no shape")
    types = {field.name: field.type for field in fields(NetworkShape) if field.name != "categories"}
    for name, value in given.items():
        if name not in types:
            raise ValueError(f"the manifest's shape has {name[:100]!r}, which this program does not know")
        if not isinstance(value, types[name]) or (isinstance(value, bool) and types[name] is int):
            raise ValueError(f"the manifest's shape has a {name} that is none: {str(value)[:100]!r}")
    shape = NetworkShape(categories=categories, **given)
    if shape.backbone not in WIDTH_DEPTH_SIZE:
        raise ValueError(f"the backbone {shape.backbone[:100]!r} is not one of {', '.join(WIDTH_DEPTH_SIZE)}")
    for name, most in (("lexical_rows", MAX_LEXICAL_ROWS), ("semantic_rows", MAX_SEMANTIC_ROWS)):
        if not 0 < getattr(shape, name) <= most:
            raise ValueError(f"{name} is {getattr(shape, name)}; from 1 to {most:,} are read")
    return shape


def check_settings(given: Any) -> None:
    """ValueError unless the manifest gives the settings that answers are read with, each from 0 to 1."""
    for name in _SETTINGS:
        value = given.get(name) if isinstance(given, dict) else None
        if type(value) not in (int, float) or not 0 <= value <= 1 + _ROUNDING:
            raise ValueError(f"the manifest's setting {name} is {str(value)[:100]}, no number from 0 to 1")


def lexical_arrays(lexical_input: LexicalInput) -> dict[str, np.ndarray]:
    """What `lexical_of` reads, without the table."""
    arrays = {}
    for prefix, vocabulary in (("", lexical_input.vocabulary), (_DESCRIPTION, lexical_input.description)):
        arrays |= {} if vocabulary is None else _vocabulary_arrays(prefix, vocabulary)
    return arrays


def lexical_of(arrays: dict[str, np.ndarray], shape: NetworkShape) -> LexicalInput:
    """The vocabularies, for the table that stands beside them; ValueError when they do not fit it."""
    described = f"{_DESCRIPTION}idf" in arrays
    prefixes = ("", _DESCRIPTION) if described else ("",)
    _exactly(arrays, {LEXICAL_TABLE, *(f"{prefix}{name}" for prefix in prefixes for name in _VOCABULARY)}, "lexical")
    _sized(arrays[LEXICAL_TABLE], (shape.lexical_rows, shape.categories), LEXICAL_TABLE)
    read = LexicalInput(*(_vocabulary(prefix, arrays, shape.lexical_rows) for prefix in prefixes))
    if len(read) != shape.lexical_rows:
        raise ValueError(f"lexical.npz has n-grams for {len(read):,} rows of the table's {shape.lexical_rows:,}")
    return read


def pieces_of(model: bytes, kept: np.ndarray, shape: NetworkShape) -> PieceVocabulary:
    """The word pieces; ValueError when the model is none or ``kept`` does not fit it."""
    if (
        kept.dtype.kind not in "iu"
        or kept.shape != (shape.semantic_rows,)
        or (np.diff(kept.astype(np.int64)) <= 0).any()
    ):
        raise ValueError(f"semantic.npz: kept must be {shape.semantic_rows:,} piece ids, ascending")
    if not model:
        raise ValueError("sentencepiece.model is empty")
    try:
        return PieceVocabulary(model, kept.astype(np.int32))
    except KeyError as error:
        raise ValueError(f"semantic.npz: kept lacks the control piece {error}") from error
    except (RuntimeError, ValueError, TypeError) as error:
        raise BundleError(f"sentencepiece.model is no SentencePiece model: {str(error)[:300]}") from error


def rows_of(arrays: dict[str, np.ndarray], shape: NetworkShape) -> QuantizedRows:
    """The embedding of the kept pieces; ValueError when it has other sizes."""
    _needed(arrays, set(ROWS), "semantic")
    rows = QuantizedRows(*(arrays[name] for name in ROWS))
    _sized(rows.codes, (shape.semantic_rows, EMBEDDING_WIDTH), "codes")
    _sized(rows.scale, (shape.semantic_rows, 1), "scale")
    _sized(rows.low, (shape.semantic_rows, 1), "low")
    return rows


def seen_of(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Keys of texts and pictures, uint64 (n,); ValueError when they are not that."""
    _exactly(arrays, {"keys"}, "seen")
    keys = arrays["keys"]
    if keys.dtype != np.uint64 or keys.ndim != 1:
        raise ValueError(f"{SEEN}: keys must be uint64 (n,), not {keys.dtype} {keys.shape}")
    return keys


def _exactly(arrays: dict[str, np.ndarray], names: set[str], archive: str) -> None:
    _needed(arrays, names, archive)
    if others := sorted(set(arrays) - names):
        raise ValueError(f"{archive}.npz holds {others[0][:100]!r}, which this program does not know")


def _needed(arrays: dict[str, np.ndarray], names: set[str], archive: str) -> None:
    if missing := sorted(names - set(arrays)):
        raise ValueError(f"{archive}.npz lacks the array {missing[0]}")


def _sized(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape:
        raise ValueError(f"the array {name} has the shape {array.shape}, not {shape}")


def _vocabulary_arrays(prefix: str, vocabulary: LexicalVocabulary) -> dict[str, np.ndarray]:
    texts = {"words": vocabulary.words, "characters": vocabulary.characters}
    arrays = {f"{prefix}{name}": _text_array(value) for name, value in texts.items()}
    return arrays | {f"{prefix}idf": vocabulary.idf[2:].astype(np.float32)}


def _vocabulary(prefix: str, arrays: dict[str, np.ndarray], most: int) -> LexicalVocabulary:
    words, characters, idf = (arrays[f"{prefix}{name}"] for name in _VOCABULARY)
    if idf.dtype.kind != "f" or idf.ndim != 1 or len(idf) > most:
        raise ValueError(f"lexical.npz: {prefix}idf must be a number for each n-gram")
    return LexicalVocabulary(_texts(words, len(idf)), _texts(characters, len(idf)), idf)


def _text_array(texts: list[str]) -> np.ndarray:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _texts(array: np.ndarray, most: int) -> list[str]:
    """Lines of UTF-8 bytes, uint8 (n,); ValueError when there are more than ``most``."""
    if array.dtype != np.uint8 or array.ndim != 1 or np.count_nonzero(array == ord("\n")) > most:
        raise ValueError(f"lexical.npz: n-grams must be at most {most:,} lines of bytes")
    return array.tobytes().decode("utf-8").split("\n") if array.size else []
