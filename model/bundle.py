"""A bundle is a model: a folder with a manifest and files whose sha256 the manifest lists.

Weights are plain NumPy arrays read without pickle and laid into a network that this code builds: nothing
in a bundle can run code. Loads without TensorFlow: `model.loading` lays the weights into the network.
"""

import io
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.arrays import read_arrays
from model.bundle_files import (
    FILES,
    FORMAT_VERSION,
    MANIFEST,
    REPORTS,
    SEEN,
    BundleError,
    add_report,
    as_json,
    listing,
    parse_json,
    read_checked,
    read_file,
    read_listed,
    read_manifest,
    refusing,
    version_of,
)
from model.bundle_parts import (
    ROWS,
    QuantizedRows,
    check_settings,
    lexical_arrays,
    lexical_of,
    pieces_of,
    prior,
    read_imagenet_table,
    rows_of,
    seen_of,
    shape_of,
    taxonomy_of,
)
from model.lexical_input import LexicalInput
from model.pieces import PieceVocabulary
from model.shape import EMBEDDING_WIDTH, LEXICAL_TABLE, SEMANTIC_TABLE, NetworkShape
from model.taxonomy import Taxonomy

__all__ = [
    "FILES", "FORMAT_VERSION", "MANIFEST", "REPORTS", "SEEN", "Bundle", "BundleError", "QuantizedRows", "add_report",
    "prior", "read_bundle", "read_bundle_and_weights", "read_embedding_rows", "read_imagenet_table", "read_manifest",
    "read_seen", "read_taxonomy", "refusing", "save_bundle",
]  # fmt: skip
_HALF_FROM = 10_000  # arrays this large are stored as float16; the small ones (norms, biases) keep float32


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

    ``rows`` are the embedding rows of ``pieces.kept``; ``weights`` are the network's, by path; ``seen`` the keys
    of the texts, and of pictures where it was adapted, that it learned from, uint64 (n,). The folder is changed at
    the end, when all is written.
    """
    weights = dict(weights)
    lexical = {LEXICAL_TABLE: weights.pop(LEXICAL_TABLE).astype(np.float16)}
    lexical |= lexical_arrays(lexical_input)
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
    } | {f"{key}.json": as_json(value) for key, value in reports.items()}
    if seen is not None:
        contents[SEEN] = _npz({"keys": np.unique(seen)})
    files = listing(contents)
    full = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "version": version_of(name, {file: entry["sha256"] for file, entry in files.items()}),
        "shape": {name: value for name, value in asdict(shape).items() if name != "categories"},
        **manifest,
        "files": files,
    }
    mark = uuid.uuid4().hex[:8]
    part, before = (folder.with_name(f"{folder.name}.{mark}.{kind}") for kind in ("part", "old"))
    try:
        part.mkdir(parents=True)
        for file, data in {**contents, MANIFEST: as_json(full)}.items():
            (part / file).write_bytes(data)
        if folder.exists():
            folder.rename(before)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(before, ignore_errors=True)
    return full


def read_taxonomy(folder: Path) -> Taxonomy:
    """The categories of a bundle, without reading the rest of it; or `BundleError` with the reason."""
    with refusing(folder):
        return taxonomy_of(read_listed(folder, read_manifest(folder), "taxonomy.csv"))


def read_seen(folder: Path) -> np.ndarray | None:
    """Keys of the texts, and of pictures where it was adapted, that a model learned from, uint64 (n,); None when it
    does not say. `BundleError`."""
    manifest = read_manifest(folder)
    listed = SEEN in manifest["files"]
    if not listed and not os.path.lexists(folder / SEEN):
        return None
    with refusing(folder):
        # Not listed, it is refused with the whole bundle; the keys are asked for first.
        data = read_listed(folder, manifest, SEEN) if listed else read_file(folder, SEEN)
        return seen_of(read_arrays(data, f"{folder.name}: {SEEN}"))


def read_bundle(folder: Path) -> Bundle:
    """Reads a bundle but for its weights, or raises `BundleError` with the reason."""
    manifest, contents = read_checked(folder)
    with refusing(folder):
        lexical, semantic = _archive(folder, contents, "lexical"), _archive(folder, contents, "semantic", "kept")
        return _bundle(folder, manifest, contents, lexical, semantic["kept"])


def read_bundle_and_weights(folder: Path) -> tuple[Bundle, dict[str, np.ndarray]]:
    """Reads a bundle whole, its weights as float32 by their path in the network; or raises `BundleError`."""
    manifest, contents = read_checked(folder)
    with refusing(folder):
        lexical, semantic, image = (_archive(folder, contents, name) for name in ("lexical", "semantic", "image"))
        kept = semantic.pop("kept", np.zeros(0, np.int32))
        bundle = _bundle(folder, manifest, contents, lexical, kept)
        if twice := sorted(semantic.keys() & image.keys()):
            raise BundleError(f"{folder.name}: the weight {twice[0]} stands in two files")
        rows = rows_of(semantic, bundle.shape).values()
        weights = {path: value for path, value in (semantic | image).items() if path not in ROWS}
        weights[LEXICAL_TABLE] = lexical[LEXICAL_TABLE]
        weights[SEMANTIC_TABLE] = np.concatenate([np.zeros((1, EMBEDDING_WIDTH), np.float32), rows])
        return bundle, {path: _single(value, path) for path, value in weights.items()}


def read_embedding_rows(folder: Path) -> QuantizedRows:
    """The embedding of a bundle as it is stored; or `BundleError` with the reason."""
    manifest, contents = read_checked(folder)
    with refusing(folder):
        shape = shape_of(manifest.get("shape"), len(taxonomy_of(contents["taxonomy.csv"])))
        return rows_of(_archive(folder, contents, "semantic", *ROWS), shape)


def _bundle(
    folder: Path, manifest: dict[str, Any], contents: dict[str, bytes], lexical: dict[str, np.ndarray], kept: np.ndarray
) -> Bundle:
    taxonomy = taxonomy_of(contents["taxonomy.csv"])
    shape = shape_of(manifest.get("shape"), len(taxonomy))
    check_settings(manifest.get("settings"))
    read_imagenet_table(contents["imagenet_categories.csv"].decode("utf-8"), taxonomy)  # must fit; the weights hold it
    if SEEN in contents:
        seen_of(read_arrays(contents[SEEN], f"{folder.name}: {SEEN}"))
    reports = {name.removesuffix(".json"): name for name in REPORTS if name in contents}
    return Bundle(
        manifest=manifest,
        taxonomy=taxonomy,
        lexical=lexical_of(lexical, shape),
        pieces=pieces_of(contents["sentencepiece.model"], kept, shape),
        shape=shape,
        reports={name: parse_json(contents[file], f"{folder.name}: {file}") for name, file in reports.items()},
    )


def _archive(folder: Path, contents: dict[str, bytes], name: str, *arrays: str) -> dict[str, np.ndarray]:
    return read_arrays(contents[f"{name}.npz"], f"{folder.name}: {name}.npz", *arrays)


def _single(values: np.ndarray, path: str) -> np.ndarray:
    """As float32; ValueError when they are too large for it."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32, copy=False)
    if not np.isfinite(single).all():
        raise ValueError(f"the weight {path} is too large")
    return single


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
