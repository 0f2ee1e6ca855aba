import io

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from preprocessing.image import FORMATS, ImageError, picture, prepare

common = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
sides = st.integers(1, 90) | st.sampled_from([1, 2, 223, 224, 225, 700])
MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("L", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
}
SIGNATURES = [
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"GIF87a",
    b"RIFF\x24\0\0\0WEBPVP8 ",
    b"RIFF\x24\0\0\0WEBPVP8X",
    b"RIFF\x24\0\0\0WEBPVP8L",
    b"BM" + b"\0" * 12 + b"\x28\0\0\0",
]


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def noise(width, height, seed, mode="RGB"):
    image = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert(mode)


@st.composite
def files(draw):
    format = draw(st.sampled_from(FORMATS))
    mode = draw(st.sampled_from(MODES[format]))
    return encoded(noise(draw(sides), draw(sides), draw(st.integers(0, 9)), mode), format)


def check(data, size=32):
    """Either a well-shaped answer from both functions, or the same ImageError from both."""
    try:
        prepared = prepare(data, size)
    except ImageError as error:
        assert str(error).endswith(".")
        try:
            picture(data)
        except ImageError as other:
            assert other.reason == error.reason
            return
        raise AssertionError("picture() accepts what prepare() refuses") from error
    assert prepared.array.shape == (size, size, 3) and prepared.array.dtype == np.uint8
    shown = picture(data, 50)
    assert shown.mode == "RGB" and max(shown.size) <= 50


@common
@given(st.sampled_from(SIGNATURES) | st.just(b""), st.binary(max_size=200))
def test_any_bytes(signature, rest):
    check(signature + rest)


@common
@given(files(), st.data())
def test_any_damage(data, draw):
    """A real file with a few bytes changed, a piece cut out, or its end lost."""
    data = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1) | st.integers(0, min(60, len(data) - 1)))
        data[at] = draw.draw(st.integers(0, 255))
    start = draw.draw(st.integers(0, len(data)))
    del data[start : start + draw.draw(st.sampled_from([0, 0, 1, 7, len(data)]))]
    check(bytes(data))


@common
@given(st.sampled_from(FORMATS), sides, sides, st.integers(0, 9), st.sampled_from([1, 7, 64, 224]), st.data())
def test_any_picture(format, width, height, seed, size, draw):
    mode = draw.draw(st.sampled_from(MODES[format]))
    data = encoded(noise(width, height, seed, mode), format)
    prepared = prepare(data, size)
    geometry = prepared.geometry
    assert prepared.array.shape == (size, size, 3) and prepared.array.dtype == np.uint8
    assert geometry.picture_size == (width, height) and geometry.input_size == size
    left, top, right, bottom = geometry.crop
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    left, top, right, bottom = geometry.content
    assert 0 <= left < right <= size and 0 <= top < bottom <= size and max(right - left, bottom - top) == size
    outside = np.ones((size, size), bool)
    outside[top:bottom, left:right] = False
    assert (prepared.array[outside] == 255).all()
    assert np.array_equal(prepared.array, prepare(data, size).array)


@st.composite
def scenes(draw):
    """A picture on a plain background, and the box of the one coloured rectangle in it."""
    width, height = draw(st.integers(40, 500)), draw(st.integers(40, 500))
    across, down = draw(st.integers(width // 5, width)), draw(st.integers(height // 5, height))
    left, top = draw(st.integers(0, width - across)), draw(st.integers(0, height - down))
    image = Image.new("RGB", (width, height), draw(st.sampled_from(["white", (20, 20, 20), (246, 248, 250)])))
    image.paste((210, 40, 40), (left, top, left + across, top + down))
    return image, (left, top, left + across, top + down)


@common
@given(scenes(), st.integers(1, 30), st.integers(1, 30))
def test_ones_cover_the_crop_and_nothing_else(scene, rows, columns):
    geometry = prepare(encoded(scene[0], "PNG")).geometry
    heat = geometry.to_picture(np.ones((rows, columns)))
    assert heat.shape == scene[0].size[::-1] and heat.dtype == np.float32
    left, top, right, bottom = geometry.crop
    assert np.allclose(heat[top:bottom, left:right], 1, atol=1e-5)
    assert np.count_nonzero(heat) == (right - left) * (bottom - top)


@common
@given(scenes(), st.integers(1, 8), st.booleans())
def test_what_is_seen_in_the_input_lands_on_the_object(scene, orientation, shrink):
    """The red in the model input, sent back as heat, covers the red rectangle of the upright picture."""
    image, _ = scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, "PNG", exif=exif)
    shown = picture(data, 120 if shrink else 640)
    prepared = prepare(data)

    def red(pixels):
        pixels = np.asarray(pixels).astype(int)
        return (pixels[..., 0] - pixels[..., 1] > 85) & (pixels[..., 0] - pixels[..., 2] > 85)

    heat = prepared.geometry.to_picture(red(prepared.array).astype(float), shown.size) > 0.5
    assert heat.shape == shown.size[::-1]
    step = 1 + shrink + max(shown.size) / 224  # a pixel, one more to round the crop to, and an input pixel
    for axis in (0, 1):
        seen, true = np.flatnonzero(heat.any(axis=axis)), np.flatnonzero(red(shown).any(axis=axis))
        assert abs(seen[0] - true[0]) <= step and abs(seen[-1] - true[-1]) <= step


@common
@given(scenes())
def test_no_crop_loses_the_object(scene):
    image, (left, top, right, bottom) = scene
    crop = prepare(encoded(image, "PNG")).geometry.crop
    assert crop[0] <= left and crop[1] <= top and crop[2] >= right and crop[3] >= bottom
