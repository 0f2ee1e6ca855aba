"""Draws the example products: ``python -m ui.gallery.draw`` writes them again, the same to the pixel."""

import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent
SIZE = 480
_FINE = 3  # drawn this much larger, then shrunk: smooth edges

Canvas = ImageDraw.ImageDraw
Colour = str | tuple[int, int, int]


def _at(*points: tuple[float, float]) -> list[tuple[float, float]]:
    """Points on a 100 × 100 grid, in pixels of the canvas."""
    unit = SIZE * _FINE / 100
    return [(x * unit, y * unit) for x, y in points]


def _width(units: float) -> int:
    return max(1, round(units * SIZE * _FINE / 100))


def _box(canvas: Canvas, left, top, right, bottom, fill: Colour, radius: float = 0, line: Colour | None = None):
    canvas.rounded_rectangle(
        _at((left, top), (right, bottom)), _width(radius) if radius else 0, fill, line, _width(0.6)
    )


def _oval(
    canvas: Canvas,
    left,
    top,
    right,
    bottom,
    fill: Colour | None,
    line: Colour | None = None,
    thick: float = 0.6,
):
    canvas.ellipse(_at((left, top), (right, bottom)), fill, line, _width(thick))


def _shape(canvas: Canvas, *points, fill: Colour):
    canvas.polygon(_at(*points), fill)


def _line(canvas: Canvas, *points, fill: Colour, thick: float):
    canvas.line(_at(*points), fill, _width(thick), joint="curve")


def _mix(a: tuple[int, int, int], b: tuple[int, int, int], t: float) -> tuple[int, int, int]:
    return tuple(round(x + (y - x) * t) for x, y in zip(a, b, strict=True))


def _shaded_ball(canvas: Canvas, x, y, radius, dark, light):
    for step in range(40):
        t = step / 39
        r = radius * (1 - t) + 0.5
        cx, cy = x - radius * 0.35 * t, y - radius * 0.4 * t
        _oval(canvas, cx - r, cy - r, cx + r, cy + r, _mix(dark, light, t))


def cushion(canvas: Canvas) -> None:
    _shape(canvas, (14, 20), (50, 15), (86, 20), (90, 50), (86, 82), (50, 87), (14, 82), (10, 50), fill="#e9edf2")
    for i in range(7):
        left = 16 + i * 10.2
        bow = 3.5 * math.sin(math.pi * (i + 0.5) / 7)
        _shape(
            canvas,
            (left, 19.5 - bow),
            (left + 5, 19 - bow),
            (left + 5, 83 + bow),
            (left, 82.5 + bow),
            fill="#2c5d8f",
        )
    _line(
        canvas,
        (14, 20),
        (50, 15),
        (86, 20),
        (90, 50),
        (86, 82),
        (50, 87),
        (14, 82),
        (10, 50),
        (14, 20),
        fill="#c3ccd6",
        thick=1,
    )
    for x, y in ((14, 20), (86, 20), (14, 82), (86, 82)):
        _oval(canvas, x - 2, y - 2, x + 2, y + 2, "#f5f7fa", "#c3ccd6")


def lamp(canvas: Canvas) -> None:
    _oval(canvas, 26, 84, 74, 93, "#b98552")
    _oval(canvas, 26, 82, 74, 91, "#d6a56c")
    for i, x in enumerate((46, 47.5, 49, 50.5, 52)):
        _box(canvas, x, 50, x + 1.6, 87, _mix((150, 102, 58), (222, 178, 122), i / 4))
    for i in range(30):
        t = i / 29
        shade = _mix((205, 190, 160), (255, 247, 224), math.sin(math.pi * t))
        top_l, low_l = 32 + 36 * t, 22 + 56 * t
        _shape(canvas, (top_l, 14), (top_l + 1.4, 14), (low_l + 2.1, 54), (low_l, 54), fill=shade)
    _line(canvas, (32, 14), (68.5, 14), fill="#b9a57f", thick=1)
    _line(canvas, (22, 54), (80, 54), fill="#b9a57f", thick=1)


def chess(canvas: Canvas) -> None:
    _shape(canvas, (4, 72), (24, 46), (96, 46), (80, 88), fill="#6b4423")
    _shape(canvas, (4, 70), (24, 44), (96, 44), (80, 86), fill="#8a5a31")

    def corner(u: float, v: float) -> tuple[float, float]:
        top = (26 + 66 * u, 46)
        low = (9 + 69 * u, 69 + 14.5 * u)
        return top[0] + (low[0] - top[0]) * v, top[1] + (low[1] - top[1]) * v

    for row in range(8):
        for column in range(8):
            u, v, s = column / 8, row / 8, 1 / 8
            fill = "#f0dcb4" if (row + column) % 2 == 0 else "#7a4a26"
            _shape(canvas, corner(u, v), corner(u + s, v), corner(u + s, v + s), corner(u, v + s), fill=fill)
    pieces = [
        (0.3, 0.3, 1.0, "#2b2019"),
        (0.68, 0.36, 0.8, "#2b2019"),
        (0.42, 0.75, 1.15, "#f3e6c8"),
        (0.75, 0.8, 0.9, "#f3e6c8"),
    ]
    for u, v, scale, fill in pieces:
        x, y = corner(u, v)
        edge = "#120d0a" if fill == "#2b2019" else "#b99d6b"
        _oval(canvas, x - 5 * scale, y - 2.4 * scale, x + 5 * scale, y + 2.4 * scale, fill, edge)
        neck = [
            (x - 3.6 * scale, y - 1),
            (x - 1.6 * scale, y - 16 * scale),
            (x + 1.6 * scale, y - 16 * scale),
            (x + 3.6 * scale, y - 1),
        ]
        _shape(canvas, *neck, fill=fill)
        _oval(canvas, x - 3 * scale, y - 18 * scale, x + 3 * scale, y - 15.4 * scale, fill, edge)
        _oval(canvas, x - 3 * scale, y - 24 * scale, x + 3 * scale, y - 18 * scale, fill, edge)


def gamepad(canvas: Canvas) -> None:
    body, edge = "#2f3440", "#1b1e26"
    _oval(canvas, 6, 34, 40, 84, body)
    _oval(canvas, 60, 34, 94, 84, body)
    _box(canvas, 20, 28, 80, 66, body, 14)
    _box(canvas, 24, 25, 40, 31, edge, 2.5)
    _box(canvas, 60, 25, 76, 31, edge, 2.5)
    _box(canvas, 24, 39, 29, 55, "#c9ced8", 1)
    _box(canvas, 18.5, 44.5, 34.5, 49.5, "#c9ced8", 1)
    for x, y, fill in ((72, 39, "#e5b53c"), (66, 46, "#4f8fdc"), (78, 46, "#d94f4f"), (72, 53, "#49b06c")):
        _oval(canvas, x - 3.2, y - 3.2, x + 3.2, y + 3.2, fill)
    for x in (39, 61):
        _oval(canvas, x - 7.5, 53.5, x + 7.5, 68.5, edge)
        _oval(canvas, x - 5, 56, x + 5, 66, "#596070")
    _oval(canvas, 46.5, 38, 53.5, 45, "#e9ecf2")


def stationery(canvas: Canvas) -> None:
    _box(canvas, 14, 14, 60, 88, "#1f6f64", 2)
    _box(canvas, 17, 16, 62, 86, "#fbfaf5", 1.5, "#d8d3c2")
    for i in range(13):
        _line(canvas, (24, 24 + i * 4.6), (58, 24 + i * 4.6), fill="#b9cbe4", thick=0.5)
    for i in range(11):
        _oval(canvas, 13, 18 + i * 6.2, 19, 21 + i * 6.2, None, "#8d949c", 0.9)
    for i, fill in enumerate(("#20242c", "#2b5fb8", "#c23b3b", "#2f8f4e")):
        x = 67 + i * 7.2
        _box(canvas, x, 22, x + 4.6, 78, "#eef1f4", 1, "#c6ccd3")
        _box(canvas, x, 60, x + 4.6, 78, fill)
        _shape(canvas, (x, 78), (x + 4.6, 78), (x + 2.3, 87), fill=fill)
        _box(canvas, x + 0.6, 14, x + 4, 23, fill, 1)


def pool(canvas: Canvas) -> None:
    for i in range(24):
        t = i / 23
        left = 6 + 88 * t
        low, next_low = (46 + 38 * math.sqrt(max(0.0, t_ * (1 - t_))) * 1.6 for t_ in (t, min(1.0, t + 1 / 23)))
        shade = _mix((120, 140, 160), (214, 224, 232), math.sin(math.pi * t))
        _shape(canvas, (left, 45), (left + 4, 45), (left + 4, next_low), (left, low), fill=shade)
    _oval(canvas, 5, 27, 99, 63, "#8fa3b5")
    _oval(canvas, 8, 29.5, 96, 60.5, "#35a7d8")
    _oval(canvas, 12, 34, 92, 60, "#58c1e8")
    for x, y in ((30, 43), (55, 40), (68, 50), (42, 53)):
        _line(canvas, (x - 7, y), (x - 3, y - 1.6), (x + 2, y + 0.6), (x + 7, y - 1), fill="#c4ecfa", thick=0.9)
    for x in (70, 79):
        _line(canvas, (x, 22), (x, 84), fill="#aeb6be", thick=1.6)
    for i in range(6):
        _line(canvas, (70, 32 + i * 9), (79, 32 + i * 9), fill="#cfd5da", thick=1.4)


def table(canvas: Canvas) -> None:
    for x in (17, 74):
        _shape(canvas, (x, 50), (x + 7, 50), (x + 5, 84), (x + 2, 84), fill="#8a5c33")
    for x in (32, 62):
        _shape(canvas, (x, 46), (x + 5, 46), (x + 4, 70), (x + 1, 70), fill="#6f4827")
    _shape(canvas, (6, 48), (24, 34), (76, 34), (94, 48), fill="#c98f55")
    for i in range(6):
        y = 35.5 + i * 2.1
        inset = (48 - y) * 1.28
        _line(canvas, (8 + inset, y), (92 - inset, y + 0.5), fill="#b57b43", thick=0.5)
    _box(canvas, 6, 48, 94, 53, "#a86f3b")
    _line(canvas, (22, 69), (78, 69), fill="#7b5230", thick=2.2)


def ball(canvas: Canvas) -> None:
    _oval(canvas, 24, 80, 80, 90, "#e3e6ea")
    _shaded_ball(canvas, 50, 50, 34, (150, 22, 26), (246, 112, 96))


DRAWINGS: dict[str, Callable[[Canvas], None]] = {
    "cushion": cushion,
    "lamp": lamp,
    "chess": chess,
    "gamepad": gamepad,
    "stationery": stationery,
    "pool": pool,
    "table": table,
    "ball": ball,
}


def drawn(name: str) -> Image.Image:
    """The drawing as a square RGB picture on white."""
    large = Image.new("RGB", (SIZE * _FINE, SIZE * _FINE), "white")
    DRAWINGS[name](ImageDraw.Draw(large))
    shadow = large.convert("L").point(lambda value: 0 if value < 250 else 255)
    shadow = shadow.filter(ImageFilter.GaussianBlur(_width(1.4))).point(lambda value: 215 + value * 40 // 255)
    ground = Image.new("RGB", large.size, "white")
    ground.paste(Image.merge("RGB", [shadow] * 3), (0, _width(1.2)))
    ground.paste(large, mask=large.convert("L").point(lambda value: 255 if value < 250 else 0))
    return ground.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def main() -> None:
    """Writes every drawing into this folder."""
    for name in DRAWINGS:
        # Few colours are all a drawing needs, and a third of the bytes.
        drawn(name).quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            FOLDER / f"{name}.png", optimize=True
        )


if __name__ == "__main__":
    main()
