"""A bundle of a few kilobytes that is read whole, and ways to spoil it under the right checksums.

Only its network lacks most of its weights, which shows when it is built: after everything that is tested here.
"""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece

from model.bundle import FILES, MANIFEST, QuantizedRows, save_bundle
from model.bundle_files import listing, version_of
from model.lexical import LexicalVocabulary
from model.lexical_input import LexicalInput
from model.pieces import PieceVocabulary
from model.shape import LEXICAL_TABLE, SEMANTIC_TABLE, NetworkShape

TAXONOMY = "code,label_fr,label_en,train_count,scope\n10,Livres,Books,5,old\n20,Jeux,Games,7,all\n"
IMAGENET = "index,name,categories\n0,tench,\n1,board,20:0.5\n"
SETTINGS = {"threshold": 0.6, "coverage": 0.9, "conformal_quantile": 0.6}
WEIGHT = "image_stem_conv/kernel"


@cache
def piece_model() -> bytes:
    """A SentencePiece model of a few sentences."""
    out = io.BytesIO()
    sentences = ["livre ancien relie", "jeu de societe", "pool with pump", "carte a jouer", "old book of maps"] * 5
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=out, vocab_size=40, hard_vocab_limit=False, minloglevel=2
    )
    return out.getvalue()


def small_bundle(folder: Path, **changes: Any) -> Path:
    """Writes it; ``changes`` go to `save_bundle`."""
    vocabulary = LexicalVocabulary.fit([["old", "book"], ["board", "game"]], min_documents=1)
    pieces = PieceVocabulary.for_folded_text(piece_model())
    kept = len(pieces.kept)
    random = np.random.default_rng(0)
    given = {
        "name": "small",
        "taxonomy_csv": TAXONOMY,
        "imagenet_csv": IMAGENET,
        "lexical_input": LexicalInput(vocabulary),
        "pieces": pieces,
        "rows": QuantizedRows(np.full((kept, 512), 200, np.uint8), np.ones((kept, 1), "f4"), np.zeros((kept, 1), "f4")),
        "shape": NetworkShape(2, len(vocabulary), kept),
        "weights": {
            LEXICAL_TABLE: random.normal(size=(len(vocabulary), 2)).astype(np.float32),
            SEMANTIC_TABLE: np.zeros((kept + 1, 512), np.float32),
            WEIGHT: random.normal(size=(3, 3, 3, 32)).astype(np.float32),
            "semantic_logits/bias": np.zeros(2, np.float32),
        },
        "manifest": {"created": "2026-01-01", "settings": SETTINGS},
        "reports": {"metrics": {"schema": 2}},
        "seen": np.array([3, 1, 2], np.uint64),
    } | changes
    save_bundle(folder, **given)
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / MANIFEST).read_bytes())


def put(folder: Path, name: str, data: bytes) -> Path:
    """A file in its place, listed with the right checksum, under the right version."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    manifest = manifest_of(folder)
    manifest["files"] |= listing({name: data})
    digests = {file: entry["sha256"] for file, entry in manifest["files"].items()}
    if set(FILES) <= set(digests):
        manifest["version"] = version_of(manifest["name"], digests)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    manifest = manifest_of(folder)
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def replace_text(folder: Path, name: str, before: str, after: str) -> Path:
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    return put(folder, name, text.replace(before, after).encode())


def members(folder: Path, name: str) -> dict[str, bytes]:
    """What an archive of the bundle holds, by the name in the archive."""
    with zipfile.ZipFile(folder / name) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of files by name, a name as often as it is given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def with_member(folder: Path, archive: str, member: str, data: bytes) -> Path:
    """The archive with a member more, or in the place of its like."""
    return put(folder, archive, zipped(*(members(folder, archive) | {member: data}).items()))


def npy(array: np.ndarray) -> bytes:
    """As numpy.save writes it; arrays of objects pickled."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_with_header(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """An array file whose header says anything."""
    text = header.encode("latin1")
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + data
