"""Uploaded image bytes → the square array the network reads, and a heat map on that square → the picture.

The bytes are hostile until proven otherwise: the signature tells the format and the header the pixel count,
and only then is anything decoded. Colour profiles (ICC) are ignored: colours are taken for sRGB.
"""

import io
import math
import re
import struct
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageChops
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from preprocessing.errors import InputError

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000

# Called directly, in place of Image.open(formats=...), whose decompression-bomb warnings only a global filter
# silences. A phone's multi-picture file (MPO) opens as the JPEG it starts with.
_READERS = {
    "JPEG": (rb"\xff\xd8\xff", JpegImageFile),
    "PNG": (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    "WEBP": (rb"RIFF.{4}WEBP", WebPImageFile),
    "GIF": (rb"GIF8[79]a", GifImageFile),
    "BMP": (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImageFile),
}
FORMATS = tuple(_READERS)
_REFUSED = {  # recognised only to be named in the message
    "HEIC": rb".{4}ftyp(hei[cxms]|hev[cxms]|mif1|msf1)",
    "AVIF": rb".{4}ftypavi[fs]",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "SVG": rb"(\xef\xbb\xbf)?(<[?!][^>]*>|\s)*<svg",
    "PDF": rb"%PDF",
}
_SENTENCES = {
    "empty": "The image file is empty (0 bytes): send the picture again.",
    "too_large_bytes": "The file is {megabytes} MB, over the {limit_megabytes} MB limit: send a smaller one.",
    "too_many_pixels": "The picture has {width} × {height} pixels ({megapixels} million), above the limit of "
    "{limit_megapixels} million: send a smaller one.",
    "not_an_image": "The file is not an image: send a picture as one of {formats}.",
    "format_not_allowed": "{format} is not accepted: save the picture as one of {formats} and send that.",
    "damaged": "The {format} picture is damaged or cut short: export it or send it again.",
}

_TURN = Image.Transpose
_UPRIGHT = {2: _TURN.FLIP_LEFT_RIGHT, 3: _TURN.ROTATE_180, 4: _TURN.FLIP_TOP_BOTTOM}
_UPRIGHT |= {5: _TURN.TRANSPOSE, 6: _TURN.ROTATE_270, 7: _TURN.TRANSVERSE, 8: _TURN.ROTATE_90}
_MARGIN_TOLERANCE = 14  # of 255: JPEG noise stays margin, a soft shadow stays picture
_STANDS_OUT = [255 * (difference > _MARGIN_TOLERANCE) for difference in range(256)]
_MARGIN_PAD = 0.02  # of the longer side of what is kept
_LEAST_KEPT = 1 / 8  # of the longer side of the picture: a speck of dust on white is not the product

Box = tuple[int, int, int, int]  # left, top, right, bottom


class ImageError(InputError):
    """A picture that cannot be used: `reason` names the cause, `details` fills in a translated message."""

    SENTENCES = _SENTENCES


@dataclass(frozen=True)
class Geometry:
    """Where the square model input lies on the upright original picture."""

    picture_size: tuple[int, int]  # (width, height) of the original, after EXIF rotation
    crop: Box  # what was kept, in pixels of the original
    content: Box  # where that lies in the model input, in pixels of the input
    input_size: int

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """Point of the original picture → point of the model input; outside `content` if cropped away."""
        left, top, right, bottom = self.crop
        u, v, end_u, end_v = self.content
        return u + (x - left) * (end_u - u) / (right - left), v + (y - top) * (end_v - v) / (bottom - top)

    def to_picture(self, heat: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Float map (h, w) over the model input → bilinear float32 map (height, width) over the original.

        It is zero outside the crop. `size` (width, height) asks for it over a scaled version of the original.
        """
        heat = np.ascontiguousarray(heat, dtype=np.float32)
        if heat.ndim != 2 or not heat.size:
            raise ValueError(f"A heat map needs two dimensions, neither empty; got shape {heat.shape}.")
        width, height = size or self.picture_size
        left, top, right, bottom = _whole(_scale(self.crop, (width, height), self.picture_size))
        box = _scale(self.content, heat.shape[::-1], (self.input_size, self.input_size))
        seen = Image.fromarray(heat).resize((right - left, bottom - top), Image.Resampling.BILINEAR, box)
        laid = np.zeros((height, width), dtype=np.float32)
        laid[top:bottom, left:right] = np.asarray(seen)
        return laid


@dataclass(frozen=True)
class PreparedImage:
    """What the network reads, `array` (uint8 RGB, size × size × 3), and how it lies on the original."""

    array: np.ndarray
    geometry: Geometry


def prepare(data: bytes, size: int = 224) -> PreparedImage:
    """The picture upright, less its margins, fitted on a white square of `size` pixels; or ImageError."""
    image, full = _decode(data, 4 * size)
    crop = _without_margins(image, full)
    sides = crop[2] - crop[0], crop[3] - crop[1]
    across, down = (max(1, round(side * size / max(sides))) for side in sides)
    left, top = (size - across) // 2, (size - down) // 2
    box = _scale(crop, image.size, full)
    # The first is made for shrinking: as sharp as a cubic filter there, at the cost of a linear one.
    shrinks = max(box[2] - box[0], box[3] - box[1]) > size
    kept = image.resize((across, down), Image.Resampling.HAMMING if shrinks else Image.Resampling.BICUBIC, box)
    square = Image.new("RGB", (size, size), "white")
    square.paste(kept, (left, top))
    content = (left, top, left + across, top + down)
    return PreparedImage(np.array(square), Geometry(full, crop, content, size))


def picture(data: bytes, max_side: int = 640) -> Image.Image:
    """The whole picture to show: upright, RGB on white, no side above `max_side`; or ImageError."""
    image, full = _decode(data, 2 * max_side)
    scale = min(1.0, max_side / max(full))
    return image.resize(tuple(max(1, round(side * scale)) for side in full), Image.Resampling.LANCZOS)


def _decode(data: bytes, enough: int) -> tuple[Image.Image, tuple[int, int]]:
    """The picture upright, RGB on white, each side shrunk below 2 × `enough`; and its full upright size."""
    name = _format(data)
    try:
        _check_pixels(*_canvas(name, data))
        image = _READERS[name][1](io.BytesIO(data))
        full = image.size
        _check_pixels(*full)
        image.draft(None, (enough, enough))
        image.load()
        orientation = _orientation(image)
        image = _plain(image)
        factors = tuple(max(1, side // enough) for side in image.size)
        image = _on_white(image if factors == (1, 1) else image.reduce(factors))
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # on bad bytes Pillow's readers raise a dozen types with no common base
        raise ImageError("damaged", {"format": name}) from error
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    return image, full[::-1] if orientation >= 5 else full


def _format(data: bytes) -> str:
    if not data:
        raise ImageError("empty")
    if len(data) > MAX_BYTES:
        megabytes = -(-len(data) * 100 // 2**20) / 100  # rounded up: one byte too many must not read as 20.0
        raise ImageError("too_large_bytes", {"megabytes": megabytes, "limit_megabytes": MAX_BYTES // 2**20})
    for name, (signature, _) in _READERS.items():
        if re.match(signature, data, re.DOTALL):
            return name
    formats = ", ".join(FORMATS)
    for name, signature in _REFUSED.items():
        if re.match(signature, data[:2000], re.DOTALL):
            raise ImageError("format_not_allowed", {"format": name, "formats": formats})
    raise ImageError("not_an_image", {"formats": formats})


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        millions = {"megapixels": -(-width * height // 10**5) / 10, "limit_megapixels": MAX_PIXELS // 10**6}
        raise ImageError("too_many_pixels", {"width": width, "height": height, **millions})


def _canvas(name: str, data: bytes) -> tuple[int, int]:
    """The size a GIF or WebP declares: Pillow allocates for these as soon as it opens them."""
    if name == "GIF":
        width, height, flags = struct.unpack_from("<HHB", data, 6)
        at = 13 + (3 << (flags & 7) + 1 if flags & 128 else 0)
        while data[at] != ord(","):  # up to the first frame, which may reach beyond the screen
            if data[at] == ord("!"):
                at += 2
                while data[at]:
                    at += data[at] + 1
            at += 1
        left, top, across, down = struct.unpack_from("<4H", data, at + 1)
        return max(width, left + across), max(height, top + down)
    if name == "WEBP" and data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if name == "WEBP":
        lossless = data[12:16] == b"VP8L"
        bits = int.from_bytes(data[21:25] if lossless else data[26:30], "little")
        return (bits & 0x3FFF) + lossless, (bits >> (14 if lossless else 16) & 0x3FFF) + lossless
    return 0, 0


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
        return value if value in _UPRIGHT else 1
    except Exception:  # unreadable EXIF says nothing about the pixels: keep them as they are stored
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """The same picture as L, LA, RGB or RGBA: the modes that shrink and blend correctly."""
    clear = image.info.get("transparency")
    if image.mode[0] in "IF":  # up to 16 bits a pixel, which convert() would clip at 255 rather than scale
        deep = np.asarray(image)
        image = Image.fromarray((np.clip(deep, 0, 65535) // 257).astype(np.uint8))
        if clear is not None:
            image.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)))
        return image
    if image.mode in ("L", "LA", "RGB", "RGBA") and clear is None:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    if "A" not in image.mode:
        return image if image.mode == "RGB" else image.convert("RGB")
    white = Image.new("RGB", image.size, "white")
    white.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return white


def _without_margins(image: Image.Image, full: tuple[int, int]) -> Box:
    """The picture less its uniform or white border, in pixels of `full`; all of it if nothing stands out."""
    right, bottom = image.width - 1, image.height - 1
    corners = np.array([image.getpixel(at) for at in ((0, 0), (right, 0), (0, bottom), (right, bottom))])
    border = np.median(corners, axis=0).astype(int)
    if (np.abs(corners - border).max(axis=1) <= _MARGIN_TOLERANCE).sum() < 3:  # one corner may hold a logo
        border = [255, 255, 255]
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, tuple(border))).split()
    largest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    box = largest.point(_STANDS_OUT).getbbox() or (0, 0, *image.size)
    left, top, right, bottom = _whole(_scale(box, full, image.size))
    longest = max(right - left, bottom - top)
    pad = max(1, round(_MARGIN_PAD * longest), round((_LEAST_KEPT * max(full) - longest) / 2))
    return max(0, left - pad), max(0, top - pad), min(full[0], right + pad), min(full[1], bottom + pad)


def _scale(box: Box, new: tuple[int, int], old: tuple[int, int]) -> tuple[float, float, float, float]:
    return tuple(edge * now / was for edge, now, was in zip(box, new * 2, old * 2, strict=True))


def _whole(box: tuple[float, float, float, float]) -> Box:
    return math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
