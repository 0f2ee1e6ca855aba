"""A heat map over a picture: the colours, and the blend."""

from functools import lru_cache

import numpy as np
from PIL import Image

# Oklab (Ottosson 2020) to linear sRGB.
_TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.707614701],
    ]
)


@lru_cache(maxsize=1)
def colours() -> np.ndarray:
    """256 colours, uint8 (256, 3), violet to yellow: equal steps of heat are equal steps of lightness."""
    t = np.linspace(0, 1, 256)
    hue = np.radians(295 + 175 * t)
    chroma = 0.09 + 0.07 * np.sin(np.pi * t)  # as vivid as stays within sRGB all along the way
    lab = np.stack([0.32 + 0.56 * t, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    linear = ((lab @ _TO_LMS.T) ** 3 @ _TO_RGB.T).clip(0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table = np.rint(srgb * 255).astype(np.uint8)
    table.setflags(write=False)
    return table


def overlay(picture: Image.Image, heat: np.ndarray, opacity: float) -> np.ndarray:
    """The picture, uint8 (h, w, 3), with the heat laid over it; where there is no heat it shows through.

    ``heat``: float (h, w) in [0, 1]. ``opacity``: of the hottest place, in [0, 1].
    """
    heat = np.clip(heat, 0, 1)
    coloured = colours()[np.rint(heat * 255).astype(np.uint8)].astype(np.float32)
    alpha = opacity * heat[..., None] ** 0.8  # brings the middle of the scale out a little; zero stays zero
    base = np.asarray(picture.convert("RGB"), np.float32)
    return np.rint(base * (1 - alpha) + coloured * alpha).astype(np.uint8)


def scale_bar(width: int = 256, height: int = 10) -> np.ndarray:
    """The colours from least to most, uint8 (height, width, 3), for the legend."""
    row = colours()[np.linspace(0, 255, width).astype(np.uint8)]
    return np.repeat(row[None], height, axis=0)
