import io

import numpy as np
import pytest
from PIL import Image

from preprocessing.image import prepare
from ui.gallery import EXAMPLES
from ui.gallery.draw import DRAWINGS, SIZE, drawn

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def test_there_is_one_drawing_for_each_example():
    assert [example.name for example in EXAMPLES] == list(DRAWINGS)
    assert 6 <= len(EXAMPLES) <= 8
    assert any(example.description for example in EXAMPLES)


@each_example
def test_the_file_is_what_the_program_draws(example):
    stored = Image.open(io.BytesIO(example.image)).convert("RGB")
    assert stored.size == (SIZE, SIZE)
    # The file has 128 colours, and shrinking may round otherwise in another version of Pillow.
    difference = np.abs(np.asarray(stored, int) - np.asarray(drawn(example.name), int))
    assert difference.mean() < 1.5


@each_example
def test_the_file_is_small_and_readable(example):
    assert len(example.image) < 40_000
    assert prepare(example.image).array.shape == (224, 224, 3)
