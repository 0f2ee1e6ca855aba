"""Drawn objects planted in a textured picture, to see whether a heat map finds the one it should."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

OBJECT = 96
"""Side of a drawn object, in pixels."""


def _clock(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((4, 4, 92, 92), fill="white", outline="black", width=5)
    for x, y in ((48, 12), (84, 48), (48, 84), (12, 48)):
        draw.rectangle((x - 3, y - 3, x + 3, y + 3), fill="black")
    draw.line((48, 48, 48, 20), fill="black", width=4)
    draw.line((48, 48, 70, 60), fill="black", width=4)


def _envelope(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((4, 20, 92, 78), fill="#f3ead2", outline="#8a7a55", width=3)
    draw.line((4, 20, 48, 54, 92, 20), fill="#8a7a55", width=3)


def _teddy(draw: ImageDraw.ImageDraw) -> None:
    for box in ((14, 2, 38, 26), (58, 2, 82, 26), (16, 8, 80, 62), (20, 50, 76, 94)):
        draw.ellipse(box, fill="#a5692f", outline="#6d431a", width=2)
    draw.ellipse((34, 34, 62, 56), fill="#e0b27c")
    for box in ((32, 24, 40, 32), (56, 24, 64, 32), (43, 36, 53, 44)):
        draw.ellipse(box, fill="black")


def _pencil(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((12, 72), (72, 12), (86, 26), (26, 86)), fill="#f2b705", outline="#996f00")
    draw.polygon(((12, 72), (26, 86), (4, 94)), fill="#f0d9b5", outline="#7b5b2e")
    draw.polygon(((72, 12), (80, 4), (94, 18), (86, 26)), fill="#e27d8d")


def _umbrella(draw: ImageDraw.ImageDraw) -> None:
    draw.pieslice((4, 6, 92, 94), 180, 360, fill="#c22f3a", outline="#761b23", width=2)
    draw.line((48, 4, 48, 84), fill="#4a3520", width=4)
    draw.arc((48, 74, 68, 94), 0, 180, fill="#4a3520", width=4)


def _pool_table(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((2, 20, 94, 76), fill="#5b3416")
    draw.rectangle((9, 27, 87, 69), fill="#14803c")
    for x, y, colour in ((30, 48, "white"), (60, 42, "red"), (66, 50, "yellow"), (60, 56, "blue")):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)


def _sock(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((30, 4), (58, 4), (58, 52), (84, 74), (74, 92), (50, 90), (30, 66)), fill="#d9435f")
    for y in (14, 28, 42):
        draw.rectangle((30, y, 58, y + 5), fill="white")


def _table_lamp(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon(((30, 6), (66, 6), (86, 50), (10, 50)), fill="#f6d58a", outline="#b08b33")
    draw.rectangle((44, 50, 52, 82), fill="#555555")
    draw.ellipse((26, 78, 70, 94), fill="#444444")


def _ball(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((4, 4, 92, 92), fill="white", outline="black", width=3)
    draw.regular_polygon((48, 48, 16), 5, fill="black")
    for x, y in ((48, 8), (86, 36), (72, 82), (24, 82), (10, 36)):
        draw.regular_polygon((x, y, 9), 5, fill="black")


def _cushion(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((6, 6, 90, 90), radius=22, fill="#7aa6c2", outline="#41657c", width=3)
    for k in range(20, 90, 18):
        draw.line((k, 10, k, 86), fill="#eef5f9", width=3)


OBJECTS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "clock": _clock,
    "envelope": _envelope,
    "teddy": _teddy,
    "pencil": _pencil,
    "umbrella": _umbrella,
    "pool table": _pool_table,
    "sock": _sock,
    "table lamp": _table_lamp,
    "ball": _ball,
    "cushion": _cushion,
}


def drawn(name: str) -> Image.Image:
    """One object alone on transparent ground, RGBA (96, 96)."""
    picture = Image.new("RGBA", (OBJECT, OBJECT), (0, 0, 0, 0))
    OBJECTS[name](ImageDraw.Draw(picture))
    return picture


def alone(name: str, side: int) -> np.ndarray:
    """The object large on white, uint8 (side, side, 3)."""
    ground = Image.new("RGB", (side, side), "white")
    large = drawn(name).resize((side * 3 // 4, side * 3 // 4), Image.Resampling.LANCZOS)
    ground.paste(large, (side // 8, side // 8), large)
    return np.asarray(ground)


def planted(name: str, side: int, random: np.random.Generator) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The object somewhere on soft noise: uint8 (side, side, 3) and its box (left, top, right, bottom)."""
    coarse = random.integers(150, 215, (7, 7, 3), dtype=np.uint8)
    ground = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
    left, top = (int(v) for v in random.integers(0, side - OBJECT, 2))
    picture = drawn(name)
    ground.paste(picture, (left, top), picture)
    return np.asarray(ground), (left, top, left + OBJECT, top + OBJECT)
