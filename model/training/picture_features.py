"""What the backbone sees in each picture: one pass over all of them, in several processes, picked up after a kill."""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from model.training.stages import progress
from model.watchdog import end_with_parent
from preprocessing.image import ImageError, prepare

WIDTH = 1280
_CHUNK = 64
GRAPH = "features.onnx"


@dataclass(frozen=True)
class PictureFeatures:
    """``pooled``: mean of the last feature map, float16 (n, 1280). ``evidence``: what the table of ImageNet classes
    says, float32 (n, categories). ``read``: whether the picture could be read, bool (n,)."""

    pooled: np.ndarray
    evidence: np.ndarray
    read: np.ndarray


def picture_features(paths: Sequence[str], graph: Path, size: int, categories: int, folder: Path) -> PictureFeatures:
    """Features of all pictures. ``graph``: the backbone (`model.training.backbone_graph`), ``size`` its input's side.

    ``folder`` keeps what is done, chunk by chunk; a picture that cannot be read has zeros.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n, chunks = len(paths), -(-len(paths) // _CHUNK)
    pooled = _kept(folder / "pooled.npy", np.float16, (n, WIDTH))
    evidence = _kept(folder / "evidence.npy", np.float32, (n, categories))
    read = _kept(folder / "read.npy", np.bool_, (n,))
    done = _kept(folder / "done.npy", np.bool_, (chunks,))
    left = np.flatnonzero(~done)
    bar = progress("pictures", " pictures")(total=n, initial=min(n, int(done.sum()) * _CHUNK))
    context = multiprocessing.get_context("spawn")  # a process with TensorFlow in it must not be forked
    with bar, ProcessPoolExecutor(os.cpu_count(), context, _start, (str(graph), size)) as pool:
        work = [paths[c * _CHUNK : (c + 1) * _CHUNK] for c in left]
        for chunk, found in zip(left, pool.map(_look, work), strict=True):
            part = np.s_[chunk * _CHUNK : (chunk + 1) * _CHUNK]
            pooled[part], evidence[part], read[part] = found
            # In this order: what is marked as done is on its way to the disk.
            for array in (pooled, evidence, read):
                array.flush()
            done[chunk] = True
            done.flush()
            bar.update(len(found[2]))
    return PictureFeatures(pooled, evidence, np.asarray(read))


def _kept(path: Path, dtype: type, shape: tuple[int, ...]) -> np.memmap:
    """An array on disk, zeros at first; the file appears whole."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_2_0(file, header)
            file.truncate(file.tell() + int(np.prod(shape)) * np.dtype(dtype).itemsize)
        part.replace(path)
    return np.lib.format.open_memmap(path, mode="r+")


_session: onnxruntime.InferenceSession
_size: int


def _start(graph: str, size: int) -> None:
    global _session, _size
    end_with_parent()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    _session, _size = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]), size


def _look(paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    categories = _session.get_outputs()[1].shape[1]
    pooled = np.zeros((len(paths), WIDTH), np.float16)
    evidence, read = np.zeros((len(paths), categories), np.float32), np.zeros(len(paths), bool)
    for i, path in enumerate(paths):
        try:
            image = prepare(Path(path).read_bytes(), _size).array
        except (ImageError, OSError):  # counted by the caller, and told
            continue
        found = _session.run(None, {"image": image[None].astype(np.float32)})
        pooled[i], evidence[i], read[i] = found[0][0], found[1][0], True
    return pooled, evidence, read
