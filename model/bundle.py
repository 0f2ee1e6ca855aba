"""A bundle is a model: a folder with a manifest and files whose sha256 the manifest lists.

Weights are plain NumPy arrays read without pickle and laid into a network that this code builds: nothing
in a bundle can run code. Loads without TensorFlow: `model.loading` lays the weights into the network.
"""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from model.lexical import LexicalVocabulary
from model.lexical_input import LexicalInput
from model.pieces import PieceVocabulary
from model.shape import EMBEDDING_WIDTH, LEXICAL_TABLE, SEMANTIC_TABLE, NetworkShape
from model.taxonomy import Taxonomy

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
FILES = ("taxonomy.csv", "lexical.npz", "semantic.npz", "sentencepiece.model", "image.npz", "imagenet_categories.csv")
REPORTS = ("metrics.json", "faithfulness.json")
SEEN = "seen.npz"
"""Text keys of the rows a bundle was trained on, so that an evaluation can leave them out."""
_DESCRIPTION = "description_"
"""Begins the names of the arrays of the vocabulary for descriptions, where there is one."""
_HALF_FROM = 10_000  # arrays this large are stored as float16; the small ones (norms, biases) keep float32


class BundleError(ValueError):
    """The bundle is refused; the message says why."""


@dataclass(frozen=True)
class Bundle:
    """A bundle but for its weights."""

    manifest: dict[str, Any]
    taxonomy: Taxonomy
    lexical: LexicalInput
    pieces: PieceVocabulary
    shape: NetworkShape
    reports: dict[str, Any]

    @property
    def version(self) -> str:
        return self.manifest["version"]


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
        return self.codes.astype(np.float32) * self.scale + self.low


def read_imagenet_table(text: str, taxonomy: Taxonomy) -> np.ndarray:
    """float32 (1000, categories) from ``index,name,categories`` rows; ValueError when a row is off."""
    table = np.zeros((1000, len(taxonomy)), np.float32)
    for row in csv.DictReader(io.StringIO(text)):
        for pair in filter(None, row["categories"].split(";")):
            code, weight = pair.split(":")
            table[int(row["index"]), taxonomy.index(int(code))] = float(weight)
    return table


def prior(taxonomy: Taxonomy) -> np.ndarray:
    """Published share of each category, float32 (categories,), sums to 1."""
    counts = np.array([category.train_count for category in taxonomy.categories], np.float32)
    return counts / counts.sum()


def save_bundle(
    folder: Path,
    name: str,
    taxonomy_csv: str,
    imagenet_csv: str,
    lexical_input: LexicalInput,
    pieces: PieceVocabulary,
    rows: QuantizedRows,
    shape: NetworkShape,
    weights: dict[str, np.ndarray],
    manifest: dict[str, Any],
    reports: dict[str, Any],
    seen: np.ndarray | None = None,
) -> dict[str, Any]:
    """Writes a bundle in the place of what ``folder`` holds and gives its manifest.

    ``rows`` are the embedding rows of ``pieces.kept``; ``weights`` are the network's, by path; ``seen`` the text keys
    of the rows it was trained on, uint64 (n,). The folder is changed at the end, when all is written.
    """
    weights = dict(weights)
    lexical = {LEXICAL_TABLE: weights.pop(LEXICAL_TABLE).astype(np.float16)}
    for prefix, vocabulary in (("", lexical_input.vocabulary), (_DESCRIPTION, lexical_input.description)):
        lexical |= {} if vocabulary is None else _vocabulary_arrays(prefix, vocabulary)
    del weights[SEMANTIC_TABLE]
    semantic = {"kept": pieces.kept, "codes": rows.codes, "scale": rows.scale, "low": rows.low}
    image = {}
    for path, value in weights.items():
        stored = value.astype(np.float16) if value.size >= _HALF_FROM else value
        (image if path.startswith("image") else semantic)[path] = stored
    contents = {
        "taxonomy.csv": taxonomy_csv.encode(),
        "imagenet_categories.csv": imagenet_csv.encode(),
        "lexical.npz": _npz(lexical),
        "semantic.npz": _npz(semantic),
        "sentencepiece.model": pieces.model,
        "image.npz": _npz(image),
    } | {f"{key}.json": _json(value) for key, value in reports.items()}
    if seen is not None:
        contents[SEEN] = _npz({"keys": np.unique(seen)})
    digest = hashlib.sha256()
    for file in FILES:
        digest.update(hashlib.sha256(contents[file]).digest())
    full = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": f"{name}-{digest.hexdigest()[:10]}",
        "shape": {name: value for name, value in asdict(shape).items() if name != "categories"},
        **manifest,
        "files": {
            file: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for file, data in contents.items()
        },
    }
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for file, data in {**contents, MANIFEST: _json(full)}.items():
        (part / file).write_bytes(data)
    if folder.exists():
        shutil.rmtree(folder)
    part.rename(folder)
    return full


def add_report(folder: Path, name: str, report: dict[str, Any]) -> None:
    """Puts a report beside the model, or in the place of an older one, and lists it in the manifest."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    data = _json(report)
    (folder / f"{name}.json").write_bytes(data)
    manifest["files"][f"{name}.json"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / MANIFEST).write_bytes(_json(manifest))


def read_taxonomy(folder: Path) -> Taxonomy:
    """The categories of a bundle, without reading the rest of it; or `BundleError` with the reason."""
    entry = read_manifest(folder)["files"].get("taxonomy.csv")
    with refusing(folder):
        data = (folder / "taxonomy.csv").read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise BundleError(f"{folder.name}: taxonomy.csv is not the file the manifest describes (sha256 differs)")
        return Taxonomy.from_csv(data.decode("utf-8"))


def read_bundle(folder: Path) -> Bundle:
    """Reads a bundle but for its weights, or raises `BundleError` with the reason."""
    manifest, contents = _read_checked(folder)
    with refusing(folder):
        return _bundle(manifest, contents)


def read_bundle_and_weights(folder: Path) -> tuple[Bundle, dict[str, np.ndarray]]:
    """Reads a bundle whole, its weights as float32 by their path in the network; or raises `BundleError`."""
    manifest, contents = _read_checked(folder)
    with refusing(folder):
        lexical, semantic, image = (_arrays(contents[f"{n}.npz"]) for n in ("lexical", "semantic", "image"))
        rows = QuantizedRows(semantic.pop("codes"), semantic.pop("scale"), semantic.pop("low")).values()
        weights = {**semantic, **image, LEXICAL_TABLE: lexical[LEXICAL_TABLE]}
        weights[SEMANTIC_TABLE] = np.concatenate([np.zeros((1, EMBEDDING_WIDTH), np.float32), rows])
        return _bundle(manifest, contents), {path: value.astype(np.float32) for path, value in weights.items()}


def read_embedding_rows(folder: Path) -> QuantizedRows:
    """The embedding of a bundle as it is stored; or `BundleError` with the reason."""
    _, contents = _read_checked(folder)
    with refusing(folder):
        return QuantizedRows(**_arrays(contents["semantic.npz"], "codes", "scale", "low"))


@contextmanager
def refusing(folder: Path) -> Iterator[None]:
    """Turns what misfitting files raise into `BundleError`."""
    try:
        yield
    except BundleError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
        raise BundleError(f"{folder.name}: its files do not fit each other or this program: {error!r}") from error


def _bundle(manifest: dict[str, Any], contents: dict[str, bytes]) -> Bundle:
    taxonomy = Taxonomy.from_csv(contents["taxonomy.csv"].decode("utf-8"))
    read_imagenet_table(contents["imagenet_categories.csv"].decode("utf-8"), taxonomy)  # must fit; the weights hold it
    lexical = _arrays(contents["lexical.npz"])
    return Bundle(
        manifest=manifest,
        taxonomy=taxonomy,
        lexical=LexicalInput(
            _vocabulary("", lexical), _vocabulary(_DESCRIPTION, lexical) if f"{_DESCRIPTION}idf" in lexical else None
        ),
        pieces=PieceVocabulary(contents["sentencepiece.model"], _arrays(contents["semantic.npz"], "kept")["kept"]),
        shape=NetworkShape(categories=len(taxonomy), **manifest["shape"]),
        reports={name.removesuffix(".json"): json.loads(contents[name]) for name in REPORTS if name in contents},
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone, its files unchecked; `BundleError` when it cannot be read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if not isinstance(manifest["files"], dict) or not isinstance(manifest["version"], str):
            raise TypeError("files and version are needed")
    except FileNotFoundError as error:
        raise BundleError(f"{folder.name}: holds no {MANIFEST}, so it is not a bundle") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{folder.name}: {MANIFEST} cannot be read: {error!r}") from error
    return manifest


def _read_checked(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    manifest = read_manifest(folder)
    listed = manifest["files"]
    if manifest.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{folder.name}: format {manifest.get('format_version')!r}; this program reads {FORMAT_VERSION}"
        )
    if missing := sorted(set(FILES) - set(listed)):
        raise BundleError(f"{folder.name}: the manifest lists no {', '.join(missing)}")
    if unknown := sorted(set(listed) - set(FILES) - set(REPORTS) - {SEEN}):
        raise BundleError(f"{folder.name}: unknown files in the manifest: {', '.join(unknown)}")
    if strangers := sorted({p.name for p in folder.iterdir()} - set(listed) - {MANIFEST}):
        raise BundleError(f"{folder.name}: files that the manifest does not list: {', '.join(strangers)}")
    contents = {}
    for name, entry in listed.items():
        try:
            contents[name] = (folder / name).read_bytes()
        except OSError as error:
            raise BundleError(f"{folder.name}: {name} is listed but cannot be read: {error}") from error
        if hashlib.sha256(contents[name]).hexdigest() != entry.get("sha256"):
            raise BundleError(f"{folder.name}: {name} is not the file the manifest describes (sha256 differs)")
    return manifest, contents


def _arrays(data: bytes, *names: str) -> dict[str, np.ndarray]:
    """The named arrays of an archive; all of them when none is named."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names or arrays.files}
    except BadZipFile as error:
        raise ValueError("not a NumPy archive") from error


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _vocabulary_arrays(prefix: str, vocabulary: LexicalVocabulary) -> dict[str, np.ndarray]:
    texts = {"words": vocabulary.words, "characters": vocabulary.characters}
    arrays = {f"{prefix}{name}": _text_array(value) for name, value in texts.items()}
    return arrays | {f"{prefix}idf": vocabulary.idf[2:].astype(np.float32)}


def _vocabulary(prefix: str, arrays: dict[str, np.ndarray]) -> LexicalVocabulary:
    words, characters, idf = (arrays[f"{prefix}{name}"] for name in ("words", "characters", "idf"))
    return LexicalVocabulary(_texts(words), _texts(characters), idf)


def _text_array(texts: list[str]) -> np.ndarray:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _texts(array: np.ndarray) -> list[str]:
    return array.tobytes().decode().split("\n") if array.size else []
