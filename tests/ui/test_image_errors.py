import io
import re

import pytest
from PIL import Image

from preprocessing.image import ImageError, prepare
from ui.image_errors import MESSAGES, image_message

DETAILS = {
    "empty": {},
    "too_large_bytes": {"megabytes": 21.05, "limit_megabytes": 20},
    "too_many_pixels": {"width": 12000, "height": 9000, "megapixels": 108.0, "limit_megapixels": 40},
    "not_an_image": {"formats": "JPEG, PNG"},
    "format_not_allowed": {"format": "HEIC", "formats": "JPEG, PNG"},
    "damaged": {"format": "PNG"},
}


def test_every_reason_has_a_message():
    assert set(MESSAGES) == set(ImageError.SENTENCES) == set(DETAILS)


@pytest.mark.parametrize("reason", DETAILS)
def test_each_message_is_filled_in(spoken, reason):
    message = image_message(ImageError(reason, DETAILS[reason]))
    assert not re.search(r"[{}]", message)
    for value in DETAILS[reason].values():
        if isinstance(value, str):
            assert value in message


def test_numbers_in_a_message_are_written_in_the_language(french):
    message = image_message(ImageError("too_many_pixels", DETAILS["too_many_pixels"]))
    assert "12\u202f000 × 9\u202f000" in message
    assert "108 million" in message
    assert "21,05 Mo" in image_message(ImageError("too_large_bytes", DETAILS["too_large_bytes"]))


def test_a_real_refusal_is_explained(french):
    buffer = io.BytesIO()
    Image.new("RGB", (60, 60), "red").save(buffer, "PNG")
    with pytest.raises(ImageError) as caught:
        prepare(buffer.getvalue()[:60])
    assert "PNG" in image_message(caught.value)
