"""The network run by ONNX Runtime: the engine for many products, exported from TensorFlow (`model.export`)."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

from model.bundle import read_bundle
from model.predictor import Predictor

SEMANTIC, PICTURE = "semantic.onnx", "picture.onnx"
LEXICAL_TABLE, EMBEDDING_TABLE = "lexical.npy", "embedding.npy"
CARD = "export.json"


class OnnxRuntime:
    """A `model.predictor.Runtime`, on one thread unless told otherwise: several processes, each with its own, put all
    cores to work on the parts that are Python, too (docs/batch.md)."""

    # Small: what a batch touches stays in the cache that the cores share.
    text_batch = 8
    image_batch = 1

    def __init__(self, export: Path, threads: int = 1) -> None:
        """``export``: the folder that `model.export` wrote."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._semantic, self._picture = (
            onnxruntime.InferenceSession(str(export / name), options, providers=["CPUExecutionProvider"])
            for name in (SEMANTIC, PICTURE)
        )
        # Mapped, not read: all processes share one copy of the large tables.
        self._lexical, self._embedding = (np.load(export / n, mmap_mode="r") for n in (LEXICAL_TABLE, EMBEDDING_TABLE))
        self.bias = np.array(json.loads((export / CARD).read_text(encoding="utf-8"))["bias"], np.float32)

    def text(self, ids: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """See `model.predictor.Runtime`."""
        lexical = np.matmul(weights[:, None, :], self._lexical[ids])[:, 0]
        mask = (rows != 0)[..., None].astype(np.float32)
        return lexical + self._semantic.run(None, {"embedded": self._embedding[rows], "mask": mask})[0]

    def picture(self, images: np.ndarray) -> np.ndarray:
        """See `model.predictor.Runtime`."""
        return self._picture.run(None, {"image": images})[0]


def load_predictor(folder: Path, export: Path, threads: int = 1) -> Predictor:
    """The bundle in ``folder`` on ONNX Runtime; raises `model.bundle.BundleError` when it is refused."""
    return Predictor(read_bundle(folder), OnnxRuntime(export, threads))
