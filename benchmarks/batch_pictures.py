"""Pictures in batches: every runtime for the same weights, and how much of the fastest the whole way keeps."""

import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import tensorflow as tf

from batch.local import cores
from benchmarks.batch_data import classify, write_photos, write_pictures
from model.classifier import Classifier
from model.exported import exported
from model.onnx_runtime import OnnxRuntime
from model.versions import active_bundle
from settings import settings

FILES, ROWS, SIDE = 500, 9_000, 500
BATCHES = (1, 8, 32)
_SECONDS = 4.0
_ROUNDS = 2


def speed(folder: Path, files: int = FILES, rows: int = ROWS) -> str:
    """Pictures a second of each runtime, the network alone; then of the command, file to file."""
    export = exported(active_bundle(), settings().home)
    rates = runtimes(Classifier.load(), export)
    fastest = max(rates, key=rates.get)
    photos = write_photos(folder / "photos", files, SIDE)
    archive = folder / "photos.zip"
    with ZipFile(archive, "w", ZIP_STORED) as file:
        for path in sorted(photos.iterdir()):
            file.write(path, f"image_train/{path.name}")
    places = {"folder": photos, "ZIP": archive}
    few, many = (write_pictures(folder / f"{count}.csv", count, files) for count in (rows // 3, rows))
    lines = [
        f"### Pictures ({SIDE} x {SIDE} JPEG), the network alone on prepared pixels, best of batches {BATCHES}",
        "",
        f"| runtime | pictures/s | times {fastest} |",
        "|---|---:|---:|",
        *(f"| {name} | {rate:.0f} | {rate / rates[fastest]:.2f} |" for name, rate in rates.items()),
        "",
        f"### {rows:,} rows with pictures: read, decoded, fitted, classified, written",
        "",
        "The start of the command (imports, the model in each process) is part of the first rate; the second is what"
        f" {rows - rows // 3:,} rows more cost.",
        "",
        f"| pictures in a | rows/s, whole | rows/s, at work | at work, times {fastest} | cores busy, of {cores()} |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, place in places.items():
        short, whole = (classify(table, "--images", str(place)) for table in (few, many))
        rate = (rows - rows // 3) / (whole.seconds - short.seconds)
        busy = (whole.cpu - short.cpu) / (whole.seconds - short.seconds)
        lines.append(f"| {kind} | {rows / whole.seconds:.0f} | {rate:.0f} | {rate / rates[fastest]:.2f} | {busy:.2f} |")
    return "\n".join([*lines, ""])


def runtimes(classifier: Classifier, export: Path) -> dict[str, float]:
    """Pictures a second, the best batch of each; sides take turns, so that a busy moment falls on all."""
    size = classifier.bundle.shape.image_size
    pixels = np.random.default_rng(0).uniform(0, 255, (max(BATCHES), size, size, 3)).astype(np.float32)
    onnx = OnnxRuntime(export, threads=cores())
    sides: dict[str, Callable[[np.ndarray], object]] = {
        "TensorFlow predict_on_batch": classifier.bundle.network.picture.predict_on_batch,
        "TensorFlow tf.function": classifier.runtime.picture,
        f"LiteRT, {cores()} threads": _LiteRuntime(classifier, cores()).picture,
        f"ONNX Runtime, {cores()} threads": onnx.picture,
    }
    best = dict.fromkeys([*sides, f"ONNX Runtime, {cores()} processes of one thread"], 0.0)
    for _ in range(_ROUNDS):
        for batch in BATCHES:
            for name, run in sides.items():
                best[name] = max(best[name], _rate(run, pixels[:batch]))
        name = f"ONNX Runtime, {cores()} processes of one thread"
        best[name] = max(best[name], _of_processes(export, pixels[: OnnxRuntime.image_batch]))
    return best


class _LiteRuntime:
    """The same weights converted by TensorFlow Lite, as LiteRT was called before."""

    def __init__(self, classifier: Classifier, threads: int) -> None:
        network, size = classifier.bundle.network, classifier.bundle.shape.image_size
        function = tf.function(
            lambda image: network.picture(image, training=False),
            input_signature=[tf.TensorSpec((None, size, size, 3), tf.float32)],
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
        self._interpreter = tf.lite.Interpreter(model_content=converter.convert(), num_threads=threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._batch = 0

    def picture(self, images: np.ndarray) -> np.ndarray:
        if len(images) != self._batch:
            self._interpreter.resize_tensor_input(self._input, images.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(images)
        self._interpreter.set_tensor(self._input, images)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


def _rate(run: Callable[[np.ndarray], object], images: np.ndarray, seconds: float = _SECONDS) -> float:
    run(images)
    started, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        run(images)
        done += len(images)
    return done / passed


def _of_processes(export: Path, images: np.ndarray) -> float:
    with get_context("spawn").Pool(cores()) as pool:
        return sum(pool.starmap(_rate_of_one, [(str(export), images)] * cores(), chunksize=1))


def _rate_of_one(export: str, images: np.ndarray) -> float:
    return _rate(OnnxRuntime(Path(export)).picture, images)
