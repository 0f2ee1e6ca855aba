"""EfficientNet-Lite as part of a flat graph (Tan & Le 2019; the Lite variants of the TPU repository)."""

import math

from keras import layers

from model.shape import WIDTH_DEPTH_SIZE

# repeats, kernel, stride, expansion, channels
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FEATURE_MAP = "image_top_relu6"
"""Name of the part that ends in the last feature map, (batch, 7, 7, 1280), which Grad-CAM reads."""


def efficientnet_lite(image, variant: str = "lite0"):
    """Adds the network to ``image``, float32 (batch, size, size, 3) in [0, 255]; gives its feature map."""
    width, depth, _ = WIDTH_DEPTH_SIZE[variant]

    def convolve(x, name, convolution, activate=True):
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(convolution(x))
        return layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x

    def pointwise(channels, name):
        return layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{name}_conv")

    x = layers.Rescaling(1 / 128.0, offset=-127.0 / 128.0, name="image_rescaling")(image)
    stem = layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="image_stem_conv")
    x = convolve(x, "image_stem", stem)
    channels_in, block = 32, 0
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(_STAGES):
        first_or_last = stage in (0, len(_STAGES) - 1)
        channels = _round_channels(channels * width)
        for repeat in range(repeats if first_or_last else math.ceil(depth * repeats)):
            name, y = f"image_block{block}", x
            step = stride if repeat == 0 else 1
            if expansion != 1:
                y = convolve(y, f"{name}_expand", pointwise(channels_in * expansion, f"{name}_expand"))
            depthwise = layers.DepthwiseConv2D(
                kernel, step, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
            )
            y = convolve(y, f"{name}_depthwise", depthwise)
            y = convolve(y, f"{name}_project", pointwise(channels, f"{name}_project"), activate=False)
            x = layers.Add(name=f"{name}_add")([y, x]) if step == 1 and channels_in == channels else y
            channels_in, block = channels, block + 1
    return convolve(x, "image_top", pointwise(1280, "image_top"))


def _round_channels(channels: float) -> int:
    """Nearest multiple of 8, never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
