"""Pictures of nothing in particular, drawn by chance: what is said of them is no business of any decision."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_MOST_SHAPES = 8


def drawing(number: int, seed: int, side: int) -> np.ndarray:
    """The picture of this number, RGB from 0 to 255, float32 (side, side, 3): a ground, shapes, blur and noise."""
    random = np.random.default_rng((seed, number))
    image = _ground(random, side)
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(0, _MOST_SHAPES + 1))):
        _shape(random, pen, side)
    if random.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.5, 4))))
    channels = 1 if random.random() < 0.5 else 3
    noise = random.normal(0, random.uniform(0, 20), (side, side, channels))
    return (np.asarray(image, np.float32) + noise).clip(0, 255).astype(np.float32)


def _ground(random: np.random.Generator, side: int) -> Image.Image:
    """White as in a shop, of one colour, of colours that run into each other, or of squares."""
    kind = int(random.integers(4))
    if kind < 2:
        return Image.new("RGB", (side, side), _colour(random) if kind else (255, 255, 255))
    cells = int(random.choice([2, 3, 5, 8, 16, 40]))
    middle, spread = random.uniform(60, 200, 3), random.uniform(10, 90)
    coarse = (middle + random.normal(0, spread, (cells, cells, 3))).clip(0, 255).astype(np.uint8)
    how = Image.Resampling.BICUBIC if kind == 2 else Image.Resampling.NEAREST
    return Image.fromarray(coarse).resize((side, side), how)


def _shape(random: np.random.Generator, pen: ImageDraw.ImageDraw, side: int) -> None:
    size = float(np.exp(random.uniform(np.log(side / 12), np.log(side))))
    x, y = random.uniform(-size / 4, side - size * 3 / 4, 2).tolist()
    height = size * float(random.uniform(0.3, 1))
    box = [x, y, x + size, y + height]
    ink, edge, width = _colour(random), _colour(random), int(random.integers(1, 12))
    match int(random.integers(5)):
        case 0:
            pen.ellipse(box, ink, edge, width // 3)
        case 1:
            pen.rounded_rectangle(box, height * float(random.choice([0, 0.1, 0.3])), ink, edge, width // 3)
        case 2:
            middle, turned = (x + size / 2, y + size / 2), float(random.uniform(0, 360))
            pen.regular_polygon((*middle, size / 2), int(random.integers(3, 9)), turned, ink)
        case 3:
            pen.arc(box, *sorted(random.uniform(0, 360, 2).tolist()), fill=ink, width=width)
        case _:
            _stripes(random, pen, np.array([x, y]), size, ink, width)


def _stripes(
    random: np.random.Generator, pen: ImageDraw.ImageDraw, corner: np.ndarray, size: float, ink: tuple, width: int
) -> None:
    step, angle = float(random.uniform(5, 40)), float(random.uniform(0, np.pi))
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for place in np.arange(0, size, step):
        start = corner + place * across
        pen.line([tuple(start.tolist()), tuple((start + size * along).tolist())], ink, width)


def _colour(random: np.random.Generator) -> tuple[int, ...]:
    """A grey one time in four."""
    return (int(random.integers(256)),) * 3 if random.random() < 0.25 else tuple(random.integers(0, 256, 3).tolist())
