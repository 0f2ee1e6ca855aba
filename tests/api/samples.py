"""Pictures that are right, and pictures that are not."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

LAMP = "Lampe de chevet en bois avec abat-jour"
SOFA = "Canapé d'angle convertible gris"
LAMP_PNG = Path("ui/gallery/lamp.png")


def png(width: int = 120, height: int = 80) -> bytes:
    """A striped picture."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[::4] = (30, 90, 160)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """50,000 × 50,000 pixels in a few kilobytes."""
    rows = zlib.compress(bytes(2_000_000), 9)
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def hostile_pictures() -> dict[str, tuple[bytes, str]]:
    """Bytes that are no usable picture, and the reason each is refused with."""
    whole = png(600, 400)
    return {
        "empty": (b"", "empty"),
        "garbage": (bytes(range(256)) * 40, "not_an_image"),
        "html": (b"<script>alert(1)</script>", "not_an_image"),
        "cut short": (whole[: len(whole) // 2], "damaged"),
        "bomb": (png_bomb(), "too_many_pixels"),
        "gif bomb": (b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0,\0\0\0\0\1\0\1\0\0", "too_many_pixels"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format_not_allowed"),
        "pdf": (b"%PDF-1.7", "format_not_allowed"),
        "too large": (b"\x89PNG\r\n\x1a\n" + bytes(20 * 2**20), "too_large_bytes"),
    }
