import io
import pickle
import struct
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile

from preprocessing import image as module
from preprocessing.image import FORMATS, MAX_BYTES, MAX_PIXELS, Geometry, ImageError, picture, prepare

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 160, 30), (30, 30, 200), (120, 120, 120)


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def photo(width=60, height=40, seed=0):
    """Noise from edge to edge: no margin, no two corners alike."""
    noise = np.random.default_rng(seed).integers(0, 200, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def planted(size, box, colour=RED, background=(255, 255, 255)):
    image = Image.new("RGB", size, background)
    image.paste(colour, box)
    return image


def quadrants(size=(80, 40)):
    """Red, green, blue and grey from the top left, row by row."""
    image = Image.new("RGB", size)
    middle = size[0] // 2, size[1] // 2
    for colour, corner in zip((RED, GREEN, BLUE, GREY), ((0, 0), (1, 0), (0, 1), (1, 1)), strict=True):
        left, top = corner[0] * middle[0], corner[1] * middle[1]
        image.paste(colour, (left, top, left + middle[0], top + middle[1]))
    return image


def png(width, height, bits, colour, rows, *chunks):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    extra = b"".join(chunk(name, body) for name, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def reason_for(data):
    with pytest.raises(ImageError) as caught:
        prepare(data)
    with pytest.raises(ImageError) as again:
        picture(data)
    assert caught.value.reason == again.value.reason
    return caught.value.reason


def near(colour, expected, tolerance=3):
    return np.abs(np.asarray(colour, int) - np.asarray(expected, int)).max() <= tolerance


# What is refused, and how


def test_empty():
    assert reason_for(b"") == "empty"


def test_too_many_bytes_even_by_one():
    with pytest.raises(ImageError) as caught:
        prepare(encoded(photo()).ljust(MAX_BYTES + 1, b"\0"))
    assert caught.value.reason == "too_large_bytes"
    assert caught.value.details == {"megabytes": 20.01, "limit_megabytes": 20}
    assert prepare(encoded(photo()).ljust(MAX_BYTES, b"\0")).array.shape == (224, 224, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"not a picture at all",
        b"BMW 320i, four doors",
        b"\0",
        b"\xff\xd8",
        b"<html><body>404",
        b"PK\3\4",
        b"RIFF1234WAVE",
    ],
)
def test_not_an_image(data):
    assert reason_for(data) == "not_an_image"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("TIFF", encoded(photo(), "TIFF")),
        ("PDF", encoded(photo(), "PDF")),
        (
            "SVG",
            b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
        ),
        ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1"),
    ],
)
def test_other_formats_are_named(name, data):
    with pytest.raises(ImageError) as caught:
        prepare(data)
    assert caught.value.reason == "format_not_allowed"
    assert caught.value.details["format"] == name
    assert str(caught.value).startswith(f"{name} is not accepted") and "WEBP" in str(caught.value)


def test_a_signature_search_takes_linear_time():
    assert reason_for(b"<!>" * 5000) == "not_an_image"
    assert reason_for(b"\n" * 50000) == "not_an_image"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated(format, kept):
    data = encoded(photo(200, 150), format)
    assert reason_for(data[: int(len(data) * kept)]) == "damaged"


def test_truncated_progressive_jpeg():
    data = encoded(photo(300, 200), "JPEG", progressive=True)
    assert reason_for(data[: len(data) * 3 // 4]) == "damaged"
    assert prepare(data).geometry.picture_size == (300, 200)


def test_png_with_a_wrong_checksum():
    data = bytearray(encoded(photo()))
    data[len(data) // 2] ^= 0xFF
    assert reason_for(bytes(data)) == "damaged"


@pytest.mark.parametrize("format", FORMATS)
def test_junk_after_the_end_is_ignored(format):
    data = encoded(photo(), format)
    assert np.array_equal(prepare(data).array, prepare(data + b"<?php junk ?>" * 50).array)


def test_header_only_bombs():
    """Huge sizes in a few bytes are refused from the header: nothing decoded, no warning."""
    flat = png(60_000, 60_000, 8, 2, b"\0")
    jpeg = bytearray(encoded(photo(), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
    screen = bytearray(encoded(Image.new("P", (4, 4)), "GIF"))
    screen[6:10] = struct.pack("<HH", 60_000, 60_000)
    frame = bytearray(encoded(Image.new("P", (4, 4)), "GIF"))
    at = frame.index(b",", 13 + 3 * 2) + 5
    frame[at : at + 4] = struct.pack("<HH", 12_000, 9_000)  # in Pillow's range of warnings, not of errors
    bmp = bytearray(encoded(photo(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    lossy = bytearray(encoded(photo(), "WEBP"))
    lossy[26:30] = struct.pack("<HH", 16_383, 16_383)
    lossless = bytearray(encoded(photo(), "WEBP", lossless=True))
    lossless[21:25] = (16_382 | 16_382 << 14).to_bytes(4, "little")
    animated = bytearray(encoded(photo(), "WEBP", save_all=True, append_images=[photo(seed=1)]))
    assert animated[12:16] == b"VP8X"
    animated[24:30] = (11_999).to_bytes(3, "little") + (8_999).to_bytes(3, "little")
    for bomb in (flat, jpeg, screen, frame, bmp, lossy, lossless, animated):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reason_for(bytes(bomb)) == "too_many_pixels"


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("GIF", {}),
        ("GIF", {"save_all": True, "comment": b"a, comment! " * 60}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"save_all": True}),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
    ],
)
@pytest.mark.parametrize("size", [(61, 37), (300, 1), (7, 1025)])
def test_the_declared_size_is_the_real_one(format, options, size):
    """An understated size would let a bomb through, an overstated one would refuse a good picture."""
    if "save_all" in options:
        options = {**options, "append_images": [photo(*size, seed=1)]}
    assert module._canvas(format, encoded(photo(*size), format, **options)) == size


def test_a_bomb_is_never_opened_for_decoding(monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    assert reason_for(encoded(Image.new("1", (MAX_PIXELS // 1000 + 1, 1000)))) == "too_many_pixels"


def test_exactly_the_pixel_limit_is_accepted(monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 60 * 40)
    assert prepare(encoded(photo(60, 40))).geometry.picture_size == (60, 40)
    with pytest.raises(ImageError, match="61 × 40"):
        prepare(encoded(photo(61, 40)))


def test_details_of_too_many_pixels():
    with pytest.raises(ImageError) as caught:
        prepare(png(10_000, 4_001, 8, 2, b"\0"))
    assert caught.value.details == {
        "width": 10_000,
        "height": 4_001,
        "megapixels": 40.1,
        "limit_megapixels": 40,
    }


def test_errors_survive_pickling_and_read_as_sentences():
    for data in (
        b"",
        b"text",
        encoded(photo())[:60],
        encoded(photo(), "TIFF"),
        png(60_000, 60_000, 8, 2, b"\0"),
    ):
        with pytest.raises(ImageError) as caught:
            prepare(data)
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (copy.reason, copy.details) == (caught.value.reason, caught.value.details)
        assert str(copy) == str(caught.value) and str(copy).endswith(".") and "{" not in str(copy)


# Modes and depths


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_its_colours(format):
    options = {"quality": 95} if format in ("JPEG", "WEBP") else {}
    array = prepare(encoded(quadrants(), format, **options)).array
    assert array.dtype == np.uint8 and array.shape == (224, 224, 3) and array.flags.writeable
    for colour, (x, y) in ((RED, (50, 80)), (GREEN, (170, 80)), (BLUE, (50, 140)), (GREY, (170, 140))):
        assert near(array[y, x], colour, 8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_mode(mode):
    grey = photo().convert("L")
    source = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else photo().convert(mode)
    reference = grey.convert("RGB") if mode in ("L", "LA", "I;16") else source.convert("RGB")
    assert near(np.asarray(picture(encoded(source))), np.asarray(reference), 1)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_deep_modes_are_scaled_not_clipped(mode):
    deep = Image.fromarray(np.array([[0, 257 * 100, 65535, 70000]], np.float32)).convert(mode)
    assert np.asarray(module._plain(deep)).tolist() == [[0, 100, 255, 255]]


def test_sixteen_bits_keep_the_middle_grey():
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    shown = np.asarray(picture(encoded(Image.fromarray(ramp))))[..., 0]
    assert np.abs(shown.astype(float) - ramp / 257).max() <= 1


def test_sixteen_bits_with_a_transparent_grey():
    rows = b"\0" + struct.pack(">HHH", 0, 1000, 65535)
    shown = picture(png(3, 1, 16, 0, rows, (b"tRNS", struct.pack(">H", 1000))))
    assert [shown.getpixel((x, 0))[0] for x in range(3)] == [0, 255, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_turn_white(mode):
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((*GREY, 255), (10, 10, 30, 30))
    data = encoded(image.quantize(4) if mode == "P" else image.convert(mode))
    shown = picture(data)
    assert shown.mode == "RGB" and shown.getpixel((2, 2)) == (255, 255, 255)
    assert near(shown.getpixel((20, 20)), GREY)
    left, top, right, bottom = prepare(data).geometry.crop
    assert 8 <= left <= 10 and 8 <= top <= 10 and 30 <= right <= 32 and 30 <= bottom <= 32


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_one_transparent_colour_turns_white(mode):
    """The tRNS chunk of PNG, and the transparent index of GIF."""
    image = Image.new("RGB", (20, 20), (0, 0, 0))
    image.paste((255, 255, 255), (5, 5, 15, 15))
    image = image.convert(mode)
    black = {"1": 0, "L": 0, "P": image.getpixel((0, 0)), "RGB": (0, 0, 0)}[mode]
    formats = ("PNG", "GIF") if mode in ("L", "P") else ("PNG",)
    for format in formats:
        shown = picture(encoded(image, format, transparency=black))
        assert shown.getextrema() == ((255, 255),) * 3, format


def test_half_transparency_blends_with_white():
    assert near(picture(encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 128)))).getpixel((4, 4)), (127, 127, 127), 1)


def test_hidden_colours_do_not_bleed_when_a_large_picture_shrinks():
    image = Image.new("RGBA", (4000, 4000), (255, 0, 0, 0))
    assert picture(encoded(image, compress_level=1), 64).getextrema() == ((255, 255),) * 3


def test_cmyk_jpeg_is_not_a_negative():
    data = encoded(quadrants().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    shown = picture(data)
    assert near(shown.getpixel((20, 10)), RED, 8) and near(shown.getpixel((60, 10)), GREEN, 8)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animations_show_their_first_frame(format):
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, GREEN)]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=50)
    assert near(picture(data).getpixel((20, 20)), RED, 6)
    assert near(prepare(data).array[112, 112], RED, 6)


def test_multi_picture_phone_photo():
    first, second = Image.new("RGB", (64, 48), RED), Image.new("RGB", (32, 24), BLUE)
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    with Image.open(io.BytesIO(data)) as check:
        assert check.format == "MPO"
    prepared = prepare(data)
    assert prepared.geometry.picture_size == (64, 48) and near(prepared.array[112, 112], RED, 6)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_broken_colour_profile_changes_nothing(format):
    options = {"quality": 90} if format != "PNG" else {}
    plain, profiled = (
        encoded(photo(), format, **options),
        encoded(photo(), format, icc_profile=b"?" * 300, **options),
    )
    assert np.array_equal(prepare(plain).array, prepare(profiled).array)


# EXIF


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone(orientation, format):
    upright = quadrants((80, 40))
    turns = Image.Transpose
    stored = {
        1: upright,
        2: upright.transpose(turns.FLIP_LEFT_RIGHT),
        3: upright.transpose(turns.ROTATE_180),
        4: upright.transpose(turns.FLIP_TOP_BOTTOM),
        5: upright.transpose(turns.TRANSPOSE),
        6: upright.transpose(turns.ROTATE_90),
        7: upright.transpose(turns.TRANSVERSE),
        8: upright.transpose(turns.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if format == "PNG" else {"quality": 95}
    data = encoded(stored, format, exif=exif, **options)
    shown, prepared = picture(data), prepare(data)
    assert shown.size == prepared.geometry.picture_size == (80, 40)
    for colour, x, y in ((RED, 20, 10), (GREEN, 60, 10), (BLUE, 20, 30), (GREY, 60, 30)):
        assert near(shown.getpixel((x, y)), colour, 12)
        u, v = prepared.geometry.to_input(x, y)
        assert near(prepared.array[int(v), int(u)], colour, 12)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x026\0\0\0",  # the text "6"
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\xff\0\0\0\0\0",  # a cut fraction
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\x00\x63\0\0\0\0\0\0",  # 99
    ],
)
def test_odd_exif_leaves_the_picture_as_stored(exif):
    prepared = prepare(encoded(quadrants((80, 40)), "JPEG", exif=exif))
    assert prepared.geometry.picture_size == (80, 40)
    assert near(prepared.array[80, 50], RED, 12)


def test_unreadable_exif_in_a_png_text_chunk():
    rows = b"".join(b"\0" + bytes(range(100, 110)) for _ in range(5))
    data = png(10, 5, 8, 0, rows, (b"tEXt", b"Raw profile type exif\0\nexif\n  99\nnot hexadecimal\n"))
    assert prepare(data).geometry.picture_size == (10, 5)


# Margins and fit


def test_white_margins_are_cropped_with_a_small_pad():
    geometry = prepare(encoded(planted((400, 300), (150, 100, 250, 180)))).geometry
    assert geometry.crop == (148, 98, 252, 182)  # 2 % of 100
    assert geometry.content == (0, 21, 224, 202)  # 104 × 84 drawn 224 × 181


@pytest.mark.parametrize("background", [(255, 255, 255), (248, 250, 246), (0, 0, 0), (40, 90, 160)])
def test_any_uniform_border_is_cropped_through_jpeg_noise(background):
    data = encoded(planted((400, 300), (160, 80, 304, 192), background=background), "JPEG", quality=85)
    left, top, right, bottom = prepare(data).geometry.crop
    assert abs(left - 157) <= 4 and abs(top - 77) <= 4 and abs(right - 307) <= 4 and abs(bottom - 195) <= 4


def test_a_white_margin_is_cropped_beside_a_photo_on_the_other_side():
    image = Image.new("RGB", (400, 200), "white")
    image.paste(photo(200, 200), (200, 0))
    left, top, right, bottom = prepare(encoded(image)).geometry.crop
    assert 190 <= left <= 200 and (top, right, bottom) == (0, 400, 200)


def test_a_logo_in_one_corner_does_not_hide_the_border():
    image = planted((400, 400), (150, 150, 250, 250), background=(0, 0, 0))
    image.paste(GREEN, (0, 0, 20, 20))
    assert prepare(encoded(image)).geometry.crop == (0, 0, 255, 255)


@pytest.mark.parametrize("colour", ["white", "black", (250, 251, 249), GREY])
def test_a_uniform_picture_is_kept_whole(colour):
    prepared = prepare(encoded(Image.new("RGB", (120, 60), colour)))
    assert prepared.geometry.crop == (0, 0, 120, 60) and prepared.geometry.content == (0, 56, 224, 168)


def test_a_photo_without_margins_is_kept_whole():
    assert prepare(encoded(photo(90, 50))).geometry.crop == (0, 0, 90, 50)


def test_a_speck_of_dust_is_not_blown_up():
    left, top, right, bottom = prepare(encoded(planted((800, 800), (400, 400, 401, 401)))).geometry.crop
    assert right - left >= 99 and bottom - top >= 99 and left <= 400 < right and top <= 400 < bottom


def test_fit_keeps_the_proportions_and_pads_with_white():
    array = prepare(encoded(photo(100, 50))).array
    assert (array[:56] == 255).all() and (array[168:] == 255).all()
    assert (array[56:168] < 255).any(axis=(1, 2)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 1), (3, 20_000), (1, 200_000)])
@pytest.mark.parametrize("format", ["PNG", "BMP"])
def test_thin_and_tiny(size, format):
    data = encoded(Image.new("RGB", size, RED), format)
    prepared = prepare(data)
    left, top, right, bottom = prepared.geometry.content
    assert prepared.geometry.picture_size == size and prepared.geometry.crop == (0, 0, *size)
    assert near(prepared.array[top:bottom, left:right], RED)
    assert max(right - left, bottom - top) == 224
    assert max(picture(data).size) == min(640, max(size)) and min(picture(data).size) >= 1


def test_input_size_is_a_choice():
    for size in (1, 96, 299):
        prepared = prepare(encoded(photo()), size)
        assert prepared.array.shape == (size, size, 3) and prepared.geometry.input_size == size


def test_fine_stripes_blend_rather_than_alias():
    stripes = np.zeros((448, 448, 3), np.uint8)
    stripes[:, ::2] = 255
    array = prepare(encoded(Image.fromarray(stripes))).array[:, 4:-4]
    assert abs(int(array.min()) - 127) < 15 and abs(int(array.max()) - 127) < 15


# Large pictures


@pytest.mark.parametrize("size", [(4003, 3001), (1, 200_000), (5000, 900)])
def test_no_step_after_decoding_sees_more_than_it_needs(size, monkeypatch):
    seen = []
    find = module._without_margins
    monkeypatch.setattr(module, "_without_margins", lambda image, full: seen.append(image.size) or find(image, full))
    prepare(encoded(Image.new("L", size, 90), "PNG", compress_level=1))
    assert len(seen) == 1 and max(seen[0]) < 2 * 4 * 224
    assert all(have >= min(full, 4 * 224) for have, full in zip(seen[0], size, strict=True))


def test_a_large_jpeg_is_decoded_small_but_measured_whole(monkeypatch):
    data = encoded(planted((4003, 3001), (1200, 800, 2401, 2003)), "JPEG")
    decoded = []
    plain = module._plain
    monkeypatch.setattr(module, "_plain", lambda image: decoded.append(image.size) or plain(image))
    geometry = prepare(data).geometry
    assert decoded == [(2002, 1501)]  # half: a quarter would leave less than the 896 pixels asked for
    assert geometry.picture_size == (4003, 3001)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_crop_of_a_large_picture_is_in_original_pixels(format):
    geometry = prepare(encoded(planted((4003, 3001), (1200, 800, 2401, 2003)), format)).geometry
    assert geometry.picture_size == (4003, 3001)
    assert np.abs(np.array(geometry.crop) - (1176, 776, 2425, 2027)).max() <= 12


def test_picture_is_whole_and_never_enlarged():
    assert picture(encoded(planted((400, 300), (10, 10, 20, 20)))).size == (400, 300)
    shown = picture(encoded(planted((3000, 1500), (0, 0, 3000, 750))), 300)
    assert shown.size == (300, 150) and near(shown.getpixel((150, 30)), RED) and shown.getpixel((150, 120))[0] == 255


# Back onto the picture


def test_heat_of_one_fills_the_crop_only():
    geometry = prepare(encoded(planted((400, 300), (150, 100, 250, 180)))).geometry
    heat = geometry.to_picture(np.ones((7, 7)))
    assert heat.shape == (300, 400) and heat.dtype == np.float32
    left, top, right, bottom = geometry.crop
    assert np.allclose(heat[top:bottom, left:right], 1, atol=1e-5)
    heat[top:bottom, left:right] = 0
    assert not heat.any()


def test_heat_is_bilinear():
    geometry = Geometry((8, 4), (0, 0, 8, 4), (0, 2, 8, 6), 8)
    heat = geometry.to_picture(np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert np.allclose(heat, [[0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]] * 4, atol=1e-6)


def test_heat_on_the_white_padding_is_left_out():
    geometry = Geometry((100, 50), (0, 0, 100, 50), (0, 56, 224, 168), 224)
    heat = np.zeros((224, 224))
    heat[:50] = heat[174:] = 1
    assert not geometry.to_picture(heat).any()


def test_heat_on_a_scaled_picture():
    geometry = prepare(encoded(planted((3000, 1500), (600, 300, 1200, 900)))).geometry
    shown = geometry.to_picture(np.ones((7, 7)), (300, 150))
    assert shown.shape == (150, 300) and shown[60, 90] == pytest.approx(1) and shown[10, 10] == 0
    assert abs(shown.sum() * 100 / geometry.to_picture(np.ones((7, 7))).sum() - 1) < 0.1
    assert geometry.to_picture(np.ones((7, 7)), (1, 1)).shape == (1, 1)


@pytest.mark.parametrize("heat", [np.ones(7), np.ones((7, 7, 1)), np.ones((0, 7))])
def test_heat_must_be_a_map(heat):
    with pytest.raises(ValueError, match="two dimensions"):
        Geometry((8, 4), (0, 0, 8, 4), (0, 2, 8, 6), 8).to_picture(heat)


def test_points_go_where_the_pixels_go():
    geometry = Geometry((400, 300), (100, 50, 300, 150), (0, 56, 224, 168), 224)
    assert geometry.to_input(100, 50) == (0, 56)
    assert geometry.to_input(300, 150) == (224, 168)
    assert geometry.to_input(200, 100) == (112, 112)
    assert geometry.to_input(0, 100)[0] < 0


# Together


def test_many_threads_agree_and_touch_no_global(monkeypatch):
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    data = [encoded(photo(300 + 10 * n, 200, n), FORMATS[n % len(FORMATS)]) for n in range(10)]
    alone = [prepare(item).array for item in data]
    start = threading.Barrier(4)

    def work(_):
        start.wait()
        for item in data:
            with pytest.raises(ImageError):
                prepare(item[: len(item) // 2])
        return [prepare(item).array for item in data]

    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(work, range(4)):
            assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before
